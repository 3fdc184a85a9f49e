// A pod's claim to a public address. Its life is that of every claim (claim.ts); what is done about it in the cloud is in plan-eip.ts.
import type { Ipv4 } from '../value/ipv4.ts'
import type { Millis } from '../value/millis.ts'
import type { AnyClaim, ChangeOf } from './claim.ts'
import type { EipWish } from './eip-wish.ts'
import type { EipId, EniId } from './types.ts'

/** What the cloud is asked. Only the allocation has a token; what is known of the others is when they were sent. */
export type EipAct = 'allocate' | 'associate' | 'disassociate' | 'release'

/** Of a claim: it is known what became of what was asked last. */
export const unasked = { acted: undefined, actedAt: undefined, answered: false } as const

/** `Pending`: no EIP yet. `Attaching`: it has one, which is not bound to the pod's address. `Bound`: it is. */
export interface EipClaim extends AnyClaim {
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
}

/** The EIP, once there is one, does not. */
export type EipClaimChange = ChangeOf<EipClaim>

/** Why something is not as it should be: a word for events, and a sentence for people. */
export interface EipTrouble {
  readonly reason: string
  readonly message: string
}

/** Those of the documents' samples are shorter than those of the API. */
export function isEipId(text: string): boolean {
  return /^eip-[0-9a-z]{4,60}$/.test(text)
}
