// The whole system in one process under one seed: leader, agents, cloud, Kubernetes and kernels, each able to fail.
import { type Log, silentLog } from '../../../internal/base/log.ts'
import { type Random, randomInt } from '../../../internal/base/random.ts'
import { randomToken } from '../../../internal/base/random-token.ts'
import { type Leader, startLeader } from '../../../internal/leader/leader.ts'
import { type LeaderSettings, leaderDefaults } from '../../../internal/leader/settings.ts'
import { type Agent, startAgent } from '../../../internal/node/agent.ts'
import { type NodeSettings, nodeDefaults } from '../../../internal/node/settings.ts'
import type { Cloud, LeaderKube, LeaderLedger, Linux, NodeKube, NodeLedger } from '../../../internal/ports.ts'
import { noFaults } from '../../../internal/sim/vpc/settings.ts'
import { openVpcSim, type VpcSim } from '../../../internal/sim/vpc/sim.ts'
import { type Database, openDatabase } from '../../../internal/sqlite/database.ts'
import { leaderLedger } from '../../../internal/store/leader/ledger.ts'
import { markRestored } from '../../../internal/store/mark-restored.ts'
import { nodeLedger } from '../../../internal/store/node/ledger.ts'
import type { Ipv4 } from '../../../internal/value/ipv4.ts'
import { createCloud } from '../../../internal/vpc/cloud.ts'
import { leaderMigrations, nodeMigrations } from '../../../migrations/index.ts'
import { withCrashPoints } from '../../crash/crash-points.ts'
import { VirtualClock } from '../../fake/virtual-clock.ts'
import { Chaos, stream } from './chance.ts'
import { cloudLink, type LinkFaults, noLinkFaults } from './cloud-link.ts'
import { copyDatabase } from './copy-database.ts'
import type { Plan, Shape } from './draw.ts'
import { CrashFate } from './fate.ts'
import { Hands } from './hands.ts'
import { zones } from './happenings.ts'
import { KernelTwin } from './kernel-twin.ts'
import { type KubeFaults, KubeTwin, noKubeFaults } from './kube-twin.ts'
import { KubeletTwin } from './kubelet-twin.ts'
import { type Machine, newMachine, Process } from './process.ts'

export const clusterId = 'cls-sim'
/** In an order in which their references hold. */
const nodeTables = ['meta', 'eni', 'ip', 'attachment', 'ip_history', 'quarantine'] as const
const leaderTables = ['meta', 'node', 'eni', 'ip', 'intent', 'ip_history', 'quarantine'] as const

/** Where a known mistake can be built in, to see that the invariants notice it. */
export interface Plant {
  readonly cloud?: (cloud: Cloud) => Cloud
  readonly leaderKube?: (kube: LeaderKube, random: Random) => LeaderKube
  readonly leaderLedger?: (ledger: LeaderLedger, db: Database) => LeaderLedger
  readonly leaderSettings?: Partial<LeaderSettings>
  /** At each start of the leader, before it reads anything. */
  readonly leaderDb?: (db: Database) => void
  readonly nodeKube?: (kube: NodeKube) => NodeKube
  readonly nodeLedger?: (ledger: NodeLedger) => NodeLedger
  /** At each start of an agent, before it reads anything. */
  readonly nodeDb?: (db: Database) => void
  readonly linux?: (linux: Linux, kernel: KernelTwin, world: World) => Linux
  readonly agent?: (agent: Agent, ledger: NodeLedger) => Agent
  readonly nodeSettings?: Partial<NodeSettings>
}

export interface SimNode {
  readonly name: string
  readonly machine: Machine
  readonly instanceId: string
  readonly maxEnis: number
  readonly kernel: KernelTwin
  readonly kubelet: KubeletTwin
  db: Database
  /** An older state of it. */
  backup: Database | undefined
  /** When its database was last lost, or replaced by an older one. */
  lostAt: number
  process: Process | undefined
  agent: Agent | undefined
  ledger: NodeLedger | undefined
  boot: number
  downUntil: number
  /** Deleted from Kubernetes; its machine is off. */
  gone: boolean
}

