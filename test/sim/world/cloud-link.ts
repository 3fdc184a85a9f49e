// The way from the leader to the simulated cloud: latency, requests and answers that get lost or come late, and calls that
// outlive their caller.
import { sleep } from '../../../internal/base/clock.ts'
import { randomInt } from '../../../internal/base/random.ts'
import { ApiError, NoAnswer } from '../../../internal/sim/vpc/api-error.ts'
import type { VpcSim } from '../../../internal/sim/vpc/sim.ts'
import { type Product, TencentError, type Transport } from '../../../internal/vpc/transport.ts'
import type { Chaos } from './chance.ts'
import type { Process } from './process.ts'

/** Rates per call. */
export interface LinkFaults {
  readonly throttle: number
  readonly lostRequests: number
  readonly lostAnswers: number
  /** The caller hears that the connection broke, and then the request takes effect. */
  readonly lateRequests: number
  /** Of lost ones, those whose caller waits for its time-out. */
  readonly silence: number
  /** A late request takes effect after so long at most. */
  readonly lateMs: number
}

export const noLinkFaults: LinkFaults = {
  throttle: 0,
  lostRequests: 0,
  lostAnswers: 0,
  lateRequests: 0,
  silence: 0,
  lateMs: 0,
}

const latency = { minMs: 5, maxMs: 120 }

export interface LinkOptions {
  readonly chaos?: Chaos
  readonly faults?: () => LinkFaults
  /** Before each call that arrives. */
  readonly performing?: (action: string, params: unknown) => void
  /** After each call that was performed. */
  readonly performed?: (action: string, params: unknown) => void
}

export function cloudLink(sim: VpcSim, process: Process, options: LinkOptions = {}): Transport {
  const { chaos, faults = () => noLinkFaults, performed = () => {}, performing = () => {} } = options
  function perform(product: Product, action: string, params: unknown) {
    try {
      performing(action, params)
      const answer = sim.handle(action, params, process.steady(), product)
      performed(action, params)
      return answer
    } catch (error) {
      if (error instanceof ApiError) throw new TencentError({ message: error.message, code: error.code })
      if (error instanceof NoAnswer) throw new TencentError({ message: error.message, sent: true })
      throw error
    }
  }

  function isLost(what: string, action: string, rate: number): boolean {
    return chaos?.decide(`${what} ${action}`, rate) === true
  }

  return {
    async request(product, action, params, { timeoutMs }) {
      const { throttle, lostRequests, lostAnswers, lateRequests, silence, lateMs } = faults()
      const noAnswer = async (): Promise<never> => {
        if (isLost('silence', action, silence)) await sleep(process.clock, timeoutMs)
        throw new TencentError({ message: 'the connection broke', sent: true })
      }
      const answer = await process.io(() => {
        if (isLost('lose request', action, lostRequests)) return undefined
        if (isLost('delay request', action, lateRequests)) {
          process.later(randomInt(process.machine.random, 100, lateMs), () => {
            try {
              perform(product, action, params)
            } catch {} // nobody hears
          })
          return undefined
        }
        if (isLost('throttle', action, throttle)) {
          throw new TencentError({ message: 'too many requests', code: 'RequestLimitExceeded' })
        }
        const answered = perform(product, action, params)
        return isLost('lose answer', action, lostAnswers) ? undefined : answered
      }, latency)
      return answer ?? (await noAnswer())
    },
  }
}
