// The leader: Kubernetes says what is wanted, the ledger what is, the cloud makes it so.
import type { Cancel, Clock } from '../base/clock.ts'
import type { Log } from '../base/log.ts'
import type { Random } from '../base/random.ts'
import { createWorkQueue } from '../base/work-queue.ts'
import type { NodeName, PodFact, PodName } from '../ipam/types.ts'
import type { ZoneOfNodes } from '../ipam/zone-affinity.ts'
import type { ClaimRelease, Cloud, LeaderKube, LeaderLedger } from '../ports.ts'
import type { Ipv4 } from '../value/ipv4.ts'
import { createClaimKeeper } from './claims/claim-keeper.ts'
import { createExpiryTicker } from './claims/expiry-ticker.ts'
import { createOwners } from './claims/owners.ts'
import { createReservePermission, type Unanswered } from './claims/reserve-permission.ts'
import { createEipKeeper } from './eips/eip-keeper.ts'
import { createEipSurveyor } from './eips/survey-eips.ts'
import { clusterFacts } from './facts.ts'
import { heard } from './heard-ledger.ts'
import { createIntentRunner } from './intent-runner.ts'
import { createPodObserver } from './observe-pods.ts'
import { rebuildLedger } from './rebuild.ts'
import { createNodeReconciler, type NodeReconciler } from './reconcile-node.ts'
import type { LeaderSettings } from './settings.ts'
import { createSnatKeeper } from './snat-keeper.ts'
import { createSubnets } from './subnets.ts'
import { createSurveyor } from './survey.ts'
import { settlementNotices } from './survey-notices.ts'
import { createZones } from './zones.ts'

export interface LeaderPorts {
  readonly kube: LeaderKube
  readonly cloud: Cloud
  readonly ledger: LeaderLedger
  readonly clock: Clock
  readonly random: Random
  readonly log: Log
  /** Says in the lease which ledger is worked with: only once that one knows what there is. Throws `deposed`, `unavailable`. */
  readonly nameLedger: () => Promise<void>
}

export interface Leader {
  /** Has it seen Kubernetes' nodes, pods and NECs since its start, and is its ledger whole? */
  ready(): boolean
  /** Why it is not ready, or cannot do its work now. */
  obstacle(): string | undefined
  /** Every node is looked at soon: settings have changed. */
  wake(): void
  /** Have its regular rounds gone on? Without them it only looks alive. */
  alive(): boolean
  /** How Kubernetes labels the nodes of a zone; undefined while none are known, or their labels say nothing. */
  zone(name: string): ZoneOfNodes | undefined
  /** Gives static addresses back at somebody's wish. */
  readonly claims: ClaimRelease
  /** The same for public ones. */
  readonly eips: ClaimRelease
  /** Stops after what is under way; what stays open is settled by the next start. */
  stop(): Promise<void>
}

/** Nodes looked at together; cloud calls queue for their own limits behind it. */
const concurrentNodes = 32

