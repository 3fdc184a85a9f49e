// Requests to the Kubernetes API: one call or one open stream, with deadlines, rate limit and errors of our own.
// It speaks plain HTTP of node itself: the generated client cannot use unix sockets and costs 90 MB of memory.
import type { IncomingMessage } from 'node:http'
import { type Clock, sleep } from '../base/clock.ts'
import { IpamError } from '../ipam/errors.ts'
import type { Millis } from '../value/millis.ts'
import { parseJson } from '../wire/json.ts'
import type { Endpoint } from './endpoint.ts'
import { KubeError, refused, unreachable } from './error.ts'
import { ConnectionLost, type KubeRequest, send, wordOf } from './send.ts'
import { createThrottle } from './throttle.ts'

export interface KubeClient {
  /** The parsed answer. Throws unavailable, conflict, not_found, denied, bad_input. */
  call(request: KubeRequest): Promise<unknown>
  /** The body as it comes, not counted by the rate limit; destroy it to stop. Throws like `call`. */
  open(request: KubeRequest): Promise<IncomingMessage>
  /** Ends idle connections; requests under way fail. */
  close(): void
}

export interface ClientSettings {
  readonly userAgent: string
  readonly qps: number
  readonly burst: number
  /** For a whole call; of a stream, until its first answer. */
  readonly timeout: Millis
  /** Called when a request that changes something is about to leave, after all waiting; what it throws is thrown instead. */
  readonly beforeWrite?: (() => void) | undefined
}

const clientDefaults: ClientSettings = {
  userAgent: 'tke-eni',
  qps: 50,
  burst: 100,
  timeout: 30_000,
}

/** Longest answer we take: a page of 500 pods at 100 KiB each is 50 MB. */
const maxAnswer = 256 * 1024 * 1024

/** How often one call is repeated because of a throttled answer or a lost idle connection. */
const maxRepeats = 3

/** A client of its own rate limit and connections; make one more where callers must not starve each other. */
export function createKubeClient(
  endpoint: Endpoint,
  clock: Clock,
  settings: Partial<ClientSettings> = {},
): KubeClient {
  const { userAgent, timeout, beforeWrite, ...rate } = { ...clientDefaults, ...settings }
  const throttle = createThrottle(clock, rate)
  const closed = new AbortController()

  const attempt = async (request: KubeRequest, renew: boolean, deadline: AbortSignal) => {
    const access = await endpoint.access(renew)
    if ((request.method ?? 'GET') !== 'GET') beforeWrite?.()
    const response = await send(endpoint, access, userAgent, request, deadline)
    const status = response.statusCode ?? 0
    if (status >= 200 && status < 300) return response
    throw refused(request.doing, status, parseJson(await collect(request, response)), retryAfter(response))
  }

  const exchange = async <T>(
    request: KubeRequest,
    use: (response: IncomingMessage) => Promise<T>,
  ): Promise<T> => {
    let renewed = false
    for (let repeats = 0; ; repeats++) {
      const deadline = startDeadline(clock, timeout, request, closed.signal)
      try {
        const result = await use(await attempt(request, renewed, deadline.signal))
        return result
      } catch (error) {
        const failure = deadline.explain(error)
        if (!(failure instanceof KubeError)) throw failure
        if (failure.status === 401 && !renewed) renewed = true
        else if (repeats >= maxRepeats || !isRepeatable(failure)) throw failure
        if (failure.retryAfter !== undefined)
          await sleep(clock, Math.min(failure.retryAfter, timeout), request.signal)
      } finally {
        deadline.stop()
      }
    }
  }

  return {
    async call(request) {
      await throttle.turn(request.signal)
      return exchange(request, async (response) => {
        const text = await collect(request, response)
        const body = parseJson(text)
        if (body === undefined)
          throw unreachable(request.doing, `the answer is not JSON: "${text.slice(0, 80)}"`)
        return body
      })
    },
    open: (request) => exchange(request, async (response) => response),
    close() {
      closed.abort()
      endpoint.close()
    },
  }
}

function isRepeatable(failure: KubeError): boolean {
  return (failure instanceof ConnectionLost && failure.idle) || failure.status === 429
}

/** Ends the request when its time is up, when its caller gives up, or when the client closes. */
function startDeadline(clock: Clock, timeout: Millis, request: KubeRequest, closed: AbortSignal) {
  const late = new AbortController()
  const cancel = clock.after(timeout, () => late.abort())
  const signals = [late.signal, closed, ...(request.signal ? [request.signal] : [])]
  return {
    signal: AbortSignal.any(signals),
    stop: cancel,
    explain(error: unknown): IpamError {
      if (late.signal.aborted) return unreachable(request.doing, `no answer within ${timeout} ms`, error)
      if (request.signal?.aborted || closed.aborted)
        return unreachable(request.doing, 'it was stopped', error)
      if (error instanceof IpamError) return error
      return unreachable(request.doing, wordOf(error), error)
    },
  }
}

async function collect(request: KubeRequest, response: IncomingMessage): Promise<string> {
  const chunks: Buffer[] = []
  let length = 0
  for await (const chunk of response as AsyncIterable<Buffer>) {
    length += chunk.length
    if (length > maxAnswer) throw unreachable(request.doing, `the answer is longer than ${maxAnswer} bytes`)
    chunks.push(chunk)
  }
  return Buffer.concat(chunks).toString('utf8')
}

function retryAfter(response: IncomingMessage): Millis | undefined {
  const seconds = Number(response.headers['retry-after'] ?? (response.statusCode === 429 ? 1 : Number.NaN))
  return Number.isFinite(seconds) && seconds >= 0 ? seconds * 1000 : undefined
}
