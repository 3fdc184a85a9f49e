// One node, one look: is it known, what does its pool lack, and does its NEC say what is so?
import type { Clock } from '../base/clock.ts'
import type { Log } from '../base/log.ts'
import { createPause, type Pause } from '../base/pause.ts'
import type { Random } from '../base/random.ts'
import { errorCode } from '../ipam/errors.ts'
import { isReturnedIn } from '../ipam/node-report.ts'
import { type Action, type NodePlan, planNode } from '../ipam/plan-node.ts'
import { type NodePool, type PoolEni, poolOf, servingIn } from '../ipam/pool.ts'
import { type PoolCondition, type PoolTrouble, poolCondition } from '../ipam/pool-condition.ts'
import type { Intent, IntentKind } from '../ipam/settle-intent.ts'
import { type EniMode, eniModes, type NodeFact, type NodeName, type Notice } from '../ipam/types.ts'
import type { Cloud, LeaderKube, LeaderLedger, LedgerNode } from '../ports.ts'
import type { Ipv4 } from '../value/ipv4.ts'
import type { Millis } from '../value/millis.ts'
import { createEvacuation } from './claims/evacuate.ts'
import { createNodeClaims } from './claims/node-claims.ts'
import type { ReservePermission, Unanswered } from './claims/reserve-permission.ts'
import { isServedByClaim } from './claims/served.ts'
import type { ClusterFacts } from './facts.ts'
import type { IntentRunner } from './intent-runner.ts'
import { createNodeSettingsKeeper } from './node-settings.ts'
import { createTaintKeeper } from './node-taint.ts'
import { createNecPublisher } from './publish-nec.ts'
import { usablePool } from './publishable.ts'
import { createRegistrar } from './register-nodes.ts'
import type { LeaderSettings } from './settings.ts'
import type { Subnets } from './subnets.ts'

export interface NodeReconciler {
  /** Never rejects; what failed is tried again by a later wake. */
  reconcile(name: NodeName): Promise<void>
  /** An intent of the node is resolved; after trouble its like must wait. */
  resolved(intent: Intent, trouble: PoolTrouble | undefined): void
  /** An intent of the node is open, and in trouble. */
  hindered(intent: Intent, trouble: PoolTrouble): void
}

export interface ReconcilerOptions {
  readonly kube: LeaderKube
  readonly cloud: Cloud
  readonly ledger: LeaderLedger
  readonly clock: Clock
  readonly random: Random
  readonly log: Log
  readonly facts: ClusterFacts
  readonly subnets: Subnets
  readonly runner: IntentRunner
  readonly settings: LeaderSettings
  readonly permission: ReservePermission
  readonly unanswered: Unanswered
  readonly wake: (node: NodeName, delay?: Millis) => void
  /** The ledger has an address on one node, and a pod of another shows it. */
  readonly conflict: () => void
}

/** What is remembered of a node between looks; all of it may be lost. */
interface Memory {
  readonly look: Pause
  /** Trouble with growing must not keep addresses from going back, nor the other way round. */
  readonly growth: Pause
  readonly release: Pause
  trouble: (PoolTrouble & { readonly growing: boolean; readonly at: Millis }) | undefined
  absentSince: Millis | undefined
  /** Subnets that were never read are being read, and the node is looked at again then. */
  awaitsSubnets: boolean
  /** Addresses kept back because pods of other nodes show them. */
  keptBack: ReadonlySet<Ipv4>
  /** The condition that was last told, on each kind of object. */
  readonly told: Map<Notice['about']['kind'], PoolCondition['reason']>
}

/** An ENI that can take a parked address may be busy. */
const evacuateAgainAfter: Millis = 1000

/** More than two of the agent's release intervals. */
const releaseTroubleFor: Millis = 5 * 60_000

