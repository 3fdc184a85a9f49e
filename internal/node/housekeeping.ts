// The slow work of a node agent: gives surplus back, reports to the leader, and collects sandboxes that are certainly gone.
import { backoffDelay } from '../base/backoff.ts'
import type { Clock } from '../base/clock.ts'
import type { Log } from '../base/log.ts'
import type { Random } from '../base/random.ts'
import { startRounds } from '../base/rounds.ts'
import type { LocalIp } from '../ipam/choose-address.ts'
import { isReturnedIn, reportOf } from '../ipam/node-report.ts'
import { type ClaimSight, planClaimReturn } from '../ipam/plan-claim-return.ts'
import { planReturn, type ReturnPolicy, withinPlaces } from '../ipam/plan-return.ts'
import { besides } from '../ipam/pool.ts'
import { type EniMode, eniModes, type NodeReport } from '../ipam/types.ts'
import type { Linux, NodeEni, NodeKube, NodeLedger } from '../ports.ts'
import type { Ipv4 } from '../value/ipv4.ts'
import type { Millis } from '../value/millis.ts'
import type { LocalPool } from './local-pool.ts'
import type { PodFacts } from './pod-facts.ts'
import { type Sandboxes, sandboxId } from './sandboxes.ts'
import type { NodeSettings } from './settings.ts'

/** Between two looks that agree that an address is left over, where addresses are bound on demand. */
const onDemandPause = 5000

export interface Housekeeping {
  /** Something that bears on surplus has changed. */
  wake(): void
  /** The report as the API server shows it now. */
  observeReport(report: NodeReport | undefined): void
  stop(): void
}

export interface HousekeepingOptions {
  readonly ledger: NodeLedger
  readonly linux: Linux
  readonly kube: NodeKube
  readonly pool: LocalPool
  readonly pods: PodFacts
  readonly sandboxes: Sandboxes
  readonly clock: Clock
  readonly random: Random
  readonly log: Log
  readonly settings: NodeSettings
}

