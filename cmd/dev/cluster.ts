// The dev cluster: API server, simulated cloud and leader in the user's own namespaces (so that kubectl and sqlite3 work
// from any shell), nodes and their network in a sandbox below.
import { randomUUID } from 'node:crypto'
import { existsSync } from 'node:fs'
import { join } from 'node:path'
import { type Clock, systemClock } from '../../internal/base/clock.ts'
import { type LogLevel, silentLog } from '../../internal/base/log.ts'
import { systemRandom } from '../../internal/base/random.ts'
import { errorCode, IpamError } from '../../internal/ipam/errors.ts'
import { cloudZoneLabel, type Labels, zoneLabel } from '../../internal/ipam/node-affinity.ts'
import type { KubeClient } from '../../internal/kube/client.ts'
import { connectKube } from '../../internal/kube/connect.ts'
import { runCommand } from '../../internal/linux/command.ts'
import { sandboxFault } from '../../internal/linux/sandbox.ts'
import { serveVpcSim } from '../../internal/sim/vpc/server.ts'
import { openVpcSim, type VpcSim } from '../../internal/sim/vpc/sim.ts'
import { lockFile } from '../../internal/sqlite/lock-file.ts'
import { needDirectory } from '../make-directory.ts'
import { selfCommand } from '../self-command.ts'
import { type DevApi, startEmbeddedApi } from './api.ts'
import { type DevHost, startDevHost } from './host-client.ts'
import { type DevLeader, startDevLeader } from './leader.ts'
import { startScheduler } from './scheduler.ts'
import { startStatefulSets } from './stateful-sets.ts'
import {
  clusterId,
  instanceType,
  masqConfig,
  nodeSubnets,
  podSubnets,
  region,
  subnetOfNode,
  userEips,
  vpc,
  zoneNumber,
} from './topology.ts'

export interface DevNode {
  readonly name: string
  readonly instanceId: string
  readonly address: string
  readonly zone: string
}

export interface DevCluster {
  readonly directory: string
  readonly kubeconfig: string
  /** Of the leader that is looked at: the first one, unless `lookAt` has named another. */
  readonly leaderDb: string
  readonly vpcUrl: string
  readonly kube: KubeClient
  /** Of the cloud, and of our own API server. */
  readonly clock: Clock
  readonly cloud: VpcSim
  readonly api: DevApi
  readonly host: DevHost
  nodes(): readonly DevNode[]
  nodeDb(node: string): string
  /** A new instance with its network and Node object; nothing runs on it. */
  joinNode(): Promise<DevNode>
  /** Deletes the Node object of one on which nothing runs; its instance stays. */
  removeNode(node: string): Promise<void>
  /** The same as `joinNode`, with an agent and a kubelet. */
  addNode(flags?: readonly string[]): Promise<DevNode>
  /** SIGKILL to the agent, which comes back with these flags. */
  restartAgent(node: string, flags: readonly string[]): Promise<void>
  /** The first leader. */
  readonly leader: DevLeader
  /** One more, on another machine: it sees nothing of the disk of others. `machine` names its directory. */
  addLeader(machine: string, flags?: readonly string[]): DevLeader
  /** Audits and views read this one's ledger from now on. */
  lookAt(leader: DevLeader): void
  /** SIGKILL; it is started again at once. */
  killLeader(): Promise<void>
  /** SIGKILL; it stays away until `resumeLeader`. */
  haltLeader(): Promise<void>
  /** `once`: flags of this one start. */
  resumeLeader(once?: readonly string[]): void
  close(): Promise<void>
}

export interface DevOptions {
  readonly directory: string
  /** Another API server than our own; it stays the caller's to close. */
  readonly api?: DevApi
  /** Where our own listens; a free port of the loopback when not given. */
  readonly kubeListen?: { readonly host: string; readonly port: number }
  readonly leaderFlags: readonly string[]
  readonly nodeFlags: readonly string[]
  /** StatefulSets have pods; otherwise nobody controls workloads. */
  readonly statefulSets?: boolean
  readonly logLevel: LogLevel
  /** What time it is in the cloud and for our own API server; the system's when not given. */
  readonly clock?: Clock
  /** How long the cloud works on what it has accepted; a good part of a second when not given. */
  readonly cloudLatency?: { readonly minMs: number; readonly maxMs: number }
  /** The command line of tke-eni that runs as leader and agents; this very program when not given. */
  readonly program?: readonly [string, ...string[]]
}

