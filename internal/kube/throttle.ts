// A token bucket for requests: at most `burst` at once and `qps` a second after that.
import { type Clock, sleep } from '../base/clock.ts'
import type { Millis } from '../value/millis.ts'

export interface Throttle {
  /** Resolves when the next request may go; in the order of calls. */
  turn(signal?: AbortSignal): Promise<void>
}

export function createThrottle(clock: Clock, { qps, burst }: { qps: number; burst: number }): Throttle {
  const interval: Millis = 1000 / qps
  // When the bucket would be full again, had nobody come since.
  let fullAt = 0
  return {
    async turn(signal) {
      const now = clock.now()
      fullAt = Math.max(fullAt, now) + interval
      const wait = fullAt - interval * burst - now
      if (wait > 0) await sleep(clock, wait, signal)
    },
  }
}
