// The whole system in one process under one seed: leader, agents, cloud, Kubernetes and kernels, each able to fail.
import type { Clock } from '../../../internal/base/clock.ts'
import { type Log, silentLog } from '../../../internal/base/log.ts'
import { type Random, randomInt } from '../../../internal/base/random.ts'
import { randomToken } from '../../../internal/base/random-token.ts'
import type { ClusterLimits } from '../../../internal/ipam/node-bounds.ts'
import type { ClaimRules } from '../../../internal/ipam/plan-claim.ts'
import { purposeOfReservation } from '../../../internal/ipam/reservation-tags.ts'
import type { NodeDefaults, PodFact } from '../../../internal/ipam/types.ts'
import type { LeaderSettings } from '../../../internal/leader/settings.ts'
import { type Agent, startAgent } from '../../../internal/node/agent.ts'
import { type NodeSettings, nodeDefaults } from '../../../internal/node/settings.ts'
import type { LeaderLedger, NodeLedger } from '../../../internal/ports.ts'
import { noFaults } from '../../../internal/sim/vpc/settings.ts'
import { openVpcSim, type VpcSim } from '../../../internal/sim/vpc/sim.ts'
import { type Database, openDatabase } from '../../../internal/sqlite/database.ts'
import { markRestored } from '../../../internal/store/mark-restored.ts'
import { nodeLedger } from '../../../internal/store/node/ledger.ts'
import type { Ipv4 } from '../../../internal/value/ipv4.ts'
import type { Millis } from '../../../internal/value/millis.ts'
import { nodeMigrations } from '../../../migrations/index.ts'
import { withCrashPoints } from '../../crash/crash-points.ts'
import { VirtualClock } from '../../fake/virtual-clock.ts'
import { Chaos, stream } from './chance.ts'
import { type LinkFaults, noLinkFaults } from './cloud-link.ts'
import { copyDatabase } from './copy-database.ts'
import type { Plan, Shape } from './draw.ts'
import { EipWatch } from './eip-watch.ts'
import { ExpectedSettings, quotaOf } from './expected-settings.ts'
import { CrashFate } from './fate.ts'
import { Hands } from './hands.ts'
import { zones } from './happenings.ts'
import { KernelTwin } from './kernel-twin.ts'
import { type KubeFaults, KubeTwin, noKubeFaults } from './kube-twin.ts'
import { KubeletTwin } from './kubelet-twin.ts'
import { LeaderHost, withoutJumps } from './leader-host.ts'
import { LeaseTwin } from './lease-twin.ts'
import type { Plant } from './plants.ts'
import { type Machine, newMachine, Process } from './process.ts'
import { Promises } from './promises.ts'
import { StaticPods } from './static-pods.ts'
import { watchReleases } from './watch-releases.ts'

export const clusterId = 'cls-sim'
export const podSubnets = zones.map((_, i) => `subnet-pods000${i}`)
/** In an order in which their references hold. */
const nodeTables = ['meta', 'eni', 'ip', 'attachment', 'ip_history', 'quarantine'] as const

export interface SimNode {
  readonly name: string
  readonly machine: Machine
  readonly instanceId: string
  readonly zone: string
  /** Of the instance. */
  type: string
  /** Most ENIs that any type it has had takes for pods: who learns of a smaller one late may go by it. */
  mostEnis: number
  readonly kernel: KernelTwin
  readonly kubelet: KubeletTwin
  db: Database
  /** An older state of it. */
  backup: Database | undefined
  /** When its database was last lost, or replaced by an older one. */
  lostAt: number
  process: Process | undefined
  /** Its daemon's. */
  clock: Clock
  agent: Agent | undefined
  ledger: NodeLedger | undefined
  boot: number
  downUntil: number
  /** Deleted from Kubernetes; its machine is off. */
  gone: boolean
}

/** What operators set for all leaders. */
export type OperatorSettings = Pick<LeaderSettings, 'defaults' | keyof ClusterLimits | keyof ClaimRules>

/** Of leading: the count of turns tells who came later; an epoch, after its lease was deleted, need not. */
interface Turn {
  readonly turn: number
  readonly epoch: number
}

