// Which pods a node's pools must hold something for (P18).
import type { Ipv4 } from '../value/ipv4.ts'
import type { EniMode, PodFact } from './types.ts'

/** What the pod must have: scheduled, with a network of its own, not finished, and asking for it; undefined: nothing. */
export function countedAs(pod: PodFact): EniMode | undefined {
  return pod.node !== undefined && !pod.hostNetwork && !pod.terminal ? pod.wants : undefined
}

/** Does it keep an address of a shared ENI through its end, where leaders serve such pods? */
export function isStatic(pod: Pick<PodFact, 'keepsIp' | 'wants'>): boolean {
  return pod.keepsIp && pod.wants === 'shared'
}

/** Nobody can read what it says of its address's end: one that is kept for it stays so, and is its own (R6). */
export function hasUnclearPolicy({ claim, wants }: Pick<PodFact, 'claim' | 'wants'>): boolean {
  return wants === 'shared' && claim?.unclear?.includes('policy') === true
}

/** Has it a claimed address, or will it, so that no pool holds one for it? */
export function hasClaimed(pod: PodFact, isClaimed: (address: Ipv4) => boolean): boolean {
  return pod.ip === undefined ? isStatic(pod) : isClaimed(pod.ip)
}

/**
 * Which pool it is served from: the one that its address is of, else the one that it asks for. A node that may have no exclusive ENIs, or
 * cannot know yet what its pod asks for, has given it a shared address: that is not there for others.
 */
export function countedIn(pod: PodFact, poolOf: (address: Ipv4) => EniMode | undefined): EniMode | undefined {
  const wanted = countedAs(pod)
  if (wanted === undefined || pod.ip === undefined) return wanted
  return poolOf(pod.ip) ?? wanted
}
