// Calls per second and action: a bucket of one second's calls each. Kept in memory: a second later it is full again.
import type { Millis } from '../../value/millis.ts'

export interface RateLimit {
  /** Takes one call of `rate` a second; false when there is none left. */
  take(action: string, rate: number, at: Millis): boolean
}

export function createRateLimit(): RateLimit {
  const buckets = new Map<string, { tokens: number; at: Millis }>()
  return {
    take(action, rate, at) {
      const bucket = buckets.get(action) ?? { tokens: rate, at }
      const earned = (Math.max(0, at - bucket.at) * rate) / 1000
      const tokens = Math.min(rate, bucket.tokens + earned)
      buckets.set(action, { tokens: tokens >= 1 ? tokens - 1 : tokens, at: Math.max(at, bucket.at) })
      return tokens >= 1
    },
  }
}
