// A dev cluster of which processes die: what should run on it, and when everything is as it should be again.
import { rmSync } from 'node:fs'
import { join } from 'node:path'
import { setTimeout as delay } from 'node:timers/promises'
import { auditCluster, type DevAudit } from '../../../cmd/dev/audit.ts'
import { type DevCluster, type DevNode, startDevCluster } from '../../../cmd/dev/cluster.ts'
import { lastWords, openIntents, ping } from '../../../cmd/dev/look.ts'
import { createPod, deletePod, listPods } from '../../../cmd/dev/pods.ts'
import { readPools } from '../../../cmd/dev/pools.ts'
import { query } from '../../../cmd/dev/query.ts'
import { clusterId, podSubnets, vpc } from '../../../cmd/dev/topology.ts'
import { tagsOf } from '../../../internal/ipam/eni-tags.ts'
import { hostLinkName, hostLinkPrefix } from '../../../internal/ipam/host-link.ts'
import { nodeNetns } from '../../../internal/sim/fabric/fabric-lines.ts'
import type { Audit } from '../../../internal/sim/vpc/audit.ts'
import { type Console, cloudConsole } from '../../sim/world/console.ts'
import { temporaryFolder } from '../service.ts'
import { askAgent } from './ask-agent.ts'
import { inSandbox } from './in-sandbox.ts'

const warm = { min: 1, max: 2 }
const patienceMs = 120_000

export interface Verdict extends DevAudit {
  /** Pods that should run, and those of them that answer a ping. */
  readonly wanted: number
  readonly answering: number
}

export class Rig {
  readonly cluster: DevCluster
  /** Node of each pod that should run. */
  readonly #pods = new Map<string, string>()
  #made = 0
  #statics = 0
  #bare: string | undefined

  static async start(executable: string): Promise<Rig> {
    const cluster = await startDevCluster({
      directory: temporaryFolder('crash'),
      kubeListen: { host: '127.0.0.1', port: 0 },
      leaderFlags: [
        '--reconcile-interval=2s',
        '--node-leave-after=1s',
        `--ip-min-warm-target=${warm.min}`,
        `--ip-max-warm-target=${warm.max}`,
      ],
      nodeFlags: ['--cooldown=1s', '--release-interval=1s', '--report-interval=1s', '--enable-quick-release'],
      logLevel: 'info',
      program: [executable],
    })
    return new Rig(cluster)
  }

  private constructor(cluster: DevCluster) {
    this.cluster = cluster
  }

