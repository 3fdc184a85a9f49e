// The simulated cloud as a transport in process: no sockets, so that a run under a virtual clock replays exactly.
import { type Clock, sleep } from '../../internal/base/clock.ts'
import { type Random, randomInt } from '../../internal/base/random.ts'
import { ApiError, NoAnswer } from '../../internal/sim/vpc/api-error.ts'
import type { VpcSim } from '../../internal/sim/vpc/sim.ts'
import type { Millis } from '../../internal/value/millis.ts'
import { TencentError, type Transport } from '../../internal/vpc/transport.ts'

export interface SimTransportOptions {
  readonly sim: VpcSim
  readonly clock: Clock
  readonly random: Random
  /** Of one way; 5 to 50 ms. */
  readonly latency?: { readonly minMs: Millis; readonly maxMs: Millis }
  /** False: connections are refused, nothing leaves. */
  readonly reachable?: () => boolean
}

export function simTransport(options: SimTransportOptions): Transport {
  const { sim, clock, random, latency = { minMs: 5, maxMs: 50 }, reachable = () => true } = options
  const travel = () => sleep(clock, randomInt(random, latency.minMs, latency.maxMs))
  return {
    async request(product, action, params, { timeoutMs }) {
      if (!reachable()) throw new TencentError({ message: 'connection refused', sent: false })
      await travel()
      const answer = perform(product, action, JSON.parse(JSON.stringify(params)))
      if (answer instanceof NoAnswer) {
        await sleep(clock, timeoutMs)
        throw new TencentError({ message: `no answer within ${timeoutMs} ms`, sent: true })
      }
      await travel()
      if (!(answer instanceof ApiError)) return answer
      throw new TencentError({ message: answer.message, code: answer.code, requestId: answer.requestId })
    },
  }

  function perform(product: 'vpc' | 'cvm', action: string, params: unknown) {
    try {
      return sim.handle(action, params, clock.now(), product)
    } catch (error) {
      if (error instanceof NoAnswer || error instanceof ApiError) return error
      throw error
    }
  }
}
