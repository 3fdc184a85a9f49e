// The way from the leader to the simulated cloud: latency, lost requests and lost answers, and calls that outlive their caller.

import { ApiError, NoAnswer } from '../../../internal/sim/vpc/api-error.ts'
import type { VpcSim } from '../../../internal/sim/vpc/sim.ts'
import { TencentError, type Transport } from '../../../internal/vpc/transport.ts'
import type { Process } from './process.ts'

const latency = { minMs: 5, maxMs: 120 }

export function cloudLink(sim: VpcSim, process: Process): Transport {
  return {
    request: (product, action, params) =>
      process.io(
        action,
        () => {
          try {
            return sim.handle(action, params, process.clock.now(), product)
          } catch (error) {
            if (error instanceof ApiError)
              throw new TencentError({ message: error.message, code: error.code })
            if (error instanceof NoAnswer) throw new TencentError({ message: error.message, sent: true })
            throw error
          }
        },
        latency,
      ),
  }
}
