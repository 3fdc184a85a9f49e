// Whether the leader's role may reserve addresses, as far as the cloud has said: where it may not, addresses stay parked on ENIs (S13). And
// for which claims one may have been reserved all the same: these get none on an ENI meanwhile, or they would have two.
import type { Clock } from '../../base/clock.ts'
import type { Log } from '../../base/log.ts'
import type { Millis } from '../../value/millis.ts'

export interface ReservePermission {
  /** It was refused a while ago: asking again would be in vain. */
  refused(): boolean
  /** What the cloud said; undefined when it has not refused. */
  why(): string | undefined
  note(refusal: string | undefined): void
}

/** Keys of claims for which a reservation was asked for, of which nobody knows yet whether it is made: in memory only. */
export type Unanswered = Set<number>

/** Asked again `askAgainAfter` a refusal: somebody may have given the permission since. */
export function createReservePermission(clock: Clock, log: Log, askAgainAfter: Millis): ReservePermission {
  let refusal: { readonly at: Millis; readonly why: string } | undefined
  return {
    refused: () => refusal !== undefined && Math.abs(clock.now() - refusal.at) < askAgainAfter,
    why: () => refusal?.why,
    note(why) {
      if (why !== undefined && refusal === undefined)
        log.warn('addresses cannot be reserved: they are parked on ENIs', { error: why })
      if (why === undefined && refusal !== undefined) log.info('addresses can be reserved again')
      refusal = why === undefined ? undefined : { at: clock.now(), why }
    },
  }
}
