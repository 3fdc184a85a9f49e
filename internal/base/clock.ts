// The only door to time. Production gets the system's; simulation gets a virtual one.
import { uptime } from 'node:os'
import type { Millis } from '../value/millis.ts'

export type Cancel = () => void

export interface Clock {
  /** Wall time, in whole milliseconds. */
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

/** Of a wall clock that somebody has set, at most so much of the time that passes is added or left out. */
const catchUp = 0.1

/**
 * Wall time without its jumps: what is 30 s apart by it is 30 s apart, give or take a tenth, whoever sets the machine's clock meanwhile.
 * It goes towards the time that the clock shows, an hour in ten hours; a new process begins with that. For daemons, which measure
 * how long ago something was by times that they have stored.
 */
export function evenClock(
  wall: () => Millis = systemClock.now,
  steady: () => Millis = () => performance.now(),
): Clock {
  let shown = wall()
  let seenAt = steady()
  return {
    now() {
      const passed = Math.max(0, steady() - seenAt)
      seenAt += passed
      const behind = wall() - (shown + passed)
      const most = passed * catchUp
      shown += passed + Math.min(most, Math.max(-most, behind))
      return Math.floor(shown)
    },
    after: systemClock.after,
  }
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
