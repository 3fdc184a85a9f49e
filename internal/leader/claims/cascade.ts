// Claims and the workloads of their pods (S7): each new claim learns with which it goes, and a kept one goes when that is gone.
import type { Log } from '../../base/log.ts'
import type { Claim } from '../../ipam/claim.ts'
import type { ClaimStep } from '../../ipam/plan-claim.ts'
import { podText } from '../../ipam/pod-need.ts'
import type { PodFact } from '../../ipam/types.ts'
import type { LeaderKube, LeaderLedger } from '../../ports.ts'
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
  readonly kube: Pick<LeaderKube, 'notify'>
  readonly ledger: LeaderLedger
  readonly log: Log
  readonly settings: Pick<LeaderSettings, 'cascadeOwners'>
  readonly owners: Owners
}

export function createCascade({ kube, ledger, log, owners, settings }: CascadeOptions): Cascade {
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
      const { fault, owner } = await owners.topmost(pod)
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
