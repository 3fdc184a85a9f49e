// Whether the leader's role may reserve addresses, as far as the cloud has said: where it may not, addresses stay parked on ENIs (S13).
import type { Clock } from '../../base/clock.ts'
import type { Millis } from '../../value/millis.ts'

export interface ReservePermission {
  /** It was refused a while ago: asking again would be in vain. */
  refused(): boolean
  /** What the cloud said; undefined when it has not refused. */
  why(): string | undefined
  note(refusal: string | undefined): void
}

/** Somebody may have given the permission since. */
const askAgainAfter: Millis = 5 * 60_000

export function createReservePermission(clock: Clock): ReservePermission {
  let refusal: { readonly at: Millis; readonly why: string } | undefined
  return {
    refused: () => refusal !== undefined && Math.abs(clock.now() - refusal.at) < askAgainAfter,
    why: () => refusal?.why,
    note(why) {
      refusal = why === undefined ? undefined : { at: clock.now(), why }
    },
  }
}
