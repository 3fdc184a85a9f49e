// How long a claim is kept that says so itself (S12).
import { type Millis, parseDuration } from '../value/millis.ts'

/** Less is refused, as the leader's own setting is. */
export const leastExpiry: Millis = 300_000

/** As Go writes durations: fractions ("1.5h") and units below milliseconds are for nobody. */
export function parseClaimExpiry(text: string): Millis | undefined {
  const millis = parseDuration(text)
  return millis !== undefined && millis >= leastExpiry ? millis : undefined
}