export function startLeader(ports: LeaderPorts, settings: LeaderSettings): Leader {
  const { kube, cloud, ledger, clock, random, log } = ports
  const queue = createWorkQueue({
    clock,
    concurrency: concurrentNodes,
    work: (name) => reconciler.reconcile(name),
  })
  /** On a node that is not the ledger's for it, the address is kept back there, or no longer. */
  function shownChanged(address: Ipv4, node: NodeName): void {
    const place = ledger.nodeOf(address)
    if (place === undefined || place === node) return
    wake(place)
    surveyor.hasten()
  }
  const wake = (node: NodeName, delay = settings.gatherFor) => queue.add(node, delay)
  const pods = createPodObserver(ledger, clock, log, () => facts.pods())
  const facts = clusterFacts({
    wake,
    podChanged: observePod,
    podsListed: listPods,
    shownChanged,
    modeOf: ledger.modeOf,
  })
  const subnets = createSubnets(cloud, clock, settings.subnetIds, settings.subnetMaxAge)
  const runner = createIntentRunner({
    cloud,
    ledger,
    clock,
    random,
    log,
    clusterId: settings.clusterId,
    securityGroups: settings.securityGroups,
    policy: settings.settle,
    massLossAfter: settings.massLossAfter,
    resolved(intent, failure) {
      if (failure?.code === 'subnet_full') subnets.markFull(intent.subnetId)
      reconciler.resolved(intent, failure)
      if (intent.from !== undefined) wake(intent.from.node)
      const frees = intent.kind === 'unassign' || intent.kind === 'migrate' || intent.exact
      if (frees) intent.addresses.forEach(addressFreed)
      if (failure?.code === 'not_found' || failure?.code === 'invalid_state') surveyor.hasten()
    },
    held: (addresses) => eips.wakeAt(addresses),
    hindered: (intent, trouble) => reconciler.hindered(intent, trouble),
    lost: (what) => settlementNotices(what, facts).forEach(kube.notify),
  })
  const permission = createReservePermission(clock, log, settings.reserveAgainAfter)
  const unanswered: Unanswered = new Set()
  const owners = createOwners({ ...ports, wake: wakeClaim })
  const ofBothKinds = {
    wakeNode: (node: NodeName) => wake(node),
    ...{ ...ports, facts, settings, owners, ticker: createExpiryTicker(ports) },
  }
  const claims = createClaimKeeper({
    ...ofBothKinds,
    subnets,
    permission,
    unanswered,
    doubted: () => surveyor.hasten(),
  })
  const snat = createSnatKeeper({ ...ports, settings })
  const eips = createEipKeeper({ ...ofBothKinds, ledger: heard(ledger, snat.wake) })
  function wakeClaim(pod: PodName): void {
    claims.wake(pod)
    eips.wake(pod)
  }
  function observePod(pod: PodFact, gone: boolean): void {
    pods.observe(pod, gone)
    claims.observe(pod, gone)
    eips.observe(pod, gone)
  }
  function listPods(all: readonly PodFact[]): void {
    pods.listed(all)
    claims.listed(all)
    eips.listed(all)
  }
  /** Its pod's node may have it now, or its claim is one step nearer to its end. */
  function addressFreed(address: Ipv4): void {
    const claim = ledger.claimOf(address)
    if (claim?.policy !== 'Never') return
    if (claim.node !== undefined) wake(claim.node)
    claims.wake(claim)
  }
  const reconciler: NodeReconciler = createNodeReconciler({
    ...ports,
    facts,
    subnets,
    runner,
    settings,
    permission,
    unanswered,
    wake,
    conflict: () => surveyor.hasten(),
  })

  const surveyor = createSurveyor({
    ...ports,
    facts,
    subnets,
    settings,
    runner,
    wake,
    wakeClaim: claims.wake,
  })
  const eipSurveyor = createEipSurveyor({ ...ports, facts, settings, wake: eips.wake })
  function serve(): void {
    for (const { name } of ledger.nodes()) wake(name)
    for (const { name } of facts.nodes()) wake(name)
    runner.resume()
    eips.begin()
    surveyor.start()
    eipSurveyor.start()
  }

  // What a ledger that is not complete has under way is of another time.
  if (ledger.complete()) runner.resume()
  const rebuilding = rebuildLedger({ ...ports, facts, subnets, settings }, serve)
  const stops = [
    rebuilding.stop,
    kube.watchNodes(facts.nodeFeed),
    kube.watchPods(facts.podFeed),
    kube.watchNecs(facts.necFeed),
  ]
  let cancelRound: Cancel = () => {}
  let lastRound = clock.now()
  function round(): void {
    lastRound = clock.now()
    for (const { name } of facts.nodes()) wake(name)
    for (const { name } of ledger.nodes()) wake(name)
    if (ledger.complete()) runner.resume()
    if (settings.cascadeOwners && facts.synced() && ledger.complete()) owners.keep()
    claims.round()
    snat.wake()
    eips.round()
    ledger
      .write((tx) => tx.prune(settings))
      .catch((error: unknown) => {
        log.error('ledger not pruned', { error: String(error) })
      })
    cancelRound = clock.after(settings.reconcileEvery, round)
  }
  cancelRound = clock.after(settings.gatherFor, round)

  return {
    ready: () => facts.synced() && ledger.complete(),
    obstacle() {
      if (!facts.synced()) return 'Kubernetes has not been read yet'
      if (!ledger.complete()) return rebuilding.trouble() ?? 'the ledger is being rebuilt'
      return ledger.obstacle()
    },
    wake() {
      for (const { name } of ledger.nodes()) wake(name)
      snat.wake()
    },
    zone: createZones({ facts, ledger, clock }),
    claims,
    eips,
    alive: () => clock.now() - lastRound < 3 * settings.reconcileEvery,
    async stop() {
      cancelRound()
      for (const stop of stops) stop()
      surveyor.stop()
      eipSurveyor.stop()
      runner.stop()
      owners.stop()
      await Promise.all([queue.stop(), claims.stop(), eips.stop(), snat.stop()])
    },
  }
}
