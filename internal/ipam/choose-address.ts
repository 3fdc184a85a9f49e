// Which address a new pod gets (P11, P12, P16): on the ENI with most addresses in use, a random idle one; one that
// cools down only when nothing else is idle, and then the one that has cooled longest.
import { compareIpv4, type Ipv4 } from '../value/ipv4.ts'
import type { Millis } from '../value/millis.ts'
import type { EniId } from './types.ts'

export interface LocalIp {
  readonly address: Ipv4
  readonly eniId: EniId
  readonly grant: number
  readonly state: 'usable' | 'returning'
  readonly published: boolean
  readonly inUse: boolean
  readonly coolingUntil: Millis
}

export interface LocalEni {
  readonly id: EniId
  readonly slot: number
}

/** An address to hand out, of the ENIs that are set up; undefined when none is idle. `roll`, in [0, 1), decides among equals. */
export function chooseAddress(
  ips: readonly LocalIp[],
  enis: readonly LocalEni[],
  now: Millis,
  roll: number,
): Ipv4 | undefined {
  const slots = new Map(enis.map(({ id, slot }) => [id, slot]))
  const idle = ips.filter((ip) => isIdle(ip) && slots.has(ip.eniId))
  const rested = idle.filter((ip) => ip.coolingUntil <= now)
  if (rested.length === 0)
    return idle.toSorted((a, b) => a.coolingUntil - b.coolingUntil || compareIpv4(a.address, b.address))[0]
      ?.address
  const used = usedPerEni(ips)
  const slotOf = (ip: LocalIp) => slots.get(ip.eniId) ?? 0
  const best = rested.reduce((a, b) =>
    ((used.get(b.eniId) ?? 0) - (used.get(a.eniId) ?? 0) || slotOf(a) - slotOf(b)) > 0 ? b : a,
  )
  const choices = rested
    .filter(({ eniId }) => eniId === best.eniId)
    .toSorted((a, b) => compareIpv4(a.address, b.address))
  return choices[Math.floor(roll * choices.length)]?.address
}

/** Free to be handed out or given back; an address the leader no longer publishes is neither. */
export function isIdle(ip: LocalIp): boolean {
  return ip.state === 'usable' && ip.published && !ip.inUse
}

/** Addresses in use on each ENI. */
export function usedPerEni(ips: readonly LocalIp[]): ReadonlyMap<EniId, number> {
  const used = new Map<EniId, number>()
  for (const ip of ips) if (ip.inUse) used.set(ip.eniId, (used.get(ip.eniId) ?? 0) + 1)
  return used
}
