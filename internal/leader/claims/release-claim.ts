// Giving the address of a claim back at somebody's wish (S6). A pod that runs would lose its network: that is refused, unless it is forced.
import type { Log } from '../../base/log.ts'
import type { Claim } from '../../ipam/claim.ts'
import { podText } from '../../ipam/pod-need.ts'
import type { NodeName, PodFact, PodName } from '../../ipam/types.ts'
import type { ClaimRelease, LeaderKube, LeaderLedger, ReleaseRequest } from '../../ports.ts'
import type { ClusterFacts } from '../facts.ts'

export type ReleaseOutcome = { readonly state: 'releasing' | 'gone' } | { readonly refused: string }

export interface ClaimReleaser extends ClaimRelease {
  /** `uid`: of the claim that is meant. `refused` continues a sentence that begins with what was tried. Throws `storage`, `deposed`, `conflict`. */
  releaseClaim(
    pod: PodName,
    options?: { readonly uid?: string | undefined; readonly force?: boolean | undefined },
  ): Promise<ReleaseOutcome>
}

export interface ClaimReleaserOptions {
  readonly kube: Pick<LeaderKube, 'notify'>
  readonly ledger: LeaderLedger
  readonly log: Log
  readonly facts: Pick<ClusterFacts, 'synced'>
  /** The one that runs under the claim's name, if there is one. */
  readonly livePod: (name: PodName) => PodFact | undefined
  readonly wake: (pod: PodName) => void
  readonly wakeNode: (node: NodeName) => void
}

/** Stored in the claim: its address goes although its node has not given it back. */
export const forced = 'ForceReleased'

export function createClaimReleaser(options: ClaimReleaserOptions): ClaimReleaser {
  const { facts, kube, ledger, livePod, log, wake, wakeNode } = options

  function whyNot(claim: Claim, pod: PodFact | undefined, force: boolean): string | undefined {
    if (!facts.synced() || !ledger.complete())
      return 'the leader does not know yet whether its pod runs; try again in a moment'
    if (pod === undefined) return undefined
    const where = `pod ${podText(pod)} runs on node ${pod.node}`
    if (claim.policy === 'Immediate') return `${where}, and its claim goes with it: delete the pod`
    if (force) return undefined
    return `${where} and would lose its network; delete the pod first, or wait until it has ended`
  }

  async function release(
    claim: Claim,
    { dryRun = false, force = false }: { dryRun?: boolean | undefined; force?: boolean | undefined },
  ): Promise<ReleaseOutcome> {
    const pod = livePod(claim)
    if (claim.phase === 'Releasing' && !(force && claim.reason !== forced)) return { state: 'releasing' }
    const refused = whyNot(claim, pod, force)
    if (refused !== undefined) return { refused }
    const nothingToFree = claim.policy === 'Immediate'
    if (dryRun) return { state: nothingToFree ? 'gone' : 'releasing' }
    const isForced = force && pod !== undefined
    await ledger.write((tx) =>
      nothingToFree
        ? tx.removeClaim(claim)
        : tx.changeClaim(claim, {
            ...{ podUid: undefined, node: undefined, retainedAt: undefined, expiresAt: undefined },
            phase: 'Releasing',
            reason: isForced ? forced : 'Deleted',
            message: isForced ? 'it was released by force, while its pod ran' : 'it was deleted',
          }),
    )
    log.info('claim deleted', { pod: podText(claim), address: claim.address, forced: isForced })
    if (isForced) tell(claim, pod)
    if (claim.node !== undefined) wakeNode(claim.node)
    wake(claim)
    return { state: nothingToFree ? 'gone' : 'releasing' }
  }

  function tell({ address }: Claim, { name, namespace, uid }: PodFact): void {
    const message = `address ${address} was released by force: the pod has no network any more; delete it, so that a new one gets an address`
    const about = { kind: 'Pod', namespace, name, uid } as const
    kube.notify({ about, type: 'Warning', reason: forced, message })
  }

  return {
    async releaseClaim(pod, { force, uid } = {}) {
      const claim = ledger.claim(pod)
      if (claim === undefined || (uid !== undefined && claim.uid !== uid)) return { state: 'gone' }
      return release(claim, { force })
    },
    async release({ dryRun, force, generation, key, version }: ReleaseRequest) {
      const claim = ledger.claimByKey(key)
      if (claim === undefined) return 'releasing' // it went meanwhile, which is what was wanted
      if (claim.generation !== generation || (version !== undefined && claim.version !== version))
        return { refused: 'it has changed meanwhile; look at it again' }
      const outcome = await release(claim, { dryRun, force })
      return 'refused' in outcome ? outcome : 'releasing'
    },
  }
}
