// How fast one action may be called: tokens that refill at a rate, which falls by half when the API throttles, or says that it is not available, and
// climbs back slowly (AIMD). Pure arithmetic over a `now` that is passed in.
import type { Millis } from '../value/millis.ts'

/** The rate takes 80 % of the limit and a burst 20 %: so no window of a second holds more calls than the limit. */
const steadyShare = 0.8
/** Per second without throttling the rate gains this share of its ceiling: 25 s from half speed back to full. */
const climbPerSecond = 0.02
/** Calls in flight together are throttled together: they cut the rate once. */
const cutEvery: Millis = 1000
const slowestShare = 1 / 32
/** Refilling in many small steps must end at a whole token. */
const rounding = 1e-6

export interface TokenBucket {
  /** Takes a token if there is one. */
  take(now: Millis): boolean
  /** When `take` will succeed, if nobody takes before. */
  readyAt(now: Millis): Millis
  /** The API throttled: half the rate, no tokens, nothing at all before `now + pause`. */
  slowDown(now: Millis, pause: Millis): void
  /** Tokens per second at present. */
  rate(): number
}

/** A full bucket for an action that may be called `limit` times a second. */
export function tokenBucket(limit: number, start: Millis): TokenBucket {
  const ceiling = limit * steadyShare
  const capacity = Math.max(1, limit - ceiling)
  let rate = ceiling
  let tokens = capacity
  let at = start
  let pausedUntil = start
  let lastCut = Number.NEGATIVE_INFINITY

  function refill(now: Millis): void {
    const seconds = Math.max(0, now - at) / 1000 // wall time may step back
    at = now
    tokens = Math.min(capacity, tokens + seconds * rate)
    rate = Math.min(ceiling, rate + seconds * ceiling * climbPerSecond)
    if (pausedUntil - now > 60_000) pausedUntil = now // it stepped back far: no pause is that long
  }

  return {
    take(now) {
      refill(now)
      if (now < pausedUntil || tokens < 1 - rounding) return false
      tokens = Math.max(0, tokens - 1)
      return true
    },
    readyAt(now) {
      refill(now)
      const missing = Math.max(0, 1 - rounding - tokens)
      return Math.max(pausedUntil, now + Math.ceil((missing / rate) * 1000))
    },
    slowDown(now, pause) {
      refill(now)
      tokens = 0
      pausedUntil = Math.max(pausedUntil, now + pause)
      if (now - lastCut < cutEvery && now >= lastCut) return
      lastCut = now
      rate = Math.max(ceiling * slowestShare, rate / 2)
    },
    rate: () => rate,
  }
}
