// The way to a simulated cloud whose refusals have request ids, each one of its own, as the real cloud's have.
import { readFault, TencentError, type Transport } from '../../internal/vpc/transport.ts'

export function withRequestIds(link: Transport): Transport {
  let nth = 0
  return {
    async request(...call) {
      try {
        return await link.request(...call)
      } catch (error) {
        const fault = readFault(error)
        throw fault.code === undefined ? error : new TencentError({ ...fault, requestId: `req-${++nth}` })
      }
    },
  }
}
