// How long a process leaves others without an answer: its health is asked for again and again, from a thread that does nothing else.

import { once } from 'node:events'
import { Agent, get } from 'node:http'
import { setTimeout as pause } from 'node:timers/promises'
import { isMainThread, parentPort, Worker, workerData } from 'node:worker_threads'

export interface StallMeter {
  /** Milliseconds of the longest wait since this was asked last. */
  longest(): Promise<number>
  stop(): Promise<void>
}

export function startStallMeter(port: number): StallMeter {
  const worker = new Worker(new URL(import.meta.url), { workerData: port })
  return {
    async longest() {
      const answer = once(worker, 'message')
      worker.postMessage('longest')
      return ((await answer) as [number])[0]
    },
    async stop() {
      await worker.terminate()
    },
  }
}

async function measure(port: number): Promise<never> {
  const agent = new Agent({ keepAlive: true, maxSockets: 1 })
  let longest = 0
  parentPort?.on('message', () => {
    parentPort?.postMessage(longest)
    longest = 0
  })
  for (;;) {
    const begin = performance.now()
    await new Promise<void>((resolve) => {
      const sent = get({ host: '127.0.0.1', port, path: '/healthz', agent }, (answer) => {
        answer.resume()
        answer.once('end', resolve)
      })
      sent.once('error', () => resolve())
    })
    longest = Math.max(longest, performance.now() - begin)
    await pause(1)
  }
}

if (!isMainThread && typeof workerData === 'number') await measure(workerData)
