// One node, one look: is it known, what does its pool lack, and does its NEC say what is so?
import { backoffDelay } from '../base/backoff.ts'
import type { Clock } from '../base/clock.ts'
import type { Log } from '../base/log.ts'
import type { Random } from '../base/random.ts'
import { errorCode } from '../ipam/errors.ts'
import { type Action, type NodePlan, planNode } from '../ipam/plan-node.ts'
import { type NodePool, serving } from '../ipam/pool.ts'
import { type PoolCondition, publicationOf, samePublication } from '../ipam/publication.ts'
import type { CloudSubnet, NecPublication, NodeName } from '../ipam/types.ts'
import type { Cloud, LeaderKube, LeaderLedger, LedgerNode } from '../ports.ts'
import type { Ipv4 } from '../value/ipv4.ts'
import type { Millis } from '../value/millis.ts'
import type { ClusterFacts } from './facts.ts'
import type { IntentFailure, IntentRunner } from './intent-runner.ts'
import { createRegistrar } from './register-nodes.ts'
import type { LeaderSettings } from './settings.ts'
import type { Subnets } from './subnets.ts'

export interface NodeReconciler {
  /** Never rejects; what failed is tried again by a later wake. */
  reconcile(name: NodeName): Promise<void>
  /** An intent of the node is resolved; a failure makes its next plan wait. */
  resolved(name: NodeName, failure: IntentFailure | undefined): void
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
  readonly wake: (node: NodeName, delay?: Millis) => void
}

/** What is remembered of a node between looks; all of it may be lost. */
interface Memory {
  failures: number
  retryAt: Millis
  lastFailure: IntentFailure | undefined
  absentSince: Millis | undefined
  condition: string
  published: { publication: NecPublication; at: Millis } | undefined
}

/** A write that the watch has not shown after so long is written again. */
const publicationEchoWithin = 5000

