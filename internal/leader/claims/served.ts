// Which pods have their addresses from claims, so that no pool holds one for them. The agent's side of it: `hasClaimed`.
import { hasUnclearPolicy, isStatic } from '../../ipam/count-pod.ts'
import type { PodFact } from '../../ipam/types.ts'
import type { LeaderLedger } from '../../ports.ts'

/** `staticIps`: claims of pods that keep their addresses are served. */
export function isServedByClaim(
  pod: PodFact,
  ledger: Pick<LeaderLedger, 'claim' | 'claimOf'>,
  staticIps: boolean,
): boolean {
  if (!staticIps) return false
  // While nobody could tell its agent that it keeps its address, it may have got one of the pool.
  if (pod.ip !== undefined) return ledger.claimOf(pod.ip)?.policy === 'Never'
  const claim = ledger.claim(pod)
  if (hasUnclearPolicy(pod)) return claim?.policy === 'Never' && claim.phase !== 'Releasing'
  if (!isStatic(pod)) return false
  // One that ran before static addresses were served goes on as it is.
  return claim?.podUid !== pod.uid || claim.policy === 'Never'
}
