// A pod's claim to an address, and what becomes of it. One table says which phase may follow which; everything that changes a claim
// goes through it.
import type { Ipv4 } from '../value/ipv4.ts'
import type { Millis } from '../value/millis.ts'
import type { EniId, EniMode, NodeName, OwnerRef, PodName, PodUid, SubnetId } from './types.ts'

const released = ' (released)'

/** `Never` deleted with its pod: a static address, kept for the next pod of that name. */
export type ClaimPolicy = 'Immediate' | 'Never'

/**
 * `Pending`: its pod has no address yet. `Attaching`: it has one, which is not yet bound to the pod's node. `Bound`: it is. `Retained`:
 * there is no pod, the address is kept. `Releasing`: the address is given back, then the claim is gone.
 */
export type ClaimPhase = 'Pending' | 'Attaching' | 'Bound' | 'Retained' | 'Releasing'

export const claimPhases: readonly ClaimPhase[] = ['Pending', 'Attaching', 'Bound', 'Retained', 'Releasing']

/** The topmost workload that a pod belongs to, as a claim knows it. */
export interface FollowedOwner extends OwnerRef {
  /** The pod's own controller, by which it was found; absent when it is that itself. `none`: the pod was let go, and the claim goes with nobody until another takes it. */
  readonly via?: OwnerRef | 'none'
}

/** Without what is nobody else's business. */
export function shownOwner({ apiVersion, kind, name, uid }: OwnerRef): OwnerRef {
  return { apiVersion, kind, name, uid }
}

/** To an address, or to a public one. */
export interface AnyClaim extends PodName {
  readonly key: number
  /** As an object of Kubernetes. */
  readonly uid: string
  readonly policy: ClaimPolicy
  readonly phase: ClaimPhase
  /** Rises with each pod that takes the claim: what is said of an earlier one counts no more. */
  readonly generation: number
  /** Of the pod that has it now; undefined without one. */
  readonly podUid: PodUid | undefined
  readonly node: NodeName | undefined
  readonly address: Ipv4 | undefined
  /** It is kept so long after its pod; undefined: as long as the leader's setting says. */
  readonly expireAfter: Millis | undefined
  /** When its last pod ended, for people. */
  readonly retainedAt: Millis | undefined
  /** By the ledger's own clock. */
  readonly expiresAt: Millis | undefined
  /** It goes with this workload (S7). */
  readonly owner: FollowedOwner | undefined
  /** Why it is not yet as it should be; empty when it is. */
  readonly reason: string
  readonly message: string
  readonly createdAt: Millis
  readonly changedAt: Millis
  /** Of its last change: rises with every change of any claim. */
  readonly version: number
}

/** What of a claim may change. */
export type ChangeOf<C extends AnyClaim> = Partial<
  Omit<C, 'key' | keyof PodName | 'uid' | 'ipUid' | 'createdAt' | 'changedAt' | 'version'>
>

export interface Claim extends AnyClaim {
  /** That of its VpcIP. */
  readonly ipUid: string
  readonly mode: EniMode
  /** The ENI that carries the address, as far as one does. */
  readonly eniId: EniId | undefined
  readonly subnetId: SubnetId | undefined
  readonly zone: string | undefined
  /** The VPC's reservation that keeps the address from others; without one it stays on an ENI. */
  readonly reservation: string | undefined
  /** Names the call that makes it, from before that is sent. */
  readonly reserveToken: string | undefined
  readonly nominatedAddress: Ipv4 | undefined
  readonly nominatedSubnets: readonly SubnetId[]
}

export type ClaimChange = ChangeOf<Claim>

/** The lifecycle. A pod that comes back finds its claim `Retained`; one that is `Releasing` is let go first, and made anew. */
const next: Readonly<Record<ClaimPhase, readonly ClaimPhase[]>> = {
  Pending: ['Attaching', 'Bound', 'Releasing'],
  Attaching: ['Bound', 'Retained', 'Releasing'],
  Bound: ['Pending', 'Attaching', 'Retained', 'Releasing'],
  Retained: ['Attaching', 'Bound', 'Releasing'],
  Releasing: [],
}

export function mayFollow(from: ClaimPhase, to: ClaimPhase): boolean {
  return from === to || next[from].includes(to)
}

/** Whom a node is told that the address of a claim is for which is let go: no pod can be called so, and none of its name gets it any more. */
export function releasedPod({ name, namespace }: PodName): PodName {
  return { namespace, name: `${name}${released}` }
}

export function isReleased({ name }: PodName): boolean {
  return name.endsWith(released)
}
