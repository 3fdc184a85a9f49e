// `tke-eni dev`: the whole system on one Linux machine, to look at and to play with; `--tour` shows it working.
import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { Command, Option } from 'commander'
import type { LogLevel } from '../internal/base/log.ts'
import { IpamError } from '../internal/ipam/errors.ts'
import type { DevCluster } from './dev/cluster.ts'
import { userEips } from './dev/topology.ts'
import { exitCode } from './exit.ts'
import type { Host } from './host.ts'
import { prepareSqlite } from './native.ts'
import { aborted, endsForeground, untilSignal } from './until-signal.ts'

interface DevFlags {
  readonly tour: boolean
  readonly nodes: string
  readonly directory?: string
  readonly keep: boolean
  readonly staticIp: boolean
  readonly enableOwnerref: boolean
  readonly port: string
  readonly logLevel: LogLevel
  readonly host?: string
}

export function define(host: Host): Command {
  return new Command()
    .option('--tour', 'run the scripted tour and end: 0 when every step succeeded', false)
    .option('--nodes <n>', 'nodes to start with (1 to 12)', '3')
    .option(
      '--directory <path>',
      'where state and logs go; a new one in the temporary directory when not given',
    )
    .option('--keep', 'leave the directory behind', false)
    .option(
      '--static-ip',
      'the leader runs with --enable-static-ip: nothing is bound in advance, and pods may keep their addresses',
      false,
    )
    .option(
      '--enable-ownerref',
      'the leader runs with --enable-ownerref: kept addresses go with their workloads',
      false,
    )
    .option('--port <n>', 'port of the API server on 127.0.0.1; 0 takes a free one', '0')
    .addOption(
      new Option('--log-level <level>', 'of leader and agents')
        .choices(['debug', 'info', 'warn', 'error'])
        .default('info'),
    )
    .addOption(new Option('--host <settings>').hideHelp())
    .addHelpText('after', help)
    .action(async (flags: DevFlags) => {
      prepareSqlite(host)
      if (flags.host !== undefined) {
        const { runHost } = await import('./dev/host.ts')
        return runHost(JSON.parse(flags.host) as Parameters<typeof runHost>[0])
      }
      await untilSignal((signal) => runDev(flags, signal), endsForeground)
    })
}

/** Warm pools and static addresses at once, so that one tour shows both. */
const tourFlags = [
  ...['--reconcile-interval=5s', '--lease-duration=5s'],
  ...['--enable-static-ip', '--ip-min-warm-target=5', '--ip-max-warm-target=5'],
]

async function runDev(flags: DevFlags, signal: AbortSignal): Promise<void> {
  const nodes = wholeNumber('nodes', flags.nodes, 1, 12)
  const port = wholeNumber('port', flags.port, 0, 65_535)
  if (flags.directory === '') throw new IpamError('bad_input', 'Cannot start dev: --directory is empty')
  const directory = flags.directory ?? mkdtempSync(join(tmpdir(), 'tke-eni-dev-'))
  const { startDevCluster } = await import('./dev/cluster.ts')
  const say = (line: string) => void process.stdout.write(`${line}\n`)
  let started = false
  try {
    const cluster = await startDevCluster({
      directory,
      kubeListen: { host: '127.0.0.1', port },
      leaderFlags: [
        ...(flags.staticIp ? ['--enable-static-ip'] : []),
        ...(flags.enableOwnerref ? ['--enable-ownerref'] : []),
        ...(flags.tour ? tourFlags : []),
      ],
      nodeFlags: flags.tour ? ['--report-interval=2s'] : ['--report-interval=5s'],
      statefulSets: true,
      logLevel: flags.logLevel,
    })
    started = true
    try {
      const broken = cluster.host.ended.then((status) => {
        if (!signal.aborted)
          throw new IpamError('kernel', `Cannot go on: the sandbox has ended with status ${status}`)
      })
      broken.catch(() => {})
      if (flags.tour) await Promise.race([tour(cluster, say, signal), broken])
      else await Promise.race([play(cluster, nodes, say, signal), broken])
    } finally {
      await cluster.close()
    }
  } finally {
    if (flags.directory === undefined && !flags.keep) rmSync(directory, { recursive: true, force: true })
    else if (started) say(`state and logs stay in ${directory}`)
  }
}

async function tour(cluster: DevCluster, say: (line: string) => void, signal: AbortSignal): Promise<void> {
  const { runTour } = await import('./dev/tour.ts')
  const outcome = await Promise.race([runTour(cluster, say), aborted(signal)])
  if (outcome !== true) process.exitCode = outcome === undefined ? exitCode.interrupted : exitCode.failed
}

async function play(
  cluster: DevCluster,
  nodes: number,
  say: (line: string) => void,
  signal: AbortSignal,
): Promise<void> {
  say(introduction(cluster))
  for (let i = 0; i < nodes && !signal.aborted; i++) await cluster.addNode()
  const { formatPools, readPools } = await import('./dev/pools.ts')
  let shown = ''
  const show = () => {
    const text = formatPools(readPools(cluster))
    if (text !== shown) say(`\n${new Date().toISOString().slice(11, 19)}\n${text}`)
    shown = text
  }
  const timer = setInterval(show, 1000)
  await aborted(signal)
  clearInterval(timer)
}

function introduction(cluster: DevCluster): string {
  return `A cluster of its own: API server, simulated cloud, leader; nodes are coming.

  export KUBECONFIG=${cluster.kubeconfig}
  kubectl get nodes,nec -o wide
  kubectl run web --image=none            # a pod is its network here; nothing else runs
  kubectl get pods -o wide -w
  kubectl run own --image=none --annotations=tke.cloud.tencent.com/networks=tke-direct-eni   # has an ENI of its own
  kubectl run kept --image=none --annotations=tke.cloud.tencent.com/vpc-ip-claim-delete-policy=Never   # keeps its address, with --static-ip
  kubectl run public --image=none --annotations=tke.cloud.tencent.com/eip-attributes='{"Bandwidth":"5"}'   # has an EIP; your own are ${userEips.join(', ')}
  kubectl annotate nec node-1 tke.cloud.tencent.com/route-eni-ip-min-warm-target=1 tke.cloud.tencent.com/route-eni-ip-max-warm-target=3
  kubectl get nec node-1 -o yaml
  kubectl get vip,vipc,eipc -o wide
  sqlite3 ${cluster.leaderDb} 'select * from v_ip'
  sqlite3 ${cluster.nodeDb('node-1')} 'select * from v_ip'
  curl -s ${cluster.vpcUrl}/sim/audit     # what exists in the simulated cloud

logs: ${cluster.directory}/leader/leader.log, ${cluster.directory}/nodes/*/node.log
Ctrl-C ends it and leaves nothing behind.`
}

function wholeNumber(name: string, text: string, min: number, max: number): number {
  const value = Number(text)
  if (/^\d+$/.test(text) && value >= min && value <= max) return value
  throw new IpamError(
    'bad_input',
    `Cannot start dev: --${name} is "${text}", wanted is a whole number from ${min} to ${max}`,
  )
}

const help = `
It needs Linux with network namespaces (root, or user namespaces), iproute2, nsenter and ping. Nothing outside its own
namespaces and its directory is touched.

Examples:
  tke-eni dev
  tke-eni dev --nodes 5 --directory ./dev --keep
  tke-eni dev --tour`
