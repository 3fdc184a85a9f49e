// What a pod's annotations say of whether and how long a claim is kept, to an address or to an EIP (S12).
import { type Millis, parseDuration } from '../value/millis.ts'

/** Annotation; with `keyPrefix` before. */
export const expiryKey = 'claim-expired-duration'

/** Less is refused, as the leader's own setting is. */
export const leastExpiry: Millis = 300_000

/** What is wrong with another one. */
export const notExpiry = 'it is not a duration of at least 5m (such as 1h30m)'
export const notPolicy = 'it is neither Never nor Immediate'

/** As Go writes durations: fractions ("1.5h") and units below milliseconds are for nobody. */
export function parseClaimExpiry(text: string): Millis | undefined {
  const millis = parseDuration(text)
  return millis !== undefined && millis >= leastExpiry ? millis : undefined
}
