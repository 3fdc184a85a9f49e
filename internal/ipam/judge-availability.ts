// Does a node have addresses for the pods that are to come (K5)? Between the two answers lies what is left as it is: a node that
// has served pods is not closed to them because its pool is short for a while.
import { maxBindable } from './pool.ts'
import type { Nec, NodeBounds } from './types.ts'

export type Availability = 'available' | 'unavailable' | 'undecided'

/** `served`: the pool is as it should be, says its condition. */
export function judgeAvailability(
  nec: Nec | undefined,
  { shared }: NodeBounds,
  served: boolean,
): Availability {
  if (nec?.report === undefined) return 'unavailable'
  const needed = Math.min(shared.minWarm, 1, maxBindable(shared))
  const enis = (nec.publication?.enis ?? []).filter(({ mode }) => mode === 'shared')
  const bound = enis.reduce((sum, { ips }) => sum + ips.length, 0)
  if (bound < needed) return 'unavailable'
  return served ? 'available' : 'undecided'
}
