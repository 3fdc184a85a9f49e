// Points in time and durations, both in milliseconds; points since the Unix epoch.

export type Millis = number

const units: Readonly<Record<string, number>> = { ms: 1, s: 1000, m: 60_000, h: 3_600_000, d: 86_400_000 }

/** The duration in `text` ("90s", "1h30m", "250ms"; "0"), or undefined when it is not one. */
export function parseDuration(text: string): Millis | undefined {
  if (text === '0') return 0
  if (!/^(\d+(ms|s|m|h|d))+$/.test(text)) return undefined
  let total = 0
  for (const [, count, unit] of text.matchAll(/(\d+)(ms|s|m|h|d)/g))
    total += Number(count) * (units[unit ?? ''] ?? 0)
  return Number.isSafeInteger(total) ? total : undefined
}

/** Did it happen less than `duration` before `now`? What lies ahead happened before the clock was set back. */
export function isRecent(at: Millis, now: Millis, duration: Millis): boolean {
  return at <= now && now - at < duration
}

/** The last that RFC 3339 can say: the end of the year 9999. */
const lastTime: Millis = Date.UTC(10_000, 0) - 1

/** "2026-01-31T12:00:00.000Z"; what is later than that format can say is its end. */
export function formatMillis(at: Millis): string {
  return new Date(Math.min(at, lastTime)).toISOString()
}

/** "2026-01-31T00:00:00Z": whole seconds in RFC 3339, as Kubernetes and the CVM API print them. */
export function formatTime(at: Millis): string {
  return `${formatMillis(at).slice(0, 19)}Z`
}