export function createNodeReconciler(options: ReconcilerOptions): NodeReconciler {
  const { kube, ledger, clock, log, facts, subnets, runner, settings, wake } = options
  const memories = new Map<NodeName, Memory>()
  const registrar = createRegistrar(options.cloud, ledger, settings, log)

  function memoryOf(name: NodeName): Memory {
    const known = memories.get(name)
    if (known !== undefined) return known
    const fresh: Memory = {
      failures: 0,
      retryAt: 0,
      lastFailure: undefined,
      absentSince: undefined,
      condition: '',
      published: undefined,
    }
    memories.set(name, fresh)
    return fresh
  }

  async function look(name: NodeName): Promise<void> {
    if (!facts.synced()) return
    const fact = facts.node(name)
    const node = ledger.node(name)
    if (node === undefined) {
      if (fact?.instanceId === undefined) return forget(name, fact === undefined)
      if (clock.now() < memoryOf(name).retryAt) return wake(name, memoryOf(name).retryAt - clock.now())
      await registrar.register({ ...fact, instanceId: fact.instanceId })
      return wake(name)
    }
    if (fact?.instanceId === node.instanceId) {
      memoryOf(name).absentSince = undefined
      if (node.phase === 'leaving') await ledger.write((tx) => tx.setPhase(name, 'active'))
      return serve({ ...node, phase: 'active' })
    }
    if (node.phase === 'leaving' || (await hasLeft(node))) return takeBack(node)
  }

  /** Absence in one view is no proof (R7): it must last, an API read past the cache must agree, and no pod may be left. */
  async function hasLeft(node: LedgerNode): Promise<boolean> {
    const memory = memoryOf(node.name)
    memory.absentSince ??= clock.now()
    const absentFor = clock.now() - memory.absentSince
    if (absentFor < settings.leaveAfter) {
      wake(node.name, settings.leaveAfter - absentFor)
      return false
    }
    const now = await kube.getNode(node.name)
    if (now?.instanceId === node.instanceId || facts.podsOn(node.name).some(({ terminal }) => !terminal)) {
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
      await ledger.write((tx) => tx.removeNode(node.name))
      if (facts.node(node.name) === undefined) await kube.deleteNec(node.name)
      forget(node.name, true)
      log.info('node forgotten', { node: node.name })
      return wake(node.name) // it may be back already, on another instance
    }
    const plan = planNode(
      { ...pool, phase: 'leaving' },
      { pods: 0, returned: new Set(), zone: node.zone, subnets: [] },
    )
    await act(node, plan, false)
  }

  async function serve(node: LedgerNode): Promise<void> {
    const pool = ledger.pool(node.name)
    if (pool === undefined) return
    const current = await subnets.current()
    const returned = returnedOf(pool)
    const pods = facts.podCount(node.name)
    const plan = planNode(pool, { pods, returned, zone: node.zone, subnets: current })
    const memory = memoryOf(node.name)
    const have = pool.enis.reduce((sum, eni) => sum + serving(eni, returned), 0)
    const condition = conditionOf(plan, memory, node.zone, current)
    report(node, condition, memory)
    await publish(node, condition)
    const pause = memory.retryAt - clock.now()
    if (pause > 0) return wake(node.name, pause)
    await act(node, plan, have < pods)
  }

  /** What the agent gave up under the very grant that is bound now, and no live pod shows. */
  function returnedOf(pool: NodePool): ReadonlySet<Ipv4> {
    const report = facts.nec(pool.node)?.report
    if (report === undefined) return new Set()
    const shown = facts.shownAddresses(pool.node)
    const grants = new Map(pool.enis.flatMap(({ ips }) => ips.map((ip) => [ip.address, ip.grant])))
    const given = report.returned.filter(
      ({ address, grant }) => grants.get(address) === grant && !shown.has(address),
    )
    return new Set(given.map(({ address }) => address))
  }

  async function act(node: LedgerNode, plan: NodePlan, podsWait: boolean): Promise<void> {
    await Promise.all(plan.actions.map((action) => perform(node, action, podsWait)))
  }

  async function perform(node: LedgerNode, action: Action, podsWait: boolean): Promise<void> {
    const pool = ledger.pool(node.name)
    const subnetId =
      action.kind === 'create' ? action.subnetId : pool?.enis.find(({ key }) => key === action.eni)?.subnetId
    const subnet = subnets.find(subnetId ?? '')
    if (action.kind === 'create') {
      if (subnet === undefined) return
      subnets.take(subnet.id, action.ips + 1)
    }
    if (action.kind === 'assign' && subnet !== undefined) subnets.take(subnet.id, action.count)
    const growing = action.kind === 'create' || action.kind === 'assign' || action.kind === 'attach'
    const priority = !growing ? 'release' : podsWait ? 'waiting-pod' : 'warm-refill'
    await runner.start(node, action, subnet?.cidr, priority)
  }

  function conditionOf(
    plan: NodePlan,
    memory: Memory,
    zone: string,
    current: readonly CloudSubnet[],
  ): PoolCondition {
    if (memory.lastFailure !== undefined) {
      return { ready: false, reason: failureReason(memory.lastFailure), message: memory.lastFailure.message }
    }
    if (plan.obstacle === undefined)
      return { ready: true, reason: 'PoolServed', message: 'the pool is kept within its bounds' }
    return { ready: false, ...obstacleText(plan, zone, current) }
  }

  /** One event when the pool's condition changes, none while it stays. */
  function report(node: LedgerNode, condition: PoolCondition, memory: Memory): void {
    const before = memory.condition
    memory.condition = condition.reason
    if (before === condition.reason || (before === '' && condition.ready)) return
    const type = condition.ready ? 'Normal' : 'Warning'
    const { message } = condition
    const reason = condition.ready ? 'PoolRecovered' : condition.reason
    for (const kind of ['Node', 'NodeENIConfig'] as const) {
      const uid = kind === 'Node' ? node.uid : facts.nec(node.name)?.uid
      kube.notify({
        about: { kind, name: node.name, ...(uid === undefined ? {} : { uid }) },
        type,
        reason,
        message,
      })
    }
  }

  async function publish(node: LedgerNode, condition: PoolCondition): Promise<void> {
    const memory = memoryOf(node.name)
    const shown = facts.nec(node.name)?.publication
    const last = memory.published
    const before = last?.publication.conditions ?? shown?.conditions ?? []
    const at = new Date(clock.now()).toISOString()
    const wanted = publicationOf(node, ledger.publishedEnis(node.name), condition, before, at)
    if (shown !== undefined && samePublication(shown, wanted)) return
    if (
      last !== undefined &&
      samePublication(last.publication, wanted) &&
      clock.now() - last.at < publicationEchoWithin
    ) {
      return wake(node.name, publicationEchoWithin)
    }
    await kube.publishNec(node.name, wanted)
    memory.published = { publication: wanted, at: clock.now() }
  }

  function forget(name: NodeName, all: boolean): void {
    if (all) memories.delete(name)
  }

  return {
    async reconcile(name) {
      try {
        await look(name)
      } catch (error) {
        const memory = memoryOf(name)
        const delay = backoffDelay(settings.retry, memory.failures++, options.random)
        if (ledger.node(name) === undefined) memory.retryAt = clock.now() + delay
        log.warn('node reconcile failed', {
          node: name,
          code: errorCode(error),
          error: (error as Error).message,
          retryIn: delay,
        })
        wake(name, delay)
      }
    },
    resolved(name, failure) {
      const memory = memoryOf(name)
      if (failure === undefined) {
        memory.failures = 0
        memory.retryAt = 0
        memory.lastFailure = undefined
      } else {
        memory.retryAt = clock.now() + backoffDelay(settings.retry, memory.failures++, options.random)
        memory.lastFailure = failure
      }
      wake(name)
    },
  }
}

function failureReason({ code }: IntentFailure): string {
  if (code === 'eni_quota') return 'ENILimit'
  if (code === 'subnet_full') return 'SubnetExhausted'
  if (code === 'denied') return 'PermissionDenied'
  return 'CloudRefused'
}

function obstacleText(
  plan: NodePlan,
  zone: string,
  subnets: readonly CloudSubnet[],
): { reason: string; message: string } {
  const inZone = subnets.filter((subnet) => subnet.zone === zone)
  switch (plan.obstacle) {
    case 'no-subnet-in-zone':
      return {
        reason: 'NoSubnetInZone',
        message: `Cannot bind ${plan.unmet} more addresses: none of the container subnets (${listed(subnets)}) is in zone "${zone}" of the node; add one to the leader's subnets`,
      }
    case 'subnets-full':
      return {
        reason: 'SubnetExhausted',
        message: `Cannot bind ${plan.unmet} more addresses: the container subnets in zone "${zone}" are used up (${listed(inZone)}); add one to the leader's subnets`,
      }
    default:
      return {
        reason: 'NodeFull',
        message: `Cannot bind ${plan.unmet} more addresses: pods beyond what the ENIs of the node's instance type carry are waiting; schedule fewer pods here`,
      }
  }
}

function listed(subnets: readonly CloudSubnet[]): string {
  return subnets.map(({ id, available }) => `"${id}": ${available} free`).join(', ') || 'there is none'
}
