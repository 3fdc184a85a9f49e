// Starts processes. Each start costs the event loop some milliseconds (Node forks its whole address space), so the hot path
// uses lanes (lane.ts); this is for everything else.
import { spawn } from 'node:child_process'
import { constants } from 'node:os'
import type { CommandResult, RunCommand } from '../base/command.ts'
import { IpamError } from '../ipam/errors.ts'

/** Longer than any command of ours takes on a loaded node: past it the command is killed. */
const timeoutMs = 30_000

/** PATH with the directories where distributions keep `ip`: ordinary users often lack them. */
export function commandPath(): string {
  return `${process.env['PATH'] ?? '/usr/bin:/bin'}:/usr/sbin:/sbin`
}

/** Messages in English, whatever the machine speaks: we read them. */
export function commandEnvironment(): NodeJS.ProcessEnv {
  return { LC_ALL: 'C', PATH: commandPath() }
}

/** Runs `command` to its end. Throws `kernel` when it cannot be started. */
export const runCommand: RunCommand = (command, args, input = '') =>
  new Promise<CommandResult>((resolve, reject) => {
    const child = spawn(command, [...args], {
      env: commandEnvironment(),
      stdio: ['pipe', 'pipe', 'pipe'],
      timeout: timeoutMs,
      killSignal: 'SIGKILL',
    })
    const stdout: Buffer[] = []
    const stderr: Buffer[] = []
    child.stdout.on('data', (chunk: Buffer) => stdout.push(chunk))
    child.stderr.on('data', (chunk: Buffer) => stderr.push(chunk))
    // A command that ends before it has read its input says why by its status.
    child.stdin.on('error', () => {})
    child.on('error', (cause) =>
      reject(new IpamError('kernel', `Cannot run "${command}": ${cause.message}`, { cause })),
    )
    child.on('close', (status, signal) =>
      resolve({
        status: status ?? 128 + (signal === null ? 0 : constants.signals[signal]),
        stdout: Buffer.concat(stdout).toString(),
        stderr: Buffer.concat(stderr).toString(),
      }),
    )
    child.stdin.end(input)
  })
