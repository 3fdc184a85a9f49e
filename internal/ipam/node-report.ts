// What a node tells the leader of its pools.

import type { Ipv4 } from '../value/ipv4.ts'
import { isIdle, isSpare, type LocalIp, usedPerEni } from './choose-address.ts'
import type { EniId, EniMode, NodeReport } from './types.ts'

/** `unusable`: idle ones that no pod can get; of these the ones that a pod of the node shows are that pod's. */
export function reportOf(
  ips: readonly LocalIp[],
  enis: readonly { readonly id: EniId; readonly mode: EniMode }[],
  unusable: ReadonlySet<Ipv4>,
  isShown: (address: Ipv4) => boolean,
): Omit<NodeReport, 'databaseId' | 'unlinked' | 'version'> {
  const exclusiveEnis = new Set(enis.flatMap(({ id, mode }) => (mode === 'exclusive' ? [id] : [])))
  const exclusive = ips.filter(({ eniId }) => exclusiveEnis.has(eniId))
  const shared = ips.filter(({ eniId }) => !exclusiveEnis.has(eniId))
  const isReady = (ip: LocalIp) => isIdle(ip) && !unusable.has(ip.address)
  const used = [...usedPerEni(shared).values()]
  return {
    returned: ips
      .filter(({ state }) => state === 'returning')
      .map(({ address, grant }) => ({ address, grant })),
    inUse: used.reduce((sum, count) => sum + count, 0),
    idle: shared.filter(isReady).length,
    enisInUse: used.length,
    mostInUse: Math.max(0, ...used),
    exclusiveInUse: exclusive.filter(({ inUse }) => inUse).length,
    exclusiveIdle: exclusive.filter(isReady).length,
    withheld: withheldOf(shared, unusable, isShown),
    exclusiveWithheld: withheldOf(exclusive, unusable, isShown),
  }
}

/** Whether it has given the address up under the very grant that is asked for. Without a report it has given up nothing. */
export function isReturnedIn(
  report: Pick<NodeReport, 'returned'> | undefined,
): (ip: { readonly address: Ipv4; readonly grant: number }) => boolean {
  const grants = new Map(report?.returned.map(({ address, grant }) => [address, grant]))
  return ({ address, grant }) => grants.get(address) === grant
}

/** How many of a pool are bound for no pod. */
export function withheldOf(
  ips: readonly LocalIp[],
  unusable: ReadonlySet<Ipv4>,
  isShown: (address: Ipv4) => boolean,
): number {
  return ips.filter((ip) => isSpare(ip) && unusable.has(ip.address) && !isShown(ip.address)).length
}
