// What a node tells the leader of its pools.
import { isIdle, type LocalIp, usedPerEni } from './choose-address.ts'
import type { EniId, EniMode, NodeReport } from './types.ts'

export function reportOf(
  ips: readonly LocalIp[],
  enis: readonly { readonly id: EniId; readonly mode: EniMode }[],
): Omit<NodeReport, 'databaseId' | 'version'> {
  const exclusiveEnis = new Set(enis.flatMap(({ id, mode }) => (mode === 'exclusive' ? [id] : [])))
  const exclusive = ips.filter(({ eniId }) => exclusiveEnis.has(eniId))
  const shared = ips.filter(({ eniId }) => !exclusiveEnis.has(eniId))
  const used = [...usedPerEni(shared).values()]
  return {
    returned: ips
      .filter(({ state }) => state === 'returning')
      .map(({ address, grant }) => ({ address, grant })),
    inUse: used.reduce((sum, count) => sum + count, 0),
    idle: shared.filter(isIdle).length,
    enisInUse: used.length,
    mostInUse: Math.max(0, ...used),
    exclusiveInUse: exclusive.filter(({ inUse }) => inUse).length,
    exclusiveIdle: exclusive.filter(isIdle).length,
  }
}
