// Which claimed addresses a node gives back: those whose pod has ended here, at once. The leader may publish an address before this node
// hears of its pod, so that one whose pod was never seen is kept a while.
import type { Ipv4 } from '../value/ipv4.ts'
import type { Millis } from '../value/millis.ts'
import type { LocalIp } from './choose-address.ts'
import type { PodName } from './types.ts'

/** What has been seen of one binding of a claimed address. */
export interface ClaimSight {
  readonly grant: number
  /** Its pod has been here. */
  readonly met: boolean
  readonly since: Millis
}

export interface ClaimReturnPlan {
  readonly give: readonly LocalIp[]
  /** To be given to the next plan. */
  readonly sights: ReadonlyMap<Ipv4, ClaimSight>
}

/** News of a pod is seldom later than its address by so much. */
export const unseenFor = 30_000

/** `isHere`: the pod of that name that keeps its address is on this node, and has not ended. An address in use is never given back. */
export function planClaimReturn(
  ips: readonly LocalIp[],
  isHere: (pod: PodName) => boolean,
  before: ReadonlyMap<Ipv4, ClaimSight>,
  now: Millis,
): ClaimReturnPlan {
  const give: LocalIp[] = []
  const sights = new Map<Ipv4, ClaimSight>()
  for (const ip of ips) {
    const { address, claim, grant, inUse } = ip
    if (claim === undefined || ip.state !== 'usable') continue
    const known = before.get(address)
    const sight = known?.grant === grant ? known : { grant, met: false, since: now }
    const since = Math.min(sight.since, now) // the clock may have been set back
    if (inUse || isHere(claim)) sights.set(address, { grant, met: true, since: now })
    else if (ip.published && (sight.met || now - since >= unseenFor)) give.push(ip)
    else sights.set(address, { ...sight, since })
  }
  return { give, sights }
}
