// What a pod means for the claim of its name to a public address: opened, taken over, kept or let go (E2, E3, E6). Pure; what is done about
// it in the cloud is decided in plan-eip.ts.
import { isDeepStrictEqual } from 'node:util'
import type { Millis } from '../value/millis.ts'
import type { FollowedOwner } from './claim.ts'
import type { EipClaim, EipClaimChange } from './eip-claim.ts'
import { type EipWish, eipOfPod } from './eip-wish.ts'
import { keptUntil, letGo, takenBy } from './lifecycle.ts'
import type { ClaimRules } from './plan-claim.ts'
import type { NodeName, PodFact, PodName, PodUid } from './types.ts'

export interface EipClaimView {
  readonly claim: EipClaim | undefined
  /** The pod of that name that is on a node, has not ended, and asks for an EIP; undefined without one. */
  readonly pod: PodFact | undefined
  readonly now: Millis
  /** The ledger's own clock. */
  readonly expiryClock: Millis
}

export type EipClaimStep =
  | {
      readonly kind: 'open'
      readonly policy: EipWish['policy']
      readonly wish: EipWish
      readonly pod: PodName & { readonly uid: PodUid; readonly node: NodeName }
      readonly owner?: FollowedOwner | undefined
    }
  | { readonly kind: 'change'; readonly change: EipClaimChange }

/** The next step; undefined when nothing of the claim's life is to be changed. */
export function planEipClaim(
  { claim, pod, now, expiryClock }: EipClaimView,
  rules: Pick<ClaimRules, 'claimExpiry'>,
): EipClaimStep | undefined {
  if (claim === undefined) return pod && open(pod)
  if (claim.phase === 'Releasing') return undefined
  if (pod === undefined) {
    const after = claim.expireAfter ?? rules.claimExpiry
    return leave(claim, now, after === undefined ? undefined : expiryClock + after)
  }
  return claim.podUid === pod.uid ? askAnew(claim, pod) : comeBack(claim, pod, now)
}

/** What its pod asks for counts until something is done about it: a mended annotation needs no new pod. */
function askAnew(claim: EipClaim, pod: PodFact): EipClaimStep | undefined {
  const wish = wishOf(pod)
  const isUnasked =
    claim.phase === 'Pending' && claim.eipId === undefined && claim.allocateToken === undefined
  if (wish === undefined || !isUnasked || isDeepStrictEqual(wish, claim.wish)) return undefined
  const { expireAfter, policy } = wish
  return changing({ wish, policy, expireAfter, reason: '', message: '' })
}

function open(pod: PodFact): EipClaimStep | undefined {
  const wish = wishOf(pod)
  if (pod.node === undefined || wish === undefined) return undefined
  return { kind: 'open', policy: wish.policy, wish, pod: { ...pod, node: pod.node } }
}

function wishOf(pod: PodFact): EipWish | undefined {
  const eip = eipOfPod(pod)
  return eip === undefined || 'fault' in eip ? undefined : eip.wish
}

function changing(change: EipClaimChange | undefined): EipClaimStep | undefined {
  return change && { kind: 'change', change }
}

/** `latest`: when the time of what is kept is over; undefined: none runs. */
function leave(claim: EipClaim, now: Millis, latest: Millis | undefined): EipClaimStep | undefined {
  if (claim.policy === 'Immediate') return changing(letGo('PodGone', 'its pod is gone, and it goes with it'))
  const missing = claim.eipId === undefined ? 'an EIP' : undefined
  return changing(keptUntil(claim, { latest, missing, now }))
}

/** Another pod of its name is there. */
function comeBack(claim: EipClaim, pod: PodFact, now: Millis): EipClaimStep | undefined {
  const wish = wishOf(pod)
  if (wish !== undefined && claim.policy === 'Never' && suits(claim, wish)) return takeOver(claim, pod, wish)
  if (wish !== undefined && claim.phase === 'Retained')
    return changing(letGo('PolicyChanged', 'a pod of its name asks for another EIP, or keeps none'))
  // What nobody can read gives nothing up: what is kept stays so, and its time runs when that pod is gone.
  return leave(claim, now, undefined)
}

/** One that was made is taken as it is; what the pod would have had made otherwise is of the next. */
function suits({ eipId, wish: kept }: EipClaim, wish: EipWish): boolean {
  if (wish.policy !== 'Never' || wish.source !== kept.source) return false
  if (wish.source === 'created' || eipId === undefined) return true
  return wish.ordinal === undefined ? wish.ids.includes(eipId) : wish.ids[wish.ordinal] === eipId
}

function takeOver(claim: EipClaim, { node, uid }: PodFact, wish: EipWish): EipClaimStep | undefined {
  const { expireAfter, policy } = wish
  // What a call under the token may have made is as it was asked for then.
  const kept = wish.source === 'created' ? claim.wish : wish
  const has = claim.eipId !== undefined
  const change = takenBy(claim, { node, uid }, { expireAfter, has })
  return changing({ ...change, wish: { ...kept, policy, expireAfter } })
}
