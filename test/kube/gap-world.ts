// Leader and agent with their real adapters on the embedded API server, which remembers so little that whoever was away must
// list anew. Cloud and kernel are twins.
import type { TestContext } from 'node:test'
import { type ServedApi, serveKubeApi } from '../../internal/apiserver/http-server.ts'
import { openSqliteStorage } from '../../internal/apiserver/sqlite-storage.ts'
import { systemClock as clock, sleep } from '../../internal/base/clock.ts'
import { silentLog } from '../../internal/base/log.ts'
import { seededRandom } from '../../internal/base/random.ts'
import { connectKube } from '../../internal/kube/connect.ts'
import { installNecCrd } from '../../internal/kube/install-nec-crd.ts'
import { createLeaderKube } from '../../internal/kube/leader-kube.ts'
import { createNodeKube } from '../../internal/kube/node-kube.ts'
import { startLeader } from '../../internal/leader/leader.ts'
import { leaderDefaults } from '../../internal/leader/settings.ts'
import { type Agent, startAgent } from '../../internal/node/agent.ts'
import { nodeDefaults } from '../../internal/node/settings.ts'
import type { LeaderLedger, NodeLedger, Sandbox } from '../../internal/ports.ts'
import { openVpcSim, type VpcSim } from '../../internal/sim/vpc/sim.ts'
import { openDatabase } from '../../internal/sqlite/database.ts'
import { leaderLedger } from '../../internal/store/leader/ledger.ts'
import { nodeLedger } from '../../internal/store/node/ledger.ts'
import { createCloud } from '../../internal/vpc/cloud.ts'
import { leaderMigrations, nodeMigrations } from '../../migrations/index.ts'
import { warm } from '../given.ts'
import { LogBook } from '../node/log-book.ts'
import { cloudLink } from '../sim/world/cloud-link.ts'
import { KernelTwin } from '../sim/world/kernel-twin.ts'
import { immortal, newMachine, Process } from '../sim/world/process.ts'

export const node = 'n1'
const pods = '/api/v1/namespaces/default/pods'
const limits = { backoff: { firstMs: 5, maxMs: 20 } }

export class GapWorld {
  readonly log = new LogBook()
  readonly cloud: VpcSim
  readonly kernel = new KernelTwin(nodeDefaults.routeTableBase)
  readonly leaderLedger: LeaderLedger
  readonly nodeLedger: NodeLedger
  readonly served: ServedApi
  readonly instance: string
  #agent: Agent | undefined

  static async start(t: TestContext): Promise<GapWorld> {
    const storage = openSqliteStorage({ path: ':memory:', clock, keepChanges: 3 })
    const served = await serveKubeApi({
      storage,
      clock,
      log: silentLog,
      listen: { host: '127.0.0.1', port: 0 },
    })
    const world = new GapWorld(served)
    t.after(() => storage.close())
    t.after(() => served.close())
    await world.#run(t)
    return world
  }

