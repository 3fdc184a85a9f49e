// What systemd is told of a service of Type=notify: ready, stopping, and that it is still alive.
// Node.js has no datagram sockets of the unix kind, so systemd's own small program speaks for us (NotifyAccess=all).
import { execFile } from 'node:child_process'
import type { Clock } from '../base/clock.ts'
import type { Log } from '../base/log.ts'
import type { Millis } from '../value/millis.ts'

type Environment = Readonly<Record<string, string | undefined>>

/** Sends assignments such as "READY=1" and resolves when systemd has them. Rejects when it cannot. */
export type Notify = (assignments: readonly string[]) => Promise<void>

export interface ServiceManager {
  /** The service serves now, with one line for `systemctl status`; watching begins. */
  ready(status: string): Promise<void>
  /** Another line for `systemctl status`. */
  status(status: string): Promise<void>
  /** The service ends; watching ends. */
  stopping(): Promise<void>
}

export interface ServiceManagerOptions {
  readonly env: Environment
  readonly clock: Clock
  readonly log: Log
  /** Asked before each sign of life; after `false` there is none, and systemd restarts the service. */
  readonly alive: () => boolean
  readonly notify?: Notify
  readonly pid?: number
}

/** The service manager that started this process; without one (no NOTIFY_SOCKET) it does nothing. Never rejects: a fault is logged. */
export function serviceManager(options: ServiceManagerOptions): ServiceManager {
  const { env, clock, log, alive, notify = systemdNotify(env) } = options
  if (!env['NOTIFY_SOCKET']) return silent
  const send = (...assignments: string[]) =>
    notify(assignments).catch((error: unknown) => {
      log.error('systemd not told', { assignments, error: String(error) })
    })
  const interval = watchdogInterval(env, options.pid ?? process.pid)
  let stopped = true
  let cancel = () => {}

  function watch(): void {
    if (interval === undefined || stopped) return
    // half the time systemd waits, as its manual advises
    cancel = clock.after(interval / 2, () => {
      if (!alive()) {
        log.error('service stuck')
        watch()
        return
      }
      void send('WATCHDOG=1').then(watch)
    })
  }

  return {
    async ready(status) {
      stopped = false
      await send('READY=1', `STATUS=${oneLine(status)}`)
      watch()
    },
    status: (status) => send(`STATUS=${oneLine(status)}`),
    async stopping() {
      stopped = true
      cancel()
      await send('STOPPING=1')
    },
  }
}

/** By the program systemd-notify, which waits until systemd has read the message. */
export function systemdNotify(env: Environment): Notify {
  const { NOTIFY_SOCKET, PATH } = env
  return (assignments) =>
    new Promise((resolve, reject) => {
      const childEnv = { NOTIFY_SOCKET, PATH: PATH ?? '/usr/bin:/bin' }
      execFile('systemd-notify', assignments, { env: childEnv, timeout: 10_000 }, (error) => {
        if (error === null) resolve()
        else reject(error)
      })
    })
}

const silent: ServiceManager = {
  ready: () => Promise.resolve(),
  status: () => Promise.resolve(),
  stopping: () => Promise.resolve(),
}

/** How long systemd waits between signs of life; undefined when it does not, or waits for those of another process. */
function watchdogInterval(env: Environment, pid: number): Millis | undefined {
  const micros = Number(env['WATCHDOG_USEC'])
  if (!Number.isSafeInteger(micros) || micros <= 0) return undefined
  return env['WATCHDOG_PID'] === undefined || Number(env['WATCHDOG_PID']) === pid ? micros / 1000 : undefined
}

function oneLine(text: string): string {
  return text.replaceAll(/\s+/g, ' ')
}
