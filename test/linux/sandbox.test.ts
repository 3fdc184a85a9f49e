import assert from 'node:assert/strict'
import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { existsSync, readdirSync, readFileSync } from 'node:fs'
import { createInterface } from 'node:readline'
import type { Readable } from 'node:stream'
import { test } from 'node:test'
import { setTimeout as delay } from 'node:timers/promises'
import { fileURLToPath } from 'node:url'
import { runCommand } from '../../internal/linux/command.ts'
import { type Sandbox, sandboxFault, startSandbox } from '../../internal/linux/sandbox.ts'

const self = fileURLToPath(import.meta.url)

/** A sandbox whose shell says "ready" and then waits; orphans of its own included. */
function startIdle(marker: string): Sandbox {
  const script = `sh -c 'exec sleep ${marker}' & setsid sleep ${marker} & echo ready; wait`
  return startSandbox({ command: 'sh', args: ['-c', script], stdio: 'pipe' })
}

async function ready(stream: Readable | null): Promise<void> {
  assert.ok(stream)
  await once(createInterface({ input: stream }), 'line')
}

/** Processes of this machine whose command line has `marker`. */
function running(marker: string): readonly string[] {
  return readdirSync('/proc')
    .filter((name) => /^\d+$/.test(name))
    .filter((pid) => {
      try {
        return readFileSync(`/proc/${pid}/cmdline`, 'latin1').split('\0').includes(marker)
      } catch {
        return false // ended while we looked
      }
    })
}

async function untilRunning(marker: string, count: number): Promise<void> {
  while (running(marker).length !== count) await delay(5)
}

if (process.argv[2] === 'parent') {
  const sandbox = startIdle(process.argv[3] ?? '')
  await ready(sandbox.streams.stdout)
  console.log('ready')
} else {
  const fault = await sandboxFault(runCommand)
  const options = { skip: fault ?? false, timeout: 20_000 }

  test(
    'startSandbox() gives the command its own network, /run and processes, and its status back',
    options,
    async () => {
      const script = 'ip -o link | wc -l; ip netns add a && ls /run/netns; cat; exit 7'
      const sandbox = startSandbox({ command: 'sh', args: ['-c', script], stdio: 'pipe' })
      const output: Buffer[] = []
      sandbox.streams.stdout?.on('data', (chunk: Buffer) => output.push(chunk))
      sandbox.streams.stdin?.end('from outside\n')
      assert.equal(await sandbox.exited, 7)
      assert.equal(Buffer.concat(output).toString(), '1\na\nfrom outside\n')
      assert.equal(existsSync('/run/netns/a'), false)
    },
  )

  test('stop() lets the command end by itself', options, async () => {
    const script = 'trap "exit 5" TERM; echo ready; while :; do sleep 0.05; done'
    const sandbox = startSandbox({ command: 'sh', args: ['-c', script], stdio: 'pipe' })
    await ready(sandbox.streams.stdout)
    sandbox.stop()
    assert.equal(await sandbox.exited, 5)
  })

  test('kill() ends every process of the sandbox', options, async (context) => {
    const sandbox = startIdle('86421.1')
    context.after(() => sandbox.kill())
    await ready(sandbox.streams.stdout)
    await untilRunning('86421.1', 2)
    sandbox.kill()
    assert.equal(await sandbox.exited, 137)
    assert.deepEqual(running('86421.1'), [])
  })

  for (const [victim, marker] of [
    ['the process that started it', '86421.2'],
    ['the process between', '86421.3'],
  ] as const) {
    test(`nothing of a sandbox outlives SIGKILL of ${victim}`, options, async (context) => {
      const parent = spawn(process.execPath, [self, 'parent', marker], {
        stdio: ['ignore', 'pipe', 'inherit'],
      })
      context.after(() => parent.kill('SIGKILL'))
      const ended = once(parent, 'exit')
      await ready(parent.stdout)
      await untilRunning(marker, 3) // the parent has the word among its arguments
      const unshare = await runCommand('pgrep', ['-P', String(parent.pid), '-x', 'unshare'])
      process.kill(marker === '86421.2' ? Number(parent.pid) : Number(unshare.stdout), 'SIGKILL')
      await ended
      await untilRunning(marker, 0)
    })
  }
}
