// A dev cluster of which processes die: what should run on it, and the wait until it does.
import { rmSync } from 'node:fs'
import { join } from 'node:path'
import { setTimeout as delay } from 'node:timers/promises'
import { type DevCluster, startDevCluster } from '../../../cmd/dev/cluster.ts'
import { lastWords } from '../../../cmd/dev/look.ts'
import { createPod, deletePod } from '../../../cmd/dev/pods.ts'
import { query } from '../../../cmd/dev/query.ts'
import { instanceType } from '../../../cmd/dev/topology.ts'
import { hostLinkPrefix } from '../../../internal/ipam/host-link.ts'
import { networkNames } from '../../../internal/ipam/names.ts'
import { nodeNetns } from '../../../internal/sim/fabric/fabric-lines.ts'
import type { Waits } from '../../crash/arming.ts'
import { temporaryFolder } from '../service.ts'
import { askAgent } from './ask-agent.ts'
import { inSandbox } from './in-sandbox.ts'
import { Keepers } from './keepers.ts'
import { Doubled, type Expected, look, type Verdict, whatDisagrees } from './look.ts'
import type { Stimulus } from './matrix.ts'

const warm = { min: 1, max: 2 }
const patienceMs = 120_000

/** What takes seconds to minutes takes a second or less: there is much to wait for, and this cloud's answers do not lag. */
export const waits: Waits = {
  leader: {
    reconcileEvery: 1000,
    leaveAfter: 500,
    settle: { staleFor: 1000, giveUpAfter: 5000 },
    retry: { firstMs: 200, maxMs: 1000 },
    claimRest: 3000,
    reserveAgainAfter: 1000,
    surveyEvery: 15_000,
  },
  node: {
    cooldown: 500,
    releaseEvery: 500,
    reportEvery: 500,
    repairEvery: 2000,
    roundEvery: 1000,
    linkGoneAfter: 1000,
    retry: { firstMs: 200, maxMs: 1000 },
  },
}

/** Names of pods with public addresses begin so. */
const eipPod = 'eip-'

export class Rig {
  readonly cluster: DevCluster
  /** On the first nodes with agents. */
  readonly keepers: Keepers
  /** Pod links of nobody that were made on each node, one after the other. */
  strays = 0
  /** Node of each pod that should run. */
  readonly #pods = new Map<string, string>()
  #made = 0
  #statics = 0
  /** Nodes without an agent, from the oldest on. */
  readonly #bare: string[] = []

  static async start(executable: string): Promise<Rig> {
    const cluster = await startDevCluster({
      directory: temporaryFolder('crash'),
      kubeListen: { host: '127.0.0.1', port: 0 },
      leaderFlags: [
        `--ip-min-warm-target=${warm.min}`,
        `--ip-max-warm-target=${warm.max}`,
        '--enable-static-ip',
        '--enable-ownerref',
      ],
      nodeFlags: ['--enable-quick-release'],
      logLevel: 'info',
      cloudLatency: { minMs: 50, maxMs: 150 },
      program: [executable],
    })
    // Few addresses, so that few pods need a second ENI.
    cluster.cloud.admin.setInstanceType({ name: instanceType, cpu: 2, memoryGb: 4, enis: 4, ipsPerEni: 7 })
    return new Rig(cluster, executable)
  }

  private constructor(cluster: DevCluster, executable: string) {
    this.cluster = cluster
    this.keepers = new Keepers(cluster, executable)
  }

