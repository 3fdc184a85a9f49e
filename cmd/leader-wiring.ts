// Puts the leader together: adapters, ledger, loops; and takes it apart again in reverse.
import { hostname } from 'node:os'
import { join } from 'node:path'
import { backoffDelay } from '../internal/base/backoff.ts'
import { sleep, systemClock } from '../internal/base/clock.ts'
import { serveHealth } from '../internal/base/health-server.ts'
import { createLog, type Log } from '../internal/base/log.ts'
import { systemRandom } from '../internal/base/random.ts'
import { connectKube } from '../internal/kube/connect.ts'
import { installNecCrd } from '../internal/kube/install-nec-crd.ts'
import { createLeaderKube } from '../internal/kube/leader-kube.ts'
import { type Leader, startLeader } from '../internal/leader/leader.ts'
import { leaderDefaults } from '../internal/leader/settings.ts'
import { serviceManager } from '../internal/linux/systemd-notify.ts'
import { openDatabase } from '../internal/sqlite/database.ts'
import { lockFile } from '../internal/sqlite/lock-file.ts'
import { leaderLedger } from '../internal/store/leader/ledger.ts'
import { createCloud } from '../internal/vpc/cloud.ts'
import { sdkTransport } from '../internal/vpc/sdk-transport.ts'
import { leaderMigrations } from '../migrations/index.ts'
import { withCrashPoints } from './crash-points.ts'
import { kubeTarget } from './kube-target.ts'
import { leaderCredentials } from './leader-credentials.ts'
import { listening } from './listening.ts'
import { needDirectory } from './make-directory.ts'
import type { LeaderSettings } from './settings/leader-settings.ts'
import { aborted } from './until-signal.ts'

/** Runs until `signal` aborts. Throws `storage`, `bad_input`, `unavailable`. */
export async function runLeader(settings: LeaderSettings, signal: AbortSignal): Promise<void> {
  const clock = systemClock
  const random = systemRandom
  const log = createLog(settings.logLevel)
  needDirectory(settings.stateDir)
  await using stack = new AsyncDisposableStack()
  const lock = lockFile(join(settings.stateDir, 'leader.lock'))
  stack.defer(() => lock.release())
  const db = openDatabase({
    path: join(settings.stateDir, 'leader.db'),
    kind: 'leader',
    migrations: leaderMigrations,
  })
  stack.defer(() => db.close())
  const ledger = withCrashPoints('leader.ledger', leaderLedger(db, clock))
  const target = kubeTarget(settings)
  const client = await connectKube(target, clock)
  const eventClient = await connectKube({ ...target, qps: 5, burst: 20 }, clock)
  const kube = withCrashPoints(
    'leader.kube',
    createLeaderKube({
      client,
      eventClient,
      clock,
      random,
      log,
      defaultNetwork: settings.defaultNetwork,
      instance: hostname(),
    }),
  )
  stack.defer(() => kube.close())
  const credentials = leaderCredentials(settings, { clock, random, log })
  log.info('leader starts', {
    cluster: settings.clusterId,
    region: settings.region,
    credentials: credentials.source,
  })
  let leader: Leader | undefined
  const { listenHealth } = settings
  const health = await listening(`${listenHealth.host}:${listenHealth.port}`, () =>
    serveHealth({
      ...listenHealth,
      obstacle: () => (leader?.ready() ? undefined : 'Kubernetes has not been read yet'),
    }),
  )
  stack.defer(() => void health.close())
  const transport = sdkTransport({ region: settings.region, credentials, endpoint: settings.vpcEndpoint })
  const cloud = withCrashPoints('leader.cloud', createCloud({ transport, clock, random, log, signal }))
  await untilInstalled(() => installNecCrd(client, clock, log), log, signal)
  leader = startLeader(
    { kube, cloud, ledger, clock, random, log },
    {
      ...leaderDefaults,
      clusterId: settings.clusterId,
      subnetIds: settings.subnets,
      securityGroups: settings.securityGroups ?? [],
      targets: { minWarm: settings.ipMinWarmTarget, maxWarm: settings.ipMaxWarmTarget },
      maxEnisPerNode: settings.maxEniPerNode,
      reconcileEvery: settings.reconcileInterval,
      leaveAfter: settings.nodeLeaveAfter,
    },
  )
  const { alive, stop } = leader
  stack.defer(async () => {
    await stop() // before the database is closed, whatever ends us
    log.info('leader stopped')
  })
  const service = serviceManager({ env: process.env, clock, log, alive })
  await service.ready(`leads cluster ${settings.clusterId}`)
  await aborted(signal)
  await service.stopping()
}

const installRetry = { firstMs: 500, maxMs: 10_000 }

/** Kubernetes may come up after us. */
async function untilInstalled(install: () => Promise<void>, log: Log, signal: AbortSignal): Promise<void> {
  for (let failures = 0; !signal.aborted; failures++) {
    try {
      return await install()
    } catch (error) {
      const retryIn = backoffDelay(installRetry, failures, systemRandom)
      log.warn('NEC definition not installed yet', { error: (error as Error).message, retryIn })
      await sleep(systemClock, retryIn, signal)
    }
  }
}
