// A leader for tests: a real database file, the simulated cloud behind the real client, and the twin of Kubernetes.

import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import type { TestContext } from 'node:test'
import { seededRandom } from '../../internal/base/random.ts'
import { purposeOf } from '../../internal/ipam/eni-tags.ts'
import type { NodeReport, PodFact, PublishedEni } from '../../internal/ipam/types.ts'
import { type Leader, startLeader } from '../../internal/leader/leader.ts'
import { type LeaderSettings, leaderDefaults } from '../../internal/leader/settings.ts'
import type { LeaderLedger } from '../../internal/ports.ts'
import type { Audit } from '../../internal/sim/vpc/audit.ts'
import { openVpcSim, type VpcSim } from '../../internal/sim/vpc/sim.ts'
import { type Database, openDatabase } from '../../internal/sqlite/database.ts'
import { leaderLedger } from '../../internal/store/leader/ledger.ts'
import type { Ipv4 } from '../../internal/value/ipv4.ts'
import { createCloud } from '../../internal/vpc/cloud.ts'
import type { Transport } from '../../internal/vpc/transport.ts'
import { leaderMigrations } from '../../migrations/index.ts'
import { DiskTwin } from '../fake/disk-twin.ts'
import { withRequestIds } from '../fake/request-ids.ts'
import { VirtualClock } from '../fake/virtual-clock.ts'
import { known, nodeReport, warm } from '../given.ts'
import { LogBook } from '../node/log-book.ts'
import { type Console, cloudConsole } from '../sim/world/console.ts'
import { KubeTwin } from '../sim/world/kube-twin.ts'
import { immortal, newMachine, Process } from '../sim/world/process.ts'
import { DrawsApart, linkWithEipsApart } from './eips-apart.ts'

export const zone = 'ap-guangzhou-3'
export const vpcId = 'vpc-00000001'
export const podSubnet = 'subnet-0000pods'
export const nodeSubnet = 'subnet-000nodes'

export class LeaderWorld {
  readonly clock = new VirtualClock()
  readonly kube = new KubeTwin(this.clock, seededRandom(1))
  readonly log = new LogBook()
  readonly disk = new DiskTwin()
  readonly machine = newMachine('leader', seededRandom(7))
  readonly cloud: VpcSim
  readonly folder: string
  readonly settings: LeaderSettings
  /** What lies between the cloud's client and the cloud. */
  between: (cloud: Transport) => Transport = (cloud) => cloud
  db: Database
  ledger: LeaderLedger
  leader: Leader | undefined
  #inForce: LeaderSettings
  #process: Process
  /** The same, for calls about EIPs. */
  #ofEips: Process
  readonly #eipMachine = newMachine('leader', seededRandom(13))
  #starts = 0

