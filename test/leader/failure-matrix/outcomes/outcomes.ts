// What must come of mishaps, and the conditions that a NEC commonly shows on the way.
import type { Outcome } from '../cell.ts'
import type { MishapId } from '../mishaps.ts'

export type Outcomes = Partial<Readonly<Record<MishapId, Outcome>>>

export const served = ['PoolServed']
/** The NEC is not written before it has come to that. */
export const refusedAtOnce = ['CloudRefused', 'PoolServed']
export const refused = ['PoolServed', ...refusedAtOnce]
