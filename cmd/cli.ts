// The command line for people and systemd: finds the subcommand, loads it alone, and turns its end into an exit code.
import { CommanderError } from 'commander'
import { nearest } from '../internal/base/nearest.ts'
import { IpamError } from '../internal/ipam/errors.ts'
import { type CommandEntry, commands } from './commands.ts'
import { exitCode, reportFailure } from './exit.ts'
import { type Host, sourceTree } from './host.ts'

/** Runs the program with the arguments after its name; returns its exit code. */
export async function run(args: readonly string[], host: Host = sourceTree): Promise<number> {
  const [name, ...rest] = args
  for (const stream of [process.stdout, process.stderr]) {
    if (stream.listenerCount('error') === 0)
      stream.on('error', (error) => {
        if (!isClosed(error, stream.isTTY)) process.exit(reportFailure(cannotWrite(error)))
      })
  }
  if (name === undefined) {
    process.stderr.write(overview())
    return exitCode.usage
  }
  if (name === '--version' || name === '-V') return run(['version', ...rest], host)
  if (name === '--help' || name === '-h' || name === 'help') {
    const about = rest.find((arg) => !arg.startsWith('-'))
    if (name === 'help' && about !== undefined) return run([about, '--help'], host)
    process.stdout.write(overview())
    return exitCode.ok
  }
  const entry = commands.find((command) => command.name === name)
  if (entry === undefined) return refuse(name)
  try {
    await runCommand(entry, rest, host)
    return exitCode.ok
  } catch (error) {
    // commander has printed its message already
    if (error instanceof CommanderError) return error.exitCode === 0 ? exitCode.ok : exitCode.usage
    return reportFailure(error)
  }
}

/** Loads everything once and does nothing: run while the executable is built, so that its code is compiled ahead. */
export async function warm(host: Host): Promise<void> {
  overview()
  for (const entry of commands) {
    const module = await entry.load()
    module.define(host).helpInformation()
    await module.preload?.()
  }
}

async function runCommand(entry: CommandEntry, args: readonly string[], host: Host): Promise<void> {
  const command = (await entry.load()).define(host)
  command.name(`tke-eni ${entry.name}`).description(`${entry.summary}.`).exitOverride()
  command.showHelpAfterError(`(see "tke-eni ${entry.name} --help")`)
  await command.parseAsync([...args], { from: 'user' })
}

/** A reader that has seen enough (`| head`) is no fault, nor is a terminal that was closed. */
function isClosed({ code }: NodeJS.ErrnoException, isTerminal: boolean): boolean {
  return code === 'EPIPE' || (code === 'EIO' && isTerminal)
}

function cannotWrite(cause: Error): IpamError {
  return new IpamError('storage', `Cannot write the output: ${cause.message}`, { cause })
}

function refuse(name: string): number {
  const known = commands.map((command) => command.name)
  const near = nearest(name, [...known, 'cni', 'help'])
  process.stderr.write(
    `tke-eni: Cannot run "${name}": there is no such command${near === undefined ? '' : `, did you mean "${near}"?`}\n` +
      '  see "tke-eni --help"\n',
  )
  return exitCode.usage
}

function overview(): string {
  const all = [
    ...commands,
    { name: 'cni', summary: 'The CNI plugin; container runtimes call it as tke-route-eni' },
    { name: 'help', summary: 'Print help of a command: tke-eni help version' },
  ]
  const width = Math.max(...all.map(({ name }) => name.length))
  return `tke-eni: VPC addresses for Kubernetes pods on Tencent Cloud

Usage: tke-eni <command> [options]

Commands:
${all.map(({ name, summary }) => `  ${name.padEnd(width)}  ${summary}`).join('\n')}

Every command has --help. Exit codes: 0 done, 1 failed, 2 wrong command line or setting, 3 not found,
130 stopped by a second signal.

Examples:
  tke-eni version -o json
  tke-eni completion bash > /etc/bash_completion.d/tke-eni
`
}