  constructor(t: TestContext, settings: Partial<LeaderSettings> = {}, subnetCidr = '10.0.1.0/24') {
    this.settings = {
      ...leaderDefaults,
      clusterId: 'cls-test',
      subnetIds: [podSubnet],
      securityGroups: ['sg-12345678'],
      defaults: warm(2, 3),
      ...settings,
    }
    this.#inForce = this.settings
    this.folder = mkdtempSync(join(tmpdir(), 'leader-world-'))
    const draws = new DrawsApart(seededRandom(3))
    const cloud = openVpcSim({ path: ':memory:', random: draws, latency: { minMs: 200, maxMs: 900 } })
    this.cloud = draws.serving(cloud)
    const { admin } = this.cloud
    admin.createVpc({ id: vpcId, cidr: '10.0.0.0/16' }, this.clock.now())
    admin.createSubnet({ id: podSubnet, vpcId, cidr: subnetCidr, zone }, this.clock.now())
    admin.createSubnet({ id: nodeSubnet, vpcId, cidr: '10.0.8.0/24', zone }, this.clock.now())
    this.#process = this.#newProcess()
    this.#ofEips = this.#newProcess(this.#eipMachine)
    this.db = this.#open()
    this.ledger = leaderLedger(this.db, this.#process.clock)
    t.after(() => {
      this.#end()
      this.cloud.close()
      rmSync(this.folder, { recursive: true })
    })
  }

  /** `changed`: what is set otherwise from now on. */
  start(changed: Partial<LeaderSettings> = {}): Leader {
    const { clock } = this.#process
    // No leader makes the tokens of the one before again.
    const random = seededRandom(5 + 1000 * this.#starts++)
    const cloud = createCloud({
      transport: this.between(withRequestIds(linkWithEipsApart(this.cloud, this.#process, this.#ofEips))),
      clock,
      random,
      log: this.log,
    })
    const { keepSources } = this.kube.leader(this.#ofEips)
    const kube = { ...this.kube.leader(this.#process), keepSources }
    this.#inForce = { ...this.settings, ...changed }
    this.leader = startLeader(
      { kube, cloud, ledger: this.ledger, clock, random, log: this.log, nameLedger: () => Promise.resolve() },
      this.#inForce,
    )
    return this.leader
  }

  /** As after SIGHUP. */
  reload(changed: Partial<LeaderSettings>): void {
    Object.assign(this.#inForce, changed)
    this.leader?.wake()
  }

  /** The process is gone from one moment to the next; what was committed stays. */
  crash(): void {
    this.#end()
    this.#renew()
  }

  /** The process is gone, and its database with it. */
  loseLedger(): void {
    this.#end()
    for (const end of ['', '-wal', '-shm']) rmSync(join(this.folder, `leader.db${end}`), { force: true })
    this.#renew()
  }

  /** What of the ledger a rebuilt one must have, too: all but times, keys and what is over. */
  dump(): unknown {
    const { db } = this
    return {
      nodes: db.all(
        `SELECT name, uid, instance_id, zone, phase, max_enis, ips_per_eni, min_warm, max_warm, exclusive_max_enis,
           exclusive_min_warm, exclusive_max_warm, max_pods, instance_enis, instance_type, quota_enis, quota_ips_per_eni,
           defaults, overrides FROM node ORDER BY name`,
      ),
      enis: db.all(
        `SELECT id, node, slot, subnet_id, subnet_cidr, mac, primary_ip, state, goal FROM eni ORDER BY id`,
      ),
      ips: db.all(
        `SELECT address, eni.id AS eni, ip.state, "grant", pod_namespace, pod_name, pod_uid
         FROM ip JOIN eni ON eni.key = ip.eni ORDER BY number`,
      ),
    }
  }

  get console(): Console {
    return cloudConsole(this.cloud, () => this.clock.now())
  }

  suspects(): string[] {
    return this.ledger.suspects().map(({ kind, subject }) => `${kind} ${subject}`)
  }

  /** Reasons of events about the pod, in order. */
  podReasons(pod: string): string[] {
    return this.kube.notices
      .filter(({ about }) => about.kind === 'Pod' && about.name === pod)
      .map(({ reason }) => reason)
  }

  addInstance(instanceType = 'SA2.SMALL1'): string {
    return this.cloud.admin.createInstance({ instanceType, subnetId: nodeSubnet }, this.clock.now()).id
  }

  /** A node on a new instance, as the cloud controller shows it. */
  addNode(name: string, instanceType = 'SA2.SMALL1'): string {
    const id = this.addInstance(instanceType)
    this.kube.nodes.put(name, {
      name,
      uid: `uid-${id}`,
      instanceId: id,
      maxPods: undefined,
      unavailable: false,
    })
    return id
  }

  addPods(node: string, ...names: readonly string[]): void {
    for (const name of names) this.kube.pods.put(`uid-${name}`, podOn(node, name))
  }

  /** What the agent of `node` gives up. */
  giveBack(node: string, returned: NodeReport['returned']): void {
    const nec = known(this.kube.necs.items.get(node))
    this.kube.necs.put(node, { ...nec, report: nodeReport({ returned }) })
  }

  published(node: string): readonly PublishedEni[] {
    return this.kube.necs.items.get(node)?.publication?.enis ?? []
  }

  addresses(node: string): Ipv4[] {
    return this.published(node).flatMap(({ ips }) => ips.map(({ address }) => address))
  }

  condition(node: string): string | undefined {
    return this.kube.necs.items.get(node)?.publication?.conditions[0]?.reason
  }

  /** Reasons of events on the node, in order. */
  reasons(node: string): string[] {
    return this.kube.notices
      .filter(({ about }) => about.kind === 'Node' && about.name === node)
      .map(({ type, reason }) => `${type} ${reason}`)
  }

  /** ENIs of ours in the cloud, in whatever state. */
  cloudEnis({ enis }: Pick<Audit, 'enis'> = this.cloud.admin.audit(this.clock.now())) {
    return enis.filter(({ tags }) => Object.keys(tags).length > 0)
  }

  /** Ledger and cloud say the same, and nothing is under way. */
  differences(): string[] {
    const audit = this.cloud.admin.audit(this.clock.now())
    const enisOfOurs = this.cloudEnis(audit)
    const ours = new Set(enisOfOurs.map(({ id }) => id))
    const exclusive = new Set(
      enisOfOurs.flatMap((eni) => (purposeOf(eni).mode === 'exclusive' ? [eni.id] : [])),
    )
    const inCloud = audit.ips.filter(
      ({ eniId, primary }) => ours.has(eniId) && primary === exclusive.has(eniId),
    )
    const enis = this.db.all<{ id: string }>(`SELECT id FROM eni`).map(({ id }) => id)
    const ips = this.db.all<{ address: string }>(`SELECT address FROM ip`).map(({ address }) => address)
    return [
      ...diff('ENI', [...ours], enis),
      ...diff(
        'address',
        inCloud.map(({ address }) => address),
        ips,
      ),
      ...this.ledger.openIntents().map(({ kind, id }) => `intent ${id} (${kind}) is open`),
    ]
  }

  #end(): void {
    this.#process.kill('crash')
    this.#ofEips.kill('crash')
    this.leader = undefined
    this.db.close()
  }

  #renew(): void {
    this.#process = this.#newProcess()
    this.#ofEips = this.#newProcess(this.#eipMachine)
    this.db = this.#open()
    this.ledger = leaderLedger(this.db, this.#process.clock)
  }

  #open(): Database {
    const path = join(this.folder, 'leader.db')
    return this.disk.under(openDatabase({ path, kind: 'leader', migrations: leaderMigrations }))
  }

  #newProcess(machine = this.machine): Process {
    return new Process(machine, this.clock, immortal, () => {})
  }
}

function diff(what: string, cloud: readonly string[], ledger: readonly string[]): string[] {
  return [
    ...cloud.filter((one) => !ledger.includes(one)).map((one) => `${what} ${one} is in no ledger`),
    ...ledger.filter((one) => !cloud.includes(one)).map((one) => `${what} ${one} is not in the cloud`),
  ]
}

export function podOn(node: string, name: string, more: Partial<PodFact> = {}): PodFact {
  return {
    namespace: 'default',
    name,
    uid: `uid-${name}`,
    node,
    hostNetwork: false,
    terminal: false,
    deleting: false,
    wants: 'shared',
    ip: undefined,
    keepsIp: false,
    ...more,
  }
}
