// Does a node have addresses for the pods that are to come (K5)? Between the two answers lies what is left as it is: a node that
// has served pods is not closed to them because its pool is short for a while.
import { maxBindable } from './pool.ts'
import type { EniMode, Nec, NodeBounds } from './types.ts'

export type Availability = 'available' | 'unavailable' | 'undecided'

/** Of the pool `mode`, which its ordinary pods are served from; `served`: that one is as it should be. What other pods wait for closes no node. */
export function judgeAvailability(
  nec: Nec | undefined,
  bounds: NodeBounds,
  mode: EniMode,
  served: boolean,
): Availability {
  if (nec?.report === undefined) return 'unavailable'
  const { exclusiveWithheld, withheld } = nec.report
  const needed = Math.min(bounds[mode].minWarm, 1, maxBindable(bounds[mode]))
  const enis = (nec.publication?.enis ?? []).filter((eni) => eni.mode === mode)
  const bound = enis.reduce((sum, { ips }) => sum + ips.length, 0)
  if (bound - (mode === 'shared' ? withheld : exclusiveWithheld) < needed) return 'unavailable'
  return served ? 'available' : 'undecided'
}
