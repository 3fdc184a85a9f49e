// Giving what a claim is to back at somebody's wish (S6, E6): the claim is let go, and its keeper does the rest. A pod that runs would lose
// its network, or its public address: that is refused, unless it is forced.
import type { Log } from '../../base/log.ts'
import type { AnyClaim } from '../../ipam/claim.ts'
import { errorCode, withHint } from '../../ipam/errors.ts'
import { letGo } from '../../ipam/lifecycle.ts'
import { podText } from '../../ipam/pod-need.ts'
import type { NodeName, PodFact, PodName } from '../../ipam/types.ts'
import type { ClaimRelease, LeaderKube, LeaderLedger, ReleaseRefusal, ReleaseRequest } from '../../ports.ts'
import { claimNotice } from '../pod-notice.ts'
import { addressClaims, type ClaimTable } from './claim-table.ts'
import type { PodThere } from './pod-there.ts'

export interface ReleaseTools {
  readonly ledger: LeaderLedger
  readonly log: Log
  /** Something of the claim of that name has changed. */
  readonly wake: (pod: PodName) => void
  readonly wakeNode: (node: NodeName) => void
  /** The claim may not know of it yet, or no more. */
  readonly podThere: PodThere
  /** Is it known which pods there are? */
  readonly synced: () => boolean
  readonly kube: Pick<LeaderKube, 'notify'>
}

/** Stored in the claim: what it is to goes although its pod may have it. */
export const forced = 'ForceReleased'

const changed = 'it has changed meanwhile; look at it again'

/** How claims of one kind are released. */
export interface ReleaseKind<C extends AnyClaim> {
  readonly table: ClaimTable<C>
  /** The pod that runs under its name has, or is about to have, what it is a claim to. */
  readonly has: (claim: C, live: PodFact) => boolean
  /** What its pod is told when that is taken by force. */
  readonly sayForced: (claim: C) => string
}

/** Of addresses. */
export function createClaimRelease(tools: ReleaseTools): ClaimRelease {
  return createRelease(tools, {
    table: addressClaims(tools.ledger),
    // One that has another address loses nothing.
    has: ({ address }, { ip }) => ip === undefined || ip === address,
    sayForced: ({ address }) =>
      `address ${address} was released by force: the pod has no network any more; delete it, so that a new one gets an address`,
  })
}

export function createRelease<C extends AnyClaim>(tools: ReleaseTools, kind: ReleaseKind<C>): ClaimRelease {
  const { kube, ledger, log, podThere, synced, wake, wakeNode } = tools
  const { table } = kind

  function hasPod(claim: C, live: PodFact | undefined): boolean {
    return claim.podUid !== undefined || (live !== undefined && kind.has(claim, live))
  }

  function whyNot(claim: C, live: PodFact | undefined, force: boolean): ReleaseRefusal | undefined {
    const node = claim.node ?? live?.node
    const where = `its pod is there${node === undefined ? '' : ` on node "${node}"`}`
    if (claim.policy === 'Immediate') return refusal(`${where}, and the claim ends with it; delete the pod`)
    if (force || !hasPod(claim, live)) return undefined
    const why = `${where} and would lose ${table.words.loses}; delete the pod first, or wait until it has ended`
    return { refused: why, forceHelps: true }
  }

  /** The pod of a claim that says of none; or why nobody can say whether one is there. */
  async function look(claim: C): Promise<{ readonly live?: PodFact | undefined; readonly blind?: string }> {
    if (!synced())
      return { blind: 'the leader does not know yet whether its pod runs; try again in a moment' }
    if (claim.podUid !== undefined) return {}
    try {
      return { live: await podThere(claim) }
    } catch (error) {
      return { blind: `the leader cannot see whether its pod is there: ${withHint(error)}` }
    }
  }

  async function release(
    claim: C,
    { dryRun = false, force = false }: Pick<ReleaseRequest, 'dryRun' | 'force'>,
  ): Promise<'releasing' | ReleaseRefusal> {
    if (claim.phase === 'Releasing' && !(force && claim.reason !== forced)) return 'releasing'
    const { blind, live } = await look(claim)
    const refused = blind === undefined ? whyNot(claim, live, force) : refusal(blind)
    if (refused !== undefined) return refused
    if (dryRun) return 'releasing'
    const isForced = force && hasPod(claim, live)
    const how = isForced ? 'somebody has deleted it although its pod was there' : 'somebody has deleted it'
    const change = letGo(isForced ? forced : 'Deleted', how)
    try {
      await ledger.write((tx) => table.change(tx, claim, change))
    } catch (error) {
      if (errorCode(error) === 'conflict') return refusal(changed)
      throw error
    }
    const { has: of } = table.words
    log.info('claim deleted', { pod: podText(claim), of, address: claim.address, forced: isForced })
    if (isForced) tell(claim)
    if (claim.node !== undefined) wakeNode(claim.node)
    wake(claim)
    return 'releasing'
  }

  function tell(claim: C): void {
    kube.notify(claimNotice(claim, forced, kind.sayForced(claim)))
  }

  return {
    async release({ generation, key, pod, version, ...how }) {
      const claim = table.claim(pod)
      if (claim?.key !== key) return 'releasing' // it went meanwhile, which is what was wanted
      if (claim.phase === 'Releasing' && how.force !== true) return 'releasing'
      if (claim.generation !== generation || (version !== undefined && claim.version !== version))
        return refusal(changed)
      return release(claim, how)
    },
  }
}

/** One that force does not change. */
function refusal(refused: string): ReleaseRefusal {
  return { refused, forceHelps: false }
}
