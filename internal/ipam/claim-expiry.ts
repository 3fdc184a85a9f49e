// What a pod's annotations say of whether and how long a claim is kept, to an address or to an EIP (S12).
import { type Millis, parseDuration } from '../value/millis.ts'

/** Annotation; with `keyPrefix` before. */
export const expiryKey = 'claim-expired-duration'

/** Less or more is refused, as the leader's own setting is: half a year is the most that TKE's API takes. */
const leastExpiry: Millis = 300_000
const mostExpiry: Millis = 4380 * 3_600_000

/** What is wrong with another one. */
export const notExpiry = 'it is not a duration of 5m to 4380h (such as 1h30m)'
export const notPolicy = 'it is neither Never nor Immediate'

/** As Go writes durations: fractions ("1.5h") and units below milliseconds are for nobody. */
export function parseClaimExpiry(text: string): Millis | undefined {
  const millis = parseDuration(text)
  return millis !== undefined && millis >= leastExpiry && millis <= mostExpiry ? millis : undefined
}

/** As tags and NECs have it, which people may edit: of more the most, of what is no time none. */
export function storedExpiry(millis: number | null | undefined): Millis | undefined {
  if (millis === null || millis === undefined || !(millis >= leastExpiry)) return undefined
  return Math.min(Math.trunc(millis), mostExpiry)
}
