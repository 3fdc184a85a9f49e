// When something that failed may be tried again: longer after each failure, at once after a success.
import type { Millis } from '../value/millis.ts'
import { type BackoffPolicy, backoffDelay } from './backoff.ts'
import type { Clock } from './clock.ts'
import type { Random } from './random.ts'

export interface Pause {
  /** How long is still to wait; 0 when it may be tried now. */
  left(): Millis
  /** Returns how long to wait from now. */
  failed(): Millis
  succeeded(): void
}

export function createPause(policy: BackoffPolicy, clock: Clock, random: Random): Pause {
  let failures = 0
  let until = 0
  return {
    left: () => Math.max(0, until - clock.now()),
    failed() {
      const delay = backoffDelay(policy, failures++, random)
      until = clock.now() + delay
      return delay
    },
    succeeded() {
      failures = 0
      until = 0
    },
  }
}
