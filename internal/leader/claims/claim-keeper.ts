// Keeps the claims in step with the pods: one key of work for each name, so that events of one never overtake each other. The addresses of
// static ones are reserved here; the nodes' own looks put them on ENIs (reconcile-node.ts).
import type { Clock } from '../../base/clock.ts'
import type { Log } from '../../base/log.ts'
import { namedUuid } from '../../base/named-uuid.ts'
import { createPause, type Pause } from '../../base/pause.ts'
import type { Random } from '../../base/random.ts'
import { randomToken } from '../../base/random-token.ts'
import { createWorkQueue } from '../../base/work-queue.ts'
import { type Claim, claimPhases } from '../../ipam/claim.ts'
import { countedAs, hasUnclearPolicy, isStatic } from '../../ipam/count-pod.ts'
import { errorCode } from '../../ipam/errors.ts'
import { type ClaimStep, planClaim, returnOf } from '../../ipam/plan-claim.ts'
import { podText } from '../../ipam/pod-need.ts'
import type { NodeName, PodFact, PodName, PodUid } from '../../ipam/types.ts'
import type { ClaimRelease, Cloud, LeaderKube, LeaderLedger } from '../../ports.ts'
import type { Ipv4 } from '../../value/ipv4.ts'
import type { Millis } from '../../value/millis.ts'
import type { ClusterFacts } from '../facts.ts'
import { isSameTrouble, podNotice } from '../pod-notice.ts'
import type { LeaderSettings } from '../settings.ts'
import type { Subnets } from '../subnets.ts'
import { createCascade } from './cascade.ts'
import { addressClaims } from './claim-table.ts'
import { createClaimTrouble } from './claim-trouble.ts'
import { createExpiry } from './expire-claims.ts'
import type { ExpiryTicker } from './expiry-ticker.ts'
import { createHolder } from './hold-address.ts'
import { createLivePods } from './live-pods.ts'
import type { Owners } from './owners.ts'
import { createPodThere } from './pod-there.ts'
import { createClaimRelease, forced } from './release-claim.ts'
import { createReservations, type Reservations } from './reservations.ts'
import type { ReservePermission, Unanswered } from './reserve-permission.ts'

export interface ClaimKeeper extends ClaimRelease {
  /** A pod came, changed or went. */
  observe(pod: PodFact, gone: boolean): void
  /** All pods there are. */
  listed(pods: readonly PodFact[]): void
  /** Something of the claim of that name may have changed. */
  wake(pod: PodName): void
  /** Every claim is looked at again, and those whose time is over are let go. */
  round(): void
  stop(): Promise<void>
}

export interface ClaimKeeperOptions {
  readonly kube: LeaderKube
  readonly cloud: Cloud
  readonly ledger: LeaderLedger
  readonly clock: Clock
  readonly random: Random
  readonly log: Log
  readonly facts: ClusterFacts
  readonly subnets: Subnets
  readonly settings: LeaderSettings
  readonly permission: ReservePermission
  readonly unanswered: Unanswered
  readonly owners: Owners
  readonly ticker: ExpiryTicker
  readonly wakeNode: (node: NodeName) => void
  /** The ledger and the cloud do not say the same of an address. */
  readonly doubted: () => void
}

/** A pod that no list shows may end at any time, and nobody tells. */
const unlistedAgainAfter: Millis = 10_000

