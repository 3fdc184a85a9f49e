// Which idle addresses of one pool a node gives back (P3, P4, P5, P12, X2): beyond the maxima at once, beyond pods + maxWarm one every
// two minutes, or all of them every two minutes with quick release. Emptiest ENI first, so that ENIs drain. Claimed addresses take their
// place on ENIs, but are none of the pool's: plan-claim-return.ts.
import { compareIpv4 } from '../value/ipv4.ts'
import type { Millis } from '../value/millis.ts'
import { isIdle, type LocalEni, type LocalIp, usedPerEni } from './choose-address.ts'
import { maxBindable } from './pool.ts'
import { type PlaceClaim, sharedEnisFor, sharePlaces } from './share-places.ts'
import type { EniId, EniMode, NodeBounds, PoolBounds } from './types.ts'

export interface ReturnPolicy extends PoolBounds {
  readonly quickRelease: boolean
  /** Time between two releases. */
  readonly releaseEvery: Millis
  /** Longest an address cools down: what claims to cool longer does so by a clock that has been set back. */
  readonly cooldown: Millis
  /** Of some ENIs: addresses of the pool that they are to have at most. */
  readonly mostOn?: ReadonlyMap<EniId, number>
}

/** What is over a maximum goes at once, although it may cool down: others wait for its place. */
export type ReturnReason = 'more than a maximum allows' | 'more idle than the pool should hold'

/** Of one pool. */
export interface ReturnState {
  readonly ips: readonly LocalIp[]
  readonly enis: readonly LocalEni[]
  /** Pods of the node that count, whether they have an address yet or not; those with claimed addresses do not. */
  readonly pods: number
  /** When addresses were last given back, or when a surplus was first seen after a time without. */
  readonly timerFrom: Millis | undefined
}

export interface ReturnPlan {
  readonly give: readonly LocalIp[]
  /** For the history of the addresses. */
  readonly why: ReturnReason
  /** What `timerFrom` is from now on: undefined while there is no surplus. */
  readonly timerFrom: Millis | undefined
}

/** What to give back at `now`. An address in use is never among it, nor one that cools down unless it is over the maximum. */
export function planReturn(state: ReturnState, policy: ReturnPolicy, now: Millis): ReturnPlan {
  // What is claimed has its place for as long as it is there, although the node has given it back.
  const bound = state.ips.filter((ip) => isBound(ip) || (ip.claim !== undefined && ip.published))
  const ofPool = bound.filter(({ claim }) => claim === undefined)
  const inUse = ofPool.filter((ip) => ip.inUse).length
  const surplus = ofPool.length - Math.max(state.pods, inUse) - policy.maxWarm
  const candidates = emptiestEniFirst(ofPool.filter(isIdle), state)
  const beyond = beyondMaxima(emptiestEniFirst(bound, state), ofPool.length, candidates, policy)
  if (beyond.length > 0) return { give: beyond, why: 'more than a maximum allows', timerFrom: now }
  const why = 'more idle than the pool should hold'
  if (surplus <= 0) return { give: [], why, timerFrom: undefined }
  const from = Math.min(state.timerFrom ?? now, now) // the clock may have been set back behind the timer
  if (now - from < policy.releaseEvery) return { give: [], why, timerFrom: from }
  // What rests keeps its turn: another one in its place would leave addresses on more ENIs than need be (P12).
  const due = candidates.slice(0, surplus).filter((ip) => hasRested(ip, policy, now))
  return { give: policy.quickRelease ? due : due.slice(0, 1), why, timerFrom: now }
}

/**
 * What each pool may hold besides: an ENI that no pod needs, and for whose place pods of the other kind wait or that the instance has no
 * place for, is beyond the maximum. `pods` as of a `ReturnState`.
 */
