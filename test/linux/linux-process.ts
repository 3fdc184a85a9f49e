// The Linux adapter in a process of its own inside some network namespace, as a node agent has it; spoken to by lines of JSON.
import assert from 'node:assert/strict'
import { spawn } from 'node:child_process'
import { createInterface } from 'node:readline'
import { fileURLToPath } from 'node:url'
import { systemClock } from '../../internal/base/clock.ts'
import { createLinux } from '../../internal/linux/linux.ts'
import { inNetns } from '../../internal/linux/netns.ts'
import type { Linux } from '../../internal/ports.ts'

type Method = keyof Linux
interface Answer {
  readonly value?: unknown
  readonly error?: string
}

/** A `Linux` that acts in the namespace at `netns`; calls are answered in their order. */
export function startLinuxProcess(netns: string): Linux & { readonly pid: number; close(): Promise<void> } {
  const [command, args] = inNetns(netns, process.execPath, [fileURLToPath(import.meta.url), 'serve'])
  const child = spawn(command, args, { stdio: ['pipe', 'pipe', 'inherit'] })
  const ended = new Promise<void>((resolve) => child.once('close', () => resolve()))
  const waiting: ((answer: Answer) => void)[] = []
  createInterface({ input: child.stdout }).on('line', (line) => waiting.shift()?.(JSON.parse(line) as Answer))

  function call<K extends Method>(method: K) {
    return async (...args: Parameters<Linux[K]>): Promise<Awaited<ReturnType<Linux[K]>>> => {
      const answer = await new Promise<Answer>((resolve) => {
        waiting.push(resolve)
        child.stdin.write(`${JSON.stringify({ method, args })}\n`)
      })
      assert.equal(answer.error, undefined)
      return answer.value as Awaited<ReturnType<Linux[K]>>
    }
  }

  return {
    pid: child.pid ?? 0,
    links: call('links'),
    survey: call('survey'),
    apply: call('apply'),
    connectPod: call('connectPod'),
    disconnectPod: call('disconnectPod'),
    inspectPod: call('inspectPod'),
    giveEni: call('giveEni'),
    takeEni: call('takeEni'),
    inspectEni: call('inspectEni'),
    findEnis: call('findEnis'),
    namespaceExists: call('namespaceExists'),
    async close() {
      child.stdin.end()
      await ended
    },
  }
}

async function serve(): Promise<void> {
  const linux = createLinux({ clock: systemClock, routeTableBase: 2000 })
  for await (const line of createInterface({ input: process.stdin })) {
    const { method, args } = JSON.parse(line) as { method: Method; args: never[] }
    const answer: Answer = await (linux[method] as (...args: never[]) => Promise<unknown>)(...args).then(
      (value) => ({ value }),
      (error: unknown) => ({ error: String(error) }),
    )
    process.stdout.write(`${JSON.stringify(answer)}\n`)
  }
  await linux.close()
}

if (process.argv[2] === 'serve' && process.argv[1] === fileURLToPath(import.meta.url)) await serve()
