// Keeps the claims to public addresses in step with the pods, and the EIPs with the claims: one key of work for each name of a pod, so that
// events of one never overtake each other. What is decided is in ipam/plan-eip-claim.ts and plan-eip.ts.
import type { Clock } from '../../base/clock.ts'
import type { Log } from '../../base/log.ts'
import { namedUuid } from '../../base/named-uuid.ts'
import { createPause, type Pause } from '../../base/pause.ts'
import type { Random } from '../../base/random.ts'
import { createWorkQueue } from '../../base/work-queue.ts'
import { claimPhases } from '../../ipam/claim.ts'
import type { EipClaim } from '../../ipam/eip-claim.ts'
import { asksForEip } from '../../ipam/eip-wish.ts'
import { errorCode, withHint } from '../../ipam/errors.ts'
import { type EipClaimStep, planEipClaim } from '../../ipam/plan-eip-claim.ts'
import { podText } from '../../ipam/pod-need.ts'
import type { NodeName, OwnerRef, PodFact, PodName, PodUid } from '../../ipam/types.ts'
import type { ClaimRelease, Cloud, LeaderKube, LeaderLedger } from '../../ports.ts'
import type { Ipv4 } from '../../value/ipv4.ts'
import type { Millis } from '../../value/millis.ts'
import { createCascade } from '../claims/cascade.ts'
import { eipClaims } from '../claims/claim-table.ts'
import { createExpiry } from '../claims/expire-claims.ts'
import type { ExpiryTicker } from '../claims/expiry-ticker.ts'
import { createLivePods } from '../claims/live-pods.ts'
import type { Owners } from '../claims/owners.ts'
import { createPodThere } from '../claims/pod-there.ts'
import type { ClusterFacts } from '../facts.ts'
import type { LeaderSettings } from '../settings.ts'
import { createEipNotices } from './eip-notices.ts'
import { createEipRenewals } from './eip-renewals.ts'
import { createEipSettler } from './eip-settler.ts'
import { createPublicIpKeeper } from './public-ip.ts'
import { createEipRelease } from './release-eip.ts'

export interface EipKeeper extends ClaimRelease {
  /** A pod came, changed or went. */
  observe(pod: PodFact, gone: boolean): void
  /** All pods there are. */
  listed(pods: readonly PodFact[]): void
  /** The ledger is complete. */
  begin(): void
  /** Something of the claim of that name may have changed. */
  wake(pod: PodName): void
  /** Those of the addresses are to leave them. */
  wakeAt(addresses: readonly Ipv4[]): void
  /** Every claim that is not at rest is looked at again, and those whose time is over are let go. */
  round(): void
  stop(): Promise<void>
}

export interface EipKeeperOptions {
  readonly kube: LeaderKube
  readonly cloud: Cloud
  readonly ledger: LeaderLedger
  readonly clock: Clock
  readonly random: Random
  readonly log: Log
  readonly facts: Pick<ClusterFacts, 'nec' | 'podsOn' | 'synced'>
  readonly settings: LeaderSettings
  readonly owners: Owners
  readonly ticker: ExpiryTicker
  readonly wakeNode: (node: NodeName) => void
}

/** A pod that no list shows may end at any time, and nobody tells. */
const unlistedAgainAfter: Millis = 10_000

