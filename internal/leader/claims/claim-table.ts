// Claims to addresses and claims to public ones, as those see them who treat both alike: who expires them, releases them, and lets them go
// with their workloads.
import type { AnyClaim, Claim } from '../../ipam/claim.ts'
import type { EipClaim } from '../../ipam/eip-claim.ts'
import type { LifecycleChange } from '../../ipam/lifecycle.ts'
import type { PodName } from '../../ipam/types.ts'
import type { LeaderLedger, LeaderTx } from '../../ports.ts'

export interface ClaimTable<C extends AnyClaim> {
  /** For people: what a claim is to, and what a pod without it lacks. */
  readonly words: { readonly has: string; readonly loses: string }
  claim(pod: PodName): C | undefined
  /** Whose time is over, of those the first `limit`. */
  expired(limit: number): readonly C[]
  /** Throws as `LeaderTx.changeClaim`. */
  change(tx: LeaderTx, claim: C, change: LifecycleChange): void
}

export function addressClaims(ledger: LeaderLedger): ClaimTable<Claim> {
  return {
    words: { has: 'address', loses: 'its network' },
    claim: ledger.claim,
    expired: ledger.expiredClaims,
    change: (tx, claim, change) => void tx.changeClaim(claim, change),
  }
}

export function eipClaims({ eips }: LeaderLedger): ClaimTable<EipClaim> {
  return {
    words: { has: 'EIP', loses: 'its public address' },
    claim: eips.claim,
    expired: eips.expired,
    change: (tx, claim, change) => void tx.changeEipClaim(claim, change),
  }
}
