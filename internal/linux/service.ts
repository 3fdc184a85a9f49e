// A long-running process of ours: started with its output in a file, watched, and killed when asked.
import { spawn } from 'node:child_process'
import { closeSync, openSync } from 'node:fs'
import { constants } from 'node:os'
import { commandPath } from './command.ts'

export interface ServiceProcess {
  readonly pid: number
  /** Exit status; 128 + signal when it was killed. */
  readonly exited: Promise<number>
  kill(signal: NodeJS.Signals): void
}

export interface ServiceCommand {
  readonly command: readonly [string, ...string[]]
  readonly env: NodeJS.ProcessEnv
  /** Standard output and error are appended here. */
  readonly logFile: string
}

/** Starts it. `exited` is 127 when it could not be started. */
export function startService({ command: [file, ...args], env, logFile }: ServiceCommand): ServiceProcess {
  const log = openSync(logFile, 'a', 0o600)
  try {
    const child = spawn(file, args, { env: { ...env, PATH: commandPath() }, stdio: ['ignore', log, log] })
    const exited = new Promise<number>((resolve) => {
      child.on('error', () => resolve(127))
      child.on('exit', (status, signal) =>
        resolve(status ?? 128 + (signal === null ? 0 : constants.signals[signal])),
      )
    })
    return { pid: child.pid ?? 0, exited, kill: (signal) => void child.kill(signal) }
  } finally {
    closeSync(log)
  }
}
