// Exponential back-off with jitter: how long to wait before the n-th retry.
import type { Random } from './random.ts'

export interface BackoffPolicy {
  readonly firstMs: number
  readonly maxMs: number
}

/** Between half and all of min(first × 2^failures, max), so that many retries never come at once. */
export function backoffDelay(policy: BackoffPolicy, failures: number, random: Random): number {
  const full = Math.min(policy.firstMs * 2 ** Math.min(failures, 30), policy.maxMs)
  return Math.round(full / 2 + (random.next() * full) / 2)
}
