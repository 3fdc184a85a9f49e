// The whole system in one process under one seed: leader, agents, cloud, Kubernetes and kernels, each able to fail.

import { silentLog } from '../../../internal/base/log.ts'
import { type Random, randomInt, seededRandom } from '../../../internal/base/random.ts'
import { randomToken } from '../../../internal/base/random-token.ts'
import { type Leader, startLeader } from '../../../internal/leader/leader.ts'
import { leaderDefaults } from '../../../internal/leader/settings.ts'
import { type Agent, startAgent } from '../../../internal/node/agent.ts'
import { type NodeSettings, nodeDefaults } from '../../../internal/node/settings.ts'
import type { Cloud, LeaderKube, LeaderLedger, NodeKube, NodeLedger } from '../../../internal/ports.ts'
import { openVpcSim, type VpcSim } from '../../../internal/sim/vpc/sim.ts'
import { type Database, openDatabase } from '../../../internal/sqlite/database.ts'
import { leaderLedger } from '../../../internal/store/leader/ledger.ts'
import { markRestored } from '../../../internal/store/mark-restored.ts'
import { nodeLedger } from '../../../internal/store/node/ledger.ts'
import type { Ipv4 } from '../../../internal/value/ipv4.ts'
import { createCloud } from '../../../internal/vpc/cloud.ts'
import { leaderMigrations, nodeMigrations } from '../../../migrations/index.ts'
import { VirtualClock } from '../../fake/virtual-clock.ts'
import { cloudLink } from './cloud-link.ts'
import { copyDatabase } from './copy-database.ts'
import { Hands } from './hands.ts'
import { KernelTwin } from './kernel-twin.ts'
import { KubeTwin } from './kube-twin.ts'
import { KubeletTwin } from './kubelet-twin.ts'
import { type CrashPoints, Process } from './process.ts'

export const clusterId = 'cls-sim'
/** In an order in which their references hold. */
const nodeTables = ['meta', 'eni', 'ip', 'attachment', 'ip_history', 'quarantine'] as const
const leaderTables = ['meta', 'node', 'eni', 'ip', 'intent', 'ip_history', 'quarantine']
const zones = ['ap-guangzhou-3', 'ap-guangzhou-4']

/** Where a known mistake can be built in, to see that the invariants notice it. */
export interface Plant {
  readonly cloud?: (cloud: Cloud) => Cloud
  readonly leaderKube?: (kube: LeaderKube, random: Random) => LeaderKube
  readonly leaderLedger?: (ledger: LeaderLedger) => LeaderLedger
  readonly nodeKube?: (kube: NodeKube) => NodeKube
  readonly nodeLedger?: (ledger: NodeLedger) => NodeLedger
  readonly agent?: (agent: Agent, ledger: NodeLedger) => Agent
  readonly nodeSettings?: Partial<NodeSettings>
}

export interface SimNode {
  readonly name: string
  readonly instanceId: string
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
  /** Deleted from Kubernetes; its machine is off. */
  gone: boolean
}

export class World {
  readonly seed: number
  readonly clock = new VirtualClock()
  readonly random: Random
  readonly trace: string[] = []
  readonly kube: KubeTwin
  readonly cloud: VpcSim
  leaderDb: Database
  readonly nodes: SimNode[] = []
  readonly crash: CrashPoints = { chance: 0 }
  readonly hands = new Hands(this)
  leader: Leader | undefined
  leaderProcess: Process | undefined
  ledger: LeaderLedger
  crashes = 0
  /** Instance of every address that can carry packets in the cloud. */
  boundTo: ReadonlyMap<Ipv4, string> = new Map()
  plugs = 0
  /** Restart what dies; off while an outage of the machine is wanted. */
  restarts = true
  readonly #plant: Plant
  readonly #targets: { minWarm: number; maxWarm: number }
  readonly #quickRelease: boolean
  readonly #startedAt: number
  #nodeCount = 0
  #leaderBackup: Database | undefined

