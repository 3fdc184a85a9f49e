// How much of a node's pool the scheduler may count on (P17): what is bound, of what could be; where addresses are bound
// for pods as they come, all that could be.
import { isIdle, type LocalIp } from './choose-address.ts'
import { maxBindable } from './pool.ts'
import type { EniId, EniMode, NodeBounds } from './types.ts'

/** How pods ask for something of a pool, by resource. */
export const resourceNames: Readonly<Record<EniMode, string>> = {
  shared: 'tke.cloud.tencent.com/eni-ip',
  exclusive: 'tke.cloud.tencent.com/direct-eni',
}

/** How pods ask for one of the public addresses that their node's instance takes (E5). */
export const eipResource = 'tke.cloud.tencent.com/eip'

/**
 * Of one pool. While `bounds` are not known yet, what is bound is all there may be. What pods use counts even beyond the bounds,
 * which may have been lowered; what else is beyond them is on its way back. `onDemand`: nothing is bound until a pod is there.
 */
export function resourceCounts(
  mode: EniMode,
  bounds: NodeBounds | undefined,
  ips: readonly LocalIp[],
  enis: readonly { readonly id: EniId; readonly mode: EniMode }[],
  onDemand = false,
): { readonly capacity: number; readonly allocatable: number } {
  const ids = new Set(enis.flatMap((eni) => (eni.mode === mode ? [eni.id] : [])))
  const ofPool = ips.filter(({ eniId }) => ids.has(eniId))
  const inUse = ofPool.filter((ip) => ip.inUse).length
  const bound = inUse + ofPool.filter(isIdle).length
  if (bounds === undefined) return { capacity: bound, allocatable: bound }
  const most = maxBindable(bounds[mode])
  const there = onDemand ? most : Math.min(bound, most)
  return { capacity: Math.max(most, inUse), allocatable: Math.max(there, inUse) }
}
