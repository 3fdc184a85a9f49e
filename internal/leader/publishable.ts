// What of a node's addresses may be published. One that a live pod on another node shows is not, however it came to this node:
// that pod goes on using it, whatever the cloud says. Nor is one whose claim was released by force: it goes, whoever is given it yet.
import type { NodePool } from '../ipam/pool.ts'
import type { NodeName, PublishedEni, PublishedIp } from '../ipam/types.ts'
import type { LeaderLedger } from '../ports.ts'
import { forced } from './claims/release-claim.ts'
import type { ClusterFacts } from './facts.ts'

/** The node's ENIs that serve, with the addresses that may be handed out there. */
export function publishable(
  ledger: LeaderLedger,
  facts: ClusterFacts,
  node: NodeName,
): readonly PublishedEni[] {
  return ledger.publishedEnis(node).map((eni) => {
    const ips = eni.ips.filter((ip) => !facts.usedElsewhere(ip.address, node) && !isForced(ledger, ip))
    return ips.length === eni.ips.length ? eni : { ...eni, ips }
  })
}

function isForced(ledger: LeaderLedger, { address, claim }: PublishedIp): boolean {
  return claim !== undefined && ledger.claimOf(address)?.reason === forced
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
