// Static claims as one node sees them: what its plan must place, and what its claims show once it has looked.
import type { Clock } from '../../base/clock.ts'
import type { Claim } from '../../ipam/claim.ts'
import { errorCode } from '../../ipam/errors.ts'
import { judgePlacement, type Placement, type PlacementVerdict } from '../../ipam/judge-placement.ts'
import { isReturnedIn } from '../../ipam/node-report.ts'
import type { ClaimDemand, UnreservedDemand } from '../../ipam/place-claims.ts'
import type { NodePool, PoolEni } from '../../ipam/pool.ts'
import type { PoolTrouble } from '../../ipam/pool-condition.ts'
import type { CloudSubnet, NodeName } from '../../ipam/types.ts'
import type { LeaderKube, LeaderLedger, LedgerNode, PlacedClaim } from '../../ports.ts'
import type { Ipv4 } from '../../value/ipv4.ts'
import { isRecent, type Millis } from '../../value/millis.ts'
import type { ClusterFacts } from '../facts.ts'
import { claimNotice } from '../pod-notice.ts'
import type { LeaderSettings } from '../settings.ts'
import { isFree, parkedOn, unreservedDemand } from './parked.ts'
import { forced } from './release-claim.ts'
import type { ReservePermission, Unanswered } from './reserve-permission.ts'

export interface NodeClaimsOptions {
  readonly ledger: LeaderLedger
  readonly facts: ClusterFacts
  readonly kube: LeaderKube
  readonly settings: LeaderSettings
  readonly permission: ReservePermission
  readonly unanswered: Unanswered
  readonly clock: Clock
  readonly wake: (node: NodeName, delay?: Millis) => void
}

export interface NodeClaims {
  /** What the plan must know. */
  demand(node: LedgerNode, now: Millis): readonly ClaimDemand[]
  /** Claims that need an address on one of the node's ENIs, because none can be reserved. */
  unreserved(node: LedgerNode, subnets: readonly CloudSubnet[]): readonly UnreservedDemand[]
  /** What became of taking these addresses off an ENI, or why nothing has become of it yet. */
  leaving(addresses: readonly Ipv4[], trouble: PoolTrouble | undefined): void
  /** Stores what the claims of pods on the node show now; a claim that waits for somebody is told once. Throws `storage`, `conflict`. */
  settle(
    node: LedgerNode,
    trouble: { readonly reason: string; readonly message: string } | undefined,
  ): Promise<void>
}