export class World {
  readonly seed: number
  readonly clock = new VirtualClock()
  readonly chaos: Chaos
  readonly fate: CrashFate
  readonly trace: string[] = []
  readonly kube: KubeTwin
  readonly cloud: VpcSim
  readonly nodes: SimNode[] = []
  readonly lease = new LeaseTwin()
  readonly hosts: readonly LeaderHost[]
  readonly hands = new Hands(this)
  readonly expected = new ExpectedSettings(this)
  readonly promises = new Promises(this)
  readonly eips: EipWatch
  readonly statics: StaticPods
  settings: OperatorSettings
  /** All that was ever to be fixed for new nodes. */
  readonly defaultsEver: NodeDefaults[]
  /** Of what happens now. */
  random: Random
  crashes = 0
  /** Instance of every address that can carry packets in the cloud. */
  boundTo: ReadonlyMap<Ipv4, string> = new Map()
  /** MAC of the ENI that each such address is on. */
  macOf: ReadonlyMap<Ipv4, string> = new Map()
  plugs = 0
  /** Has somebody worked in the console? */
  handled = false
  /** What must never be, seen by the world itself. */
  readonly faults: string[] = []
  linkFaults: LinkFaults = noLinkFaults
  /** When the last passing fault ended; never while there is one. */
  calmSince = 0
  #passing = 0
  /** Rises when all faults end: what was to end by itself then has ended. */
  #era = 0
  #lastWrite: Turn & { readonly who: string } = { turn: 0, epoch: 0, who: '' }
  #turns = 0
  /** Leaders that have ever led: with each begins another ledger. */
  readonly ledBy = new Set<string>()
  #advanceAt = Number.POSITIVE_INFINITY
  /** Address of every reservation there has been, by id. */
  readonly #reserved = new Map<string, { readonly address: Ipv4; readonly name: string | undefined }>()
  /** What the role is not allowed now: each time anew. */
  readonly #denied = new Set<readonly string[]>()
  readonly #attaching = new Map<string, () => void>()
  readonly #plant: Plant
  readonly shape: Shape
  readonly #startedAt: number
  readonly #verbose: boolean