/** Starts everything but the nodes. Throws `kernel` where this machine allows no namespaces, and what the parts throw. */
export async function startDevCluster(options: DevOptions): Promise<DevCluster> {
  const { directory, logLevel, program = selfCommand() } = options
  await refuseUnfitMachine()
  await using stack = new AsyncDisposableStack()
  needDirectory(join(directory, 'leader'))
  needDirectory(join(directory, 'nodes'))
  const lock = lockFile(join(directory, 'dev.lock'))
  stack.defer(() => lock.release())
  refuseUsedDirectory(directory)
  const clock = options.clock ?? systemClock
  const random = systemRandom

  const ownApi = async () => {
    const own = await startEmbeddedApi({
      directory,
      listen: options.kubeListen ?? { host: '127.0.0.1', port: 0 },
      clock,
    })
    stack.defer(() => own.close())
    return own
  }
  const api = options.api ?? (await ownApi())
  const kube = await connectKube({ ...api.admin, qps: 500, burst: 500 }, clock)
  stack.defer(() => kube.close())

  const host = startDevHost({ directory, logLevel, program }, process.env)
  stack.defer(() => host.close())
  const nodes: DevNode[] = []
  let joined = 0
  const cloud = openVpcSim({
    path: join(directory, 'vpc.db'),
    random,
    region,
    latency: options.cloudLatency ?? { minMs: 100, maxMs: 400 },
    onChange: () => void plug().catch(() => {}), // the next change brings all of it
  })
  stack.defer(() => cloud.close())

  function plug(): Promise<unknown> {
    const enis = cloud.admin.fabric()
    return host.call('fabric', {
      nodes: nodes.map(({ name, instanceId }) => ({
        name,
        enis: enis.filter((eni) => eni.instanceId === instanceId),
      })),
    })
  }

  const key = { id: `AKID${randomUUID().replaceAll('-', '')}`, secret: randomUUID() }
  cloud.credentials.add(key.id, key.secret)
  cloud.admin.createVpc(vpc, clock.now())
  for (const subnet of [...nodeSubnets, ...podSubnets]) {
    cloud.admin.createSubnet({ ...subnet, vpcId: vpc.id }, clock.now())
  }
  for (const id of userEips) cloud.admin.createEip({ id }, clock.now())
  await installMasqConfig(kube)
  const vpcServer = await serveVpcSim({ sim: cloud, clock, tcp: { host: '127.0.0.1', port: 0 } })
  stack.defer(() => vpcServer.close())

  const agentFlags = (flags: readonly string[]) => [
    '--add-timeout=20s', // our kubelet ends a plugin after 30
    ...options.nodeFlags,
    '--listen-health=127.0.0.1:0',
    ...flags,
  ]
  const leaderOn = (machine: string, flags: readonly string[]) =>
    startDevLeader({
      directory: machine,
      command: [
        ...program,
        'leader',
        `--cluster-id=${clusterId}`,
        `--region=${region}`,
        `--subnets=${podSubnets.map(({ id }) => id).join(',')}`,
        '--security-groups=sg-dev00001',
        ...api.leaderFlags,
        `--vpc-endpoint=${vpcServer.url}`,
        '--credentials=environment',
        '--listen-health=127.0.0.1:0',
        '--api-bind-port=0',
        // Pods may have an ENI each; none is kept warm, so that the small nodes have room for shared ones.
        '--enable-direct-eni',
        '--eni-min-warm-target=0',
        '--eni-max-warm-target=0',
        `--log-level=${logLevel}`,
        ...options.leaderFlags,
        ...flags,
      ],
      env: { ...process.env, TENCENTCLOUD_SECRET_ID: key.id, TENCENTCLOUD_SECRET_KEY: key.secret },
      clock,
    })
  const leader = leaderOn(join(directory, 'leader'), [])
  const leaders = [leader]
  let read = leader
  stack.defer(() => Promise.all(leaders.map((each) => each.close())).then(() => undefined))
  stack.defer(
    startScheduler({
      client: kube,
      clock,
      random,
      log: silentLog,
      nodes: () => nodes.map((node) => ({ name: node.name, labels: labelsOf(node) })),
    }),
  )
  if (options.statefulSets) stack.defer(startStatefulSets({ client: kube, clock, random, log: silentLog }))
  async function joinNode(): Promise<DevNode> {
    const subnet = subnetOfNode(joined)
    const name = `node-${++joined}`
    const made = cloud.admin.createInstance({ instanceType, subnetId: subnet.id, name }, clock.now())
    const node: DevNode = { name, instanceId: made.id, address: made.address, zone: subnet.zone }
    nodes.push(node)
    await plug()
    await registerNode(kube, node, new Date(clock.now()).toISOString())
    return node
  }
  const all = stack.move()

  return {
    directory,
    kubeconfig: api.kubeconfig,
    get leaderDb() {
      return read.db
    },
    leader,
    addLeader(machine, flags = []) {
      const added = leaderOn(join(directory, machine), flags)
      leaders.push(added)
      return added
    },
    lookAt(one) {
      read = one
    },
    vpcUrl: vpcServer.url,
    kube,
    clock,
    cloud,
    api,
    host,
    nodes: () => nodes,
    nodeDb: (node) => join(directory, 'nodes', node, 'node.db'),
    joinNode,
    async removeNode(name) {
      await kube.call({ doing: `delete node "${name}"`, method: 'DELETE', path: `/api/v1/nodes/${name}` })
      nodes.splice(
        nodes.findIndex((node) => node.name === name),
        1,
      )
    },
    async addNode(flags = []) {
      const node = await joinNode()
      await host.call('startNode', {
        node: node.name,
        address: node.address,
        flags: agentFlags(flags),
        apiFlags: api.agentFlags(node.name),
        kubelet: api.kubelet(node.name),
      })
      return node
    },
    async restartAgent(node, flags) {
      await host.call('killAgent', { node, flags: agentFlags(flags) })
    },
    killLeader: () => leader.kill(),
    haltLeader: () => leader.halt(),
    resumeLeader: (once) => leader.resume(once),
    close: () => all.disposeAsync(),
  }
}