/** Where a leader runs. */
export interface LeaderHost {
  readonly machine: Machine
  db: Database
  /** An older state of it. */
  backup: Database | undefined
  process: Process | undefined
  leader: Leader | undefined
  ledger: LeaderLedger
  downUntil: number
  /** When its database was last lost, or replaced by an older one. */
  lostAt: number
}

const maxEnis: Readonly<Record<string, number>> = { 'SA2.SMALL1': 1, 'S5.MEDIUM4': 3 }

export class World {
  readonly seed: number
  readonly clock = new VirtualClock()
  readonly chaos: Chaos
  readonly fate: CrashFate
  readonly trace: string[] = []
  readonly kube: KubeTwin
  readonly cloud: VpcSim
  readonly nodes: SimNode[] = []
  readonly host: LeaderHost
  readonly hands = new Hands(this)
  /** Of what happens now. */
  random: Random
  crashes = 0
  /** Instance of every address that can carry packets in the cloud. */
  boundTo: ReadonlyMap<Ipv4, string> = new Map()
  /** MAC of the ENI that each such address is on. */
  macOf: ReadonlyMap<Ipv4, string> = new Map()
  plugs = 0
  /** What must never be, seen by the world itself. */
  readonly faults: string[] = []
  #linkFaults: LinkFaults = noLinkFaults
  /** Rises when all faults end: what was to end by itself then has ended. */
  #era = 0
  #advanceAt = Number.POSITIVE_INFINITY
  readonly #attaching = new Map<string, () => void>()
  readonly #plant: Plant
  readonly #shape: Shape
  readonly #startedAt: number
  readonly #verbose: boolean