  /** Nodes with an agent. */
  served(): readonly string[] {
    return this.cluster.nodes().flatMap(({ name }) => (this.#bare.includes(name) ? [] : [name]))
  }

  /** The oldest node without an agent. */
  bare(): string | undefined {
    return this.#bare[0]
  }

  /** With an agent. */
  async addNode(): Promise<void> {
    await this.cluster.addNode()
  }

  /** Without one: work for the leader only. */
  async joinBareNode(): Promise<void> {
    this.#bare.push((await this.cluster.joinNode()).name)
  }

  /** The youngest one. */
  async removeBareNode(): Promise<void> {
    const name = this.#bare.pop()
    if (name !== undefined) await this.cluster.removeNode(name)
  }

  /** One of them has a name as long as it may be: a link's alias has no room for it. */
  async makePods(node: string, count: number): Promise<void> {
    for (let i = 0; i < count; i++) {
      const name = `pod-${++this.#made}${i === count - 1 ? '-'.padEnd(200, 'x') : ''}`
      await createPod(this.cluster.kube, name, node)
      this.#pods.set(name, node)
    }
  }

  /** A pod with a public address. */
  async makeEipPod(node: string): Promise<void> {
    const name = `${eipPod}${++this.#made}`
    await createPod(this.cluster.kube, name, node, 'with-eip')
    this.#pods.set(name, node)
  }

  async endEipPods(): Promise<void> {
    for (const name of this.#eipPods()) {
      await deletePod(this.cluster.kube, name)
      this.#pods.delete(name)
    }
  }

  #eipPods(): readonly string[] {
    return [...this.#pods.keys()].filter((name) => name.startsWith(eipPod))
  }

  /** A pod was told that it gets none. */
  eipRefused(): boolean {
    return this.#count(`SELECT 1 FROM eip_claim WHERE reason = 'FailedAllocateEIP'`) > 0
  }

  /** A pod with an ENI of its own. */
  async makeOwnPod(node: string): Promise<void> {
    const name = `own-${++this.#made}`
    await createPod(this.cluster.kube, name, node, networkNames.exclusive)
    this.#pods.set(name, node)
  }

  /** Ends the pods of the node that have ENIs of their own. */
  async endOwnPods(node: string): Promise<void> {
    for (const [name, where] of [...this.#pods]) {
      if (where !== node || !name.startsWith('own-')) continue
      await deletePod(this.cluster.kube, name)
      this.#pods.delete(name)
    }
  }

  /** Ends the oldest pods of the node; those with public addresses stay, beside the ones that are kept. */
  async endPods(node: string, keep: number): Promise<void> {
    const all = [...this.#pods].filter(([, where]) => where === node).map(([name]) => name)
    const here = all.filter((name) => !name.startsWith(eipPod))
    for (const name of here.slice(0, Math.max(0, here.length - keep))) {
      await deletePod(this.cluster.kube, name)
      this.#pods.delete(name)
    }
  }

  /** A pod that Kubernetes does not know. */
  async makeStaticPod(node: string): Promise<void> {
    await this.cluster.host.call('runStatic', { node, name: `static-${++this.#statics}` })
  }

  /** CNI CHECK of what each agent has. An agent that dies of it does not answer. */
  async checkSandboxes(): Promise<void> {
    for (const node of this.served()) {
      const sandboxes = query<{ container_id: string; ifname: string; netns: string }>(
        this.cluster.nodeDb(node),
        'node',
        'SELECT container_id, ifname, netns FROM attachment',
      )
      const socket = join(this.cluster.directory, 'nodes', node, 'cni.sock')
      for (const sandbox of sandboxes) await askAgent(socket, 'CHECK', sandbox).catch(() => {})
    }
  }

  /** The leader comes back with an empty disk, and `meanwhile` something else has happened. */
  async loseLedger(meanwhile?: () => Promise<unknown>): Promise<void> {
    const { cluster } = this
    await cluster.haltLeader()
    await meanwhile?.()
    for (const suffix of ['', '-wal', '-shm']) rmSync(`${cluster.leaderDb}${suffix}`, { force: true })
    cluster.resumeLeader()
  }

  /** The agent comes back without its database, once each link says whose it is: that is told a little after an ADD. */
  async loseNodeDb(node: string): Promise<void> {
    const { cluster } = this
    await this.until('every link says whose it is', async () => {
      const links = await inSandbox(cluster.host, ['ip', '-n', nodeNetns(node), '-json', 'link', 'show'])
      const rows = JSON.parse(links) as readonly { readonly ifname: string; readonly ifalias?: string }[]
      return rows.every(({ ifname, ifalias }) => ifalias !== undefined || !ifname.startsWith(hostLinkPrefix))
    })
    await cluster.host.call('killAgent', { node })
    for (const suffix of ['', '-wal', '-shm']) rmSync(`${cluster.nodeDb(node)}${suffix}`, { force: true })
  }

  failedIntents(): number {
    return this.#count(`SELECT 1 FROM intent WHERE state = 'failed'`)
  }

  unansweredIntents(): number {
    return this.#count(`SELECT 1 FROM intent WHERE state = 'recorded' AND error IS NOT NULL`)
  }

  #count(sql: string): number {
    return query(this.cluster.leaderDb, 'leader', sql).length
  }

  /** Throws when it takes too long. */
  async until(what: string, holds: () => boolean | Promise<boolean>): Promise<void> {
    const deadline = Date.now() + patienceMs
    while (!(await this.#inTime(what, holds))) {
      if (Date.now() > deadline) throw this.#stuck([what])
      await delay(50)
    }
  }

  /** What it does may wait for several things, each with the patience that it deserves. */
  run({ name, run }: Stimulus): Promise<void> {
    return this.#inTime(`${name}, to its end`, () => run(this), 3 * patienceMs)
  }

  /** No answer is a failure, too. */
  async #inTime<T>(what: string, work: () => T | Promise<T>, patience = patienceMs): Promise<T> {
    const over = new AbortController()
    const late = async () => {
      await delay(patience, undefined, { signal: over.signal })
      throw this.#stuck([what])
    }
    try {
      return await Promise.race([work(), late()])
    } finally {
      over.abort()
    }
  }

  /** Once all is as it should be; `stop` ends the wait. Throws what is amiss when that takes too long, and at once what never may be. */
  async settled(stop: () => boolean = () => false): Promise<Verdict | undefined> {
    const deadline = Date.now() + patienceMs
    for (;;) {
      if (stop()) return undefined
      const found = await this.#inTime('a look', () => look(this.#expected()).catch(messageOf))
      if (!Array.isArray(found)) return found
      if (Date.now() > deadline) throw this.#stuck([...found, ...(await whatDisagrees(this.#expected()))])
      await delay(150)
    }
  }

  #expected(): Expected {
    const { cluster, keepers } = this
    const pods = [...this.#pods.keys(), ...keepers.running()]
    return {
      cluster,
      served: this.served(),
      pods,
      keepers,
      eips: this.#eipPods(),
      statics: this.#statics,
      warm,
    }
  }

  #stuck(amiss: readonly string[]): Error {
    return new Error(`not settled after two minutes:\n${amiss.join('\n')}\n${lastWords(this.cluster)}`)
  }
}

/** A database may be in the making; an address with two owners is not waited for. */
function messageOf(error: Error): string[] {
  if (error instanceof Doubled) throw error
  return [error.message]
}