  /** Nodes with an agent. */
  served(): readonly string[] {
    return this.cluster.nodes().flatMap(({ name }) => (name === this.#bare ? [] : [name]))
  }

  /** With an agent. */
  async addNode(): Promise<void> {
    await this.cluster.addNode()
  }

  /** Without one: work for the leader only. */
  async joinBareNode(): Promise<void> {
    this.#bare = (await this.cluster.joinNode()).name
  }

  async removeBareNode(): Promise<void> {
    if (this.#bare !== undefined) await this.cluster.removeNode(this.#bare)
    this.#bare = undefined
  }

  /** One of them has a name as long as it may be: a link's alias has no room for it. */
  async makePods(node: string, count: number): Promise<void> {
    for (let i = 0; i < count; i++) {
      const name = `pod-${++this.#made}${i === count - 1 ? '-'.padEnd(200, 'x') : ''}`
      await createPod(this.cluster.kube, name, node)
      this.#pods.set(name, node)
    }
  }

  /** Ends the oldest pods of the node. */
  async endPods(node: string, keep: number): Promise<void> {
    const here = [...this.#pods].filter(([, where]) => where === node).map(([name]) => name)
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
      const [sandbox] = query<{ container_id: string; ifname: string; netns: string }>(
        this.cluster.nodeDb(node),
        'node',
        'SELECT container_id, ifname, netns FROM attachment',
      )
      if (sandbox === undefined) continue
      const socket = join(this.cluster.directory, 'nodes', node, 'cni.sock')
      await askAgent(socket, 'CHECK', sandbox).catch(() => {})
    }
  }

  /** The leader comes back with an empty disk. */
  async loseLedger(): Promise<void> {
    const { cluster } = this
    await cluster.haltLeader()
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

  /** Somebody adds to what the leader has: an address, and an ENI that looks like ours. The ENI of the bare node is taken off. */
  async addByHand(): Promise<void> {
    const [node, eni] = this.#firstEni(this.served()[0])
    const { name, instanceId } = node
    const tags = tagsOf({ clusterId, node: name, instanceId, slot: 3, mode: 'shared', token: 'by hand' })
    this.#hand.create({ vpc: vpc.id, subnet: podSubnets[0].id, tags, ips: 1 })
    this.#hand.assign(eni, 1)
    const [bare, its] = this.#firstEni(this.#bare)
    this.#hand.detach(its, bare.instanceId)
    await this.until('the ENI is off', () => this.#eni(its)?.instanceId === null)
    await this.cluster.killLeader() // its survey comes with its start
  }

  /** Somebody takes away an idle address, and the ENI of the bare node. */
  async removeByHand(): Promise<void> {
    const [node, eni] = this.#firstEni(this.served()[0])
    const idle = this.#audit().ips.find(
      ({ address, primary, eniId }) => eniId === eni && !primary && !this.#isInUse(node.name, address),
    )
    if (idle !== undefined) this.#hand.unassign(eni, idle.address)
    const [bare, its] = this.#firstEni(this.#bare)
    this.#hand.detach(its, bare.instanceId)
    await this.until('the ENI is off', () => this.#hand.remove(its))
    await this.until('the ENI is gone', () => this.#eni(its) === undefined)
    await this.cluster.killLeader()
  }

  /** A link that looks like a pod's and says not whose: each agent finds it as it starts. */
  async makeStrayLinks(): Promise<void> {
    await this.#onStrayLinks((link) => ['add', link, 'type', 'veth', 'peer', 'name', 'stray'])
  }

  async removeStrayLinks(): Promise<void> {
    await this.#onStrayLinks((link) => ['del', link])
  }

  async #onStrayLinks(change: (link: string) => readonly string[]): Promise<void> {
    const { host } = this.cluster
    for (const node of this.served()) {
      await inSandbox(host, ['ip', '-n', nodeNetns(node), 'link', ...change(hostLinkName('stray', 'eth0'))])
      await host.call('killAgent', { node })
    }
  }

  get #hand(): Console {
    return cloudConsole(this.cluster.cloud, () => Date.now())
  }

  #audit(): Audit {
    return this.cluster.cloud.admin.audit(Date.now())
  }

  #eni(wanted: string): Audit['enis'][number] | undefined {
    return this.#audit().enis.find(({ id }) => id === wanted)
  }

  /** The ENI that the node had first, and its node. */
  #firstEni(name: string | undefined): readonly [DevNode, string] {
    const node = this.cluster.nodes().find((one) => one.name === name)
    const eni = this.#audit().enis.find((one) => one.instanceId === node?.instanceId && !one.primary)
    if (node === undefined || eni === undefined) throw new Error(`node "${name}" has no ENI`)
    return [node, eni.id]
  }

  #isInUse(node: string, address: string): boolean {
    return (
      query(this.cluster.nodeDb(node), 'node', 'SELECT 1 FROM attachment WHERE address = ?', address).length >
      0
    )
  }

  failedIntents(): number {
    return this.#leaderRows(`SELECT id FROM intent WHERE state = 'failed'`).length
  }

  /** Throws when it takes too long. */
  async until(what: string, holds: () => boolean | Promise<boolean>): Promise<void> {
    const deadline = Date.now() + patienceMs
    while (!(await holds())) {
      if (Date.now() > deadline) throw this.#stuck([what])
      await delay(50)
    }
  }