  constructor(plan: Plan, plant: Plant = {}, verbose = false) {
    const { seed, shape } = plan
    this.seed = seed
    this.random = stream(seed, 'hands')
    this.#plant = plant
    this.#verbose = verbose
    this.#shape = shape
    this.#startedAt = this.clock.now()
    this.chaos = new Chaos(seed, plan.only)
    this.fate = new CrashFate(this.chaos)
    this.kube = new KubeTwin(this.clock, stream(seed, 'kube'), this.chaos)
    this.cloud = openVpcSim({ path: ':memory:', random: stream(seed, 'cloud'), latency: shape.cloudMs })
    this.cloud.onChange(() => this.#plug())
    this.cloud.admin.createVpc({ id: 'vpc-sim00001', cidr: '10.0.0.0/16' }, this.clock.now())
    for (const [i, zone] of zones.entries()) {
      const pods = { id: `subnet-pods000${i}`, cidr: `10.0.${i * 16}.0/${shape.subnetBits[i] ?? 24}`, zone }
      const nodes = { id: `subnet-nodes00${i}`, cidr: `10.0.${i * 16 + 8}.0/24`, zone }
      for (const subnet of [pods, nodes])
        this.cloud.admin.createSubnet({ ...subnet, vpcId: 'vpc-sim00001' }, this.clock.now())
    }
    const db = openDatabase({ path: ':memory:', kind: 'leader', migrations: leaderMigrations })
    this.host = {
      machine: newMachine('leader', stream(seed, 'leader')),
      db,
      backup: undefined,
      process: undefined,
      leader: undefined,
      ledger: leaderLedger(db, this.clock),
      downUntil: 0,
      lostAt: Number.NEGATIVE_INFINITY,
    }
  }

  get leaderDb(): Database {
    return this.host.db
  }

  get ledger(): LeaderLedger {
    return this.host.ledger
  }

  log(line: string): void {
    const at = ((this.clock.now() - this.#startedAt) / 1000).toFixed(3).padStart(9)
    this.trace.push(`${at} ${line}`)
  }

  /** `begin` now and `end` after a while, unless all faults have ended before. */
  during(forMs: number, begin: () => void, end: () => void): void {
    const era = this.#era
    begin()
    this.clock.after(forMs, () => {
      if (era !== this.#era) return
      this.log('  (over)')
      end()
    })
  }

  /** Every fault ends, everybody is up. */
  heal(): void {
    this.log('everything is healthy from now on')
    this.#era++
    this.fate.heal()
    this.cloud.setFaults(noFaults)
    this.#linkFaults = noLinkFaults
    this.kube.faults = noKubeFaults
    this.kube.setOutage(false)
    this.kube.setDeaf(false)
    this.kube.breakWatches()
    for (const process of this.#processes()) process.goOn()
    this.hands.repair()
    this.host.downUntil = 0
    if (this.host.process?.alive !== true) this.startLeader()
    for (const node of this.nodes) {
      node.downUntil = 0
      if (node.process?.alive !== true) this.startAgent(node)
    }
  }

  setLinkFaults(faults: LinkFaults | undefined): void {
    this.#linkFaults = faults ?? noLinkFaults
  }

  setKubeFaults(faults: KubeFaults | undefined): void {
    this.kube.faults = faults ?? noKubeFaults
  }

  processOf(who: string): Process | undefined {
    if (who === this.host.machine.name) return this.host.process
    return this.nodes.find(({ name }) => name === who)?.process
  }

  kill(who: string, downMs: number): void {
    const process = this.processOf(who)
    if (process?.alive !== true) return
    const holder = this.nodes.find(({ name }) => name === who) ?? this.host
    holder.downUntil = this.clock.now() + downMs
    process.kill('killed')
  }

  setClock(who: string, byMs: number): void {
    const machine = this.nodes.find(({ name }) => name === who)?.machine ?? this.host.machine
    machine.skewMs += byMs
    machine.clockSetAt = this.clock.now()
  }

  /** Calls back as soon as an ENI is on its way to the instance. */
  whenAttaching(instanceId: string, then: () => void): void {
    this.#attaching.set(instanceId, then)
  }

  startLeader(): void {
    const { host } = this
    if (host.process?.alive === true) return
    const process = new Process(host.machine, this.clock, this.fate, (where) =>
      this.#died(host, where, () => this.startLeader()),
    )
    host.process = process
    const { clock } = process
    const { random } = host.machine
    this.#plant.leaderDb?.(host.db)
    host.ledger = leaderLedger(host.db, clock)
    const cloud = createCloud({
      transport: cloudLink(this.cloud, process, {
        chaos: this.chaos,
        faults: () => this.#linkFaults,
        performed: (action, params) => this.#performed(action, params),
      }),
      clock,
      random,
      log: this.#logOf('leader'),
    })
    const kube = this.kube.leader(process)
    const ledger = this.#plant.leaderLedger?.(host.ledger, host.db) ?? host.ledger
    host.leader = startLeader(
      {
        kube: withCrashPoints('leader.kube', this.#plant.leaderKube?.(kube, random) ?? kube, process.reached),
        cloud: withCrashPoints('leader.cloud', this.#plant.cloud?.(cloud) ?? cloud, process.reached),
        ledger: withCrashPoints('leader.ledger', ledger, process.reached),
        clock,
        random,
        log: this.#logOf('leader'),
      },
      {
        ...leaderDefaults,
        clusterId,
        subnetIds: zones.map((_, i) => `subnet-pods000${i}`),
        securityGroups: ['sg-12345678'],
        targets: { minWarm: this.#shape.minWarm, maxWarm: this.#shape.maxWarm },
        ...this.#plant.leaderSettings,
      },
    )
    this.log('leader started')
  }

  addNode(name: string, zone: number, type: string): void {
    const made = this.cloud.admin.createInstance(
      { instanceType: type, subnetId: `subnet-nodes00${zone}` },
      this.clock.now(),
    )
    const kernel = new KernelTwin(nodeDefaults.routeTableBase)
    const db = openDatabase({ path: ':memory:', kind: 'node', migrations: nodeMigrations })
    const node: SimNode = {
      name,
      machine: newMachine(name, stream(this.seed, name)),
      instanceId: made.id,
      maxEnis: maxEnis[type] ?? 0,
      kernel,
      db,
      kubelet: new KubeletTwin({
        node: name,
        seed: this.seed,
        kube: this.kube,
        kernel,
        clock: this.clock,
        agent: () => this.#socketOf(node),
        trace: (line) => this.log(line),
      }),
      backup: undefined,
      lostAt: Number.NEGATIVE_INFINITY,
      process: undefined,
      agent: undefined,
      ledger: undefined,
      boot: 1,
      downUntil: 0,
      gone: false,
    }
    this.nodes.push(node)
    this.kube.nodes.put(name, { name, uid: `uid-${name}`, instanceId: made.id })
    this.log(`${name} joins in zone ${zones[zone]} on ${made.id}`)
    this.startAgent(node)
  }

  startAgent(node: SimNode): void {
    if (node.gone || node.process?.alive === true) return
    const process = new Process(node.machine, this.clock, this.fate, (where) =>
      this.#died(node, where, () => this.startAgent(node)),
    )
    node.process = process
    node.agent = undefined
    const { random } = node.machine
    this.#plant.nodeDb?.(node.db)
    const ledger = nodeLedger(node.db, process.clock, () => randomToken(random))
    node.ledger = ledger
    const kube = this.kube.agent(process, node.name)
    const linux = node.kernel.linux(process)
    const settings: NodeSettings = {
      ...nodeDefaults,
      nodeName: node.name,
      version: 'sim',
      bootId: String(node.boot),
      quickRelease: this.#shape.quickRelease,
      ...this.#plant.nodeSettings,
    }
    const { reached } = process
    const ports = {
      kube: withCrashPoints('node.kube', this.#plant.nodeKube?.(kube) ?? kube, reached),
      linux: withCrashPoints('node.linux', this.#plant.linux?.(linux, node.kernel, this) ?? linux, reached),
      ledger: withCrashPoints('node.ledger', this.#plant.nodeLedger?.(ledger) ?? ledger, reached),
      clock: process.clock,
      random,
      log: this.#logOf(node.name),
    }
    void startAgent(ports, settings).then((agent) => {
      if (process.alive) node.agent = this.#plant.agent?.(agent, ledger) ?? agent
    })
  }

  /** The machine goes away: the agent stops for ever, the instance is terminated, the Node object deleted. */
  removeNode(node: SimNode): void {
    if (node.gone) return
    this.log(`${node.name} is removed`)
    node.gone = true
    node.kubelet.stopped = true
    node.process?.kill('node removed')
    this.cloud.admin.terminateInstance(node.instanceId, this.clock.now())
    this.kube.nodes.remove(node.name)
    // Kubernetes' own garbage collection deletes the pods of a node that is no more.
    for (const uid of node.kubelet.uids()) {
      this.clock.after(randomInt(node.machine.random, 100, 40_000), () => this.kube.pods.remove(uid))
    }
  }

  /** The file is gone, and the leader starts with an empty one. */
  loseLeaderDatabase(): void {
    this.#replaceLeaderDatabase(
      openDatabase({ path: ':memory:', kind: 'leader', migrations: leaderMigrations }),
    )
  }

  backUpLeader(): void {
    this.host.backup?.close()
    this.host.backup = copyDatabase(this.host.db, 'leader', leaderMigrations, leaderTables)
  }

  restoreLeader(): void {
    if (this.host.backup === undefined) return
    const copy = copyDatabase(this.host.backup, 'leader', leaderMigrations, leaderTables)
    markRestored(copy, 'leader', 'now')
    this.#replaceLeaderDatabase(copy)
  }

  #replaceLeaderDatabase(db: Database): void {
    this.host.process?.kill('database replaced')
    this.host.db.close()
    this.host.db = db
    this.host.lostAt = this.clock.now()
    this.host.ledger = leaderLedger(db, this.clock)
  }

  /** The file is gone, and the agent starts with an empty one. */
  loseNodeDatabase(node: SimNode): void {
    this.#replaceDatabase(node, openDatabase({ path: ':memory:', kind: 'node', migrations: nodeMigrations }))
  }

  backUpNode(node: SimNode): void {
    node.backup?.close()
    node.backup = copyDatabase(node.db, 'node', nodeMigrations, nodeTables)
  }

  restoreNode(node: SimNode): void {
    if (node.backup === undefined) return
    const copy = copyDatabase(node.backup, 'node', nodeMigrations, nodeTables)
    markRestored(copy, 'node', 'now')
    this.#replaceDatabase(node, copy)
  }

  #replaceDatabase(node: SimNode, db: Database): void {
    node.process?.kill('database replaced')
    node.db.close()
    node.db = db
    node.ledger = undefined
    node.lostAt = this.clock.now()
  }

  reboot(node: SimNode): void {
    node.boot++
    node.process?.kill('reboot')
    node.kubelet.reboot()
  }

  #processes(): readonly Process[] {
    return [this.host, ...this.nodes].flatMap(({ process }) => process ?? [])
  }

  /** The agent as the kubelet reaches it: nobody answers while it is dead; while it is stopped, callers wait. */
  #socketOf(node: SimNode): Agent | undefined {
    const { agent, process } = node
    if (agent === undefined || process?.alive !== true) return undefined
    if (!process.stopped) return agent
    const runs = () => new Promise<void>((resolve) => process.hear(resolve))
    return {
      ...agent,
      add: (...call) => runs().then(() => agent.add(...call)),
      remove: (key) => runs().then(() => agent.remove(key)),
    }
  }

  /** What the product says goes into the trace, when that is wanted. */
  #logOf(who: string): Log {
    if (!this.#verbose) return silentLog
    const say = (event: string, fields: object = {}) =>
      this.log(`  ${who}: ${event} ${JSON.stringify(fields)}`)
    const log: Log = { debug: () => {}, info: say, warn: say, error: say, child: () => log }
    return log
  }

  #died(holder: { machine: Machine; downUntil: number }, where: string, restart: () => void): void {
    this.crashes++
    const { machine } = holder
    this.log(`${machine.name} dies (${where})`)
    const soon = randomInt(machine.random, 50, this.#shape.restartMs)
    const era = this.#era
    this.clock.after(Math.max(soon, holder.downUntil - this.clock.now()), () => {
      if (era === this.#era) restart()
    })
  }

  #performed(action: string, params: unknown): void {
    if (action === 'CreateNetworkInterface') this.#countEnis()
    if (action === 'AttachNetworkInterface') this.#attachmentBegins(params)
    this.#advanceLater()
  }

  /** What the cloud works on is done in time, whether or not anybody asks. */
  #advanceLater(): void {
    const due = this.cloud.nextDue()
    if (due === undefined || due >= this.#advanceAt) return
    this.#advanceAt = due
    this.clock.after(due - this.clock.now(), () => {
      this.#advanceAt = Number.POSITIVE_INFINITY
      this.cloud.advance(this.clock.now())
      this.#advanceLater()
    })
  }

  /** Whatever goes wrong, a node never gets more ENIs than its instance can carry. People may make some, too. */
  #countEnis(): void {
    // What the lost database had just asked for is not known to the next one before the cloud shows it.
    if (this.clock.now() - this.host.lostAt < 600_000) return
    const { enis } = this.cloud.admin.audit(this.clock.now())
    for (const { name, maxEnis: most } of this.nodes) {
      const made = enis.filter(({ tags }) => tags['tke-eni-node'] === name && 'tke-eni-intent' in tags).length
      if (made > most) this.faults.push(`${made} ENIs are made for ${name}, which can carry ${most}`)
    }
  }

  #attachmentBegins(params: unknown): void {
    const instance = (params as { readonly InstanceId?: string }).InstanceId ?? ''
    const then = this.#attaching.get(instance)
    if (then === undefined) return
    this.#attaching.delete(instance)
    this.clock.after(20, then)
  }

  #plug(): void {
    const fabric = this.cloud.admin.fabric()
    this.boundTo = new Map(
      fabric.flatMap((eni) => eni.ips.map((address) => [address, eni.instanceId] as const)),
    )
    this.macOf = new Map(fabric.flatMap((eni) => eni.ips.map((address) => [address, eni.mac] as const)))
    this.plugs++
    for (const node of this.nodes) {
      node.kernel.setEnis(
        fabric
          .filter((eni) => eni.instanceId === node.instanceId && eni.deviceIndex > 0)
          .map(({ mac }) => mac),
      )
    }
  }

  close(): void {
    this.cloud.close()
    this.host.db.close()
    this.host.backup?.close()
    for (const { backup, db } of this.nodes) {
      db.close()
      backup?.close()
    }
  }
}
