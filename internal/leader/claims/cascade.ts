// Claims and the workloads of their pods (S7): each new claim learns with which it goes, and a kept one goes when that is gone.
import type { Clock } from '../../base/clock.ts'
import type { Log } from '../../base/log.ts'
import type { AnyClaim, ClaimPolicy, FollowedOwner } from '../../ipam/claim.ts'
import { withHint } from '../../ipam/errors.ts'
import { letGo } from '../../ipam/lifecycle.ts'
import { podText } from '../../ipam/pod-need.ts'
import type { OwnerRef, PodFact, PodName, PodUid } from '../../ipam/types.ts'
import type { LeaderKube, LeaderLedger } from '../../ports.ts'
import type { Millis } from '../../value/millis.ts'
import { claimNotice, podNotice } from '../pod-notice.ts'
import type { LeaderSettings } from '../settings.ts'
import type { ClaimTable } from './claim-table.ts'
import type { Owners, Topmost } from './owners.ts'
import type { PodThere } from './pod-there.ts'

/** What is to be done about a claim, as far as its workload matters. */
type Step<C extends AnyClaim> =
  | { readonly kind: 'open'; readonly policy: ClaimPolicy; readonly owner?: FollowedOwner | undefined }
  | { readonly kind: 'change'; readonly change: Partial<Pick<C, 'podUid' | 'owner'>> }
  | { readonly kind: 'remove' }

export interface Cascade<C extends AnyClaim> {
  /** The step with the topmost workload of the pod, where the claim is to have one. Throws what may pass. */
  withOwner<S extends Step<C>>(step: S, claim: C | undefined, pod: PodFact | undefined): Promise<S>
  /** Of the claim of a pod that runs, whose workload may have let it go, or another taken it: says whether it was changed. Throws `storage`, `conflict`, and what may pass. */
  renew(claim: C, pod: PodFact): Promise<boolean>
  /** Of a kept claim: says whether it was changed. Throws `storage`, `conflict`, and what may pass. */
  follow(claim: C): Promise<boolean>
}

export interface CascadeOptions<C extends AnyClaim> {
  readonly table: ClaimTable<C>
  /** The workload that made the pod; undefined without one. */
  readonly ownerOf: (pod: PodFact) => OwnerRef | undefined
  /** One that says no more that it keeps anything does not say whose it is, either. */
  readonly keeps: (pod: PodFact) => boolean
  readonly clock: Clock
  readonly kube: Pick<LeaderKube, 'notify'>
  readonly ledger: Pick<LeaderLedger, 'write'>
  readonly log: Log
  readonly settings: Pick<LeaderSettings, 'cascadeOwners'>
  readonly owners: Owners
  readonly podThere: PodThere
}

/** An API server that cannot say whose a pod is (a CRD whose conversion fails, an aggregated API that is down) holds the pod up no longer. */
const patience: Millis = 30_000

