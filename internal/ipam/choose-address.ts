// Which address a new pod gets (P11, P12, P16): on the ENI with most addresses in use, a random idle one; one that
// cools down only when nothing else is idle, and then the one that has cooled longest. An address that is claimed is
// for the pod of that name (S4), at any time, and nothing of the pool.
import { compareIpv4, type Ipv4 } from '../value/ipv4.ts'
import type { Millis } from '../value/millis.ts'
import type { EniId, PodName, PodUid } from './types.ts'

export interface LocalIp {
  readonly address: Ipv4
  readonly eniId: EniId
  readonly grant: number
  readonly state: 'usable' | 'returning'
  readonly published: boolean
  readonly inUse: boolean
  readonly coolingUntil: Millis
  /** The pod that it is for, and no other; undefined: it is for any pod of the pool. */
  readonly claim?: PodName
  /** An EIP leads to it, or soon does, of the pod of this uid, and no other of the pool gets it; empty: of one that has gone. */
  readonly eipFor?: PodUid
}

export interface LocalEni {
  readonly id: EniId
  readonly slot: number
}

/**
 * An address to hand out, of the ENIs that are set up; undefined when none is idle. `roll`, in [0, 1), decides among equals. A pod whose EIP
 * is on an address has that again: what it had in another sandbox.
 */
export function chooseAddress(
  ips: readonly LocalIp[],
  enis: readonly LocalEni[],
  now: Millis,
  roll: number,
  pod: PodUid = '',
): Ipv4 | undefined {
  const slots = new Map(enis.map(({ id, slot }) => [id, slot]))
  const its = ips.find((ip) => isSpare(ip) && pod !== '' && ip.eipFor === pod && slots.has(ip.eniId))
  if (its !== undefined) return its.address
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

/** The address that is claimed for the pod, of the ENIs that are set up; undefined when none is free. The latest binding, should there be several. */
export function chooseClaimed(
  ips: readonly LocalIp[],
  enis: readonly LocalEni[],
  pod: PodName,
): Ipv4 | undefined {
  const ready = new Set(enis.map(({ id }) => id))
  return ips
    .filter((ip) => isClaimedFor(ip, pod) && isFree(ip) && ready.has(ip.eniId))
    .toSorted((a, b) => b.grant - a.grant || compareIpv4(a.address, b.address))[0]?.address
}

/** Is it for the pod of that name alone? */
export function isClaimedFor({ claim }: Pick<LocalIp, 'claim'>, pod: PodName): boolean {
  return claim !== undefined && samePod(claim, pod)
}

export function samePod(a: PodName | undefined, b: PodName | undefined): boolean {
  return a?.name === b?.name && a?.namespace === b?.namespace
}

/** Of the pool, free to be handed out or given back; an address the leader no longer publishes is neither. */
export function isIdle(ip: LocalIp): boolean {
  return isSpare(ip) && ip.eipFor === undefined
}

/** The same, or it waits for an EIP to leave it. */
export function isSpare(ip: LocalIp): boolean {
  return isFree(ip) && ip.claim === undefined
}

function isFree(ip: LocalIp): boolean {
  return ip.state === 'usable' && ip.published && !ip.inUse
}

/** Addresses in use on each ENI. */
export function usedPerEni(ips: readonly LocalIp[]): ReadonlyMap<EniId, number> {
  const used = new Map<EniId, number>()
  for (const ip of ips) if (ip.inUse) used.set(ip.eniId, (used.get(ip.eniId) ?? 0) + 1)
  return used
}
