// A process tree in namespaces of its own: network, mounts, processes, and users when we are not root. Nothing it does to links,
// rules, mounts or sysctls reaches the machine, and nothing of it outlives us, also when we are killed.
import { type ChildProcess, spawn } from 'node:child_process'
import { constants } from 'node:os'
import type { Writable } from 'node:stream'
import type { RunCommand } from '../base/command.ts'
import { IpamError } from '../ipam/errors.ts'
import { commandPath } from './command.ts'

export interface SandboxCommand {
  readonly command: string
  readonly args: readonly string[]
  /** The command's environment; ours when not given. */
  readonly env?: NodeJS.ProcessEnv
  /** 'pipe' hands stdin, stdout and stderr out; otherwise they are ours. */
  readonly stdio?: 'inherit' | 'pipe'
}

export interface Sandbox {
  /** Outermost process: its child, as we count, is process 1 of the sandbox. */
  readonly pid: number
  /** stdin, stdout and stderr of the command when asked for. */
  readonly streams: Pick<ChildProcess, 'stdin' | 'stdout' | 'stderr'>
  /** Exit status of the command, 128 + signal when it was killed. */
  readonly exited: Promise<number>
  /** Sends the command SIGTERM. */
  stop(): void
  /** Ends every process of the sandbox at once. */
  kill(): void
}

// `ip netns` keeps names in /run/netns, so that /run must be ours. A fresh /proc is not allowed everywhere, and only nicer.
const furnish = 'mount -t tmpfs -o mode=755 tmpfs /run && ip link set dev lo up'

// The shell is process 1 of the sandbox: it reaps what is orphaned there, and with its end the kernel ends all the rest. Descriptor 3
// is a pipe whose other end only we hold: a line in it means SIGTERM for the command, its end (however we ended) the end of all.
const script = `
${furnish} || exit 125
mount -t proc proc /proc 2>/dev/null
trap 'exit 137' TERM
exec 4<&0
"$@" <&4 3<&- 4<&- &
command=$!
{
  while read -r word; do kill -TERM "$command"; done
  kill -TERM 1
} <&3 4<&- >/dev/null 2>&1 &
exec 3<&- 4<&-
wait "$command"`

/** Starts `command` in a sandbox. As root, without a user namespace. Paths below /run are not visible there. */
export function startSandbox({ args, command, env, stdio = 'inherit' }: SandboxCommand): Sandbox {
  const child = spawn('unshare', [...unshareFlags(), 'sh', '-c', script, 'sandbox', command, ...args], {
    env: { ...(env ?? process.env), PATH: commandPath() },
    stdio: [stdio, stdio, stdio, 'pipe'],
  })
  const lifeline = child.stdio[3] as Writable
  lifeline.on('error', () => {})
  return {
    pid: child.pid ?? 0,
    streams: child,
    exited: new Promise((resolve, reject) => {
      child.on('error', (cause) =>
        reject(new IpamError('kernel', `Cannot start a sandbox: ${cause.message}`, { cause })),
      )
      child.on('close', (status, signal) => resolve(status ?? 128 + (signal ? constants.signals[signal] : 0)))
    }),
    stop: () => lifeline.write('stop\n'),
    kill: () => lifeline.end(),
  }
}

/** Why sandboxes cannot be made here; undefined when they can. */
export async function sandboxFault(run: RunCommand): Promise<string | undefined> {
  const { status, stderr } = await run('unshare', [...unshareFlags(), 'sh', '-c', furnish])
  if (status === 0) return undefined
  const said = stderr.trim().replaceAll('\n', '; ') || `exit status ${status}`
  return `this machine does not allow namespaces to ${isRoot() ? 'root' : 'ordinary users'} (${said})`
}

function unshareFlags(): readonly string[] {
  const flags = ['--net', '--mount', '--pid', '--fork', '--kill-child']
  return isRoot() ? flags : ['--user', '--map-root-user', ...flags]
}

function isRoot(): boolean {
  return process.geteuid?.() === 0
}