export function withinPlaces(
  bounds: NodeBounds,
  ips: readonly LocalIp[],
  enis: readonly { readonly id: EniId; readonly mode: EniMode }[],
  pods: Readonly<Record<EniMode, number>>,
): NodeBounds {
  // What is claimed has its place, whether or not its pod is here; those of pods that count it comes beside, as the leader has it.
  const claimed = ips.filter(({ claim, published }) => claim !== undefined && published).length
  const used = pinnedPerEni(ips)
  const bound = new Set(ips.filter(isBound).map(({ eniId }) => eniId))
  const claimOf = (mode: EniMode, needed: number): PlaceClaim => {
    const there = enis.filter((eni) => eni.mode === mode && bound.has(eni.id))
    const count = there.filter(({ id }) => used.has(id)).length
    return { there: there.length, used: count, needed: Math.max(needed, count) }
  }
  const sizes = enis.filter(({ mode }) => mode === 'shared').map(({ id }) => used.get(id) ?? 0)
  return sharePlaces(bounds, {
    shared: claimOf('shared', sharedEnisFor({ pods: pods.shared, claimed }, sizes, bounds.shared)),
    exclusive: claimOf('exclusive', Math.min(pods.exclusive, maxBindable(bounds.exclusive))),
  })
}

function isBound({ state, published }: LocalIp): boolean {
  return state === 'usable' && published
}

function hasRested({ coolingUntil }: LocalIp, { cooldown }: ReturnPolicy, now: Millis): boolean {
  return coolingUntil <= now || coolingUntil > now + cooldown
}

/**
 * Somebody has lowered a maximum: of ENIs, of addresses on each or on one, or of both together. `candidates` are the idle ones among the `ofPool` of
 * `bound` that are the pool's; both emptiest ENI first. Those that are claimed take places, and are none of what is held for pods.
 */
function beyondMaxima(
  bound: readonly LocalIp[],
  ofPool: number,
  candidates: readonly LocalIp[],
  policy: ReturnPolicy,
): readonly LocalIp[] {
  const perEni = Map.groupBy(bound, ({ eniId }) => eniId)
  const excessOn = (eniId: EniId): number => {
    const ips = perEni.get(eniId) ?? []
    const held = ips.filter(({ claim }) => claim === undefined).length
    const most = policy.mostOn?.get(eniId) ?? Number.POSITIVE_INFINITY
    return Math.max(ips.length - policy.ipsPerEni, held - most)
  }
  const surplus = new Set([...perEni.keys()].slice(0, Math.max(0, perEni.size - policy.maxEnis)))
  const given = new Map<EniId, number>()
  const isBeyond = ({ eniId }: LocalIp): boolean => {
    const count = given.get(eniId) ?? 0
    if (!surplus.has(eniId) && count >= excessOn(eniId)) return false
    given.set(eniId, count + 1)
    return true
  }
  const give = candidates.filter(isBeyond)
  const places = policy.maxEnis * policy.ipsPerEni
  const left = Math.max(bound.length - places, ofPool - maxBindable(policy)) - give.length
  const others = candidates.filter((ip) => !give.includes(ip))
  return [...give, ...others.slice(0, Math.max(0, left))]
}

/** Addresses on each ENI that are in use, or claimed: those stay whether or not their pods are there. */
function pinnedPerEni(ips: readonly LocalIp[]): ReadonlyMap<EniId, number> {
  return usedPerEni(ips.map((ip) => (ip.claim === undefined ? ip : { ...ip, inUse: true })))
}

/** Fewest addresses in use or claimed first; among equals the smaller ENI, then the later slot, then the address. */
function emptiestEniFirst(ips: readonly LocalIp[], state: ReturnState): readonly LocalIp[] {
  const used = pinnedPerEni(state.ips)
  const size = Map.groupBy(state.ips, ({ eniId }) => eniId)
  const slots = new Map(state.enis.map(({ id, slot }) => [id, slot]))
  return ips.toSorted(
    (a, b) =>
      (used.get(a.eniId) ?? 0) - (used.get(b.eniId) ?? 0) ||
      (size.get(a.eniId)?.length ?? 0) - (size.get(b.eniId)?.length ?? 0) ||
      (slots.get(b.eniId) ?? 0) - (slots.get(a.eniId) ?? 0) ||
      compareIpv4(a.address, b.address),
  )
}
