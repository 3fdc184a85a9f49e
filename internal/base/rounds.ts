// One piece of work that is done again and again: after the pause it asks for, sooner when woken, never twice at a time.
import type { Millis } from '../value/millis.ts'
import type { Cancel, Clock } from './clock.ts'

export interface Rounds {
  /** The next round begins after `delay` at the latest, counted from the end of the one under way. */
  wake(delay?: Millis): void
  /** No further round begins. */
  stop(): void
}

/** The first round begins at once. `round` gives the pause before the next one and must not reject: failures are its own to report. */
export function startRounds(clock: Clock, round: () => Promise<Millis>): Rounds {
  let cancel: Cancel | undefined
  let dueAt = Number.POSITIVE_INFINITY
  let running = false
  let again = Number.POSITIVE_INFINITY
  let stopped = false

  async function run(): Promise<void> {
    dueAt = Number.POSITIVE_INFINITY
    running = true
    const pause = await round()
    running = false
    schedule(Math.min(again, pause))
    again = Number.POSITIVE_INFINITY
  }

  function schedule(delay: Millis): void {
    if (stopped || clock.now() + delay >= dueAt) return
    cancel?.()
    dueAt = clock.now() + delay
    cancel = clock.after(delay, () => void run())
  }

  schedule(0)
  return {
    wake(delay = 0) {
      if (running) again = Math.min(again, delay)
      else schedule(delay)
    },
    stop() {
      stopped = true
      cancel?.()
    },
  }
}
