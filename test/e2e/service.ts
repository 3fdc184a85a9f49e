// Processes that the end-to-end tests start: they end with the test, whatever ends it, and what they said is kept for
// the message when they fail.
import { type ChildProcess, spawn } from 'node:child_process'
import { existsSync, mkdtempSync, readFileSync, rmSync } from 'node:fs'
import { createServer } from 'node:net'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { setTimeout as delay } from 'node:timers/promises'

export interface Service {
  readonly name: string
  readonly pid: number
  /** True once the process has ended. */
  readonly ended: () => boolean
  /** The last lines of its output. */
  readonly output: () => string
  readonly exit: Promise<number>
  /** Sends a signal to it. */
  signal(name: NodeJS.Signals): void
  /** Asks it to end, kills it when it does not within five seconds, and resolves when it is gone. */
  stop(): Promise<void>
}

export interface Finished {
  readonly code: number
  readonly stdout: string
  readonly stderr: string
}

interface RunOptions {
  readonly cwd?: string
  readonly env?: NodeJS.ProcessEnv
  readonly input?: string
}

const kept = 200_000
const running = new Set<ChildProcess>()
const folders = new Set<string>()
process.once('exit', () => {
  for (const child of running) child.kill('SIGKILL')
  for (const folder of folders) rmSync(folder, { recursive: true, force: true, maxRetries: 5 })
})
for (const signal of ['SIGINT', 'SIGTERM', 'SIGHUP'] as const) process.once(signal, () => process.exit(130))

interface ServiceOptions {
  readonly env?: NodeJS.ProcessEnv
  /** 'pipe' keeps its standard input open for as long as the test lives. */
  readonly stdin?: 'ignore' | 'pipe'
  /** The command (nsenter) only waits for a child of its own, which is the one to signal. */
  readonly wrapped?: boolean
}

/** Starts a process that runs until it is stopped. */
export function startService(name: string, argv: readonly string[], options: ServiceOptions = {}): Service {
  const [command = '', ...args] = diesWithUs(argv)
  const child = spawn(command, args, {
    env: options.env ?? process.env,
    stdio: [options.stdin ?? 'ignore', 'pipe', 'pipe'],
  })
  running.add(child)
  let output = ''
  const keep = (text: string) => {
    output = (output + text).slice(-kept)
  }
  child.stdout?.setEncoding('utf8').on('data', keep)
  child.stderr?.setEncoding('utf8').on('data', keep)
  const exit = new Promise<number>((resolve) => {
    child.once('error', (error) => {
      keep(error.message)
      running.delete(child)
      resolve(127)
    })
    child.once('close', (code) => {
      running.delete(child)
      resolve(code ?? 137)
    })
  })
  const signal = (wanted: NodeJS.Signals) => {
    const inner = options.wrapped ? childOf(child.pid ?? 0) : undefined
    if (inner === undefined) child.kill(wanted)
    else process.kill(inner, wanted)
  }
  return {
    name,
    pid: child.pid ?? 0,
    signal,
    ended: () => !running.has(child),
    output: () => output.split('\n').slice(-30).join('\n'),
    exit,
    async stop() {
      if (!running.has(child)) return
      signal('SIGTERM')
      const hard = setTimeout(() => signal('SIGKILL'), 5000)
      await exit
      clearTimeout(hard)
    },
  }
}

/** Runs a command to its end; never throws for its exit code. */
export function run(argv: readonly string[], options: RunOptions = {}): Promise<Finished> {
  const [command = '', ...args] = argv
  const child = spawn(command, args, { cwd: options.cwd, env: options.env ?? process.env })
  running.add(child)
  let stdout = ''
  let stderr = ''
  child.stdout.setEncoding('utf8').on('data', (text: string) => {
    stdout += text
  })
  child.stderr.setEncoding('utf8').on('data', (text: string) => {
    stderr += text
  })
  child.stdin.on('error', () => {}) // it ended without reading
  child.stdin.end(options.input ?? '')
  return new Promise((resolve) => {
    const end = (code: number) => {
      running.delete(child)
      resolve({ code, stdout, stderr })
    }
    child.once('error', (error) => {
      stderr += error.message
      end(127)
    })
    child.once('close', (code) => end(code ?? 137))
  })
}

/** Runs a command and returns what it printed; throws with its error output when it fails. */
export async function output(argv: readonly string[], options: RunOptions = {}): Promise<string> {
  const { code, stdout, stderr } = await run(argv, options)
  if (code === 0) return stdout
  throw new Error(`Cannot run "${argv.join(' ')}": it exited with ${code}: ${(stderr || stdout).trim()}`)
}

/** Resolves once `holds` is true (asked every 50 ms). Throws when it takes too long or one of `services` has ended. */
export async function until(
  what: string,
  holds: () => boolean | Promise<boolean>,
  services: readonly Service[] = [],
  withinMs = 120_000,
): Promise<void> {
  for (let waited = 0; waited < withinMs; waited += 50) {
    if (await holds()) return
    const ended = services.find((service) => service.ended())
    if (ended !== undefined)
      throw new Error(`Cannot wait until ${what}: ${ended.name} ended:\n${ended.output()}`)
    await delay(50)
  }
  const said = services.map((service) => `${service.name}:\n${service.output()}`).join('\n')
  throw new Error(`Cannot wait until ${what}: not so after ${withinMs} ms\n${said}`)
}

/** The first child of a process; undefined when it has none. */
export function childOf(pid: number): number | undefined {
  const path = `/proc/${pid}/task/${pid}/children`
  const [child] = existsSync(path) ? readFileSync(path, 'utf8').split(' ') : []
  return child === undefined || child === '' ? undefined : Number(child)
}

/** A new folder that goes when the test ends, or before with `rmSync`. Its name has our process id: others run beside us. */
export function temporaryFolder(name: string): string {
  const folder = mkdtempSync(join(tmpdir(), `tke-eni-${name}-${process.pid}-`))
  folders.add(folder)
  return folder
}

/** A TCP port of the loopback that was free a moment ago. */
export function freePort(): Promise<number> {
  return new Promise((resolve, reject) => {
    const server = createServer()
    server.once('error', reject)
    server.listen(0, '127.0.0.1', () => {
      const address = server.address()
      server.close(() => resolve(typeof address === 'object' && address !== null ? address.port : 0))
    })
  })
}

/** The path of `command` on PATH or where administrators' commands are. */
export function which(command: string): string | undefined {
  const folders = [...(process.env['PATH'] ?? '').split(':'), '/usr/sbin', '/sbin', '/usr/local/go/bin']
  return folders.map((folder) => `${folder}/${command}`).find((path) => existsSync(path))
}

/** A SIGKILL of the test leaves nobody to clean up: the kernel then ends the process. */
function diesWithUs(argv: readonly string[]): readonly string[] {
  const setpriv = which('setpriv')
  return setpriv === undefined ? argv : [setpriv, '--pdeathsig', 'KILL', '--', ...argv]
}
