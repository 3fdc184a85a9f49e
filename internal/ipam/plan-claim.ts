// What a pod means for the claim of its name: opened, taken over, kept or let go. Pure; where an address is put is decided in place-claims.ts.
import type { Ipv4 } from '../value/ipv4.ts'
import type { Millis } from '../value/millis.ts'
import type { Claim, ClaimChange, ClaimPolicy, FollowedOwner } from './claim.ts'
import { hasUnclearPolicy, isStatic } from './count-pod.ts'
import { keptUntil, letGo, takenBy } from './lifecycle.ts'
import type { EniId, NodeName, PodFact, SubnetId } from './types.ts'

export interface ClaimView {
  readonly claim: Claim | undefined
  /** The pod of that name that is on a node, has not ended, and wants an address of ours; undefined without one. */
  readonly pod: PodFact | undefined
  /** There is one all the same, which what is watched lacks (R7): no time runs yet. */
  readonly unlisted: boolean
  /** The address that the pod shows, where the ledger has it on the pod's node. */
  readonly shown:
    | {
        readonly address: Ipv4
        readonly eniId: EniId | undefined
        readonly subnetId: SubnetId
        readonly zone: string | undefined
      }
    | undefined
  readonly now: Millis
  /** The ledger's own clock. */
  readonly expiryClock: Millis
}

export interface ClaimRules {
  /** Pods may keep their addresses (S1). */
  readonly staticIps: boolean
  /** How long a static address is kept that says nothing of it; undefined: for ever (S5). */
  readonly claimExpiry: Millis | undefined
}

export type ClaimStep =
  | {
      readonly kind: 'open'
      readonly policy: ClaimPolicy
      readonly pod: PodFact & { node: NodeName }
      readonly owner?: FollowedOwner | undefined
    }
  | { readonly kind: 'change'; readonly change: ClaimChange }
  /** The row goes; nothing of the cloud belongs to it. */
  | { readonly kind: 'remove' }

/** The next step; undefined when all is as it should be. */
export function planClaim(
  { claim, pod, unlisted, shown, now, expiryClock }: ClaimView,
  rules: ClaimRules,
): ClaimStep | undefined {
  if (claim === undefined) return pod === undefined ? undefined : open(pod, rules)
  if (claim.phase === 'Releasing') return undefined
  if (pod === undefined) {
    if (claim.policy === 'Immediate') return { kind: 'remove' }
    const after = unlisted ? undefined : (claim.expireAfter ?? rules.claimExpiry)
    return keep(claim, now, after === undefined ? undefined : expiryClock + after)
  }
  if (claim.podUid !== pod.uid) return comeBack(claim, pod, now, rules)
  if (claim.policy === 'Never') return undefined
  // It had one of the pool when it was first seen; its node gives it none of those any more.
  if (pod.ip === undefined && policyOf(pod, rules) === 'Never') return { kind: 'remove' }
  // Its sandbox is gone, and another pod may have the address by now.
  if (pod.ip === undefined && claim.address !== undefined)
    return { kind: 'change', change: { phase: 'Pending', address: undefined, eniId: undefined } }
  if (shown === undefined) return undefined
  if (claim.phase === 'Bound' && claim.address === shown.address && claim.eniId === shown.eniId)
    return undefined
  return { kind: 'change', change: { ...shown, phase: 'Bound', reason: '', message: '' } }
}

/**
 * One that ran before its address could be kept goes on as it is: it has one of the pool; or one that was released from under it, and it would
 * use no other.
 */
function open(pod: PodFact, rules: ClaimRules): ClaimStep | undefined {
  if (pod.node === undefined) return undefined
  return {
    kind: 'open',
    policy: pod.ip !== undefined ? 'Immediate' : policyOf(pod, rules),
    pod: { ...pod, node: pod.node },
  }
}

/** Only pods of shared ENIs keep addresses; an exclusive ENI goes back whole. */
export function policyOf(pod: PodFact, { staticIps }: ClaimRules): ClaimPolicy {
  return staticIps && isStatic(pod) ? 'Never' : 'Immediate'
}

/** `latest`: when its time is over; undefined: none runs. */
function keep(claim: Claim, now: Millis, latest: Millis | undefined): ClaimStep | undefined {
  const missing = claim.address === undefined ? 'an address' : undefined
  const change = keptUntil(claim, { latest, missing, now })
  return change && { kind: 'change', change }
}

/** What the next pod of its name means for a kept address. */
export type Return =
  | 'takes'
  /** It says itself that it keeps none. */
  | 'gives-up'
  /** It says nothing of that, or cannot have it: it has another address, and this one stays kept. */
  | 'leaves'

export function returnOf({ address }: Claim, pod: PodFact, { staticIps }: ClaimRules): Return {
  // As after a rebuild: it has run with it all the time.
  if (pod.ip !== undefined && pod.ip === address) return 'takes'
  if (!staticIps || pod.wants !== 'shared') return 'leaves'
  return isStatic(pod) || hasUnclearPolicy(pod) ? 'takes' : 'gives-up'
}

function comeBack(claim: Claim, pod: PodFact, now: Millis, rules: ClaimRules): ClaimStep | undefined {
  if (claim.policy === 'Immediate') return { kind: 'remove' }
  switch (returnOf(claim, pod, rules)) {
    case 'takes':
      // What a call for the pod before may have made is of what that asked for: it is found and let go first.
      return claim.address === undefined && !asksAlike(claim, pod)
        ? keep(claim, now, undefined)
        : takeOver(claim, pod)
    case 'gives-up':
      return { kind: 'change', change: letGo('PolicyChanged', 'a pod of its name keeps no address') }
    case 'leaves':
      // Its time runs when that pod is gone.
      return keep(claim, now, undefined)
  }
}

function asksAlike({ nominatedAddress, nominatedSubnets }: Claim, { claim }: PodFact): boolean {
  return (
    nominatedAddress === claim?.nominatedIp &&
    nominatedSubnets.join() === (claim?.nominatedSubnets ?? []).join()
  )
}

function takeOver(claim: Claim, { claim: says, node, uid }: PodFact): ClaimStep {
  const isUnclear = says?.unclear?.includes('expireAfter') === true
  const expireAfter = isUnclear ? claim.expireAfter : says?.expireAfter
  const has = claim.address !== undefined
  return { kind: 'change', change: takenBy(claim, { node, uid }, { expireAfter, has }) }
}