export function startHousekeeping(options: HousekeepingOptions): Housekeeping {
  const { ledger, linux, kube, pool, pods, sandboxes, clock, random, log, settings } = options
  const { roundEvery } = settings
  let suspects: ReadonlySet<string> = new Set()
  let shown: NodeReport | undefined
  let reportedAt = Number.NEGATIVE_INFINITY
  let observed = false
  let failures = 0
  let sights: ReadonlyMap<Ipv4, ClaimSight> = new Map()
  let lastRound = Number.NEGATIVE_INFINITY

  /** Returns after how long to look again. */
  async function returnSurplus(): Promise<Millis> {
    const bounds = pool.bounds()
    const withheld = pool.withheld()
    if (bounds === undefined || withheld === undefined || !pods.synced()) return roundEvery
    const plans = await ledger.write((tx) => {
      const all = ledger.enis()
      // Withheld is as good as in use: given back, it would get a second pod elsewhere.
      const local = tx.ips().map((ip) => (withheld.has(ip.address) ? { ...ip, inUse: true } : ip))
      const lame = withheldCounts(tx.ips(), all)
      // What no pod can get counts as if one had it: it is bound besides.
      const claimed = new Set(local.flatMap(({ address, claim }) => (claim === undefined ? [] : [address])))
      const isClaimed = pool.staticIps() ? (address: Ipv4) => claimed.has(address) : undefined
      const modes = new Map(all.map(({ id, mode }) => [id, mode]))
      const modeOf = new Map(local.map(({ address, eniId }) => [address, modes.get(eniId)]))
      const countOf = (mode: EniMode) =>
        pods.count(mode, (address) => modeOf.get(address), isClaimed) + lame[mode]
      const counts = { shared: countOf('shared'), exclusive: countOf('exclusive') }
      const placed = withinPlaces(besides(bounds, lame), local, all, counts)
      return eniModes.map((mode) => {
        const before = ledger.releaseTimer(mode)
        const enis = all.filter((eni) => eni.mode === mode)
        const ids = new Set(enis.map(({ id }) => id))
        const ips = local.filter(({ eniId }) => ids.has(eniId))
        const { cooldown } = settings
        const policy = { ...placed[mode], ...pace(bounds[mode].maxWarm), cooldown, mostOn: pool.mostOn() }
        const plan = planReturn({ ips, enis, pods: counts[mode], timerFrom: before }, policy, tx.now)
        const addresses = plan.give.map(({ address }) => address)
        tx.giveBack(addresses, plan.why)
        if (plan.timerFrom !== before) tx.setReleaseTimer(mode, plan.timerFrom)
        return plan
      })
    })
    await returnClaimed(withheld)
    const given = plans.flatMap(({ give }) => give.map(({ address }) => address))
    if (given.length > 0) log.info('addresses returned', { addresses: given })
    const dues = plans.flatMap(({ timerFrom }, i) => {
      const { releaseEvery } = pace(bounds[eniModes[i] ?? 'shared'].maxWarm)
      return timerFrom === undefined ? [] : [timerFrom + releaseEvery - clock.now()]
    })
    return Math.min(roundEvery, ...dues.map((due) => Math.max(0, due)))
  }

  /** What pods leave where addresses are bound on demand goes back as soon as it has rested, unless a pod is seen in that moment (S3). */
  function pace(maxWarm: number): Pick<ReturnPolicy, 'quickRelease' | 'releaseEvery'> {
    const { quickRelease, releaseEvery } = settings
    if (pool.staticIps() !== true || maxWarm > 0) return { quickRelease, releaseEvery }
    return { quickRelease: true, releaseEvery: Math.min(onDemandPause, releaseEvery) }
  }

  /** The address of a pod that has ended here may be wanted on another node: it is given back at once (S4). */
  async function returnClaimed(withheld: ReadonlySet<Ipv4>): Promise<void> {
    if (sights.size === 0 && ledger.ips().every(({ claim }) => claim === undefined)) return
    const isHere = pool.staticIps() === true ? pods.keepers() : () => false
    const given = await ledger.write((tx) => {
      const ips = tx.ips().map((ip) => (withheld.has(ip.address) ? { ...ip, inUse: true } : ip))
      const plan = planClaimReturn(ips, isHere, sights, tx.now)
      sights = plan.sights
      const addresses = plan.give.map(({ address }) => address)
      tx.giveBack(addresses, 'its pod is not on this node')
      return addresses
    })
    if (given.length > 0) log.info('claimed addresses returned', { addresses: given })
  }

  /** Bound, and for no pod. */
  function withheldCounts(ips: readonly LocalIp[], enis: readonly Pick<NodeEni, 'id' | 'mode'>[]) {
    const { exclusiveWithheld, withheld } = reportOf(ips, enis, pool.unusable(), isShown)
    return { shared: withheld, exclusive: exclusiveWithheld }
  }

  function isShown(address: Ipv4): boolean {
    return pods.showing(address) !== undefined
  }

  /** A pod with a warm address causes no write: only returned addresses are reported at once, and those that no pod can get; counts now and then. */
  async function report(): Promise<void> {
    // What an earlier database gave back is only told there: it is taken over before it is written over.
    if (!observed || (shown?.databaseId !== ledger.databaseId && pool.bounds() === undefined)) return
    const now: NodeReport = {
      ...reportOf(ledger.ips(), ledger.enis(), pool.unusable(), isShown),
      unlinked: pool.unlinked(),
      databaseId: ledger.databaseId,
      version: settings.version,
    }
    const isTold = isReturnedIn(shown)
    const urgent =
      shown === undefined ||
      shown.databaseId !== now.databaseId ||
      (shown.withheld ?? 0) !== now.withheld ||
      (shown.exclusiveWithheld ?? 0) !== now.exclusiveWithheld ||
      shown.unlinked.join() !== now.unlinked.join() ||
      now.returned.some((ip) => !isTold(ip))
    const due =
      clock.now() - reportedAt >= settings.reportEvery && JSON.stringify(shown) !== JSON.stringify(now)
    if (!urgent && !due) return
    await kube.report(now)
    shown = now
    reportedAt = clock.now()
  }

  /** Twice in a row without namespace, and without pod or in the place of another sandbox: its DEL will not come any more. */
  async function collectGone(): Promise<void> {
    if (!pods.synced()) return
    const gone = []
    for (const attachment of ledger.attachments()) {
      const { containerId, ifname, netns, pod } = attachment
      const isNewest = ledger.attachmentsOfPod(pod.uid, ifname).at(-1)?.containerId === containerId
      if ((pods.has(pod.uid) && isNewest) || (await linux.namespaceExists(netns))) continue
      gone.push(attachment)
    }
    for (const attachment of gone) {
      if (suspects.has(sandboxId(attachment))) await sandboxes.remove(attachment, 'sandbox and pod are gone')
    }
    suspects = new Set(gone.map(sandboxId))
  }

  /** The alias of a link has no room for long names: Kubernetes tells them. */
  async function nameAdopted(): Promise<void> {
    const found = ledger
      .attachments()
      .flatMap(({ pod }) => (pod.name === '' ? (pods.get(pod.uid) ?? []) : []))
    if (found.length > 0) await ledger.write((tx) => found.forEach(tx.namePod))
  }

  async function round(): Promise<Millis> {
    let pause = roundEvery
    try {
      if (clock.now() - lastRound >= roundEvery) {
        lastRound = clock.now()
        await collectGone()
        await nameAdopted()
        await pool.tidy()
        await ledger.write((tx) => tx.prune(tx.now - settings.historyFor, tx.now + settings.cooldown))
      }
      pause = Math.min(pause, await returnSurplus())
      await report()
      failures = 0
    } catch (error) {
      pause = backoffDelay(settings.retry, failures++, random)
      log.warn('housekeeping failed', { error: (error as Error).message, retryIn: pause })
    }
    return pause
  }

  const rounds = startRounds(clock, round)
  return {
    wake: () => rounds.wake(100),
    observeReport(report) {
      shown = report
      observed = true
    },
    stop: rounds.stop,
  }
}