export function createCascade<C extends AnyClaim>(options: CascadeOptions<C>): Cascade<C> {
  const { clock, keeps, kube, ledger, log, ownerOf, owners, podThere, settings, table } = options
  /** Since when the workloads of pods could not be asked for. */
  const unanswered = new Map<PodUid, Millis>()

  /** By key of the claim: what its pod last said of its controller, while that is not stored. */
  const said = new Map<number, OwnerRef | undefined>()

  /** Of a pod that has this controller. */
  async function topmost(pod: PodName & { readonly uid: PodUid }, owner: OwnerRef): Promise<Topmost> {
    try {
      const found = await owners.topmost({ namespace: pod.namespace, claim: { owner } })
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

  async function release(claim: C): Promise<boolean> {
    if ((await podThere(claim)) !== undefined) return false
    const owner = `${claim.owner?.kind} ${claim.owner?.name}`
    await ledger.write((tx) => table.change(tx, claim, letGo('OwnerGone', `${owner} is gone`)))
    const { has: of } = table.words
    log.info('claim goes with its workload', { pod: podText(claim), of, address: claim.address, owner })
    return true
  }

  /** The pod has another controller, or none, by now. With an owner that cannot be found out nothing goes. */
  async function adopt(claim: C, ref: OwnerRef | undefined): Promise<void> {
    said.set(claim.key, ref)
    const { name, namespace } = claim
    const { fault, owner: found } =
      ref === undefined ? {} : await topmost({ namespace, name, uid: claim.podUid ?? claim.uid }, ref)
    const owner: FollowedOwner | undefined =
      ref === undefined ? claim.owner && { ...claim.owner, via: 'none' } : found && through(found, ref)
    await ledger.write((tx) => table.change(tx, claim, { owner }))
    said.delete(claim.key)
    if (fault !== undefined) kube.notify(claimNotice(claim, 'OwnerUnknown', unknown(table.words.has, fault)))
    if (found !== undefined) owners.follow(found)
    const owns = found === undefined ? 'nobody' : `${found.kind} ${found.name}`
    log.info('pod has another workload', { pod: podText(claim), owner: owns })
  }

  /** What the controller of its last pod says now: one between it and the owner may have been given to another. */
  async function lookAgain(claim: C): Promise<'gone' | 'unsure' | 'changed'> {
    const { via, uid } = claim.owner ?? {}
    if (via === undefined || via === 'none') return 'gone'
    const { at, fault, owner } = await owners.topmost({ namespace: claim.namespace, claim: { owner: via } })
    // As far as can be seen it still leads to the one that is gone, or to one that nobody may look at.
    if (fault !== undefined) return at?.uid === uid ? 'gone' : 'unsure'
    if (owner === undefined || owner.uid === uid) return 'gone'
    await ledger.write((tx) => table.change(tx, claim, { owner: through(owner, via) }))
    owners.follow(owner)
    return 'changed'
  }

  return {
    async renew(claim, pod) {
      const { owner } = claim
      if (!settings.cascadeOwners || owner === undefined || !keeps(pod)) return false
      const ref = ownerOf(pod)
      if (isBy(owner, ref)) {
        said.delete(claim.key)
        return false
      }
      await adopt(claim, ref)
      return true
    },
    async withOwner(step, claim, pod) {
      const ref = pod && ownerOf(pod)
      if (!settings.cascadeOwners || pod === undefined || ref === undefined || step.kind === 'remove')
        return step
      // A claim that was made without an owner never gets one: it was made before claims went with their workloads.
      const isWanted =
        step.kind === 'open'
          ? step.policy === 'Never'
          : step.change.podUid !== undefined && claim?.owner !== undefined
      if (!isWanted) return step
      const { fault, owner: found } = await topmost(pod, ref)
      const former = fault === undefined ? undefined : claim?.owner
      const owner = found === undefined ? former : through(found, ref)
      if (fault !== undefined) kube.notify(podNotice(pod, 'OwnerUnknown', unknown(table.words.has, fault)))
      if (owner !== undefined) owners.follow(owner)
      return step.kind === 'open' ? { ...step, owner } : { ...step, change: { ...step.change, owner } }
    },
    async follow(claim) {
      if (!settings.cascadeOwners || claim.owner === undefined) return false
      if (said.has(claim.key)) {
        await adopt(claim, said.get(claim.key))
        return true
      }
      if (claim.owner.via === 'none') return false
      const verdict = await owners.judge(claim)
      if (verdict === 'there' || verdict === 'unsure') return false
      if (verdict === 'gone') {
        const now = await lookAgain(claim)
        return now === 'gone' ? release(claim) : now !== 'unsure'
      }
      await ledger.write((tx) => table.change(tx, claim, { owner: verdict.owner }))
      return true
    },
  }
}

/** Was it found by this controller of the pod? */
function isBy({ uid, via }: FollowedOwner, controller: OwnerRef | undefined): boolean {
  if (controller === undefined || via === 'none') return controller === undefined && via === 'none'
  return controller.uid === (via ?? { uid }).uid
}

function through(owner: OwnerRef, controller: OwnerRef): FollowedOwner {
  return controller.uid === owner.uid ? owner : { ...owner, via: controller }
}

function unknown(what: string, fault: string): string {
  return `Its ${what} does not go with its workload: ${fault}`
}
