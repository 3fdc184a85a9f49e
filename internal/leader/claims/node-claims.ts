// Static claims as one node sees them: what its plan must place, and what its claims show once it has looked.
import type { Claim } from '../../ipam/claim.ts'
import { judgePlacement } from '../../ipam/judge-placement.ts'
import type { ClaimDemand, UnreservedDemand } from '../../ipam/place-claims.ts'
import type { NodePool } from '../../ipam/pool.ts'
import type { CloudSubnet, NodeName, PodFact } from '../../ipam/types.ts'
import type { LeaderKube, LeaderLedger, LedgerNode, PlacedClaim } from '../../ports.ts'
import type { Millis } from '../../value/millis.ts'
import type { ClusterFacts } from '../facts.ts'
import type { LeaderSettings } from '../settings.ts'
import { isFree, parkedOn, unreservedDemand } from './parked.ts'
import { forced } from './release-claim.ts'
import type { ReservePermission } from './reserve-permission.ts'

export interface NodeClaimsOptions {
  readonly ledger: LeaderLedger
  readonly facts: ClusterFacts
  readonly kube: LeaderKube
  readonly settings: LeaderSettings
  readonly permission: ReservePermission
  readonly wakeNode: (node: NodeName) => void
}

export interface NodeClaims {
  /** What the plan must know. */
  demand(node: LedgerNode, now: Millis): readonly ClaimDemand[]
  /** Claims that need an address on one of the node's ENIs, because none can be reserved. */
  unreserved(node: LedgerNode, subnets: readonly CloudSubnet[]): readonly UnreservedDemand[]
  /** Pods on the node whose addresses are kept for them: the pool owes them none. */
  isServed(pod: PodFact): boolean
  /** Stores what the claims of pods on the node show now; a claim that waits for somebody is told once. Throws `storage`, `conflict`. */
  settle(
    node: LedgerNode,
    trouble: { readonly reason: string; readonly message: string } | undefined,
  ): Promise<void>
}

export function createNodeClaims({
  facts,
  kube,
  ledger,
  permission,
  settings,
  wakeNode,
}: NodeClaimsOptions): NodeClaims {
  function isWanted({ node, phase, zone }: Claim, at: LedgerNode): boolean {
    return node === at.name && (phase === 'Attaching' || phase === 'Bound') && zone === at.zone
  }

  function mayGo(claim: PlacedClaim, at: LedgerNode, now: Millis): boolean {
    const { node, phase, placedOn, reservation, retainedAt = 0 } = claim
    if (placedOn !== at.name || isWanted(claim, at)) return false
    if (phase === 'Releasing') return true
    // Taken off, it would be anybody's: it moves, when its pod is elsewhere.
    if (reservation === undefined) return false
    return node !== undefined || now - retainedAt >= settings.claimRest
  }

  function eniWith({ enis }: NodePool, { address }: Claim) {
    return enis.find(
      ({ ips, state }) =>
        state === 'attached' && ips.some((ip) => ip.address === address && ip.state === 'bound'),
    )
  }

  /** A parked address moves when the node of its pod asks for it: that must know when it may. */
  function wakeTaker(claim: PlacedClaim, pool: NodePool): void {
    const { node, placedEni, placedOn, reservation } = claim
    if (reservation !== undefined || node === undefined || node === pool.node || placedOn !== pool.node)
      return
    const eni = pool.enis.find(({ key }) => key === placedEni)
    if (eni !== undefined && isFree(claim, pool, eni, facts)) wakeNode(node)
  }

  /** It has no address, and its node can make none for it now. */
  async function wait(claim: PlacedClaim, { message, reason }: { reason: string; message: string }) {
    if (!permission.refused() || (claim.reason === reason && claim.message === message)) return
    await ledger.write((tx) => tx.changeClaim(claim, { reason, message }))
    if (claim.reason !== reason) tell(claim, reason, message)
  }

  function tell(claim: PlacedClaim, reason: string, message: string): void {
    const { name, namespace, podUid: uid } = claim
    const about = { kind: 'Pod', namespace, name, ...(uid !== undefined && { uid }) } as const
    kube.notify({ about, type: 'Warning', reason, message })
  }

  return {
    demand: (node, now) =>
      ledger.placedClaims(node.name).flatMap((claim): ClaimDemand[] => {
        const { address, name, namespace, placedOn, subnetId } = claim
        if (address === undefined || subnetId === undefined) return []
        return [
          {
            ...{ address, name, namespace, subnetId },
            wanted: isWanted(claim, node),
            placed: placedOn !== undefined,
            mayGo: mayGo(claim, node, now),
            parkedOn: parkedOn(claim, node, ledger, facts),
            forced: claim.phase === 'Releasing' && claim.reason === forced,
          },
        ]
      }),
    unreserved: (node, subnets) => (permission.refused() ? unreservedDemand(ledger, node, subnets) : []),
    isServed(pod) {
      if (!pod.keepsIp || pod.wants !== 'shared' || !settings.staticIps) return false
      const claim = ledger.claim(pod)
      // One that ran before static addresses were served goes on as it is.
      return claim?.podUid !== pod.uid || claim.policy === 'Never'
    },
    async settle(node, trouble) {
      const pool = ledger.pool(node.name)
      if (pool === undefined) return
      for (const claim of ledger.placedClaims(node.name)) {
        wakeTaker(claim, pool)
        if (claim.phase === 'Pending' && trouble !== undefined) await wait(claim, trouble)
        if (claim.node !== node.name || claim.address === undefined) continue
        const eni = eniWith(pool, claim)
        const isReturned = facts
          .nec(node.name)
          ?.report?.returned.some(
            (one) =>
              one.address === claim.address &&
              eni?.ips.some((ip) => ip.address === one.address && ip.grant === one.grant),
          )
        const { placedOn } = claim
        const { warns, ...verdict } = judgePlacement(claim, {
          node,
          eniId: isReturned ? undefined : eni?.id,
          elsewhere: placedOn === node.name ? undefined : placedOn,
          trouble,
        })
        const { eniId, message, phase, reason } = claim
        const same =
          verdict.phase === phase &&
          verdict.eniId === eniId &&
          verdict.reason === reason &&
          verdict.message === message
        if (same) continue
        await ledger.write((tx) => tx.changeClaim(claim, verdict))
        if (warns && verdict.reason !== reason) tell(claim, verdict.reason, verdict.message)
      }
    },
  }
}

/** Whose nodes must look when an address has left its ENI. */
export function nodeWaitingFor(claim: Claim | undefined): NodeName | undefined {
  return claim?.policy === 'Never' ? claim.node : undefined
}
