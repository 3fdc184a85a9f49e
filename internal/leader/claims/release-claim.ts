// Giving the address of a claim back at somebody's wish (S6): the claim is let go, and the keeper of claims does the rest. A pod that runs
// would lose its network: that is refused, unless it is forced.
import type { Log } from '../../base/log.ts'
import type { Claim } from '../../ipam/claim.ts'
import { errorCode, withHint } from '../../ipam/errors.ts'
import { podText } from '../../ipam/pod-need.ts'
import type { NodeName, PodFact, PodName } from '../../ipam/types.ts'
import type { ClaimRelease, LeaderKube, LeaderLedger, ReleaseRequest } from '../../ports.ts'
import { claimNotice } from '../pod-notice.ts'
import type { PodThere } from './pod-there.ts'

export type ReleaseOutcome = { readonly state: 'releasing' | 'gone' } | { readonly refused: string }

export interface ClaimReleaser extends ClaimRelease {
  /** As `release`, of the claim as it is now, whichever pod has it; `uid`: of the claim that is meant. */
  releaseClaim(
    pod: PodName,
    options?: { readonly uid?: string | undefined; readonly force?: boolean | undefined },
  ): Promise<ReleaseOutcome>
}

export interface ReleaseTools {
  readonly ledger: LeaderLedger
  readonly log: Log
  /** Something of the claim of that name has changed. */
  readonly wake: (pod: PodName) => void
  readonly wakeNode?: (node: NodeName) => void
  /** The claim may not know of it yet, or no more. */
  readonly podThere?: PodThere
  /** Is it known which pods there are? */
  readonly synced?: () => boolean
  readonly kube?: Pick<LeaderKube, 'notify'>
}

/** Stored in the claim: its address goes although its node has not given it back. */
export const forced = 'ForceReleased'

const changed = 'it has changed meanwhile; look at it again'

function hasPod({ address, podUid }: Claim, live: PodFact | undefined): boolean {
  if (podUid !== undefined) return true
  // One that has another address loses nothing.
  return live !== undefined && (live.ip === undefined || live.ip === address)
}

export function createClaimRelease(tools: ReleaseTools): ClaimReleaser {
  const { kube, ledger, log, podThere, synced, wake, wakeNode } = tools

  function whyNot(claim: Claim, live: PodFact | undefined, force: boolean): string | undefined {
    const node = claim.node ?? live?.node
    const where = `its pod is there${node === undefined ? '' : ` on node "${node}"`}`
    if (claim.policy === 'Immediate') return `${where}, and the claim ends with it; delete the pod`
    if (force || !hasPod(claim, live)) return undefined
    return `${where} and would lose its network; delete the pod first, or wait until it has ended`
  }

  /** The pod of a claim that says of none; or why nobody can say whether one is there. */
  async function look(
    claim: Claim,
  ): Promise<{ readonly live?: PodFact | undefined; readonly blind?: string }> {
    if (synced?.() === false)
      return { blind: 'the leader does not know yet whether its pod runs; try again in a moment' }
    if (claim.podUid !== undefined) return {}
    try {
      return { live: await podThere?.(claim) }
    } catch (error) {
      return { blind: `the leader cannot see whether its pod is there: ${withHint(error)}` }
    }
  }

  async function release(
    claim: Claim,
    { dryRun = false, force = false }: Pick<ReleaseRequest, 'dryRun' | 'force'>,
  ): Promise<ReleaseOutcome> {
    if (claim.phase === 'Releasing' && !(force && claim.reason !== forced)) return { state: 'releasing' }
    const { blind, live } = await look(claim)
    const refused = blind ?? whyNot(claim, live, force)
    if (refused !== undefined) return { refused }
    if (dryRun) return { state: 'releasing' }
    const isForced = force && hasPod(claim, live)
    const change = {
      ...{ podUid: undefined, node: undefined, retainedAt: undefined, expiresAt: undefined },
      phase: 'Releasing',
      reason: isForced ? forced : 'Deleted',
      message: isForced ? 'somebody has deleted it although its pod was there' : 'somebody has deleted it',
    } as const
    try {
      await ledger.write((tx) => tx.changeClaim(claim, change))
    } catch (error) {
      if (errorCode(error) === 'conflict') return { refused: changed }
      throw error
    }
    log.info('claim deleted', { pod: podText(claim), address: claim.address, forced: isForced })
    if (isForced) tell(claim)
    if (claim.node !== undefined) wakeNode?.(claim.node)
    wake(claim)
    return { state: 'releasing' }
  }

  function tell(claim: Claim): void {
    const message = `address ${claim.address} was released by force: the pod has no network any more; delete it, so that a new one gets an address`
    kube?.notify(claimNotice(claim, forced, message))
  }

  return {
    async releaseClaim(pod, { force, uid } = {}) {
      const claim = ledger.claim(pod)
      if (claim === undefined || (uid !== undefined && claim.uid !== uid)) return { state: 'gone' }
      return release(claim, { force })
    },
    async release({ generation, key, pod, version, ...how }) {
      const claim = ledger.claim(pod)
      if (claim?.key !== key) return 'releasing' // it went meanwhile, which is what was wanted
      if (claim.phase === 'Releasing' && how.force !== true) return 'releasing'
      if (claim.generation !== generation || (version !== undefined && claim.version !== version))
        return { refused: changed }
      const outcome = await release(claim, how)
      return 'refused' in outcome ? outcome : 'releasing'
    },
  }
}