  constructor(plan: Plan, plant: Plant = {}, verbose = false) {
    const { seed, shape } = plan
    this.seed = seed
    this.random = stream(seed, 'hands')
    this.#plant = plant
    this.#verbose = verbose
    this.shape = shape
    this.#startedAt = this.clock.now()
    const { claimExpiry, exclusiveEnis, maxEnisPerNode, staticIps } = shape
    const defaults = {
      shared: { minWarm: shape.minWarm, maxWarm: shape.maxWarm },
      exclusive: { minWarm: shape.exclusiveMinWarm, maxWarm: shape.exclusiveMaxWarm },
    }
    this.settings = { defaults, exclusiveEnis, maxEnisPerNode, staticIps, claimExpiry }
    this.defaultsEver = [defaults]
    this.chaos = new Chaos(seed, plan.only)
    this.fate = new CrashFate(this.chaos)
    this.kube = new KubeTwin(this.clock, stream(seed, 'kube'), this.chaos)
    this.statics = new StaticPods(this)
    this.kube.necs.witness = (nec) => this.expected.see(nec)
    this.cloud = openVpcSim({ path: ':memory:', random: stream(seed, 'cloud'), latency: shape.cloudMs })
    this.cloud.onChange(() => this.#plug())
    this.cloud.admin.createVpc({ id: 'vpc-sim00001', cidr: '10.0.0.0/16' }, this.clock.now())
    for (const [i, zone] of zones.entries()) {
      const pods = { id: `subnet-pods000${i}`, cidr: `10.0.${i * 16}.0/${shape.subnetBits[i] ?? 24}`, zone }
      const nodes = { id: `subnet-nodes00${i}`, cidr: `10.0.${i * 16 + 8}.0/24`, zone }
      for (const subnet of [pods, nodes])
        this.cloud.admin.createSubnet({ ...subnet, vpcId: 'vpc-sim00001' }, this.clock.now())
    }
    this.eips = new EipWatch(this)
    this.hosts = Array.from({ length: shape.leaders }, (_, i) => {
      const machine = newMachine(`leader-${i + 1}`, stream(seed, `leader-${i + 1}`))
      return new LeaderHost({
        world: this,
        machine,
        shape,
        plant,
        kube: this.kube,
        lease: this.lease,
        log: this.#logOf(machine.name),
        died: (host, where) => this.#died(host, where, () => host.start()),
      })
    })
  }

  /** Where the leader is, or was last. */
  get host(): LeaderHost {
    const epochOf = ({ term }: LeaderHost) => term?.epoch ?? 0
    const all = this.hosts.toSorted((a, b) => epochOf(b) - epochOf(a))
    const host = all.find((one) => one.leads()) ?? all[0]
    if (host === undefined) throw new Error('a world without a leader')
    return host
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
    this.#passing++
    this.calmSince = Number.POSITIVE_INFINITY
    begin()
    this.clock.after(forMs, () => {
      if (era !== this.#era) return
      this.log('  (over)')
      if (--this.#passing === 0) this.calmSince = this.clock.now()
      end()
    })
  }

  /** Every fault ends, everybody is up. */
  heal(): void {
    this.log('everything is healthy from now on')
    this.#era++
    this.#passing = 0
    this.calmSince = this.clock.now()
    this.fate.heal()
    this.#denied.clear()
    this.cloud.setFaults(noFaults)
    this.linkFaults = noLinkFaults
    this.kube.faults = noKubeFaults
    this.kube.healCuts()
    this.kube.setOutage(false)
    this.kube.setDeaf(false)
    this.kube.breakWatches()
    for (const process of this.#processes()) process.goOn()
    this.hands.repair()
    this.eips.heal()
    for (const host of this.hosts) {
      host.downUntil = 0
      host.start()
    }
    for (const node of this.nodes) {
      node.downUntil = 0
      if (node.process?.alive !== true) this.startAgent(node)
    }
  }

  /** The leader's role does not allow these calls for so long. */
  deny(actions: readonly string[], forMs: number): void {
    const apply = () => {
      const all = [...this.#denied].flat()
      this.cloud.setFaults({ deny: Object.fromEntries(all.map((action) => [action, 1])) })
    }
    const begin = () => {
      this.#denied.add(actions)
      apply()
    }
    this.during(forMs, begin, () => {
      this.#denied.delete(actions)
      apply()
    })
  }

  setLinkFaults(faults: LinkFaults | undefined): void {
    this.linkFaults = faults ?? noLinkFaults
  }

  setKubeFaults(faults: KubeFaults | undefined): void {
    this.kube.faults = faults ?? noKubeFaults
  }

  /** Operators change what they have set; leaders hear of it at once, or when they are started again. */
  setSettings(change: Partial<OperatorSettings>, hot: boolean): void {
    this.settings = { ...this.settings, ...change }
    this.defaultsEver.push(this.settings.defaults)
    for (const host of this.hosts) {
      if (hot) host.reload()
      else host.process?.kill('new settings')
    }
  }

  processOf(who: string): Process | undefined {
    return this.#holderOf(who)?.process
  }

  kill(who: string, downMs: number): void {
    const holder = this.#holderOf(who)
    if (holder?.process?.alive !== true) return
    holder.downUntil = this.clock.now() + downMs
    holder.process.kill('killed')
  }

  setClock(who: string, byMs: number): void {
    const machine = this.#holderOf(who)?.machine
    if (machine === undefined) return
    machine.skewMs += byMs
    machine.clockSetAt = this.clock.now()
  }

  /** A node or a leader by its name; "leader" is the one that leads. */
  #holderOf(who: string): SimNode | LeaderHost | undefined {
    if (who === 'leader') return this.host
    const host = this.hosts.find(({ machine }) => machine.name === who)
    return host ?? this.nodes.find(({ name }) => name === who)
  }

  /** Calls back as soon as an ENI is on its way to the instance. */
  whenAttaching(instanceId: string, then: () => void): void {
    this.#attaching.set(instanceId, then)
  }

  addNode(name: string, zone: number, type: string, maxPods?: number): void {
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
      zone: zones[zone] ?? '',
      type,
      mostEnis: quotaOf(type).enis,
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
        connected: (pod, address, askedAt) => this.#seeConnected(node, pod, address, askedAt),
      }),
      backup: undefined,
      lostAt: Number.NEGATIVE_INFINITY,
      process: undefined,
      clock: this.clock,
      agent: undefined,
      ledger: undefined,
      boot: 1,
      downUntil: 0,
      gone: false,
    }
    this.nodes.push(node)
    this.kube.nodes.put(name, {
      name,
      uid: `uid-${name}`,
      instanceId: made.id,
      maxPods,
      unavailable: false,
    })
    this.log(`${name} joins in zone ${zones[zone]} on ${made.id}`)
    this.startAgent(node)
  }

  startAgent(node: SimNode): void {
    if (node.gone || node.process?.alive === true) return
    const process = new Process(node.machine, this.clock, this.fate, (where) =>
      this.#died(node, where, () => this.startAgent(node)),
    )
    node.process = process
    const clock = withoutJumps(process)
    // A new process begins with what the machine's clock shows by now.
    if (Math.abs(clock.now() - node.clock.now()) > 100) node.machine.clockSetAt = this.clock.now()
    node.clock = clock
    node.agent = undefined
    const { random } = node.machine
    this.#plant.nodeDb?.(node.db)
    const ledger = nodeLedger(node.db, clock, () => randomToken(random))
    node.ledger = ledger
    const kube = this.kube.agent(process, node.name)
    const linux = node.kernel.linux(process)
    const settings: NodeSettings = {
      ...nodeDefaults,
      nodeName: node.name,
      version: 'sim',
      bootId: String(node.boot),
      quickRelease: this.shape.quickRelease,
      ...this.#plant.nodeSettings,
    }
    const { reached } = process
    const watched = watchReleases(
      ledger,
      () => node.agent?.bounds(),
      () => node.agent?.mostOn() ?? new Map(),
      // A database that was lost does not know all that is in use.
      (fault) => node.lostAt < 0 && this.faults.push(`${node.name}: ${fault}`),
    )
    const ports = {
      kube: withCrashPoints('node.kube', this.#plant.nodeKube?.(kube) ?? kube, reached),
      linux: withCrashPoints('node.linux', this.#plant.linux?.(linux, node.kernel, this) ?? linux, reached),
      ledger: withCrashPoints('node.ledger', this.#plant.nodeLedger?.(watched) ?? watched, reached),
      clock,
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

  /** Shut down, and started as another type; the cloud refuses one that takes less than is there. */
  resize(node: SimNode, type: string): void {
    const { enis, ips } = this.cloud.admin.audit(this.clock.now())
    const there = enis.filter(({ instanceId }) => instanceId === node.instanceId)
    const most = quotaOf(type)
    const fits =
      there.length <= most.enis + 1 &&
      there.every(({ id }) => ips.filter(({ eniId }) => eniId === id).length <= most.ipsPerEni + 1)
    if (!fits) return
    this.log(`${node.name} becomes ${type}`)
    node.type = type
    node.mostEnis = Math.max(node.mostEnis, most.enis)
    this.cloud.admin.resizeInstance(node.instanceId, type)
    this.reboot(node)
  }

  #processes(): readonly Process[] {
    return [...this.hosts, ...this.nodes].flatMap(({ process }) => process ?? [])
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
    const soon = randomInt(machine.random, 50, this.shape.restartMs)
    const era = this.#era
    this.clock.after(Math.max(soon, holder.downUntil - this.clock.now()), () => {
      if (era === this.#era) restart()
    })
  }

  /** Somebody begins to lead. */
  nextTurn(who: string): number {
    this.ledBy.add(who)
    return ++this.#turns
  }

  /** The cloud has done as `host` asked in its turn. */
  performed(action: string, params: unknown, host: LeaderHost, turn: Turn): void {
    if (!action.startsWith('Describe')) this.#seeWrite(action, host.machine.name, turn)
    if (action === 'DetachNetworkInterface') this.#seeDetachment(params, host)
    if (action === 'CreateNetworkInterface') this.#countEnis()
    if (action === 'CreateReserveIpAddresses') this.#noteReservations()
    if (action === 'DeleteReserveIpAddresses') this.#seeRelease(params)
    if (action === 'AttachNetworkInterface') this.#attachmentBegins(params)
    this.eips.performed(action, params)
    this.advanceLater()
  }

  /** Nothing is taken from a node because it is said to be gone, while it is there. */
  #seeDetachment(params: unknown, host: LeaderHost): void {
    const { InstanceId } = params as { readonly InstanceId?: string }
    const node = this.nodes.find(({ instanceId, gone }) => instanceId === InstanceId && !gone)
    if (node !== undefined && host.ledger.node(node.name)?.phase === 'leaving')
      this.faults.push(`${node.name} is there, and its ENIs are taken back`)
  }

  /** No leader's write takes effect once another, later one has written; what it sent before it died counts for the next on its ledger. */
  #seeWrite(action: string, who: string, { turn, epoch }: Turn): void {
    const last = this.#lastWrite
    if (turn < last.turn && who !== last.who)
      this.faults.push(
        `${action} by ${who} in epoch ${epoch} takes effect after ${last.who} wrote in epoch ${last.epoch}`,
      )
    if (turn > last.turn) this.#lastWrite = { turn, epoch, who }
  }

  /** What the cloud works on is done in time, whether or not anybody asks. */
  advanceLater(): void {
    const due = this.cloud.nextDue()
    if (due === undefined || due >= this.#advanceAt) return
    this.#advanceAt = due
    this.clock.after(due - this.clock.now(), () => {
      this.#advanceAt = Number.POSITIVE_INFINITY
      this.cloud.advance(this.clock.now())
      this.advanceLater()
    })
  }

  /** Whatever goes wrong, a node never gets more ENIs than its instance can carry. People may make some, too. */
  #countEnis(): void {
    // What the lost database had just asked for is not known to the next one before the cloud shows it.
    if (this.hosts.some(({ lostAt }) => this.clock.now() - lostAt < 600_000)) return
    const { enis } = this.cloud.admin.audit(this.clock.now())
    const { maxEnisPerNode = Number.POSITIVE_INFINITY } = this.settings
    for (const { name, mostEnis } of this.nodes) {
      const most = Math.min(mostEnis, maxEnisPerNode)
      const made = enis.filter(({ tags }) => tags['tke-eni-node'] === name && 'tke-eni-intent' in tags).length
      if (made > most) this.faults.push(`${made} ENIs are made for ${name}, which can carry ${most}`)
    }
  }

  /** Who asked for an ENI of his own has one, as long as nothing keeps his node from knowing what he asked for. */
  #seeConnected(node: SimNode, pod: PodFact, address: Ipv4, askedAt: Millis): void {
    this.faults.push(...this.promises.connected(node, pod, address, askedAt))
    this.faults.push(...this.eips.connected(node, pod, address, askedAt))
    const mode = node.ledger?.eniOf(address)?.mode
    const since = this.expected.exclusiveSince(node.name)
    if (mode === undefined || mode === pod.wants || askedAt - this.calmSince < 60_000) return
    if (askedAt - since < 1000) return
    this.faults.push(`${node.name}: ${pod.name} wants ${pod.wants}, and has ${address} of a ${mode} ENI`)
  }

  /** A reservation is never let go while it keeps what is promised. One of another's claim keeps from it what somebody's own has lost. */
  #seeRelease(params: unknown): void {
    const { ReserveIpIds: ids = [] } = params as { readonly ReserveIpIds?: readonly string[] }
    for (const id of ids) {
      const { address, name } = this.#reserved.get(id) ?? {}
      const promised = this.promises.all().find((one) => one.address === address)
      if (promised === undefined || promised.name !== (name ?? promised.name)) continue
      this.faults.push(`${address} is given up before its time: it is kept for ${promised.name}`)
    }
  }

  #noteReservations(): void {
    const { reservations } = this.cloud.admin.audit(this.clock.now())
    for (const { address, id, tags } of reservations)
      this.#reserved.set(id, { address, name: purposeOfReservation(tags)?.name })
  }

  /** The container subnet of the zone. */
  subnetOf(zone: string): string | undefined {
    return podSubnets[zones.indexOf(zone)]
  }

  /** Addresses that nobody has and nothing keeps. */
  freeIn(subnet: string): number {
    const { enis, ips, reservations } = this.cloud.admin.audit(this.clock.now())
    const inSubnet = new Set(enis.filter(({ subnetId }) => subnetId === subnet).map(({ id }) => id))
    const taken = new Set([
      ...ips.filter(({ eniId }) => inSubnet.has(eniId)).map(({ address }) => address),
      ...reservations.filter(({ subnetId }) => subnetId === subnet).map(({ address }) => address),
    ])
    return 2 ** (32 - (this.shape.subnetBits[podSubnets.indexOf(subnet)] ?? 24)) - 3 - taken.size
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
    const carried = fabric.flatMap((eni) =>
      [eni.primaryIp, ...eni.ips].map((address) => ({ address, instanceId: eni.instanceId, mac: eni.mac })),
    )
    this.boundTo = new Map(carried.map(({ address, instanceId }) => [address, instanceId]))
    this.macOf = new Map(carried.map(({ address, mac }) => [address, mac]))
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
    for (const host of this.hosts) host.close()
    for (const { backup, db } of this.nodes) {
      db.close()
      backup?.close()
    }
  }
}
