// Puts the node agent together: kernel, ledger, Kubernetes, loops, socket; and takes it apart again in reverse.
import { randomUUID } from 'node:crypto'
import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import { evenClock } from '../internal/base/clock.ts'
import { serveHealth } from '../internal/base/health-server.ts'
import { createLog } from '../internal/base/log.ts'
import { systemRandom } from '../internal/base/random.ts'
import { connectKube } from '../internal/kube/connect.ts'
import { createNodeKube } from '../internal/kube/node-kube.ts'
import { createKubelet } from '../internal/kubelet/kubelet.ts'
import { createLinux } from '../internal/linux/linux.ts'
import { serviceManager } from '../internal/linux/systemd-notify.ts'
import { type Agent, startAgent } from '../internal/node/agent.ts'
import { serveCni } from '../internal/node/cni-socket.ts'
import { observed, type Resources, startResources } from '../internal/node/resources.ts'
import { nodeDefaults } from '../internal/node/settings.ts'
import { openDatabase } from '../internal/sqlite/database.ts'
import { lockFile } from '../internal/sqlite/lock-file.ts'
import { nodeLedger } from '../internal/store/node/ledger.ts'
import { nodeMigrations } from '../migrations/index.ts'
import { buildInfo } from './build-info.ts'
import { withCrashPoints, withTestWaits } from './crash-points.ts'
import { installCni } from './install-cni.ts'
import { kubeTarget } from './kube-target.ts'
import { listening } from './listening.ts'
import { needDirectory } from './make-directory.ts'
import { reloadOnHangup } from './reload.ts'
import type { RunParts } from './service-command.ts'
import type { NodeSettings } from './settings/node-settings.ts'
import { aborted, giveUp } from './until-signal.ts'

/** Runs until `signal` aborts; pods keep their network. Throws `storage`, `bad_input`, `unavailable`, `kernel`. */
export async function runNode(
  settings: NodeSettings,
  signal: AbortSignal,
  { reread, hangups }: RunParts<NodeSettings>,
): Promise<void> {
  const clock = evenClock()
  const random = systemRandom
  const log = createLog(settings.logLevel)
  needDirectory(settings.stateDir)
  needDirectory(settings.runDir)
  await using stack = new AsyncDisposableStack()
  const lock = lockFile(join(settings.stateDir, 'node.lock'))
  stack.defer(() => lock.release())
  const db = openDatabase({
    path: join(settings.stateDir, 'node.db'),
    kind: 'node',
    migrations: nodeMigrations,
    broken: giveUp,
  })
  stack.defer(() => db.close())
  let agent: Agent | undefined
  const { listenHealth } = settings
  const health = await listening(`${listenHealth.host}:${listenHealth.port}`, () =>
    serveHealth({
      ...listenHealth,
      obstacle: () => (agent === undefined ? 'the agent is starting' : (agent.obstacle() ?? agent.doubt())),
    }),
  )
  stack.defer(() => void health.close())
  let resources: Resources | undefined
  const ledger = observed(withCrashPoints('node.ledger', nodeLedger(db, clock, randomUUID)), () =>
    resources?.wake(),
  )
  const linux = withCrashPoints(
    'node.linux',
    createLinux({ clock, routeTableBase: settings.routeTableBase, netnsDirs: settings.netnsDirs }),
  )
  stack.defer(() => linux.close())
  const client = await connectKube(kubeTarget(settings), clock)
  const { nodeName: node, defaultNetwork } = settings
  const kube = withCrashPoints(
    'node.kube',
    createNodeKube({ client, node, clock, random, log, defaultNetwork }),
  )
  stack.defer(() => kube.close())
  const inForce = withTestWaits('node', {
    ...nodeDefaults,
    nodeName: node,
    version: buildInfo().version,
    bootId: readFileSync('/proc/sys/kernel/random/boot_id', 'utf8').trim(),
    routeTableBase: settings.routeTableBase,
    primaryLink: settings.primaryLink === 'auto' ? primaryLink() : settings.primaryLink,
    mtu: settings.mtu,
    addTimeout: settings.addTimeout,
    ...hotOf(settings),
  })
  const started = await startAgent({ kube, linux, ledger, clock, random, log }, inForce)
  const reloads = reloadOnHangup({ settings, reread, hot: hotSettings, log, hangups })
  stack.defer(reloads.stop)
  reloads.subscribe((now) => {
    Object.assign(inForce, withTestWaits('node', hotOf(now)))
    started.wake()
  })
  agent = started
  stack.defer(() => started.stop())
  if (settings.extendedResources) {
    const kubelet = createKubelet({ directory: settings.devicePluginDir, clock, random, log })
    stack.defer(() => kubelet.close())
    const { bounds, staticIps: onDemand, unusable } = started
    resources = startResources({ ledger, bounds, unusable, onDemand, kubelet, clock, log })
    stack.defer(resources.stop)
  }
  const socket = join(settings.runDir, 'cni.sock')
  const server = await listening(socket, () => serveCni({ agent: started, clock, log }, socket))
  stack.defer(() => void server.close())
  if (settings.installCni) installCni(settings, socket, log)
  const service = serviceManager({ env: process.env, clock, log, alive: () => true })
  log.info('node agent serves', { node, socket, database: ledger.databaseId })
  await service.ready(`serves pods of node ${node}`)
  await aborted(signal)
  await service.stopping()
  log.info('node agent stopped')
}

/** What may change while it serves. */
const hotSettings: readonly (keyof NodeSettings)[] = [
  'enableQuickRelease',
  'releaseInterval',
  'cooldown',
  'reportInterval',
]

function hotOf(settings: NodeSettings) {
  return {
    quickRelease: settings.enableQuickRelease,
    cooldown: settings.cooldown,
    releaseEvery: settings.releaseInterval,
    reportEvery: settings.reportInterval,
  }
}

/** The link of the default route; eth0 where there is none. */
function primaryLink(): string {
  const routes = readFileSync('/proc/net/route', 'utf8').split('\n').slice(1)
  const fields = routes
    .map((line) => line.split('\t'))
    .find(([, to, , , , , , mask]) => to === '00000000' && mask === '00000000')
  return fields?.[0] ?? nodeDefaults.primaryLink
}