export function createNodeClaims(options: NodeClaimsOptions): NodeClaims {
  const { clock, facts, kube, ledger, permission, settings, unanswered, wake } = options
  /** Since when an address is returned whose pod seems to be there. */
  const givenUp = new Map<number, { readonly version: number; readonly since: Millis }>()

  /** Why an address does not leave the node that its pod is not on any more. */
  const hindrances = new Map<Ipv4, PoolTrouble>()

  function isWanted({ node, phase, zone }: Claim, at: LedgerNode): boolean {
    return node === at.name && (phase === 'Attaching' || phase === 'Bound') && zone === at.zone
  }

  function mayGo(claim: PlacedClaim, at: LedgerNode, now: Millis): boolean {
    const { node, phase, placedOn, reservation, retainedAt = 0 } = claim
    if (placedOn !== at.name || isWanted(claim, at)) return false
    if (phase === 'Releasing') return true
    // Taken off, it would be anybody's: it moves, when its pod is elsewhere.
    if (reservation === undefined) return false
    return node !== undefined || !isRecent(retainedAt, now, settings.claimRest)
  }

  function isResting({ node, phase, placedOn, reservation }: PlacedClaim, at: LedgerNode): boolean {
    return placedOn === at.name && phase === 'Retained' && node === undefined && reservation !== undefined
  }

  function eniWith({ enis }: NodePool, { address }: Claim) {
    return enis.find(
      ({ ips, state }) =>
        state === 'attached' && ips.some((ip) => ip.address === address && ip.state === 'bound'),
    )
  }

  function isReturned(node: NodeName, { address }: Claim, eni: PoolEni | undefined): boolean {
    const binding = eni?.ips.find((ip) => ip.address === address)
    return binding !== undefined && isReturnedIn(facts.nec(node)?.report)(binding)
  }

  /** A pod of the node may have it. */
  function isInUse(node: NodeName, claim: Claim): boolean {
    const pool = ledger.pool(node)
    const eni = pool && eniWith(pool, claim)
    return eni !== undefined && !isReturned(node, claim, eni)
  }

  /** The agent may have heard sooner than we that the pod is gone: bound anew at once, the address would stay with it for nothing. */
  function isGivenUp({ key, node, version }: Claim): boolean {
    const known = givenUp.get(key)
    const since = known?.version === version ? known.since : clock.now()
    givenUp.set(key, { version, since })
    const left = since + watchLag - clock.now()
    if (left > 0 && node !== undefined) wake(node, left)
    else givenUp.delete(key)
    return left <= 0
  }

  /** A parked address moves when the node of its pod asks for it: that must know when it may. */
  function wakeTaker(claim: PlacedClaim, pool: NodePool): void {
    const { node, placedEni, placedOn, reservation } = claim
    if (reservation !== undefined || node === undefined || node === pool.node || placedOn !== pool.node)
      return
    const eni = pool.enis.find(({ key }) => key === placedEni)
    if (eni !== undefined && isFree(claim, pool, eni, facts)) wake(node)
  }

  /** It has no address, and its node can make none for it now. */
  async function wait(claim: PlacedClaim, { message, reason }: { reason: string; message: string }) {
    if (!permission.refused() || (claim.reason === reason && claim.message === message)) return
    const changed = () => ledger.write((tx) => tx.changeClaim(claim, { reason, message }))
    if ((await unlessChanged(changed)) && claim.reason !== reason)
      kube.notify(claimNotice(claim, reason, message))
  }

  /** Of a claim with an address whose pod is on the node; undefined: its keeper says how it is. */
  function judge(
    claim: PlacedClaim,
    node: LedgerNode,
    pool: NodePool,
    trouble: Placement['trouble'],
  ): PlacementVerdict | undefined {
    const { address, phase, placedOn, podUid } = claim
    if (claim.node !== node.name || address === undefined) return undefined
    if (!facts.podsOn(node.name).some(({ terminal, uid }) => uid === podUid && !terminal)) return undefined
    const eni = eniWith(pool, claim)
    const returned = isReturned(node.name, claim, eni)
    if (phase === 'Bound' && returned && !isGivenUp(claim)) return undefined
    const isElsewhere = placedOn !== undefined && placedOn !== node.name
    return judgePlacement(claim, {
      node,
      eniId: returned ? undefined : eni?.id,
      elsewhere: isElsewhere
        ? {
            ...{ node: placedOn, inUse: isInUse(placedOn, claim), trouble: hindrances.get(address) },
            eip: ledger.eips.onAddress(address)?.eipId,
          }
        : undefined,
      trouble,
    })
  }

  /** Who has changed the claim meanwhile has the node look again. */
  async function show(claim: PlacedClaim, { warns, ...verdict }: PlacementVerdict): Promise<void> {
    if (verdict.phase === 'Bound' && claim.address !== undefined) hindrances.delete(claim.address)
    const { eniId, message, phase, reason } = verdict
    if (
      claim.phase === phase &&
      claim.eniId === eniId &&
      claim.reason === reason &&
      claim.message === message
    )
      return
    if (!(await unlessChanged(() => ledger.write((tx) => tx.changeClaim(claim, verdict))))) return
    if (warns && claim.reason !== reason) kube.notify(claimNotice(claim, reason, message))
  }

  return {
    demand: (node, now) =>
      ledger.placedClaims(node.name).flatMap((claim): ClaimDemand[] => {
        const { address, name, namespace, placedOn, reservation, subnetId } = claim
        if (address === undefined || subnetId === undefined) return []
        return [
          {
            ...{ address, name, namespace, subnetId },
            wanted: isWanted(claim, node),
            here: placedOn === node.name,
            renews: isWanted(claim, node) && claim.phase === 'Attaching',
            elsewhere: placedOn !== undefined && placedOn !== node.name,
            mayGo: mayGo(claim, node, now),
            reserved: reservation !== undefined,
            restsSince: isResting(claim, node) ? (claim.retainedAt ?? now) : undefined,
            parkedOn: parkedOn(claim, node, ledger, facts),
            forced: claim.phase === 'Releasing' && claim.reason === forced,
          },
        ]
      }),
    unreserved: (node, subnets) =>
      permission.refused()
        ? unreservedDemand(ledger, node, subnets).filter(({ key }) => !unanswered.has(key))
        : [],
    leaving(addresses, trouble) {
      for (const address of addresses) {
        // Each refusal has a request id in it: the same trouble is not told anew for that.
        if (trouble === undefined) hindrances.delete(address)
        else if (hindrances.get(address)?.code !== trouble.code) hindrances.set(address, trouble)
        const claim = trouble === undefined ? undefined : ledger.claimOf(address)
        if (claim?.node !== undefined) wake(claim.node)
      }
    },
    async settle(node, trouble) {
      const pool = ledger.pool(node.name)
      if (pool === undefined) return
      for (const claim of ledger.placedClaims(node.name)) {
        wakeTaker(claim, pool)
        if (claim.phase === 'Pending' && trouble !== undefined) await wait(claim, trouble)
        const verdict = judge(claim, node, pool, trouble)
        if (verdict !== undefined) await show(claim, verdict)
      }
    },
  }
}

/** How far one watch may be behind another. */
const watchLag: Millis = 2000

async function unlessChanged(write: () => Promise<unknown>): Promise<boolean> {
  try {
    await write()
    return true
  } catch (error) {
    if (errorCode(error) === 'conflict') return false
    throw error
  }
}
