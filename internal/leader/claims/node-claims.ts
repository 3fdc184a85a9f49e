// Static claims as one node sees them: what its plan must place, and what its claims show once it has looked.
import type { Claim } from '../../ipam/claim.ts'
import { judgePlacement } from '../../ipam/judge-placement.ts'
import type { ClaimDemand } from '../../ipam/place-claims.ts'
import type { NodePool } from '../../ipam/pool.ts'
import type { PodFact } from '../../ipam/types.ts'
import type { LeaderKube, LeaderLedger, LedgerNode, PlacedClaim } from '../../ports.ts'
import type { Millis } from '../../value/millis.ts'
import type { ClusterFacts } from '../facts.ts'
import type { LeaderSettings } from '../settings.ts'
import { forced } from './release-claim.ts'

export interface NodeClaimsOptions {
  readonly ledger: LeaderLedger
  readonly facts: ClusterFacts
  readonly kube: LeaderKube
  readonly settings: LeaderSettings
}

export interface NodeClaims {
  /** What the plan must know. */
  demand(node: LedgerNode, now: Millis): readonly ClaimDemand[]
  /** Pods on the node whose addresses are kept for them: the pool owes them none. */
  isServed(pod: PodFact): boolean
  /** Stores what the claims of pods on the node show now; a claim that waits for somebody is told once. Throws `storage`, `conflict`. */
  settle(
    node: LedgerNode,
    trouble: { readonly reason: string; readonly message: string } | undefined,
  ): Promise<void>
}

export function createNodeClaims({ facts, kube, ledger, settings }: NodeClaimsOptions): NodeClaims {
  function isWanted({ node, phase, zone }: Claim, at: LedgerNode): boolean {
    return node === at.name && (phase === 'Attaching' || phase === 'Bound') && zone === at.zone
  }

  function mayGo(claim: PlacedClaim, at: LedgerNode, now: Millis): boolean {
    const { node, phase, placedOn, reservation, retainedAt = 0 } = claim
    if (placedOn !== at.name || isWanted(claim, at)) return false
    if (phase === 'Releasing' || node !== undefined) return true
    return reservation !== undefined && now - retainedAt >= settings.claimRest
  }

  function eniWith({ enis }: NodePool, { address }: Claim) {
    return enis.find(
      ({ ips, state }) =>
        state === 'attached' && ips.some((ip) => ip.address === address && ip.state === 'bound'),
    )
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
            here: placedOn === node.name,
            elsewhere: placedOn !== undefined && placedOn !== node.name,
            mayGo: mayGo(claim, node, now),
            forced: claim.phase === 'Releasing' && claim.reason === forced,
          },
        ]
      }),
    isServed(pod) {
      if (!settings.staticIps) return false
      // While nobody could tell its agent that it keeps its address, it may have got one of the pool.
      if (pod.ip !== undefined) return ledger.claimOf(pod.ip)?.policy === 'Never'
      if (!pod.keepsIp || pod.wants !== 'shared') return false
      const claim = ledger.claim(pod)
      // One that ran before static addresses were served goes on as it is.
      return claim?.podUid !== pod.uid || claim.policy === 'Never'
    },
    async settle(node, trouble) {
      const pool = ledger.pool(node.name)
      if (pool === undefined) return
      for (const claim of ledger.placedClaims(node.name)) {
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
