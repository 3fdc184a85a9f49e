// The only door to time. Production gets the system's; simulation gets a virtual one.
import { uptime } from 'node:os'
import type { Millis } from '../value/millis.ts'

export type Cancel = () => void

export interface Clock {
  /** Wall time. */
  now(): Millis
  /** Calls `run` once after `delay`; never before the current turn of the event loop ends. */
  after(delay: Millis, run: () => void): Cancel
}

/** Time since the machine started: nobody sets it, and it goes on while a process is stopped or the machine sleeps. In steps of 10 ms. */
export const steadyTime = (): Millis => uptime() * 1000

export const systemClock: Clock = {
  now: () => Date.now(),
  after(delay, run) {
    if (delay <= 0) {
      const immediate = setImmediate(run)
      return () => clearImmediate(immediate)
    }
    const timer = setTimeout(run, Math.min(delay, 2 ** 31 - 1))
    return () => clearTimeout(timer)
  },
}

/** Resolves after `delay`, or at once when `signal` aborts. Never rejects. */
export function sleep(clock: Clock, delay: Millis, signal?: AbortSignal): Promise<void> {
  return new Promise((resolve) => {
    if (signal?.aborted) return resolve()
    const done = () => {
      cancel()
      signal?.removeEventListener('abort', done)
      resolve()
    }
    const cancel = clock.after(delay, done)
    signal?.addEventListener('abort', done, { once: true })
  })
}
