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
import { countedAs } from '../../ipam/count-pod.ts'
import { errorCode } from '../../ipam/errors.ts'
import { type ClaimStep, planClaim } from '../../ipam/plan-claim.ts'
import type { NodeName, Notice, PodFact, PodName } from '../../ipam/types.ts'
import type { Cloud, LeaderKube, LeaderLedger } from '../../ports.ts'
import type { Millis } from '../../value/millis.ts'
import type { ClusterFacts } from '../facts.ts'
import type { LeaderSettings } from '../settings.ts'
import type { Subnets } from '../subnets.ts'
import { createClaimTrouble } from './claim-trouble.ts'
import { createExpiryTicker } from './expiry-ticker.ts'
import { createHolder } from './hold-address.ts'
import { createOwners } from './owners.ts'
import { type ClaimReleaser, createClaimRelease } from './release-claim.ts'
import { createReservations, parking, type Reservations } from './reservations.ts'
import type { ReservePermission } from './reserve-permission.ts'

export interface ClaimKeeper extends ClaimReleaser {
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
  readonly wakeNode: (node: NodeName) => void
  /** The ledger and the cloud do not say the same of an address. */
  readonly doubted: () => void
}

const expireAtOnce = 100

export function createClaimKeeper(options: ClaimKeeperOptions): ClaimKeeper {
  const { clock, facts, kube, ledger, log, random, settings, wakeNode } = options
  /** Pods that may have a claim, the latest of each name last. */
  const pods = new Map<string, Map<string, PodFact>>()
  const pauses = new Map<string, Pause>()
  const told = new Map<string, string>()
  const queue = createWorkQueue({ clock, concurrency: 16, work })
  let expiring = false
  const expiry = createExpiryTicker({ clock, kube, ledger, log })
  const reservations: Reservations = createReservations({ ...options, wakeClaim: (claim) => wake(claim) })
  const owners = createOwners({ ...options, wake })
  const holder = createHolder({ ...options, tell: tellOf })
  const trouble = createClaimTrouble({ ledger, tell: tellOf })

  let expiryRule = settings.claimExpiry

  function keyOf({ name, namespace }: PodName): string {
    return `${namespace}/${name}`
  }

  function wake(pod: PodName, delay: Millis = 0): void {
    queue.add(keyOf(pod), delay)
  }

  function livePod(key: string): PodFact | undefined {
    return [...(pods.get(key)?.values() ?? [])].at(-1)
  }

  function note(pod: PodFact, gone: boolean): void {
    const key = keyOf(pod)
    const ofName = pods.get(key) ?? new Map<string, PodFact>()
    const counts = !gone && pod.node !== undefined && !pod.terminal && countedAs(pod) !== undefined
    if (!counts && !ofName.delete(pod.uid)) return
    if (counts) ofName.set(pod.uid, pod)
    if (ofName.size === 0) pods.delete(key)
    else pods.set(key, ofName)
    queue.add(key)
  }

  async function work(key: string): Promise<void> {
    const [namespace = '', name = ''] = key.split('/')
    const pause = pauses.get(key)
    const wait = pause?.left() ?? 0
    if (wait > 0) return queue.add(key, wait)
    try {
      if (!facts.synced() || !ledger.complete()) return queue.add(key, settings.retry.firstMs)
      const again = await look({ namespace, name }, key)
      pauses.delete(key)
      if (again !== undefined) queue.add(key, again)
      if (livePod(key) === undefined) told.delete(key)
    } catch (error) {
      if (errorCode(error) === 'conflict' && pause === undefined) {
        pauses.set(key, createPause({ firstMs: 50, maxMs: settings.retry.maxMs }, clock, random))
      }
      const next = pauses.get(key) ?? createPause(settings.retry, clock, random)
      pauses.set(key, next)
      const retryIn = next.failed()
      if (errorCode(error) !== 'conflict')
        log.warn('claim not settled', { pod: key, error: (error as Error).message, retryIn })
      queue.add(key, retryIn)
    }
  }

  /** Returns after how long to look again; undefined when all is as it should be. */
  async function look(pod: PodName, key: string): Promise<Millis | undefined> {
    const live = livePod(key)
    const claim = ledger.claim(pod)
    const expires = live === undefined && claim?.policy === 'Never' && mayExpire(claim)
    const expiryClock = expires ? await expiry.current() : ledger.expiryClock().now
    const step = planClaim(
      { claim, pod: live, shown: shownOf(live), now: clock.now(), expiryClock },
      settings,
    )
    if (step !== undefined) {
      await take(await withOwner(step, claim, live), claim)
      if (claim?.policy === 'Immediate') wakeTaker(claim)
      if (live !== undefined) tellOdd(live, key)
      const holder =
        claim?.policy === 'Never' && claim.address !== undefined ? ledger.nodeOf(claim.address) : undefined
      if (holder !== undefined) wakeNode(holder)
      if (claim?.node !== undefined) wakeNode(claim.node)
      if (live?.node !== undefined) wakeNode(live.node)
      return 0
    }
    if (claim === undefined || claim.policy === 'Immediate') return undefined
    if (claim.phase === 'Pending' && live !== undefined)
      return trouble.watch(claim, () => reserve(claim, live))
    // A pod that came meanwhile opens a new one when this is gone.
    if (claim.phase === 'Releasing')
      return (
        (await trouble.watch(claim, () => reservations.release(claim))) ??
        (live === undefined ? undefined : 0)
      )
    if (claim.phase === 'Retained' && claim.owner !== undefined && settings.cascadeOwners) {
      if (await goesWithOwner(claim)) return 0
    }
    return claim.reservation === undefined ? trouble.watch(claim, () => holder.hold(claim)) : undefined
  }

  function mayExpire({ expireAfter, phase }: Claim): boolean {
    return phase !== 'Retained' || (expireAfter ?? settings.claimExpiry) !== undefined
  }

  /** A claim that was made without an owner never gets one: it was made before claims went with their workloads. */
  async function withOwner(
    step: ClaimStep,
    claim: Claim | undefined,
    pod: PodFact | undefined,
  ): Promise<ClaimStep> {
    const opens = step.kind === 'open' && step.policy === 'Never'
    const isTaken = step.kind === 'change' && step.change.podUid !== undefined && claim?.owner !== undefined
    if (!settings.cascadeOwners || pod?.claim?.owner === undefined || !(opens || isTaken)) return step
    const { fault, owner } = await owners.topmost(pod)
    if (fault !== undefined)
      tell(pod, {
        type: 'Warning',
        reason: 'OwnerUnknown',
        message: `Its address does not go with its workload: ${fault}`,
      })
    return step.kind === 'open'
      ? { ...step, owner }
      : ({ ...step, change: { ...step.change, owner } } as ClaimStep)
  }

  async function goesWithOwner(claim: Claim): Promise<boolean> {
    const verdict = await owners.judge(claim)
    if (verdict === 'there' || verdict === 'unsure') return false
    if (verdict !== 'gone') {
      await ledger.write((tx) => tx.changeClaim(claim, { owner: verdict.owner }))
      return true
    }
    const { kind, name } = claim.owner ?? {}
    await ledger.write((tx) =>
      tx.changeClaim(claim, {
        phase: 'Releasing',
        expiresAt: undefined,
        reason: 'OwnerGone',
        message: `${kind} ${name} is gone`,
      }),
    )
    log.info('claim goes with its workload', {
      pod: keyOf(claim),
      address: claim.address,
      owner: `${kind}/${name}`,
    })
    return true
  }

  async function reserve(claim: Claim, pod: PodFact): Promise<Millis | undefined> {
    const outcome = await reservations.reserve(claim)
    if ('address' in outcome) {
      wakeNode(claim.node ?? '')
      return undefined
    }
    if (outcome.reason === parking) {
      wakeNode(claim.node ?? '')
      return outcome.retryIn
    }
    if (outcome.message !== claim.message || outcome.reason !== claim.reason) {
      await ledger.write((tx) => tx.changeClaim(claim, { reason: outcome.reason, message: outcome.message }))
      tell(pod, { type: 'Warning', reason: outcome.reason, message: outcome.message })
    }
    return outcome.retryIn
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
  function tellOdd(pod: PodFact, key: string): void {
    const message = oddity(pod)
    if (message === undefined || told.get(key) === message) return
    told.set(key, message)
    tell(pod, { type: 'Warning', reason: 'StaticIPRefused', message })
  }

  function oddity(pod: PodFact): string | undefined {
    if (pod.claim?.fault !== undefined) return `Cannot apply ${pod.claim.fault}`
    if (!pod.keepsIp) return undefined
    if (!settings.staticIps)
      return 'Cannot keep its address: the leader runs without --enable-static-ip; it has one as long as it lives'
    if (countedAs(pod) === 'exclusive')
      return 'Cannot keep its address: only addresses of shared ENIs are kept, and it has an ENI of its own'
    return undefined
  }

  function tell({ name, namespace, uid }: PodFact, notice: Omit<Notice, 'about'>): void {
    kube.notify({ ...notice, about: { kind: 'Pod', namespace, name, uid } })
  }

  function tellOf({ name, namespace, podUid }: Claim, reason: string, message: string): void {
    const about = { kind: 'Pod', namespace, name, ...(podUid !== undefined && { uid: podUid }) } as const
    kube.notify({ about, type: 'Warning', reason, message })
  }

  async function expire(): Promise<void> {
    // One whose pod is back is about to be taken by that.
    const due = () =>
      ledger.expiredClaims(expireAtOnce).filter((claim) => livePod(keyOf(claim)) === undefined)
    await expiry.tick()
    for (let some = due(); some.length > 0; some = due()) for (const claim of some) await expireOne(claim)
  }

  async function expireOne(claim: Claim): Promise<void> {
    const over = { reason: 'Expired', message: 'its time is over' } as const
    await ledger.write((tx) => tx.changeClaim(claim, { phase: 'Releasing', expiresAt: undefined, ...over }))
    log.info('claim expired', { pod: keyOf(claim), address: claim.address })
    wake(claim)
  }

  const releaser = createClaimRelease({
    ...options,
    synced: () => facts.synced() && ledger.complete(),
    livePod: (name) => livePod(keyOf(name)),
    wake,
  })

  return {
    ...releaser,
    observe: note,
    listed(all) {
      const present = new Set(all.map(({ uid }) => uid))
      for (const ofName of [...pods.values()])
        for (const pod of [...ofName.values()]) if (!present.has(pod.uid)) note(pod, true)
      // One that is kept changes by its pod, its time, its workload, or somebody's wish; each of them wakes it.
      for (const phase of claimPhases.filter((phase) => phase !== 'Retained'))
        for (const name of ledger.claimNames(phase)) wake(name)
    },
    wake,
    round() {
      if (settings.claimExpiry !== expiryRule) for (const name of ledger.claimNames('Retained')) wake(name)
      expiryRule = settings.claimExpiry
      for (const name of ledger.claimNames('Releasing')) wake(name)
      // A pod of the pool may have shown its address before the ledger had that on its node.
      for (const claim of ledger.claimsWhere('Pending'))
        if (claim.policy === 'Never' || livePod(keyOf(claim))?.ip !== undefined) wake(claim)
      for (const claim of ledger.unreservedClaims()) wake(claim)
      if (settings.cascadeOwners && ledger.complete() && facts.synced()) owners.keep()
      if (ledger.complete() && facts.synced() && !expiring) {
        expiring = true
        expire()
          .catch((error: unknown) => log.warn('claims not expired', { error: (error as Error).message }))
          .finally(() => {
            expiring = false
          })
      }
    },
    stop() {
      owners.stop()
      return queue.stop()
    },
  }
}
