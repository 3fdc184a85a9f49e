// A leader process: its lock, its health, and turn after turn of leading.
import { existsSync } from 'node:fs'
import { join } from 'node:path'
import { evenClock, systemClock } from '../internal/base/clock.ts'
import { serveHealth } from '../internal/base/health-server.ts'
import { createLog, type Log } from '../internal/base/log.ts'
import { systemRandom } from '../internal/base/random.ts'
import type { Leader } from '../internal/leader/leader.ts'
import { takeTurns } from '../internal/leader/take-turns.ts'
import { serviceManager } from '../internal/linux/systemd-notify.ts'
import { moveAside } from '../internal/sqlite/backup.ts'
import { lockFile } from '../internal/sqlite/lock-file.ts'
import { sdkTransport } from '../internal/vpc/sdk-transport.ts'
import { stamp } from './db/place.ts'
import { kubeTarget } from './kube-target.ts'
import { leaderCredentials } from './leader-credentials.ts'
import { hotSettings, leadOnce } from './leader-wiring.ts'
import { listening } from './listening.ts'
import { needDirectory } from './make-directory.ts'
import { reloadOnHangup } from './reload.ts'
import type { RunParts } from './service-command.ts'
import type { LeaderSettings } from './settings/leader-settings.ts'

/** Runs until `signal` aborts. Throws `storage`, `bad_input`, `unavailable`, and `deposed` when another one leads. */
export async function runLeader(
  settings: LeaderSettings,
  signal: AbortSignal,
  { once: recover, reread, hangups }: RunParts<LeaderSettings>,
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
    serveHealth({ ...listenHealth, obstacle: () => (leader === undefined ? obstacle : leader.obstacle()) }),
  )
  stack.defer(() => void health.close())
  const service = serviceManager({ env: process.env, clock, log, alive: () => leader?.alive() ?? true })
  await service.ready('does not lead')
  stack.defer(() => service.stopping())

  const tell = (status: string) => {
    obstacle = status
    void service.status(status)
  }
  const reloads = reloadOnHangup({ settings, reread, hot: hotSettings, log, hangups })
  stack.defer(reloads.stop)
  const transport = sdkTransport({ region: settings.region, credentials, endpoint: settings.vpcEndpoint })
  const parts = { target, transport, clock, random, log, ledgerPath, lockPath, tell, reloads }
  const serves = (serving: Leader | undefined) => {
    leader = serving
  }
  await takeTurns(
    { clock, log, tell, asideFor: 2 * settings.leaseDuration },
    (patience) => leadOnce(settings, { ...parts, serves, patience }, signal),
    signal,
  )
}

/** Never deleted: a person may want to know what was in it. */
function setAside(path: string, now: number, log: Log): void {
  if (!existsSync(path)) return
  const to = moveAside(path, `${path}.damaged-${stamp(now)}`)
  log.warn('ledger moved aside', { from: path, to })
}