  private constructor(served: ServedApi) {
    this.served = served
    this.cloud = openVpcSim({
      path: ':memory:',
      random: seededRandom(1),
      latency: { minMs: 5, maxMs: 20 },
      onChange: () => this.kernel.setEnis(this.#attached()),
    })
    const { admin } = this.cloud
    const vpcId = 'vpc-00000001'
    const zone = 'ap-guangzhou-3'
    admin.createVpc({ id: vpcId, cidr: '10.0.0.0/16' }, clock.now())
    admin.createSubnet({ id: 'subnet-0000pods', vpcId, cidr: '10.0.1.0/24', zone }, clock.now())
    this.instance = admin.createInstance(
      { instanceType: 'SA2.MEDIUM4', subnetId: 'subnet-0000pods' },
      clock.now(),
    ).id
    const open = (kind: string, migrations: typeof leaderMigrations) =>
      openDatabase({ path: ':memory:', kind, migrations })
    this.leaderLedger = leaderLedger(open('leader', leaderMigrations), clock)
    this.nodeLedger = nodeLedger(open('node', nodeMigrations), clock, () => 'db-1')
  }

  async #run(t: TestContext): Promise<void> {
    const random = seededRandom(2)
    const { log, kernel } = this
    const settings = { server: this.served.url }
    const connect = async () => {
      const client = await connectKube(settings, clock)
      t.after(() => client.close())
      return client
    }
    const client = await connect()
    await installNecCrd(client, clock, log)
    const process = new Process(newMachine('all', random), clock, immortal, () => {})
    t.after(() => process.kill('the test ends'))
    const tools = { clock, random, log, limits, defaultNetwork: 'tke-route-eni' as const }
    const leaderKube = createLeaderKube({ ...tools, client, eventClient: await connect(), instance: 'test' })
    t.after(() => leaderKube.close())
    const leader = startLeader(
      {
        kube: leaderKube,
        cloud: createCloud({ transport: cloudLink(this.cloud, process), clock, random, log }),
        ledger: this.leaderLedger,
        clock,
        random,
        log,
        nameLedger: () => Promise.resolve(),
      },
      {
        ...leaderDefaults,
        clusterId: 'cls-test',
        subnetIds: ['subnet-0000pods'],
        defaults: warm(2, 3),
        reconcileEvery: 300,
        gatherFor: 5,
        settle: { staleFor: 50, giveUpAfter: 5000 },
      },
    )
    t.after(() => leader.stop())
    this.change('POST', '/api/v1/nodes', {
      apiVersion: 'v1',
      kind: 'Node',
      metadata: { name: node, labels: { 'cloud.tencent.com/node-instance-id': this.instance } },
    })
    const nodeKube = createNodeKube({ ...tools, client: await connect(), node })
    t.after(() => nodeKube.close())
    const agent = await startAgent(
      { kube: nodeKube, linux: kernel.linux(process), ledger: this.nodeLedger, clock, random, log },
      {
        ...nodeDefaults,
        nodeName: node,
        version: 'test',
        bootId: 'boot-1',
        quickRelease: true,
        releaseEvery: 200,
        cooldown: 50,
        reportEvery: 200,
        retry: { firstMs: 20, maxMs: 50 },
      },
    )
    t.after(() => agent.stop())
    this.#agent = agent
  }

  /** Past the network: also while the server is away. The uid of the object. */
  change(method: string, url: string, body?: object): string {
    const type = method === 'PATCH' ? 'application/merge-patch+json' : 'application/json'
    const answer = this.served.api.handle({
      method,
      url,
      headers: { 'content-type': type },
      ...(body === undefined ? {} : { body: JSON.stringify(body) }),
    })
    const text = 'body' in answer ? String(answer.body) : '{}'
    return (JSON.parse(text) as { metadata?: { uid?: string } }).metadata?.uid ?? ''
  }

  /** A pod on the node; its sandbox is the caller's to add. */
  makePod(name: string): Sandbox {
    const netns = `/run/netns/${name}`
    this.kernel.namespaces.add(netns)
    const uid = this.change('POST', pods, {
      apiVersion: 'v1',
      kind: 'Pod',
      metadata: { name },
      spec: { nodeName: node, containers: [{ name: 'main', image: 'none' }] },
    })
    return { containerId: `c-${name}`, ifname: 'eth0', netns, pod: { namespace: 'default', name, uid } }
  }

  async add(sandbox: Sandbox): Promise<string> {
    const network = await this.#agent?.add(sandbox, undefined)
    const address = network?.attachment.address ?? ''
    this.change('PATCH', `${pods}/${sandbox.pod.name}/status`, {
      status: { phase: 'Running', podIP: address, podIPs: [{ ip: address }] },
    })
    return address
  }

  async remove(sandbox: Sandbox): Promise<void> {
    this.change('DELETE', `${pods}/${sandbox.pod.name}?gracePeriodSeconds=0`)
    this.kernel.namespaces.delete(sandbox.netns)
    await this.#agent?.remove(sandbox)
  }

  /** Addresses of pods as the cloud has them bound to the node. */
  bound(): ReadonlySet<string> {
    const { enis, ips } = this.cloud.admin.audit(clock.now())
    const ours = new Set(
      enis.filter((eni) => eni.instanceId === this.instance && !eni.primary).map(({ id }) => id),
    )
    return new Set(ips.filter((ip) => ours.has(ip.eniId) && !ip.primary).map(({ address }) => address))
  }

  #attached(): readonly string[] {
    return this.cloud.admin
      .fabric()
      .filter((eni) => eni.instanceId === this.instance)
      .map(({ mac }) => mac)
  }
}

export async function until(what: string, holds: () => boolean): Promise<void> {
  for (let tries = 0; !holds(); tries++) {
    if (tries > 1500) throw new Error(`Cannot wait until ${what}: not so after 15 s`)
    await sleep(clock, 10)
  }
}