/** Its nodes had network namespaces that are gone: such a cluster can be looked at, and does not come back. */
function refuseUsedDirectory(directory: string): void {
  if (!existsSync(join(directory, 'vpc.db'))) return
  throw new IpamError('bad_input', `Cannot start in "${directory}": it holds an earlier cluster`, {
    hint: 'give another directory, or delete this one',
  })
}

async function refuseUnfitMachine(): Promise<void> {
  for (const [program, where] of [
    ['ip', 'iproute2'],
    ['nsenter', 'util-linux'],
    ['setpriv', 'util-linux'],
    ['ping', 'iputils-ping'],
  ] as const) {
    const { status } = await runCommand('sh', ['-c', `command -v ${program}`])
    if (status !== 0)
      throw new IpamError('kernel', `Cannot start the dev cluster: "${program}" is not installed`, {
        hint: `install ${where}`,
      })
  }
  const fault = await sandboxFault(runCommand)
  if (fault !== undefined) {
    throw new IpamError('kernel', `Cannot start the dev cluster: ${fault}`, {
      hint: 'allow user namespaces (sysctl kernel.unprivileged_userns_clone=1, user.max_user_namespaces above 0), or run it as root',
    })
  }
}

async function installMasqConfig(kube: KubeClient): Promise<void> {
  const create = (path: string, body: object) =>
    kube.call({ doing: 'install ip-masq-agent', method: 'POST', path, body }).catch((error: unknown) => {
      if (errorCode(error) !== 'conflict') throw error // it is there
    })
  const namespace = 'kube-system'
  await create('/api/v1/namespaces', { apiVersion: 'v1', kind: 'Namespace', metadata: { name: namespace } })
  await create(`/api/v1/namespaces/${namespace}/configmaps`, {
    apiVersion: 'v1',
    kind: 'ConfigMap',
    metadata: { name: 'ip-masq-agent-config', namespace },
    data: { config: JSON.stringify(masqConfig) },
  })
}

function labelsOf({ instanceId, name, zone }: DevNode): Labels {
  return {
    'kubernetes.io/hostname': name,
    'cloud.tencent.com/node-instance-id': instanceId,
    [zoneLabel]: zoneNumber(zone),
    [cloudZoneLabel]: zone,
  }
}

async function registerNode(kube: KubeClient, node: DevNode, now: string): Promise<void> {
  const condition = {
    type: 'Ready',
    status: 'True',
    reason: 'KubeletReady',
    message: '',
    lastHeartbeatTime: now,
    lastTransitionTime: now,
  }
  const status = {
    addresses: [{ type: 'InternalIP', address: node.address }],
    conditions: [condition],
    capacity: { cpu: '2', memory: '4Gi', pods: '110' },
    allocatable: { cpu: '2', memory: '4Gi', pods: '110' },
    nodeInfo: {
      kubeletVersion: 'dev',
      osImage: 'namespace',
      containerRuntimeVersion: 'none',
      kernelVersion: '',
      architecture: '',
    },
  }
  await kube.call({
    doing: `register node "${node.name}"`,
    method: 'POST',
    path: '/api/v1/nodes',
    body: {
      apiVersion: 'v1',
      kind: 'Node',
      metadata: { name: node.name, labels: labelsOf(node) },
      spec: { providerID: `qcloud:///${node.zone}/${node.instanceId}` },
    },
  })
  await kube.call({
    doing: `write status of node "${node.name}"`,
    method: 'PATCH',
    path: `/api/v1/nodes/${node.name}/status`,
    body: { status },
  })
}
