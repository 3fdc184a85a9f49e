// One leader of a dev cluster, on a "machine" of its own: a process with a state directory that no other one sees.
import { join } from 'node:path'
import type { Clock } from '../../internal/base/clock.ts'
import { type ServiceProcess, startService } from '../../internal/linux/service.ts'
import { needDirectory } from '../make-directory.ts'

export interface DevLeader {
  /** All that its machine has of it. */
  readonly directory: string
  readonly db: string
  readonly logFile: string
  /** Of the process that runs, or ran last. */
  pid(): number
  /** Of the process that runs: its status, once it ends. */
  ended(): Promise<number>
  signal(signal: NodeJS.Signals): void
  /** SIGKILL; it is started again at once. */
  kill(): Promise<void>
  /** SIGKILL; it stays away until `resume`. */
  halt(): Promise<void>
  /** `once`: flags of this one start. */
  resume(once?: readonly string[]): void
  /** SIGTERM, and waits. */
  close(): Promise<void>
}

export interface DevLeaderOptions {
  readonly directory: string
  readonly command: readonly [string, ...string[]]
  readonly env: NodeJS.ProcessEnv
  readonly clock: Clock
}

/** Starts it; when it ends it is started again, as by systemd. */
export function startDevLeader({ directory, command, env, clock }: DevLeaderOptions): DevLeader {
  needDirectory(directory)
  const logFile = join(directory, 'leader.log')
  let wanted = true
  let running: ServiceProcess

  function start(once: readonly string[] = []): void {
    const service = startService({
      command: [...endsWithUs, ...command, `--state-dir=${directory}`, ...once],
      env,
      logFile,
    })
    running = service
    void service.exited.then(
      () => wanted && clock.after(300, () => void (wanted && running === service && start())),
    )
  }

  async function end(signal: NodeJS.Signals): Promise<void> {
    const { exited } = running
    running.kill(signal)
    await exited
  }

  start()
  return {
    directory,
    db: join(directory, 'leader.db'),
    logFile,
    pid: () => running.pid,
    ended: () => running.exited,
    signal: (signal) => running.kill(signal),
    kill: () => end('SIGKILL'),
    async halt() {
      wanted = false
      await end('SIGKILL')
    },
    resume(once) {
      wanted = true
      needDirectory(directory) // its disk may have been lost meanwhile
      start(once)
    },
    async close() {
      wanted = false
      running.kill('SIGCONT')
      await end('SIGTERM')
    },
  }
}

/** However this process ends, the leader must not go on alone: its cloud and API server are gone. */
const endsWithUs = ['setpriv', '--pdeathsig', 'KILL', '--'] as const
