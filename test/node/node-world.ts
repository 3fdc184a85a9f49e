// One node for tests: its agent over a real database file, the kernel twin, and Kubernetes as far as an agent sees it.
import { copyFileSync, mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import type { TestContext } from 'node:test'
import type { Clock } from '../../internal/base/clock.ts'
import { seededRandom } from '../../internal/base/random.ts'
import { IpamError } from '../../internal/ipam/errors.ts'
import type { Nec, NodeReport, Notice, PodFact, PoolBounds, PublishedEni } from '../../internal/ipam/types.ts'
import { type Agent, type NodePorts, startAgent } from '../../internal/node/agent.ts'
import { type NodeSettings, nodeDefaults } from '../../internal/node/settings.ts'
import type { Feed, Linux, NodeKube, NodeLedger, Sandbox } from '../../internal/ports.ts'
import { type Database, openDatabase } from '../../internal/sqlite/database.ts'
import { markRestored } from '../../internal/store/mark-restored.ts'
import { nodeLedger } from '../../internal/store/node/ledger.ts'
import type { Ipv4 } from '../../internal/value/ipv4.ts'
import type { Mac } from '../../internal/value/mac.ts'
import { nodeMigrations } from '../../migrations/index.ts'
import { DiskTwin } from '../fake/disk-twin.ts'
import { known, nodeBounds, noPool } from '../given.ts'
import { KernelTwin } from '../sim/world/kernel-twin.ts'
import { immortal, newMachine, Process } from '../sim/world/process.ts'
import { LogBook } from './log-book.ts'

export class NodeWorld {
  readonly clock: Clock
  readonly kernel = new KernelTwin(nodeDefaults.routeTableBase)
  readonly log = new LogBook()
  readonly disk = new DiskTwin()
  readonly machine = newMachine('node', seededRandom(2))
  readonly reports: NodeReport[] = []
  readonly notices: Notice[] = []
  readonly folder: string
  db: Database
  ledger: NodeLedger
  agent: Agent | undefined
  /** What the API server has: what an agent is told when it starts. */
  /** Of the leader that publishes. */
  epoch = 1
  nec: Nec | undefined
  pods: readonly PodFact[] = []
  /** What is published of exclusive ENIs. */
  exclusive = noPool
  shared: Partial<PoolBounds> = {}
  staticIps = false
  eips = 0
  /** The API server answers nothing and tells nothing. */
  apiDown = false
  /** Calls to the kernel that fail. */
  readonly broken = new Set<keyof Linux>()
  /** An ENI that cannot be set up, and a pod that cannot be disconnected. */
  brokenEni: Mac | undefined
  brokenAddress: Ipv4 | undefined
  surveys = 0
  /** What lies between the agent and its ports. */
  between: (ports: NodePorts) => NodePorts = (ports) => ports
  #feeds: { nec: Feed<Nec>; pods: Feed<PodFact> } | undefined
  #process: Process

  constructor(t: Pick<TestContext, 'after'>, clock: Clock) {
    this.clock = clock
    this.folder = mkdtempSync(join(tmpdir(), 'node-world-'))
    this.#process = this.#newProcess()
    this.db = this.#open()
    this.ledger = nodeLedger(this.db, this.#process.clock, () => 'db-1')
    t.after(() => {
      this.crash()
      this.db.close()
      rmSync(this.folder, { recursive: true })
    })
  }

  async start(settings: Partial<NodeSettings> = {}): Promise<Agent> {
    this.agent = await startAgent(
      this.between({
        kube: this.#kube(),
        linux: this.#linux(),
        ledger: this.ledger,
        clock: this.#process.clock,
        random: seededRandom(1),
        log: this.log,
      }),
      { ...nodeDefaults, nodeName: 'n1', version: 'test', bootId: 'boot-1', ...settings },
    )
    return this.agent
  }

  /** The process is gone from one moment to the next; what was committed stays, and a new one can be started. */
  crash(): void {
    this.agent?.stop()
    this.#process.kill('crash')
    this.agent = undefined
    this.db.close()
    this.#process = this.#newProcess()
    this.db = this.#open()
    this.ledger = nodeLedger(this.db, this.#process.clock, () => 'db-1')
  }

  /** As `crash`, and the file is gone. */
  loseDatabase(): void {
    this.crash()
    this.db.close()
    rmSync(join(this.folder, 'node.db'))
    this.db = this.#open()
    this.ledger = nodeLedger(this.db, this.#process.clock, () => 'db-2')
  }

  /** A copy of the database as it is now. */
  backup(): string {
    const path = join(this.folder, 'backup.db')
    this.db.run(`VACUUM INTO ?`, path)
    return path
  }

  /** As `crash`, and then the backup is the database. */
  restore(backup: string): void {
    this.crash()
    this.db.close()
    for (const end of ['', '-wal', '-shm']) rmSync(join(this.folder, `node.db${end}`), { force: true })
    copyFileSync(backup, join(this.folder, 'node.db'))
    this.db = this.#open()
    markRestored(this.db, 'node', 'now')
    this.ledger = nodeLedger(this.db, this.#process.clock, () => 'db-3')
  }

  /** The leader publishes these ENIs; their links are there unless `links` says which are. */
  publish(enis: readonly PublishedEni[], links: readonly PublishedEni[] = enis): void {
    this.kernel.setEnis(links.map(({ mac }) => mac))
    const publication = {
      epoch: this.epoch,
      instanceId: 'ins-1',
      zone: 'zone-a',
      staticIps: this.staticIps,
      eips: this.eips,
      ...nodeBounds({ minWarm: 0, maxWarm: 2, maxEnis: 3, ipsPerEni: 60, ...this.shared }, this.exclusive),
      enis,
      conditions: [],
    }
    const report = this.nec?.report
    this.nec = { name: 'n1', uid: 'uid-nec', annotations: {}, publication, report, fault: undefined }
    if (!this.apiDown) this.#feeds?.nec.changed(this.nec)
  }

  /** The watch tells of this NEC, whatever it is. */
  tell(nec: Nec): void {
    this.#feeds?.nec.changed(nec)
  }

  showPods(pods: readonly PodFact[]): void {
    this.pods = pods
    if (!this.apiDown) this.#feeds?.pods.replaced(pods)
  }

  sandbox(name: string, containerId = `c-${name}`): Sandbox {
    const netns = `/run/netns/${containerId}`
    this.kernel.namespaces.add(netns)
    return { containerId, ifname: 'eth0', netns, pod: { namespace: 'default', name, uid: `uid-${name}` } }
  }

  history(): string[] {
    const sql = `SELECT event, address, pod_name, reason FROM ip_history ORDER BY seq`
    return this.db
      .all<{ event: string; address: string; pod_name: string | null; reason: string }>(sql)
      .map(({ event, address, pod_name }) => [event, address, pod_name ?? ''].join(' ').trim())
  }

  #open(): Database {
    const path = join(this.folder, 'node.db')
    return this.disk.under(openDatabase({ path, kind: 'node', migrations: nodeMigrations }))
  }

  #newProcess(): Process {
    return new Process(this.machine, this.clock, immortal, () => {})
  }

  #kube(): NodeKube {
    const feeds: { nec?: Feed<Nec>; pods?: Feed<PodFact> } = {}
    const whole = () => {
      if (feeds.nec !== undefined && feeds.pods !== undefined)
        this.#feeds = { nec: feeds.nec, pods: feeds.pods }
      return () => {}
    }
    return {
      watchNec: (feed) => {
        feeds.nec = feed
        if (!this.apiDown)
          this.#process.clock.after(1, () => feed.replaced(this.nec === undefined ? [] : [this.nec]))
        return whole()
      },
      watchPods: (feed) => {
        feeds.pods = feed
        if (!this.apiDown) this.#process.clock.after(1, () => feed.replaced(this.pods))
        return whole()
      },
      report: async (report) => {
        if (this.apiDown) throw new IpamError('unavailable', 'Cannot report: the API server is down')
        this.reports.push(report)
        this.nec = { ...known(this.nec), report }
        this.#feeds?.nec.changed(this.nec)
      },
      notify: (notice) => void this.notices.push(notice),
    }
  }

  #linux(): Linux {
    const linux = this.kernel.linux(this.#process)
    const check = (call: keyof Linux) => {
      if (this.broken.has(call)) throw new IpamError('kernel', `Cannot ${call}: it is broken`)
    }
    return {
      ...linux,
      survey: () => {
        this.surveys++
        return linux.survey()
      },
      /** As the real one: the others are made all the same. */
      apply: async (changes) => {
        const possible = changes.filter(
          (change) => change.kind !== 'set-up-eni' || change.eni.mac !== this.brokenEni,
        )
        await linux.apply(possible)
        if (possible.length < changes.length)
          throw new IpamError('kernel', 'Cannot set up the ENI: it is broken')
      },
      async connectPod(wiring) {
        check('connectPod')
        return linux.connectPod(wiring)
      },
      disconnectPod: async (wiring) => {
        check('disconnectPod')
        if (wiring.address === this.brokenAddress)
          throw new IpamError('kernel', `Cannot disconnect ${wiring.address}: it is broken`)
        return linux.disconnectPod(wiring)
      },
    }
  }
}

/** A pod of this node as Kubernetes shows it. */
export function podOf(sandbox: Sandbox): PodFact {
  return {
    ...sandbox.pod,
    node: 'n1',
    hostNetwork: false,
    terminal: false,
    deleting: false,
    wants: 'shared',
    ip: undefined,
    keepsIp: false,
  }
}