  constructor(seed: number, plant: Plant = {}) {
    this.seed = seed
    this.random = seededRandom(seed)
    this.#plant = plant
    this.#startedAt = this.clock.now()
    this.kube = new KubeTwin(this.clock, this.random)
    const minWarm = randomInt(this.random, 0, 4)
    this.#targets = { minWarm, maxWarm: minWarm + randomInt(this.random, 0, 3) }
    this.#quickRelease = this.random.next() < 0.3
    this.cloud = openVpcSim({
      path: ':memory:',
      random: this.random,
      latency: { minMs: 50, maxMs: 2000 },
    })
    this.cloud.onChange(() => this.#plug())
    this.cloud.admin.createVpc({ id: 'vpc-sim00001', cidr: '10.0.0.0/16' }, this.clock.now())
    const subnets = zones.flatMap((zone, i) => [
      { id: `subnet-pods000${i}`, cidr: `10.0.${i * 16}.0/${this.random.next() < 0.3 ? 27 : 24}`, zone },
      { id: `subnet-nodes00${i}`, cidr: `10.0.${i * 16 + 8}.0/24`, zone },
    ])
    for (const subnet of subnets)
      this.cloud.admin.createSubnet({ ...subnet, vpcId: 'vpc-sim00001' }, this.clock.now())
    this.leaderDb = openDatabase({ path: ':memory:', kind: 'leader', migrations: leaderMigrations })
    this.ledger = leaderLedger(this.leaderDb, this.clock)
  }

  get targets(): { readonly minWarm: number; readonly maxWarm: number } {
    return this.#targets
  }

  log(line: string): void {
    const at = ((this.clock.now() - this.#startedAt) / 1000).toFixed(3).padStart(9)
    this.trace.push(`${at} ${line}`)
  }

  startLeader(): void {
    const died = (where: string) => this.#died('leader', where, () => this.startLeader())
    const process = new Process('leader', this.clock, this.random, this.crash, died)
    this.leaderProcess = process
    const { clock } = process
    const cloud = createCloud({
      transport: cloudLink(this.cloud, process),
      clock,
      random: this.random,
      log: silentLog,
    })
    this.ledger = leaderLedger(this.leaderDb, clock)
    const kube = this.kube.leader(process)
    this.leader = startLeader(
      {
        kube: this.#plant.leaderKube?.(kube, this.random) ?? kube,
        cloud: this.#plant.cloud?.(cloud) ?? cloud,
        ledger: this.#plant.leaderLedger?.(this.ledger) ?? this.ledger,
        clock,
        random: this.random,
        log: silentLog,
      },
      {
        ...leaderDefaults,
        clusterId,
        subnetIds: zones.map((_, i) => `subnet-pods000${i}`),
        securityGroups: ['sg-12345678'],
        targets: this.#targets,
      },
    )
    this.log('leader started')
  }

  addNode(): SimNode {
    const name = `node-${++this.#nodeCount}`
    const zone = randomInt(this.random, 0, zones.length - 1)
    const made = this.cloud.admin.createInstance(
      {
        instanceType: this.random.next() < 0.5 ? 'SA2.SMALL1' : 'S5.MEDIUM4',
        subnetId: `subnet-nodes00${zone}`,
      },
      this.clock.now(),
    )
    const kernel = new KernelTwin(nodeDefaults.routeTableBase)
    const db = openDatabase({ path: ':memory:', kind: 'node', migrations: nodeMigrations })
    const node: SimNode = {
      name,
      instanceId: made.id,
      kernel,
      db,
      kubelet: new KubeletTwin({
        node: name,
        kube: this.kube,
        kernel,
        clock: this.clock,
        random: this.random,
        agent: () => (node.process?.alive ? node.agent : undefined),
        trace: (line) => this.log(line),
      }),
      backup: undefined,
      lostAt: Number.NEGATIVE_INFINITY,
      process: undefined,
      agent: undefined,
      ledger: undefined,
      boot: 1,
      gone: false,
    }
    this.nodes.push(node)
    this.kube.nodes.put(name, { name, uid: `uid-${name}`, instanceId: made.id })
    this.log(`${name} joins in zone ${zones[zone]} on ${made.id}`)
    this.startAgent(node)
    return node
  }

  startAgent(node: SimNode): void {
    if (node.gone) return
    const died = (where: string) => this.#died(node.name, where, () => this.startAgent(node))
    const process = new Process(node.name, this.clock, this.random, this.crash, died)
    node.process = process
    node.agent = undefined
    const ledger = nodeLedger(node.db, process.clock, () => randomToken(this.random))
    node.ledger = ledger
    const kube = this.kube.agent(process, node.name)
    const settings: NodeSettings = {
      ...nodeDefaults,
      nodeName: node.name,
      version: 'sim',
      bootId: String(node.boot),
      quickRelease: this.#quickRelease,
      ...this.#plant.nodeSettings,
    }
    const ports = {
      kube: this.#plant.nodeKube?.(kube) ?? kube,
      linux: node.kernel.linux(process),
      ledger: this.#plant.nodeLedger?.(ledger) ?? ledger,
      clock: process.clock,
      random: this.random,
      log: silentLog,
    }
    void startAgent(ports, settings).then((agent) => {
      if (process.alive) node.agent = this.#plant.agent?.(agent, ledger) ?? agent
    })
  }

  /** The machine goes away: the agent stops for ever, the instance is terminated, the Node object deleted. */
  removeNode(node: SimNode): void {
    this.log(`${node.name} is removed`)
    node.gone = true
    node.kubelet.stopped = true
    node.process?.kill('node removed')
    this.cloud.admin.terminateInstance(node.instanceId, this.clock.now())
    this.kube.nodes.remove(node.name)
    // Kubernetes' own garbage collection deletes the pods of a node that is no more.
    for (const uid of node.kubelet.uids()) {
      this.clock.after(randomInt(this.random, 100, 40_000), () => this.kube.pods.remove(uid))
    }
  }

  /** The file is gone, and the leader starts with an empty one. */
  loseLeaderDatabase(): void {
    this.log('the leader loses its database')
    this.#replaceLeaderDatabase(
      openDatabase({ path: ':memory:', kind: 'leader', migrations: leaderMigrations }),
    )
  }

  backUpLeader(): void {
    this.log('the leader is backed up')
    this.#leaderBackup?.close()
    this.#leaderBackup = copyDatabase(this.leaderDb, 'leader', leaderMigrations, leaderTables)
  }

  restoreLeader(): void {
    if (this.#leaderBackup === undefined) return
    this.log('the leader gets its backup')
    const copy = copyDatabase(this.#leaderBackup, 'leader', leaderMigrations, leaderTables)
    markRestored(copy, 'leader', 'now')
    this.#replaceLeaderDatabase(copy)
  }

  #replaceLeaderDatabase(db: Database): void {
    this.leaderProcess?.kill('database replaced')
    this.leaderDb.close()
    this.leaderDb = db
    this.ledger = leaderLedger(db, this.clock)
  }

  /** The file is gone, and the agent starts with an empty one. */
  loseNodeDatabase(node: SimNode): void {
    this.log(`${node.name} loses its database`)
    this.#replaceDatabase(node, openDatabase({ path: ':memory:', kind: 'node', migrations: nodeMigrations }))
  }

  backUpNode(node: SimNode): void {
    this.log(`${node.name} is backed up`)
    node.backup?.close()
    node.backup = copyDatabase(node.db, 'node', nodeMigrations, nodeTables)
  }

  restoreNode(node: SimNode): void {
    if (node.backup === undefined) return
    this.log(`${node.name} gets its backup`)
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
    this.log(`${node.name} reboots`)
    node.boot++
    node.process?.kill('reboot')
    node.kubelet.reboot()
  }

  #died(name: string, where: string, restart: () => void): void {
    this.crashes++
    this.log(`${name} dies (${where})`)
    this.clock.after(randomInt(this.random, 50, 5000), () => {
      if (this.restarts) restart()
    })
  }

  #plug(): void {
    const fabric = this.cloud.admin.fabric()
    this.boundTo = new Map(
      fabric.flatMap((eni) => eni.ips.map((address) => [address, eni.instanceId] as const)),
    )
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
    this.leaderDb.close()
    this.#leaderBackup?.close()
    for (const { backup, db } of this.nodes) {
      db.close()
      backup?.close()
    }
  }
}
