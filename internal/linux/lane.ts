// A lane: one small shell that starts `ip -batch` for us, once per job. A process start from Node costs milliseconds and blocks its event
// loop; from this shell a fraction, and the `ip` of the next job can be started (and put into a pod's network namespace)
// before its commands are known. One `ip` per job: a long-lived one would remember the index of a link that was since
// replaced by another of the same name.
import { spawn } from 'node:child_process'
import type { Clock } from '../base/clock.ts'
import { IpamError } from '../ipam/errors.ts'
import { commandEnvironment } from './command.ts'

/** What `ip` said (both streams) and its exit status: 0 all done, 1 some lines failed, else it gave up somewhere. */
export interface LaneAnswer {
  readonly status: number
  readonly output: string
}

export interface Lane {
  /** Starts the `ip` of the next job, in the network namespace at path `netns`, or in ours when that is ''. */
  begin(netns: string): void
  /**
   * Ends the job begun, with its command lines. They must be idempotent: when the lane broke they are given to a new one, once.
   * Throws `kernel` when that broke too.
   */
  finish(lines: readonly string[]): Promise<LaneAnswer>
  readonly begun: boolean
  close(): Promise<void>
}

/** Begins the last row of each answer: a character `ip` never prints. */
const endMark = '\x1e'

/** Longer than any job takes on a loaded node: past it the lane is killed. */
const timeoutMs = 30_000

// Words are read byte by byte (`read` must not take more than its line), so that nothing of a job reaches the next. The feeder
// ignores SIGPIPE: when `ip` ends early the rest of its lines must still be consumed. A closed stdin ends all of it.
// Both programs are looked up once: a long PATH costs more than their work.
const script = `
ip=$(command -v ip) nsenter=$(command -v nsenter)
while IFS= read -r netns; do
  {
    trap '' PIPE
    lines=
    while IFS= read -r line && [ "$line" != . ]; do lines="$lines$line
"; done
    printf '%s' "$lines"
  } 2>/dev/null | if [ -n "$netns" ]; then exec "$nsenter" --net="$netns" -- "$ip" "$@" -force -batch -
  else exec "$ip" "$@" -force -batch -; fi 2>&1
  printf '\\036%d\\n' $?
done`

/** A lane whose `ip` gets `options` besides `-force -batch -`. Nothing is started before it is needed. */
export function createLane(clock: Clock, options: readonly string[] = []): Lane {
  let shell: Shell | undefined
  /** The namespace of the job begun. */
  let job: string | undefined

  function begin(netns: string): Shell {
    const current = shell?.alive === true ? shell : startShell(clock, options)
    shell = current
    job = netns
    current.write(`${netns}\n`)
    return current
  }

  async function finishOn(current: Shell, lines: readonly string[]): Promise<LaneAnswer> {
    current.write([...lines, '.', ''].join('\n'))
    const answer = await current.answer()
    job = undefined
    return answer
  }

  return {
    get begun() {
      return job !== undefined
    },
    begin(netns) {
      begin(netns)
    },
    async finish(lines) {
      const netns = job ?? ''
      try {
        return await finishOn(shell?.alive === true ? shell : begin(netns), lines)
      } catch {
        return await finishOn(begin(netns), lines)
      }
    },
    async close() {
      await shell?.close()
    },
  }
}

interface Shell {
  readonly alive: boolean
  write(text: string): void
  /** The answer to the one job under way. Throws `kernel` when the shell ends before it. */
  answer(): Promise<LaneAnswer>
  close(): Promise<void>
}

function startShell(clock: Clock, options: readonly string[]): Shell {
  const child = spawn('sh', ['-c', script, 'lane', ...options], {
    env: commandEnvironment(),
    stdio: ['pipe', 'pipe', 'ignore'],
    detached: true, // its own process group, so that a kill reaches the `ip` below it
  })
  let alive = true
  let output = ''
  let wake: (() => void) | undefined
  const ended = new Promise<void>((resolve) => {
    const end = (): void => {
      alive = false
      wake?.()
      resolve()
    }
    child.on('error', end)
    child.on('close', end)
  })
  child.stdin.on('error', () => {
    alive = false // it ended, and `close` has not told us yet
  })
  child.stdout.setEncoding('utf8')
  child.stdout.on('data', (chunk: string) => {
    output += chunk
    if (chunk.endsWith('\n')) wake?.()
  })

  async function answer(): Promise<LaneAnswer> {
    const cancel = clock.after(timeoutMs, () => killGroup(child.pid))
    try {
      for (;;) {
        const end = output.lastIndexOf(endMark)
        if (end >= 0 && output.endsWith('\n')) {
          const whole = { status: Number(output.slice(end + 1)), output: output.slice(0, end) }
          output = ''
          return whole
        }
        if (!alive) throw new IpamError('kernel', 'Cannot run "ip": the shell that starts it ended')
        await new Promise<void>((resolve) => {
          wake = resolve
        })
      }
    } finally {
      cancel()
    }
  }

  return {
    get alive() {
      return alive
    },
    write: (text) => child.stdin.write(text),
    answer,
    async close() {
      child.stdin.end()
      await ended
    },
  }
}

function killGroup(pid: number | undefined): void {
  if (pid === undefined) return
  try {
    process.kill(-pid, 'SIGKILL')
  } catch {
    // ended by itself
  }
}
