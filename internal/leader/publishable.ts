// What of a node's addresses may be published. One that a live pod on another node shows is not, however it came to this node:
// that pod goes on using it, whatever the cloud says. One whose claim is let go is for no pod any more: the next
// of its name would never give it back.
import { type Claim, releasedPod, shownOwner } from '../ipam/claim.ts'
import type { NodePool } from '../ipam/pool.ts'
import type { NodeName, PodName, PublishedClaim, PublishedEni } from '../ipam/types.ts'
import type { LeaderLedger } from '../ports.ts'
import type { ClusterFacts } from './facts.ts'

/** The node's ENIs that serve, with the addresses that may be handed out there. */
export function publishable(
  ledger: LeaderLedger,
  facts: ClusterFacts,
  node: NodeName,
): readonly PublishedEni[] {
  return ledger.publishedEnis(node).map((eni) => {
    const ips = eni.ips
      .filter(({ address }) => !facts.usedElsewhere(address, node))
      .map((ip) =>
        ip.claim === undefined ? ip : { ...ip, claim: publishedClaim(ledger.claimOf(ip.address), ip.claim) },
      )
    return { ...eni, ips }
  })
}

function publishedClaim(claim: Claim | undefined, pod: PodName): PublishedClaim {
  if (claim?.phase === 'Releasing') return releasedPod(pod)
  if (claim === undefined || claim.reservation !== undefined) return pod
  const { expireAfter, owner } = claim
  const goesWith = owner?.via === 'none' ? undefined : owner
  return {
    ...pod,
    ...(expireAfter !== undefined && { expireAfter }),
    ...(goesWith !== undefined && { owner: shownOwner(goesWith) }),
  }
}

/** The pool as it may be planned with: what is in use elsewhere serves nobody here, and is not given back. */
export function usablePool(pool: NodePool, facts: ClusterFacts): NodePool {
  const enis = pool.enis.map((eni) => {
    const ips = eni.ips.map((ip) =>
      ip.state === 'bound' && facts.usedElsewhere(ip.address, pool.node)
        ? { ...ip, state: 'held' as const }
        : ip,
    )
    return { ...eni, ips }
  })
  return { ...pool, enis }
}
