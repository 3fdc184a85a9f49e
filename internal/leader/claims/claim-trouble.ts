// What the cloud fails to do for a claim time after time: the claim says why its address does not come, is not kept, or does not go.
import type { Claim } from '../../ipam/claim.ts'
import { type ErrorCode, errorCode, withHint } from '../../ipam/errors.ts'
import { troubleReason } from '../../ipam/pool-condition.ts'
import type { LeaderKube, LeaderLedger } from '../../ports.ts'
import { claimNotice } from '../pod-notice.ts'
import { forced } from './release-claim.ts'

export interface ClaimTrouble {
  /** `call`, which is made for the claim. Throws what that throws, `storage` and `conflict`. */
  watch<T>(claim: Claim, call: () => Promise<T>): Promise<T>
}

export interface ClaimTroubleOptions {
  readonly kube: Pick<LeaderKube, 'notify'>
  readonly ledger: Pick<LeaderLedger, 'write'>
}

/** One lost answer is not worth an event. */
const toldAfter = 2

/** Not of the cloud. */
const others: ReadonlySet<ErrorCode | undefined> = new Set(['conflict', 'storage', 'deposed', undefined])

export function createClaimTrouble({ kube, ledger }: ClaimTroubleOptions): ClaimTrouble {
  /** Failures in a row, by the claim's key. */
  const failures = new Map<number, number>()

  async function note(claim: Claim, error: unknown): Promise<void> {
    const code = errorCode(error)
    if (code === undefined || others.has(code)) return
    const times = (failures.get(claim.key) ?? 0) + 1
    failures.set(claim.key, times)
    // Of one that has a pod and an address, its node's look says how it is.
    const isOurs = claim.phase !== 'Attaching' && claim.phase !== 'Bound' && claim.reason !== forced
    const reason = troubleReason(code)
    // Each refusal has a request id in it: the same trouble is not told anew for that.
    if (times < toldAfter || !isOurs || claim.reason === reason) return
    const message = withHint(error)
    await ledger.write((tx) => tx.changeClaim(claim, { reason, message }))
    kube.notify(claimNotice(claim, reason, message))
  }

  return {
    async watch(claim, call) {
      try {
        const outcome = await call()
        failures.delete(claim.key)
        return outcome
      } catch (error) {
        await note(claim, error)
        throw error
      }
    },
  }
}
