// Static addresses that no reservation keeps (S13): they stay on an ENI always, and move from one to another in one step.
import { isReturnedIn } from '../../ipam/node-report.ts'
import type { ClaimDemand, UnreservedDemand } from '../../ipam/place-claims.ts'
import { type NodePool, occupied, type PoolEni } from '../../ipam/pool.ts'
import type { CloudSubnet, NodeName } from '../../ipam/types.ts'
import type { LeaderLedger, LedgerNode, PlacedClaim } from '../../ports.ts'
import type { ClusterFacts } from '../facts.ts'
import { isNominated, refuseNominated } from './nominated.ts'

/** Where a parked address is that this node may move: of a pod of its own, or of none while one of its ENIs has it. */
export function parkedOn(
  claim: PlacedClaim,
  at: LedgerNode,
  ledger: LeaderLedger,
  facts: ClusterFacts,
): ClaimDemand['parkedOn'] {
  const { node, placedEni, placedOn, reservation } = claim
  if (reservation !== undefined || placedOn === undefined || placedEni === undefined) return undefined
  // The node of its pod moves it.
  if (placedOn === at.name && node !== undefined && node !== at.name) return undefined
  const pool = ledger.pool(placedOn)
  const eni = pool?.enis.find(({ key }) => key === placedEni)
  return { eni: placedEni, free: pool !== undefined && eni !== undefined && isFree(claim, pool, eni, facts) }
}

/** Nobody has it where it is: the node has given it back, or is no more. */
export function isFree(claim: PlacedClaim, pool: NodePool, eni: PoolEni, facts: ClusterFacts): boolean {
  const ip = eni.ips.find(({ address }) => address === claim.address)
  if (ip?.state !== 'bound' || eni.busy || eni.held || eni.id === undefined) return false
  if (eni.state !== 'attached' && eni.state !== 'available') return false
  if (pool.phase === 'leaving') return true
  if (facts.shownAddresses(pool.node).has(ip.address)) return false
  if (claim.node === pool.node) return true // from one ENI of its pod's node to another: that pod waits for it
  return isReturnedIn(facts.nec(pool.node)?.report)(ip)
}

/** Claims of pods on the node for which an address is made on one of its ENIs. */
export function unreservedDemand(
  ledger: LeaderLedger,
  node: LedgerNode,
  subnets: readonly CloudSubnet[],
): readonly UnreservedDemand[] {
  return ledger.waitingClaims(node.name).flatMap((claim) => {
    if (refuseNominated(claim, node, subnets, ledger) !== undefined) return [] // its keeper says so
    const { key, name, namespace, nominatedAddress: address } = claim
    const fitting = subnets
      .filter(({ zone }) => zone === node.zone)
      .filter((subnet) => isNominated(claim, subnet))
      .toSorted((a, b) => b.available - a.available || (a.id < b.id ? -1 : 1))
    return [{ key, name, namespace, address, subnetIds: fitting.map(({ id }) => id) }]
  })
}

export type Refuge =
  | { readonly node: LedgerNode; readonly eni: number }
  /** There is one, and something is being done to it. */
  | 'later'

/** An ENI of another node that can take the address; the node of its pod first, then the fullest. undefined: there is none. */
export function refugeFor(
  claim: PlacedClaim,
  leaving: NodeName,
  nodes: readonly LedgerNode[],
  poolOf: (node: NodeName) => NodePool | undefined,
): Refuge | undefined {
  const candidates = nodes
    .filter(({ name, phase }) => name !== leaving && phase === 'active')
    .filter(({ zone }) => claim.zone === undefined || zone === claim.zone)
    .flatMap((node) => {
      const pool = poolOf(node.name)
      const enis = (pool?.enis ?? []).filter(
        (eni) =>
          eni.mode === 'shared' &&
          eni.subnetId === claim.subnetId &&
          eni.state === 'attached' &&
          eni.goal === 'serve' &&
          !eni.held &&
          occupied(eni) < (pool?.shared.ipsPerEni ?? 0),
      )
      return enis.map((eni) => ({ node, eni }))
    })
    .toSorted(
      (a, b) =>
        Number(b.node.name === claim.node) - Number(a.node.name === claim.node) ||
        occupied(b.eni) - occupied(a.eni) ||
        a.eni.key - b.eni.key,
    )
  const idle = candidates.find(({ eni }) => !eni.busy)
  if (idle !== undefined) return { node: idle.node, eni: idle.eni.key }
  return candidates.length > 0 ? 'later' : undefined
}
