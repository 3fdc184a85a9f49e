// One API call from end to end: its turn, its sending, its failure in our words, its answer read.
import type { Clock } from '../base/clock.ts'
import type { Log } from '../base/log.ts'
import { IpamError } from '../ipam/errors.ts'
import type { Priority } from '../ports.ts'
import type { Millis } from '../value/millis.ts'
import { type Answer, MalformedAnswer, readAnswer } from './answer.ts'
import { type Doing, fromTencent, retryAfter } from './errors.ts'
import type { Limiter } from './limiter.ts'
import type { Product, Transport } from './transport.ts'

export interface ApiCall<T> extends Doing {
  readonly product: Product
  readonly priority: Priority
  /** Asked for each time the call is sent. */
  readonly params: () => object
  readonly read: (answer: Answer) => T
}

export interface Caller {
  /** What `read` makes of the answer. Throws every code of errors.ts. */
  call<T>(call: ApiCall<T>): Promise<T>
}

export interface CallerOptions {
  readonly transport: Transport
  readonly limiter: Limiter
  readonly clock: Clock
  readonly log: Log
  readonly describeTimeoutMs: Millis
  readonly mutateTimeoutMs: Millis
  readonly signal?: AbortSignal | undefined
  /** Called whenever a call is sent, after it had its turn; what it throws the call throws. */
  readonly beforeSend?: (() => void) | undefined
}

export function createCaller(options: CallerOptions): Caller {
  const { transport, limiter, clock, log, signal } = options

  async function call<T>(call: ApiCall<T>): Promise<T> {
    const { product, action, priority, params } = call
    const timeoutMs = call.mutates ? options.mutateTimeoutMs : options.describeTimeoutMs
    let sentAt: Millis | undefined
    const beforeSend = () => {
      options.beforeSend?.()
      sentAt = clock.now()
    }
    const send = async () => {
      beforeSend()
      return transport.request(product, action, params(), { timeoutMs, signal, beforeSend })
    }
    const retry = (error: unknown) => retryAfter(call, error)
    try {
      const answer = await limiter.run({ action, priority, send, retry })
      log.debug('cloud call done', { action, priority, request: answer['RequestId'] })
      return reading(call, () => call.read(readAnswer(answer, '')))
    } catch (error) {
      throw fromTencent(call, error, sentAt)
    }
  }

  return { call }
}

/** `read`, with a malformed answer told as what it means: an accepted mutation whose answer is unreadable has happened. */
export function reading<T>({ doing, mutates }: Doing, read: () => T): T {
  try {
    return read()
  } catch (cause) {
    if (!(cause instanceof MalformedAnswer)) throw cause
    const code = mutates ? 'unknown_outcome' : 'cloud_fault'
    throw new IpamError(code, `Cannot ${doing}: the answer of Tencent Cloud is malformed: ${cause.message}`)
  }
}
