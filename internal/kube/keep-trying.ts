// What the cluster shall have, or shall tell us, as long as this leader leads: tried until it is so, and looked at again now and then.
import { type BackoffPolicy, backoffDelay } from '../base/backoff.ts'
import { type Clock, sleep } from '../base/clock.ts'
import type { Log } from '../base/log.ts'
import type { Random } from '../base/random.ts'
import { errorCode, withHint } from '../ipam/errors.ts'
import type { Millis } from '../value/millis.ts'

export interface Effort {
  /** Idempotent. */
  readonly attempt: () => Promise<unknown>
  /** undefined: once done it is done. */
  readonly lookEvery: Millis | undefined
  readonly retry: BackoffPolicy
  /** What is so until then, for the log: told once with each obstacle. undefined: nobody misses anything. */
  readonly meanwhile: () => string | undefined
}

export interface Tries {
  readonly clock: Clock
  readonly log: Log
  readonly random: Random
}

/** Until it is done, `signal` aborts, or another leader has come. Never rejects. */
export async function keepTrying(
  { attempt, lookEvery, meanwhile, retry }: Effort,
  { clock, log, random }: Tries,
  signal: AbortSignal,
): Promise<void> {
  const told = new Set<string>()
  for (let failures = 0; !signal.aborted; ) {
    try {
      await attempt()
      if (lookEvery === undefined) return
      failures = 0
      await sleep(clock, lookEvery, signal)
    } catch (error) {
      const code = errorCode(error)
      if (code === 'deposed') return
      const line = meanwhile()
      const obstacle = `${code}: ${line}`
      if (!signal.aborted && line !== undefined && !told.has(obstacle)) {
        told.add(obstacle)
        log.warn(line, { why: withHint(error) })
      }
      await sleep(clock, backoffDelay(retry, failures++, random), signal)
    }
  }
}