export function createEipKeeper(options: EipKeeperOptions): EipKeeper {
  const { clock, facts, kube, ledger, log, random, settings, ticker, wakeNode } = options
  const { eips } = ledger
  const table = eipClaims(ledger)
  const pods = createLivePods(asksForEip)
  /** Pods that ask for none, and show one, or had one a moment ago. */
  const unasked = createLivePods(isToShowNone)
  /** Pods that no list shows, and that are there all the same (R7). */
  const unlisted = new Map<string, PodFact>()
  const pauses = new Map<string, Pause>()
  const queue = createWorkQueue({ clock, concurrency: 16, work })
  const notices = createEipNotices(kube, ledger)
  const annotations = createPublicIpKeeper(options)
  const podThere = createPodThere(kube, pods.named, asksForEip)
  const cascade = createCascade<EipClaim>({ ...options, table, podThere, ownerOf, keeps: keepsEip })
  const expire = createExpiry({ table, ledger, log, ticker, podThere, wake })
  const renewals = createEipRenewals(clock, random, settings.retry)
  const settle = createEipSettler({ ...options, notices, renewals, livePod: known, freed: wakeWaiting })
  let expiryRule = settings.claimExpiry

  function wake(pod: PodName, delay: Millis = 0): void {
    queue.add(podText(pod), delay)
  }

  function wakeWaiting(): void {
    for (const name of eips.names('Pending')) wake(name)
  }

  function wakeAll(): void {
    for (const phase of claimPhases) for (const name of eips.names(phase)) wake(name)
  }

  function isReady(): boolean {
    return facts.synced() && ledger.complete()
  }

  async function work(key: string): Promise<void> {
    const [namespace = '', name = ''] = key.split('/')
    if (!isReady()) return queue.add(key, settings.retry.firstMs)
    try {
      const again = await look({ namespace, name })
      pauses.delete(key)
      if (again !== undefined) queue.add(key, again)
    } catch (error) {
      // What somebody else has changed meanwhile is soon looked at as it is now.
      const isPassed = errorCode(error) === 'conflict'
      const policy = isPassed ? { ...settings.retry, firstMs: 50 } : settings.retry
      const pause = pauses.get(key) ?? createPause(policy, clock, random)
      pauses.set(key, pause)
      const retryIn = pause.failed()
      // One that does not pass is no race.
      if (!isPassed || retryIn >= settings.retry.firstMs)
        log.warn('EIP claim not settled', { pod: key, error: withHint(error), retryIn })
      queue.add(key, retryIn)
    }
  }

  function known(pod: PodName): PodFact | undefined {
    return pods.named(pod) ?? unlisted.get(podText(pod))
  }

  /** What a list lacks has its EIP until it is gone by the API server's own word. Throws `unavailable`. */
  async function liveOf(pod: PodName): Promise<PodFact | undefined> {
    unlisted.delete(podText(pod))
    const listed = pods.named(pod)
    if (listed !== undefined || eips.claim(pod)?.podUid === undefined) return listed
    const found = await podThere(pod)
    if (found !== undefined) unlisted.set(podText(pod), found)
    return found
  }

  /** Returns after how long to look again; undefined when there is nothing. */
  async function look(pod: PodName): Promise<Millis | undefined> {
    // First: what stands in the way of the claim is no reason to show what is not so.
    const cleared = await clear(pod)
    const again = await keep(pod, await liveOf(pod))
    return soonest(again, cleared, unlisted.has(podText(pod)) ? unlistedAgainAfter : undefined)
  }

  /** One that asks for none any more shows none. */
  async function clear(pod: PodName): Promise<Millis | undefined> {
    const shows = unasked.named(pod)
    if (shows === undefined) return undefined
    // Elsewhere others may write it.
    const isOurs = facts.nec(shows.node ?? '') !== undefined
    const again = isOurs ? await annotations.keep(shows, undefined) : undefined
    const isOver = again === undefined && unasked.named(pod) === shows && !hasClaim(shows)
    if (isOver) unasked.note(shows, true)
    return again
  }

  async function keep(pod: PodName, live: PodFact | undefined): Promise<Millis | undefined> {
    if (live !== undefined) notices.fault(live)
    const claim = eips.claim(pod)
    const again = await follow(claim, live)
    if (live === undefined) return again
    const now = eips.claim(pod)
    const shown = now?.phase === 'Bound' && now.podUid === live.uid ? now.address : undefined
    return soonest(again, await annotations.keep(live, shown))
  }

  async function follow(claim: EipClaim | undefined, live: PodFact | undefined): Promise<Millis | undefined> {
    const expires = live === undefined && claim?.policy === 'Never' && mayExpire(claim)
    const expiryClock = expires ? await ticker.current() : ledger.expiryClock().now
    const step = planEipClaim({ claim, pod: live, now: clock.now(), expiryClock }, settings)
    if (step !== undefined) {
      await take(await cascade.withOwner(step, claim, live), claim)
      return 0
    }
    if (claim === undefined) return undefined
    const isIts = claim.podUid !== undefined && claim.podUid === live?.uid
    if (isIts && live !== undefined && (await cascade.renew(claim, live))) return 0
    if (claim.phase === 'Retained' && live === undefined && (await cascade.follow(claim))) return 0
    return settle(claim)
  }

  function mayExpire({ expireAfter, phase }: EipClaim): boolean {
    return phase !== 'Retained' || (expireAfter ?? settings.claimExpiry) !== undefined
  }

  async function take(step: EipClaimStep, claim: EipClaim | undefined): Promise<void> {
    await ledger.write((tx) => {
      if (step.kind === 'change') {
        if (claim !== undefined) tx.changeEipClaim(claim, step.change)
        return
      }
      const { name, namespace, node, uid: podUid } = step.pod
      const { owner, wish } = step
      const uid = namedUuid(`EIP claim of ${podUid} ${clock.now()}`)
      tx.addEipClaim({ namespace, name, node, podUid, uid, wish, owner })
    })
  }

  function observe(pod: PodFact, gone: boolean): void {
    if (gone || pod.terminal) forget(pod.uid)
    const [asks, shows] = [pods, unasked].map((some) => some.note(pod, gone))
    if (asks || shows) wake(pod)
  }

  /** Once known it is so until it is seen to show none, and to have none. */
  function isToShowNone(pod: PodFact): boolean {
    if (pod.eip !== undefined || pod.terminal) return false
    return pod.publicIp !== undefined || hasClaim(pod) || unasked.named(pod)?.uid === pod.uid
  }

  function hasClaim(pod: PodFact): boolean {
    return eips.claim(pod)?.podUid === pod.uid
  }

  function forget(uid: PodUid): void {
    notices.forget(uid)
    annotations.forget(uid)
    renewals.forget(uid)
  }

  const releaser = createEipRelease({ ...options, synced: isReady, podThere, wake, wakeNode })

  return {
    ...releaser,
    observe,
    listed(all) {
      for (const pod of [...pods.missingIn(all), ...unasked.missingIn(all)]) observe(pod, true)
      wakeAll()
    },
    begin: wakeAll,
    wake,
    wakeAt(addresses) {
      for (const address of addresses) {
        const holder = eips.onAddress(address)
        if (holder !== undefined) wake(holder)
      }
    },
    round() {
      if (settings.claimExpiry !== expiryRule) for (const name of eips.names('Retained')) wake(name)
      expiryRule = settings.claimExpiry
      for (const phase of ['Pending', 'Attaching', 'Releasing'] as const)
        for (const name of eips.names(phase)) wake(name)
      if (isReady()) expire()
    },
    stop: () => queue.stop(),
  }
}

function soonest(...all: readonly (Millis | undefined)[]): Millis | undefined {
  const known = all.filter((one) => one !== undefined)
  return known.length === 0 ? undefined : Math.min(...known)
}

function ownerOf({ eip }: PodFact): OwnerRef | undefined {
  return eip !== undefined && 'wish' in eip ? eip.owner : undefined
}

function keepsEip({ eip }: PodFact): boolean {
  return eip !== undefined && 'wish' in eip && eip.wish.policy === 'Never'
}