export function createNodeReconciler(options: ReconcilerOptions): NodeReconciler {
  const { kube, ledger, clock, random, log, facts, subnets, runner, settings, wake } = options
  const memories = new Map<NodeName, Memory>()
  const registrar = createRegistrar({ ...options, wake: (name) => wake(name) })
  const publisher = createNecPublisher(kube, ledger, facts, clock, settings)
  const claims = createNodeClaims(options)
  const evacuation = createEvacuation(options)
  const taints = createTaintKeeper({ kube, facts, clock, log, settings })
  const nodeSettings = createNodeSettingsKeeper({ ledger, facts, registrar, settings, log, tell })

  function memoryOf(name: NodeName): Memory {
    const known = memories.get(name)
    if (known !== undefined) return known
    const pause = () => createPause(settings.retry, clock, random)
    const fresh: Memory = {
      look: pause(),
      growth: pause(),
      release: pause(),
      trouble: undefined,
      absentSince: undefined,
      awaitsSubnets: false,
      keptBack: new Set(),
      told: new Map(),
    }
    memories.set(name, fresh)
    return fresh
  }

  function forget(name: NodeName): void {
    memories.delete(name)
    publisher.forget(name)
    nodeSettings.forget(name)
    registrar.forget(name)
    taints.forget(name)
  }

  /** False when there was nothing to do yet: that is no success. */
  async function look(name: NodeName): Promise<boolean> {
    if (!facts.synced() || !ledger.complete()) return false
    const fact = facts.node(name)
    const node = ledger.node(name)
    if (node === undefined) {
      if (fact !== undefined) return register(fact)
      forget(name)
      return false
    }
    if (fact?.instanceId === node.instanceId) {
      memoryOf(name).absentSince = undefined
      if (node.phase === 'leaving') await ledger.write((tx) => tx.setPhase(name, 'active'))
      const active = { ...node, phase: 'active' as const }
      if (!subnets.known()) return showMeanwhile(active)
      await serve(active, fact)
      return true
    }
    if (node.phase === 'leaving' || (await hasLeft(node))) await takeBack(node)
    return ledger.node(name) !== undefined
  }

  /** A node without an instance id waits for its cloud controller. */
  async function register(fact: NodeFact): Promise<boolean> {
    const { name, instanceId } = fact
    if (instanceId === undefined) return false
    await taints.newcomer(fact)
    const pause = memoryOf(name).look.left()
    if (pause > 0) {
      wake(name, pause)
      return false
    }
    try {
      await registrar.register({ ...fact, instanceId })
    } catch (error) {
      const message = (error as Error).message
      for (const about of objectsOf(name, fact.uid)) {
        kube.notify({ about, type: 'Warning', reason: 'NodeNotRegistered', message })
      }
      throw error
    }
    wake(name)
    return true
  }

  /**
   * Absence in one view is no proof (R7): it must last, an API read past the cache must agree, and no pod may be left.
   * Another instance under the name is proof enough: pods shown on the node are on that one.
   */
  async function hasLeft(node: LedgerNode): Promise<boolean> {
    const memory = memoryOf(node.name)
    memory.absentSince ??= clock.now()
    const absentFor = clock.now() - memory.absentSince
    if (absentFor < settings.leaveAfter) {
      wake(node.name, settings.leaveAfter - absentFor)
      return false
    }
    const now = await kube.getNode(node.name)
    const isThere = now !== undefined && (now.instanceId ?? node.instanceId) === node.instanceId
    if (isThere || (now === undefined && facts.podsOn(node.name).some(({ terminal }) => !terminal))) {
      memory.absentSince = undefined
      wake(node.name, settings.leaveAfter)
      return false
    }
    await ledger.write((tx) => tx.setPhase(node.name, 'leaving'))
    log.info('node left', { node: node.name, instance: node.instanceId })
    return true
  }

  async function takeBack(node: LedgerNode): Promise<void> {
    const pool = ledger.pool(node.name)
    if (pool === undefined) return
    if (pool.enis.length === 0) {
      // In this order: a node that is forgotten is never looked at again, nor is its NEC.
      if (facts.node(node.name) === undefined) await kube.deleteNec(node.name, settings.epoch)
      await ledger.write((tx) => tx.removeNode(node.name))
      forget(node.name)
      log.info('node forgotten', { node: node.name })
      return wake(node.name) // it may be back already, on another instance
    }
    // First, so that an agent that still runs hands out nothing that goes; what must go goes all the same.
    await publisher.withdraw(node).catch((error: unknown) => {
      log.warn('NEC of a node that leaves not emptied', { node: node.name, error: (error as Error).message })
    })
    const kept = await evacuation.move(node)
    const enis = pool.enis.map((eni) => (kept.has(eni.key) ? { ...eni, busy: true } : eni))
    const leaving = { ...pool, enis, phase: 'leaving' as const }
    if (kept.size > 0) wake(node.name, evacuateAgainAfter)
    const nothing = {
      pods: { shared: 0, exclusive: 0 },
      returned: new Set<Ipv4>(),
      zone: node.zone,
      subnets: [],
    }
    await act(node, planNode(leaving, nothing), new Set())
  }

  /** Who leads anew while the cloud is out tells the node all the same what is its pods' and what is not any more. */
  async function showMeanwhile(node: LedgerNode): Promise<boolean> {
    const memory = memoryOf(node.name)
    if (!memory.awaitsSubnets) {
      memory.awaitsSubnets = true
      const heard = (next: () => void) => {
        memory.awaitsSubnets = false
        next()
      }
      subnets.current().then(
        () => heard(() => wake(node.name)),
        (error: unknown) => heard(() => failed(node.name, error)),
      )
    }
    const again = await publisher.refresh(node)
    if (again !== undefined) wake(node.name, again)
    return false
  }

  function failed(name: NodeName, error: unknown): void {
    const retryIn = memoryOf(name).look.failed()
    const { message } = error as Error
    log.warn('node reconcile failed', { node: name, code: errorCode(error), error: message, retryIn })
    wake(name, retryIn)
  }

  async function serve(before: LedgerNode, fact: NodeFact): Promise<void> {
    const current = await subnets.current()
    const { node, condition: settled } = await nodeSettings.keep(before, fact)
    const bound = ledger.pool(node.name)
    if (bound === undefined) return
    const pool = usablePool(bound, facts)
    const memory = memoryOf(node.name)
    noteKeptBack(bound, memory)
    const returned = returnedOf(pool)
    const pods = facts.podCount(node.name, poolOf(bound), (pod) =>
      isServedByClaim(pod, ledger, settings.staticIps),
    )
    const { exclusiveWithheld = 0, unlinked = [], withheld = 0 } = facts.nec(node.name)?.report ?? {}
    const unusable = { shared: withheld, exclusive: exclusiveWithheld }
    const plan = planNode(pool, {
      ...{ pods, returned, zone: node.zone, subnets: current },
      withheld: unusable,
      unlinked: new Set(unlinked),
      shown: facts.shownAddresses(node.name),
      claims: claims.demand(node, clock.now()),
      unreserved: claims.unreserved(node, current),
    })
    if (plan.renew.length > 0)
      await ledger.write((tx) => {
        for (const address of plan.renew) tx.renewIp(address, 'its pod is there again')
      })
    if (plan.shortages.some(({ why }) => why === 'subnets-full' || why === 'no-subnet-in-zone'))
      void subnets.renewal()?.then(() => wake(node.name))
    // With nothing to be done and nothing under way it is not trouble that stands in the way of what is wanted.
    const idle = plan.actions.length === 0 && !pool.enis.some(({ busy }) => busy)
    if (idle && isOver(memory.trouble)) memory.trouble = undefined
    const condition = poolCondition(plan, ledgerTrouble(plan) ?? memory.trouble, node, current)
    tellChange(node, condition, memory)
    const conditions = [condition, settled]
    const urgency = plan.actions.length > 0 ? 'now' : 'idle'
    if (urgency === 'now' && !publisher.claimed(node.name))
      await publisher.publish(node, conditions, urgency, plan.yields)
    const waiting = new Set(
      eniModes.filter((mode) => servingIn(pool, mode, returned) - unusable[mode] < pods[mode]),
    )
    const [published, acted] = await Promise.allSettled([
      publisher.publish(node, conditions, urgency, plan.yields),
      act(node, plan, waiting),
      taints.keep(fact, pool, isServed(plan, memory.trouble)),
    ])
    if (acted.status === 'rejected') throw acted.reason
    if (published.status === 'rejected') throw published.reason
    await claims.settle(node, condition.ok ? undefined : condition)
    if (published.value !== undefined) wake(node.name, published.value)
  }

  /** The pool of ordinary pods: what others cannot have, a DaemonSet's say, may be so for ever. */
  function isServed({ short, shortages }: NodePlan, trouble: Memory['trouble']): boolean {
    const mode = settings.ordinaryPods
    return (trouble === undefined || !short.has(mode)) && shortages.every((each) => each.mode !== mode)
  }

  function noteKeptBack({ node, enis }: NodePool, memory: Memory): void {
    const addresses = enis.flatMap(({ ips }) => ips.map(({ address }) => address))
    const keptBack = new Set(addresses.filter((address) => facts.usedElsewhere(address, node)))
    const fresh = [...keptBack].filter((address) => !memory.keptBack.has(address))
    memory.keptBack = keptBack
    if (fresh.length === 0) return
    log.warn('addresses kept back: pods of other nodes show them', { node, addresses: fresh })
    options.conflict()
  }

  /** Told where it stands in the way of something. */
  function ledgerTrouble({ actions }: NodePlan): PoolTrouble | undefined {
    const obstacle = actions.length === 0 ? undefined : ledger.obstacle()
    if (obstacle === undefined) return undefined
    return { code: 'storage', message: `Cannot change the pool: on the leader, ${obstacle}` }
  }

  /** What the agent gave up under the very grant that is bound now, and no live pod shows. */
  function returnedOf(pool: NodePool): ReadonlySet<Ipv4> {
    const isReturned = isReturnedIn(facts.nec(pool.node)?.report)
    const shown = facts.shownAddresses(pool.node)
    const given = pool.enis.flatMap(({ ips }) => ips.filter(isReturned))
    return new Set(given.map(({ address }) => address).filter((address) => !shown.has(address)))
  }

  /** `waiting`: modes that pods wait for. */
  async function act(node: LedgerNode, plan: NodePlan, waiting: ReadonlySet<EniMode>): Promise<void> {
    const { growth, release } = memoryOf(node.name)
    const left = ({ kind }: Action) => (grows(kind) ? growth : release).left()
    const due = plan.actions.filter((action) => left(action) === 0)
    const paused = plan.actions.map(left).filter((pause) => pause > 0)
    if (paused.length > 0) wake(node.name, Math.min(...paused))
    if (due.length === 0) return
    const enis = new Map(ledger.pool(node.name)?.enis.map((eni) => [eni.key, eni]))
    await Promise.all(due.map((action) => start(node, action, enis, waiting)))
  }

  /** Recorded before it is sent; what becomes of it is heard by `resolved`. */
  async function start(
    node: LedgerNode,
    action: Action,
    enis: ReadonlyMap<number, PoolEni>,
    waiting: ReadonlySet<EniMode>,
  ): Promise<void> {
    const eni = action.kind === 'create' ? action : enis.get(action.eni)
    const subnet = action.kind === 'create' ? subnets.find(action.subnetId) : undefined
    if (action.kind === 'create') subnets.take(action.subnetId, action.ips + 1)
    if (action.kind === 'assign' && eni !== undefined) subnets.take(eni.subnetId, action.count)
    const forPods = eni !== undefined && waiting.has(eni.mode)
    const priority = !grows(action.kind) ? 'release' : forPods ? 'waiting-pod' : 'warm-refill'
    await runner.start(node, action, subnet?.cidr, priority)
  }

  /** One event when the pool's condition changes, none while it stays; on a NEC that is new, as soon as it is there. */
  function tellChange(node: LedgerNode, condition: PoolCondition, { told }: Memory): void {
    for (const about of objectsOf(node.name, node.uid)) {
      const before = told.get(about.kind)
      told.set(about.kind, condition.reason)
      if (before === condition.reason || (before === undefined && condition.ok)) continue
      kube.notify({
        about,
        type: condition.ok ? 'Normal' : 'Warning',
        reason: condition.ok ? 'PoolRecovered' : condition.reason,
        message: condition.message,
      })
    }
  }

  function tell(name: NodeName, notice: Omit<Notice, 'about'>): void {
    for (const about of objectsOf(name, facts.node(name)?.uid ?? '')) kube.notify({ ...notice, about })
  }

  function objectsOf(name: NodeName, uid: string): readonly Notice['about'][] {
    const nec = facts.nec(name)
    const ofNec = nec === undefined ? [] : [{ kind: 'NodeENIConfig' as const, name, uid: nec.uid }]
    return [{ kind: 'Node', name, uid }, ...ofNec]
  }

  /** When nothing is to be done; but what could not be given back is bound again, and given back anew only minutes later. */
  function isOver(trouble: Memory['trouble']): boolean {
    return trouble === undefined || trouble.growing || clock.now() - trouble.at >= releaseTroubleFor
  }

  /** Each refusal has a request id in it: the same trouble is not told anew for that. */
  function note(memory: Memory, kind: IntentKind, trouble: PoolTrouble): void {
    const same = trouble.code === memory.trouble?.code
    memory.trouble = { ...trouble, ...(same && memory.trouble), growing: grows(kind), at: clock.now() }
  }

  return {
    async reconcile(name) {
      try {
        if (await look(name)) memoryOf(name).look.succeeded()
      } catch (error) {
        failed(name, error)
      }
    },
    resolved(intent, trouble) {
      const { kind, node: name } = intent
      if (leaves(kind)) claims.leaving(intent.addresses, trouble)
      if (kind === 'migrate') evacuation.moved(intent.addresses, trouble !== undefined)
      const memory = memoryOf(name)
      const pause = grows(kind) ? memory.growth : memory.release
      if (trouble !== undefined) {
        pause.failed()
        note(memory, kind, trouble)
      } else if (kind !== 'create') {
        // An ENI that was made is no success yet: one that nothing takes would be made and deleted without a pause.
        pause.succeeded()
        // Growth has got over it when nothing is wanted any more: what one ENI was given another may be refused.
        if (!grows(kind) && memory.trouble?.growing === false) memory.trouble = undefined
      }
      wake(name)
    },
    hindered(intent, trouble) {
      const { kind, node: name } = intent
      if (leaves(kind)) claims.leaving(intent.addresses, trouble)
      note(memoryOf(name), kind, trouble)
      wake(name)
    },
  }
}

/** Addresses leave the ENIs that they are on. */
function leaves(kind: IntentKind): boolean {
  return kind === 'unassign' || kind === 'migrate'
}

function grows(kind: IntentKind): boolean {
  return kind === 'create' || kind === 'assign' || kind === 'attach' || kind === 'migrate'
}
