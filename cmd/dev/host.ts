// The part of `dev` inside the sandbox: the fabric, and per node an agent and a kubelet in a network namespace of its own.
import { existsSync, mkdirSync, readdirSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import { createInterface } from 'node:readline'
import { type Clock, sleep, systemClock } from '../../internal/base/clock.ts'
import { createLog, type Log } from '../../internal/base/log.ts'
import { systemRandom } from '../../internal/base/random.ts'
import { type Rounds, startRounds } from '../../internal/base/rounds.ts'
import { readLinkAlias } from '../../internal/ipam/link-identity.ts'
import { fromPodPriority, toPodPriority } from '../../internal/ipam/plan-repair.ts'
import { connectKube } from '../../internal/kube/connect.ts'
import { runCommand } from '../../internal/linux/command.ts'
import { inNetns } from '../../internal/linux/netns.ts'
import { isHostLink } from '../../internal/linux/pod-link.ts'
import { type ServiceProcess, startService } from '../../internal/linux/service.ts'
import { createFabric, type Fabric, type Outside } from '../../internal/sim/fabric/fabric.ts'
import type { Conflist, RunPlugin } from '../../internal/sim/kubelet/cni-chain.ts'
import { type Kubelet, startKubelet } from '../../internal/sim/kubelet/kubelet.ts'
import type {
  HostAnswer,
  HostCall,
  HostCalls,
  HostRequest,
  HostSettings,
  KernelReport,
  NodeStart,
  PingReport,
} from './host-protocol.ts'
import { kubeletApi } from './kubelet-api.ts'

interface HostNode {
  readonly name: string
  readonly kubelet: Kubelet
  readonly apiFlags: readonly string[]
  flags: readonly string[]
  agent: ServiceProcess
}

/** How soon an ENI is back on its node that went with a pod's namespace: a cloud's is at once. */
const mendEveryMs = 500

type Handlers = { [Name in HostCall]: (take: HostCalls[Name]['take']) => Promise<HostCalls[Name]['give']> }

/** Serves requests on standard input until that ends. */
export async function runHost(settings: HostSettings): Promise<void> {
  const clock = systemClock
  const log = createLog(settings.logLevel)
  const fabric = await createFabric({ run: runCommand })
  if ('fault' in fabric.outside) log.warn('no public side', { error: fabric.outside.fault })
  const nodes = new Map<string, HostNode>()
  const handlers = hostHandlers({ settings, clock, log, fabric, nodes })
  const mending = keepMended(fabric, clock, log)
  for await (const line of createInterface({ input: process.stdin })) {
    const request = JSON.parse(line) as HostRequest
    void serve(handlers, request).then((answer) => process.stdout.write(`${JSON.stringify(answer)}\n`))
  }
  mending.stop()
}

function keepMended(fabric: Fabric, clock: Clock, log: Log): Rounds {
  return startRounds(clock, async () => {
    try {
      const changes = await fabric.mend()
      if (changes.length > 0) log.info('fabric mended', { changes: changes.length })
    } catch (error) {
      log.warn('fabric not mended', { error: (error as Error).message })
    }
    return mendEveryMs
  })
}

async function serve(handlers: Handlers, { id, call, take }: HostRequest): Promise<HostAnswer> {
  try {
    const handler = handlers[call] as (take: unknown) => Promise<unknown>
    return { id, give: await handler(take) }
  } catch (error) {
    return { id, error: (error as Error).message }
  }
}

interface HostParts {
  readonly settings: HostSettings
  readonly clock: Clock
  readonly log: Log
  readonly fabric: Fabric
  readonly nodes: Map<string, HostNode>
}

function hostHandlers(parts: HostParts): Handlers {
  const { fabric, nodes } = parts
  const nodeOf = (name: string): HostNode => {
    const node = nodes.get(name)
    if (node === undefined) throw new Error(`Cannot find node "${name}"`)
    return node
  }
  return {
    async fabric({ nodes: desired }) {
      await fabric.apply(desired)
      return null
    },
    async startNode(start) {
      nodes.set(start.node, await startNode(parts, start))
      return null
    },
    async killAgent({ node: name, flags }) {
      const node = nodeOf(name)
      node.flags = flags ?? node.flags
      const { agent } = node
      agent.kill('SIGKILL')
      await agent.exited
      return null
    },
    runStatic: ({ node, name }) => nodeOf(node).kubelet.runStatic(name),
    async endStatic({ node, name }) {
      await nodeOf(node).kubelet.endStatic(name)
      return null
    },
    ping: ({ node, pod, ...how }) => ping(nodeOf(node).kubelet.namespaceOf(pod), how),
    outside: async () => ({ address: outsideOf(fabric).address }),
    pingFromOutside: async (how) => ping(outsideOf(fabric).netns, how),
    kernel: ({ node }) => readKernel(fabric.netnsOf(node)),
  }
}

function outsideOf({ outside }: Fabric): Outside {
  if (!('fault' in outside)) return outside
  throw new Error(`Cannot use EIPs here: ${outside.fault}; is nftables installed?`)
}

function nodeDirectory({ directory }: HostSettings, node: string): string {
  return join(directory, 'nodes', node)
}

async function startNode(parts: HostParts, { node: name, ...start }: NodeStart): Promise<HostNode> {
  const { settings, clock, log } = parts
  const directory = nodeDirectory(settings, name)
  for (const part of ['cni/conf', 'cni/bin']) mkdirSync(join(directory, part), { recursive: true })
  const client = await connectKube(start.kubelet, clock)
  const kubelet = startKubelet({
    api: kubeletApi({ client, node: name, clock, random: systemRandom, log }),
    runtime: {
      makeNamespace: makeNamespace(name),
      removeNamespace: (namespace) => netns('del', `${name}-${namespace}`),
      runPlugin: pluginRunner(parts, name),
      conflist: () => readConflist(join(directory, 'cni/conf')),
    },
    address: start.address,
    clock,
    random: systemRandom,
    log: log.child({ kubelet: name }),
  })
  const { flags, apiFlags } = start
  const node: HostNode = {
    name,
    kubelet,
    flags,
    apiFlags,
    agent: spawnAgent(parts, name, [...apiFlags, ...flags]),
  }
  void keepAgent(parts, node)
  return node
}

function spawnAgent({ settings, fabric }: HostParts, name: string, flags: readonly string[]): ServiceProcess {
  const directory = nodeDirectory(settings, name)
  return startService({
    command: [
      'nsenter',
      `--net=${fabric.netnsOf(name)}`,
      '--',
      ...settings.program,
      'node',
      `--node-name=${name}`,
      `--state-dir=${directory}`,
      `--run-dir=${directory}`,
      '--primary-link=eth0',
      '--install-cni',
      `--cni-conf-dir=${join(directory, 'cni/conf')}`,
      `--cni-bin-dir=${join(directory, 'cni/bin')}`,
      '--port-mapping=false',
      `--device-plugin-dir=${join(directory, 'kubelet/device-plugins')}`,
      `--log-level=${settings.logLevel}`,
      ...flags,
    ],
    env: process.env,
    logFile: join(directory, 'node.log'),
  })
}

/** As systemd would: an agent that ends is started again. */
async function keepAgent(parts: HostParts, node: HostNode): Promise<void> {
  for (;;) {
    await node.agent.exited
    await sleep(parts.clock, 300)
    node.agent = spawnAgent(parts, node.name, [...node.apiFlags, ...node.flags])
  }
}

function makeNamespace(node: string) {
  return async (name: string): Promise<string> => {
    await netns('add', `${node}-${name}`)
    return `/run/netns/${node}-${name}`
  }
}

async function netns(verb: 'add' | 'del', name: string): Promise<void> {
  const { status, stderr } = await runCommand('ip', ['netns', verb, name])
  if (status !== 0 && !stderr.includes('No such file'))
    throw new Error(`Cannot ${verb} namespace "${name}": ${stderr.trim()}`)
}

function pluginRunner({ settings, fabric }: HostParts, node: string): RunPlugin {
  const bin = join(nodeDirectory(settings, node), 'cni/bin')
  return (plugin, env, stdin) => {
    const words = Object.entries({ ...env, CNI_PATH: bin }).map(([key, value]) => `${key}=${value}`)
    const args = ['-i', ...words, join(bin, plugin)]
    return runCommand(...inNetns(fabric.netnsOf(node), 'env', args), stdin)
  }
}

function readConflist(directory: string): Conflist | undefined {
  const [name] = existsSync(directory)
    ? readdirSync(directory)
        .filter((file) => file.endsWith('.conflist'))
        .toSorted()
    : []
  return name === undefined
    ? undefined
    : (JSON.parse(readFileSync(join(directory, name), 'utf8')) as Conflist)
}

async function ping(
  namespace: string | undefined,
  { to, count, intervalMs }: { to: string; count: number; intervalMs: number },
): Promise<PingReport> {
  if (namespace === undefined) throw new Error('Cannot ping: the pod has no network')
  const args = ['-q', '-c', String(count), '-i', String(intervalMs / 1000), '-W', '1', to]
  const { stdout, stderr } = await runCommand(...inNetns(namespace, 'ping', args))
  const [, sent, received] = /(\d+) packets transmitted, (\d+) (?:packets )?received/.exec(stdout) ?? []
  if (sent === undefined || received === undefined) throw new Error(`Cannot ping ${to}: ${stderr.trim()}`)
  const mean = /= [\d.]+\/([\d.]+)/.exec(stdout)?.[1]
  return {
    sent: Number(sent),
    received: Number(received),
    meanMs: mean === undefined ? undefined : Number(mean),
  }
}

async function readKernel(netns: string): Promise<KernelReport> {
  const rows = async (...args: string[]) => {
    const { stdout } = await runCommand(...inNetns(netns, 'ip', ['-json', ...args]))
    return JSON.parse(stdout || '[]') as readonly Readonly<Record<string, unknown>>[]
  }
  const routes = await rows('-4', 'route', 'show', 'table', 'main')
  const rules = await rows('rule', 'show')
  const ours = rules.filter(({ priority }) => priority === toPodPriority || priority === fromPodPriority)
  const links = await rows('link', 'show')
  return {
    named: links.flatMap(({ ifalias, ifname }) =>
      readLinkAlias(String(ifname), String(ifalias)) === undefined ? [] : [String(ifname)],
    ),
    macs: links.map(({ address }) => String(address)),
    linked: routes.filter(({ dev }) => isHostLink(String(dev))).map(({ dst }) => String(dst)),
    ruled: [...new Set(ours.flatMap(({ src, dst }) => [src, dst]))].filter(
      (address): address is string => typeof address === 'string' && address !== 'all',
    ),
  }
}