  /** Once all is as it should be; `stop` ends the wait. Throws what is still amiss when that takes too long. */
  async settled(stop: () => boolean = () => false): Promise<Verdict | undefined> {
    const deadline = Date.now() + patienceMs
    for (;;) {
      if (stop()) return undefined
      const found = await this.#look().catch((error: Error) => [error.message])
      if (!Array.isArray(found)) return found
      if (Date.now() > deadline) throw this.#stuck([...found, ...(await this.#leaks())])
      await delay(150)
    }
  }

  /** What is amiss, or the verdict when nothing is. What costs little is asked first. */
  async #look(): Promise<Verdict | string[]> {
    const { cluster } = this
    const running = await listPods(cluster.kube)
    const amiss = [
      ...(openIntents(cluster) > 0 ? ['cloud calls are open'] : []),
      ...differences('node', namesOf(cluster.nodes()), this.#leaderRows('SELECT name AS id FROM node')),
      ...differences('pod', [...this.#pods.keys()], namesOf(running)),
      ...namesOf(running.filter(({ address }) => address === undefined)).map((name) => `no address: ${name}`),
      ...this.#poolsAmiss(),
      ...this.#enisAmiss(),
    ]
    if (amiss.length > 0) return amiss
    const audit = await auditCluster(cluster)
    const disagreed = [
      ...audit.leaks,
      ...audit.doubles,
      ...(audit.pods === running.length + this.#statics ? [] : [`${audit.pods} attachments`]),
    ]
    if (disagreed.length > 0) return disagreed
    const answers = await Promise.all(
      running.map((pod, i) => ping(cluster, pod, running.at(i - 1)?.address ?? '', 1)),
    )
    const answering = answers.filter(({ received }) => received === 1).length
    if (answering < running.length) return [`${running.length - answering} pods do not answer`]
    return { ...audit, wanted: running.length, answering }
  }

  /** What disagrees beside what is still in motion. */
  async #leaks(): Promise<readonly string[]> {
    const { leaks, doubles } = await auditCluster(this.cluster)
    const quarantines = this.served().flatMap((node) =>
      query<{ row: string }>(
        this.cluster.nodeDb(node),
        'node',
        `SELECT kind || ' ' || subject || ': ' || reason AS row FROM quarantine`,
      ).map(({ row }) => `quarantine of ${node}: ${row}`),
    )
    return [...leaks, ...doubles, ...quarantines]
  }

  #leaderRows(sql: string): string[] {
    return query<{ id: string }>(this.cluster.leaderDb, 'leader', sql).map(({ id }) => id)
  }

  #poolsAmiss(): readonly string[] {
    const pools = readPools(this.cluster).filter(({ node }) => node !== this.#bare)
    return pools.flatMap(({ node, idle, returning }) => {
      // The leader does not count static pods.
      const isWell = returning === 0 && idle >= warm.min - this.#statics && idle <= warm.max
      return isWell ? [] : [`pool of ${node}: ${idle} idle, ${returning} returning`]
    })
  }

  /** ENIs of each node as ledger and cloud see them; each node has one. */
  #enisAmiss(): readonly string[] {
    const { enis } = this.#audit()
    return this.cluster.nodes().flatMap(({ name, instanceId }) => {
      const ledger = this.#leaderRows(`SELECT id FROM eni WHERE node = '${name}' AND state = 'attached'`)
      const cloud = enis.filter((eni) => eni.instanceId === instanceId && !eni.primary).map(({ id }) => id)
      const none = ledger.length === 0 ? [`no ENI on ${name}`] : []
      return [...none, ...differences(`ENI of ${name} in the ledger`, cloud, ledger)]
    })
  }

  #stuck(amiss: readonly string[]): Error {
    return new Error(`not settled after two minutes:\n${amiss.join('\n')}\n${lastWords(this.cluster)}`)
  }
}

function namesOf(items: readonly { readonly name: string }[]): readonly string[] {
  return items.map(({ name }) => name)
}

function differences(what: string, wanted: readonly string[], found: readonly string[]): readonly string[] {
  return [
    ...wanted.filter((item) => !found.includes(item)).map((item) => `${what} missing: ${item}`),
    ...found.filter((item) => !wanted.includes(item)).map((item) => `${what} too many: ${item}`),
  ]
}
