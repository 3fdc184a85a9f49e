// A pod's claim to a public address. Its life is that of every claim (claim.ts); what is done about it in the cloud is in plan-eip.ts.
import type { Ipv4 } from '../value/ipv4.ts'
import type { Millis } from '../value/millis.ts'
import type { ClaimPhase, ClaimPolicy, FollowedOwner } from './claim.ts'
import type { EipWish } from './eip-wish.ts'
import type { EipId, EniId, NodeName, PodName, PodUid } from './types.ts'

/** What the cloud is asked. Only the allocation has a token; what is known of the others is when they were sent. */
export type EipAct = 'allocate' | 'associate' | 'disassociate' | 'release'

export interface EipClaim extends PodName {
  readonly key: number
  /** As an object of Kubernetes. */
  readonly uid: string
  readonly policy: ClaimPolicy
  /** `Pending`: no EIP yet. `Attaching`: it has one, which is not bound to the pod's address. `Bound`: it is. */
  readonly phase: ClaimPhase
  /** Rises with each pod that takes the claim: what is said of an earlier one counts no more. */
  readonly generation: number
  /** Of the pod that has it now; undefined without one. */
  readonly podUid: PodUid | undefined
  readonly node: NodeName | undefined
  readonly wish: EipWish
  readonly eipId: EipId | undefined
  /** The public one; undefined while it is being made. */
  readonly address: Ipv4 | undefined
  /**
   * The address of a pod, and its ENI, that the EIP is on, or may be, or may come to by a call that is on its way: nobody may take that
   * address off its ENI meanwhile. undefined: it is on none, and on its way to none.
   */
  readonly privateIp: Ipv4 | undefined
  readonly eniId: EniId | undefined
  /** Names the allocation, from before it is sent. */
  readonly allocateToken: string | undefined
  /** What was asked last, stored before it was sent, until it is seen what became of it. */
  readonly acted: EipAct | undefined
  readonly actedAt: Millis | undefined
  /** The cloud has taken it on, at `actedAt`: it is under way, or has come to nothing. */
  readonly answered: boolean
  /** It is kept so long after its pod; undefined: as long as the leader's setting says. */
  readonly expireAfter: Millis | undefined
  /** When its last pod ended, for people. */
  readonly retainedAt: Millis | undefined
  /** By the ledger's own clock. */
  readonly expiresAt: Millis | undefined
  /** It goes with this workload. */
  readonly owner: FollowedOwner | undefined
  /** Why it is not yet as it should be; empty when it is. */
  readonly reason: string
  readonly message: string
  readonly createdAt: Millis
  readonly changedAt: Millis
  /** Of its last change: rises with every change of any claim. */
  readonly version: number
}

/** Why something is not as it should be: a word for events, and a sentence for people. */
export interface EipTrouble {
  readonly reason: string
  readonly message: string
}
