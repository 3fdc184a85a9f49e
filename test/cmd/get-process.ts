// `tke-eni get` and its like as a process: what a person, a script or a pipe sees of it.
import { type ChildProcess, spawn } from 'node:child_process'
import { once } from 'node:events'
import { after } from 'node:test'

const main = new URL('../../cmd/main.ts', import.meta.url).pathname
const running = new Set<ChildProcess>()
after(() => {
  for (const child of running) child.kill('SIGKILL')
})

export interface Ended {
  readonly status: number | null
  readonly stdout: string
  readonly stderr: string
}

export interface Following {
  /** Resolves with the first line of standard output that matches and was not given before. */
  line(pattern: RegExp): Promise<string>
  /** All of standard output so far. */
  readonly stdout: () => string
  /** As `head` does when it has enough. */
  closeStdout(): void
  /** Sends SIGTERM. */
  stop(): Promise<Ended>
  readonly ended: Promise<Ended>
}

export async function get(...args: readonly string[]): Promise<Ended> {
  return follow(...args).ended
}

export function follow(...args: readonly string[]): Following {
  return command('get', ...args)
}

/** Any `tke-eni` command. */
export function command(...args: readonly string[]): Following {
  const child = spawn(process.execPath, [main, ...args], {
    env: { PATH: process.env['PATH'] },
    stdio: ['ignore', 'pipe', 'pipe'],
  })
  running.add(child)
  let stdout = ''
  let stderr = ''
  let taken = 0
  let heard = () => {}
  child.stdout.on('data', (chunk) => {
    stdout += String(chunk)
    heard()
  })
  child.stderr.on('data', (chunk) => {
    stderr += String(chunk)
  })
  const ended = once(child, 'close').then(([status]) => {
    running.delete(child)
    heard()
    return { status: status as number | null, stdout, stderr }
  })
  return {
    ended,
    stdout: () => stdout,
    line(pattern) {
      return new Promise((resolve, reject) => {
        const look = () => {
          for (let end = stdout.indexOf('\n', taken); end >= 0; end = stdout.indexOf('\n', taken)) {
            const line = stdout.slice(taken, end)
            taken = end + 1
            if (pattern.test(line)) return resolve(line)
          }
          if (!running.has(child)) reject(new Error(`ended before ${pattern}: ${stdout}${stderr}`))
        }
        heard = look
        look()
      })
    },
    closeStdout: () => void child.stdout.destroy(),
    stop() {
      child.kill('SIGTERM')
      return ended
    },
  }
}
