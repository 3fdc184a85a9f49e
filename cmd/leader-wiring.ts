// Puts the leader together: adapters, ledger, loops; and takes it apart again in reverse.
import { existsSync } from 'node:fs'
import { hostname } from 'node:os'
import { join } from 'node:path'
import { backoffDelay } from '../internal/base/backoff.ts'
import { evenClock, sleep, systemClock } from '../internal/base/clock.ts'
import { serveHealth } from '../internal/base/health-server.ts'
import { createLog, type Log } from '../internal/base/log.ts'
import { systemRandom } from '../internal/base/random.ts'
import { connectKube } from '../internal/kube/connect.ts'
import { installNecCrd } from '../internal/kube/install-nec-crd.ts'
import { createLeaderKube } from '../internal/kube/leader-kube.ts'
import { fencedCloud, fencedKube, fencedLedger } from '../internal/leader/fenced.ts'
import { type Leader, startLeader } from '../internal/leader/leader.ts'
import { leaderDefaults } from '../internal/leader/settings.ts'
import { serviceManager } from '../internal/linux/systemd-notify.ts'
import { moveAside } from '../internal/sqlite/backup.ts'
import { openDatabase } from '../internal/sqlite/database.ts'
import { lockFile } from '../internal/sqlite/lock-file.ts'
import { leaderLedger } from '../internal/store/leader/ledger.ts'
import { createCloud } from '../internal/vpc/cloud.ts'
import { sdkTransport } from '../internal/vpc/sdk-transport.ts'
import { leaderMigrations } from '../migrations/index.ts'
import { withCrashPoints } from './crash-points.ts'
import { stamp } from './db/place.ts'
import { kubeTarget } from './kube-target.ts'
import { leaderCredentials } from './leader-credentials.ts'
import { winTerm } from './leader-term.ts'
import { listening } from './listening.ts'
import { needDirectory } from './make-directory.ts'
import type { LeaderSettings } from './settings/leader-settings.ts'
import { aborted, giveUp } from './until-signal.ts'

/** Runs until `signal` aborts. Throws `storage`, `bad_input`, `unavailable`, and `deposed` when another one leads. */
export async function runLeader(
  settings: LeaderSettings,
  signal: AbortSignal,
  recover: boolean,
): Promise<void> {
  const clock = evenClock()
  const random = systemRandom
  const log = createLog(settings.logLevel)
  needDirectory(settings.stateDir)
  await using stack = new AsyncDisposableStack()
  const lockPath = join(settings.stateDir, 'leader.lock')
  const lock = lockFile(lockPath)
  stack.defer(() => lock.release())
  const ledgerPath = join(settings.stateDir, 'leader.db')
  if (recover) setAside(ledgerPath, clock.now(), log)
  const target = kubeTarget(settings)
  // They end when the world says so, not when so much time has passed.
  const credentials = leaderCredentials(settings, { clock: systemClock, random, log })
  log.info('leader starts', {
    cluster: settings.clusterId,
    region: settings.region,
    credentials: credentials.source,
  })
  let leader: Leader | undefined
  let obstacle = 'nobody was asked yet who leads'
  const { listenHealth } = settings
  const health = await listening(`${listenHealth.host}:${listenHealth.port}`, () =>
    serveHealth({ ...listenHealth, obstacle: () => (leader?.ready() ? leader.obstacle() : obstacle) }),
  )
  stack.defer(() => void health.close())
  const service = serviceManager({ env: process.env, clock, log, alive: () => leader?.alive() ?? true })
  await service.ready('does not lead')
  stack.defer(() => service.stopping())

  const tell = (status: string) => {
    obstacle = status
    void service.status(status)
  }
  const won = await winTerm(settings, {
    target,
    clock,
    random,
    log,
    ledgerPath,
    lockPath,
    tell,
    signal,
  })
  if (won === undefined) return
  stack.defer(() => won.close())
  const { term } = won
  const ends = AbortSignal.any([signal, term.over])
  obstacle = 'Kubernetes has not been read yet, or the ledger is being rebuilt'

  const db = openDatabase({ path: ledgerPath, kind: 'leader', migrations: leaderMigrations, broken: giveUp })
  stack.defer(() => db.close())
  await won.enter(db)
  const ledger = fencedLedger(withCrashPoints('leader.ledger', leaderLedger(db, clock)), term)
  const client = await connectKube({ ...target, beforeWrite: term.check }, clock)
  const eventClient = await connectKube({ ...target, qps: 5, burst: 20, beforeWrite: term.check }, clock)
  term.over.addEventListener('abort', () => {
    for (const each of [client, eventClient]) each.close() // nobody waits for answers any more
  })
  const plainKube = createLeaderKube({
    client,
    eventClient,
    clock,
    random,
    log,
    defaultNetwork: settings.defaultNetwork,
    instance: hostname(),
  })
  stack.defer(() => plainKube.close())
  const kube = fencedKube(withCrashPoints('leader.kube', plainKube), term)
  const transport = sdkTransport({ region: settings.region, credentials, endpoint: settings.vpcEndpoint })
  const plainCloud = createCloud({ transport, clock, random, log, signal: ends, beforeSend: term.check })
  const cloud = fencedCloud(withCrashPoints('leader.cloud', plainCloud), term)
  await untilInstalled(() => installNecCrd(client, clock, log), log, ends)
  leader = startLeader(
    { kube, cloud, ledger, clock, random, log },
    {
      ...leaderDefaults,
      epoch: term.epoch,
      clusterId: settings.clusterId,
      subnetIds: settings.subnets,
      securityGroups: settings.securityGroups ?? [],
      targets: { minWarm: settings.ipMinWarmTarget, maxWarm: settings.ipMaxWarmTarget },
      maxEnisPerNode: settings.maxEniPerNode,
      reconcileEvery: settings.reconcileInterval,
      surveyEvery: settings.surveyInterval,
      leaveAfter: settings.nodeLeaveAfter,
    },
  )
  const { stop } = leader
  stack.defer(async () => {
    leader = undefined
    obstacle = 'it is stopping'
    await stop() // before the database is closed, whatever ends us
    log.info('leader stopped')
  })
  void service.status(`leads cluster ${settings.clusterId} in epoch ${term.epoch}`)
  await aborted(ends)
  if (term.over.aborted) throw term.over.reason
}

/** Never deleted: a person may want to know what was in it. */
function setAside(path: string, now: number, log: Log): void {
  if (!existsSync(path)) return
  const to = moveAside(path, `${path}.damaged-${stamp(now)}`)
  log.warn('ledger moved aside', { from: path, to })
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
