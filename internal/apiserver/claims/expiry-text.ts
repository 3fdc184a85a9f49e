// What EXPIRES says of a claim, to kubectl and on the leader's machine.
import type { Millis } from '../../value/millis.ts'
import { humanDuration } from '../human-duration.ts'

export interface Ending {
  readonly isReleasing: boolean
  readonly policy: string
  /** Until it is given back; undefined while nothing is counted. */
  readonly left: Millis | undefined
  /** How long it is kept once its pod ends; undefined: for ever. `by setting`: as long as the leader's setting says. */
  readonly keptFor: Millis | 'by setting' | undefined
}

export function expiryText({ isReleasing, keptFor, left, policy }: Ending): string {
  if (isReleasing) return 'now'
  if (policy === 'Immediate') return 'with pod'
  if (left !== undefined) return left <= 0 ? 'now' : `in ${humanDuration(left)}`
  if (keptFor === undefined) return 'never'
  return keptFor === 'by setting' ? keptFor : `${humanDuration(keptFor)} after pod`
}
