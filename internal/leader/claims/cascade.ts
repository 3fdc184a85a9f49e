// Claims and the workloads of their pods (S7): each new claim learns with which it goes, and a kept one goes when that is gone.
import type { Clock } from '../../base/clock.ts'
import type { Log } from '../../base/log.ts'
import type { Claim, ClaimOwner } from '../../ipam/claim.ts'
import { withHint } from '../../ipam/errors.ts'
import type { ClaimStep } from '../../ipam/plan-claim.ts'
import { podText } from '../../ipam/pod-need.ts'
import type { PodFact, PodUid } from '../../ipam/types.ts'
import type { LeaderKube, LeaderLedger } from '../../ports.ts'
import type { Millis } from '../../value/millis.ts'
import { podNotice } from '../pod-notice.ts'
import type { LeaderSettings } from '../settings.ts'
import type { Owners } from './owners.ts'

export interface Cascade {
  /** The step with the topmost workload of the pod, where the claim is to have one. Throws what may pass. */
  withOwner(step: ClaimStep, claim: Claim | undefined, pod: PodFact | undefined): Promise<ClaimStep>
  /** Of a kept claim: says whether it was changed. Throws `storage`, `conflict`, and what may pass. */
  follow(claim: Claim): Promise<boolean>
}

export interface CascadeOptions {
  readonly clock: Clock
  readonly kube: Pick<LeaderKube, 'notify'>
  readonly ledger: LeaderLedger
  readonly log: Log
  readonly settings: Pick<LeaderSettings, 'cascadeOwners'>
  readonly owners: Owners
}

/** An API server that cannot say whose a pod is (a CRD whose conversion fails, an aggregated API that is down) holds the pod up no longer. */
const patience: Millis = 30_000

export function createCascade(options: CascadeOptions): Cascade {
  const { clock, kube, ledger, log, owners, settings } = options
  /** Since when the workloads of pods could not be asked for. */
  const unanswered = new Map<PodUid, Millis>()

  async function topmost(pod: PodFact): Promise<{ readonly owner?: ClaimOwner; readonly fault?: string }> {
    try {
      const found = await owners.topmost(pod)
      unanswered.delete(pod.uid)
      return found
    } catch (error) {
      const since = unanswered.get(pod.uid) ?? clock.now()
      unanswered.set(pod.uid, since)
      if (clock.now() - since < patience) throw error
      unanswered.delete(pod.uid)
      return { fault: withHint(error) }
    }
  }

  async function release(claim: Claim): Promise<void> {
    const owner = `${claim.owner?.kind} ${claim.owner?.name}`
    const why = { reason: 'OwnerGone', message: `${owner} is gone` } as const
    await ledger.write((tx) => tx.changeClaim(claim, { phase: 'Releasing', expiresAt: undefined, ...why }))
    log.info('claim goes with its workload', { pod: podText(claim), address: claim.address, owner })
  }

  return {
    async withOwner(step, claim, pod) {
      if (!settings.cascadeOwners || pod?.claim?.owner === undefined || step.kind === 'remove') return step
      // A claim that was made without an owner never gets one: it was made before claims went with their workloads.
      const isWanted =
        step.kind === 'open'
          ? step.policy === 'Never'
          : step.change.podUid !== undefined && claim?.owner !== undefined
      if (!isWanted) return step
      const { fault, owner = fault === undefined ? undefined : claim?.owner } = await topmost(pod)
      if (fault !== undefined)
        kube.notify(podNotice(pod, 'OwnerUnknown', `Its address does not go with its workload: ${fault}`))
      if (owner !== undefined) owners.follow(owner)
      return step.kind === 'open' ? { ...step, owner } : { ...step, change: { ...step.change, owner } }
    },
    async follow(claim) {
      if (!settings.cascadeOwners || claim.owner === undefined) return false
      const verdict = await owners.judge(claim)
      if (verdict === 'there' || verdict === 'unsure') return false
      if (verdict === 'gone') await release(claim)
      else await ledger.write((tx) => tx.changeClaim(claim, { owner: verdict.owner }))
      return true
    },
  }
}