export function createClaimKeeper(options: ClaimKeeperOptions): ClaimKeeper {
  const { clock, facts, kube, ledger, log, random, settings, ticker, wakeNode } = options
  const pods = createLivePods((pod) => countedAs(pod) !== undefined)
  /** Of whom it failed: another pod of the name does not wait for that. */
  const pauses = new Map<string, { readonly pause: Pause; readonly pod: PodUid | undefined }>()
  const told = new Map<string, string>()
  const queue = createWorkQueue({ clock, concurrency: 16, work })
  const podThere = createPodThere(kube, pods.named)
  const table = addressClaims(ledger)
  const expire = createExpiry({ table, ledger, log, ticker, podThere, wake })
  const reservations: Reservations = createReservations({ ...options, wakeClaim: wake })
  const cascade = createCascade({
    ...{ ...options, table, podThere, ownerOf: (pod) => pod.claim?.owner },
    keeps: (pod) => isStatic(pod) || hasUnclearPolicy(pod),
  })
  const holder = createHolder(options)
  const trouble = createClaimTrouble(options)
  let expiryRule = settings.claimExpiry

  function wake(pod: PodName, delay: Millis = 0): void {
    queue.add(podText(pod), delay)
  }

  function isReady(): boolean {
    return facts.synced() && ledger.complete()
  }

  function observe(pod: PodFact, gone: boolean): void {
    if (pods.note(pod, gone)) wake(pod)
  }

  async function work(key: string): Promise<void> {
    const [namespace = '', name = ''] = key.split('/')
    const pod = { namespace, name }
    const held = pauses.get(key)
    const uid = pods.named(pod)?.uid
    const wait = uid !== undefined && uid !== held?.pod ? 0 : (held?.pause.left() ?? 0)
    if (wait > 0) return queue.add(key, wait)
    if (!isReady()) return queue.add(key, settings.retry.firstMs)
    try {
      const again = await look(pod)
      pauses.delete(key)
      if (again !== undefined) queue.add(key, again)
      if (pods.named(pod) === undefined) told.delete(key)
    } catch (error) {
      // What somebody else has changed meanwhile is soon looked at as it is now.
      const isPassed = errorCode(error) === 'conflict'
      const next =
        held?.pause ??
        createPause(isPassed ? { ...settings.retry, firstMs: 50 } : settings.retry, clock, random)
      pauses.set(key, { pause: next, pod: uid })
      const retryIn = next.failed()
      // One that does not pass is no race.
      if (!isPassed || retryIn >= settings.retry.firstMs)
        log.warn('claim not settled', { pod: key, error: (error as Error).message, retryIn })
      queue.add(key, retryIn)
    }
  }

  /** Returns after how long to look again; undefined when all is as it should be. */
  async function look(pod: PodName): Promise<Millis | undefined> {
    const live = pods.named(pod)
    const claim = ledger.claim(pod)
    const expires = live === undefined && claim?.policy === 'Never' && mayExpire(claim)
    const unlisted = expires && (await isUnlisted(claim))
    const expiryClock = expires ? await ticker.current() : ledger.expiryClock().now
    const step = planClaim(
      { claim, pod: live, unlisted, shown: shownOf(live), now: clock.now(), expiryClock },
      settings,
    )
    if (step !== undefined) {
      await take(await cascade.withOwner(step, claim, live), claim)
      if (claim?.policy === 'Immediate') wakeTaker(claim)
      if (live !== undefined) tellOdd(live, claim)
      const carrier =
        claim?.policy === 'Never' && claim.address !== undefined ? ledger.nodeOf(claim.address) : undefined
      if (carrier !== undefined) wakeNode(carrier)
      if (claim?.node !== undefined) wakeNode(claim.node)
      if (live?.node !== undefined) wakeNode(live.node)
      return 0
    }
    if (claim === undefined || claim.policy === 'Immediate') return undefined
    if (claim.phase === 'Retained' && live !== undefined) tellOdd(live, claim)
    if (claim.podUid !== undefined && claim.podUid === live?.uid && (await cascade.renew(claim, live)))
      return 0
    if (claim.phase === 'Pending' && live !== undefined)
      return trouble.watch(claim, () => reserve(claim, live))
    // A pod that came meanwhile opens a new one when this is gone.
    if (claim.phase === 'Releasing') {
      if (live !== undefined) tellOdd(live, claim)
      return (
        (await trouble.watch(claim, () => reservations.release(claim))) ??
        (live === undefined ? undefined : 0)
      )
    }
    if (claim.phase === 'Retained' && live === undefined && (await cascade.follow(claim))) return 0
    const again =
      claim.reservation === undefined ? await trouble.watch(claim, () => holder.hold(claim)) : undefined
    return unlisted ? Math.min(again ?? unlistedAgainAfter, unlistedAgainAfter) : again
  }

  /** What no list shows may be there all the same: its time begins when its pod is gone, not when a list lacks it. */
  async function isUnlisted(claim: Claim): Promise<boolean> {
    const { address, expireAfter, expiresAt, phase } = claim
    if (address === undefined || expiresAt !== undefined || phase === 'Releasing') return false
    if ((expireAfter ?? settings.claimExpiry) === undefined) return false
    return (await podThere(claim)) !== undefined
  }

  function mayExpire({ expireAfter, phase }: Claim): boolean {
    return phase !== 'Retained' || (expireAfter ?? settings.claimExpiry) !== undefined
  }

  async function reserve(claim: Claim, pod: PodFact): Promise<Millis | undefined> {
    const outcome = await reservations.reserve(claim)
    if (outcome.kind !== 'stuck') {
      wakeNode(claim.node ?? '')
      return outcome.kind === 'parks' ? outcome.retryIn : undefined
    }
    const { kind: _, retryIn, reserveToken = claim.reserveToken, ...trouble } = outcome
    const isTold = isSameTrouble(claim, trouble)
    await ledger.write((tx) => tx.changeClaim(claim, { reserveToken, ...(!isTold && trouble) }))
    if (!isTold) kube.notify(podNotice(pod, trouble.reason, trouble.message))
    return retryIn
  }

  /** Another pod of the node that has shown its address already is the one that has it now. */
  function wakeTaker({ address, node, podUid }: Claim): void {
    if (address === undefined || node === undefined) return
    const taker = facts.podsOn(node).find(({ ip, uid }) => ip === address && uid !== podUid)
    if (taker !== undefined) wake(taker)
  }

  function shownOf(pod: PodFact | undefined) {
    if (pod?.ip === undefined || pod.node === undefined) return undefined
    const { ip: address, node } = pod
    const eni = ledger.publishedEnis(node).find(({ ips }) => ips.some((ip) => ip.address === address))
    return eni && { address, eniId: eni.id, subnetId: eni.subnetId, zone: ledger.node(node)?.zone }
  }

  async function take(step: ClaimStep, claim: Claim | undefined): Promise<void> {
    await ledger.write((tx) => {
      if (step.kind === 'open') return void tx.addClaim(newClaim(step))
      if (claim === undefined) return
      if (step.kind === 'remove') tx.removeClaim(claim)
      else tx.changeClaim(claim, step.change)
    })
  }

  function newClaim({ owner, policy, pod }: Extract<ClaimStep, { kind: 'open' }>) {
    const { name, namespace, node, uid } = pod
    return {
      ...{ name, namespace, node, podUid: uid, policy, mode: countedAs(pod) ?? 'shared' },
      uid: namedUuid(`claim of ${uid} ${clock.now()}`),
      ipUid: namedUuid(`address of ${uid} ${clock.now()}`),
      nominatedAddress: policy === 'Never' ? pod.claim?.nominatedIp : undefined,
      nominatedSubnets: policy === 'Never' ? (pod.claim?.nominatedSubnets ?? []) : [],
      expireAfter: pod.claim?.expireAfter,
      owner,
      reserveToken: policy === 'Never' ? randomToken(random) : undefined,
    }
  }

  /** What a pod asks for that it does not get. */
  function tellOdd(pod: PodFact, claim: Claim | undefined): void {
    const key = podText(pod)
    const message = oddity(pod, claim?.policy === 'Never' ? claim : undefined)
    if (message === undefined || told.get(key) === message) return
    told.set(key, message)
    kube.notify(podNotice(pod, 'StaticIPRefused', message))
  }

  /** `claim`: what is kept for its name, or was. */
  function oddity(pod: PodFact, claim: Claim | undefined): string | undefined {
    const isOver = claim?.phase === 'Releasing'
    // Its node gave it the address before it heard of that.
    if (isOver && claim.reason !== forced && pod.ip !== undefined && pod.ip === claim.address)
      return `Cannot keep ${pod.ip}, which the pod has as long as it runs: it was given up before (${claim.message}); delete the pod to have one kept`
    const kept = isOver ? undefined : claim?.address
    if (claim !== undefined && kept !== undefined && isBeside(claim, pod)) return keptFor(pod, kept)
    if (pod.claim?.fault !== undefined) {
      const so = kept === undefined ? '' : `; address ${kept} stays kept for it as before`
      return `Cannot apply ${pod.claim.fault}${so}`
    }
    if (!pod.keepsIp) return undefined
    if (!settings.staticIps)
      return 'Cannot keep its address: the leader runs without --enable-static-ip; it has one as long as it lives'
    if (countedAs(pod) === 'exclusive')
      return 'Cannot keep its address: only addresses of shared ENIs are kept, and it has an ENI of its own'
    return undefined
  }

  function isBeside(claim: Claim, pod: PodFact): boolean {
    return claim.podUid !== pod.uid && returnOf(claim, pod, settings) === 'leaves'
  }

  function keptFor(pod: PodFact, address: Ipv4): string {
    const [why, remedy] = settings.staticIps
      ? [
          'it has an ENI of its own, and only addresses of shared ENIs are kept',
          'let it ask for tke-route-eni',
        ]
      : ['the leader runs without --enable-static-ip', 'start the leader with it']
    const giveUp = `tke-eni delete vipc ${pod.name} -n ${pod.namespace}`
    return `Cannot give the pod ${address}, which is kept for its name: ${why}; it stays kept: ${remedy} and delete the pod, or give the address up: ${giveUp}`
  }

  const releaser = createClaimRelease({
    ...options,
    synced: isReady,
    podThere,
    wake,
  })

  return {
    ...releaser,
    observe,
    listed(all) {
      for (const pod of pods.missingIn(all)) observe(pod, true)
      // One that is kept changes by its pod, its time, its workload, or somebody's wish; each of them wakes it.
      for (const phase of claimPhases.filter((phase) => phase !== 'Retained'))
        for (const name of ledger.claimNames(phase)) wake(name)
      // The pod beside which it was kept may have gone while no leader ran.
      const timed = settings.claimExpiry === undefined ? 'own' : 'all'
      for (const name of ledger.untimedClaims(timed)) wake(name)
    },
    wake,
    round() {
      if (settings.claimExpiry !== expiryRule) for (const name of ledger.claimNames('Retained')) wake(name)
      expiryRule = settings.claimExpiry
      for (const name of ledger.claimNames('Releasing')) wake(name)
      // A pod of the pool may have shown its address before the ledger had that on its node.
      for (const claim of ledger.claimsWhere('Pending'))
        if (claim.policy === 'Never' || pods.named(claim)?.ip !== undefined) wake(claim)
      for (const claim of ledger.unreservedClaims()) wake(claim)
      if (!isReady()) return
      expire()
    },
    stop: () => queue.stop(),
  }
}
