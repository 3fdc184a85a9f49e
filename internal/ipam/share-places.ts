// Whose the places for ENIs are that both kinds share (X3): pods come before warm ones, also where these have them already. Leader and
// agent ask the same question: the one grows no ENI that the other is about to give up.
import type { EniMode, NodeBounds, PoolBounds } from './types.ts'

/** Of one kind. */
export interface PlaceClaim {
  /** ENIs that are there. */
  readonly there: number
  /** ENIs that pods need, those that they wait for included. */
  readonly needed: number
}

/**
 * The maxima, lowered where a kind has ENIs there that no pod needs, and the other one's pods wait for their places, or the instance takes
 * no more so many. Who has a place and needs it keeps it; then come waiting pods that want addresses, those that want ENIs, and warm ones
 * in the same order.
 */
export function sharePlaces(bounds: NodeBounds, claims: Readonly<Record<EniMode, PlaceClaim>>): NodeBounds {
  const { instanceEnis } = bounds
  const kept = (mode: EniMode) => Math.min(claims[mode].needed, claims[mode].there)
  let free = Math.max(0, instanceEnis - kept('shared') - kept('exclusive'))
  const granted = (mode: EniMode): number => {
    const more = Math.min(claims[mode].needed - kept(mode), free)
    free -= more
    return kept(mode) + more
  }
  const forShared = granted('shared')
  const forExclusive = granted('exclusive')
  const mostShared = Math.max(forShared, instanceEnis - forExclusive)
  const sharedThere = Math.min(claims.shared.there, mostShared, bounds.shared.maxEnis)
  const mostExclusive = Math.max(forExclusive, instanceEnis - Math.max(forShared, sharedThere))
  const within = (mode: EniMode, most: number): PoolBounds => {
    const { maxEnis } = bounds[mode]
    return { ...bounds[mode], maxEnis: claims[mode].there > most ? Math.min(maxEnis, most) : maxEnis }
  }
  return { ...bounds, shared: within('shared', mostShared), exclusive: within('exclusive', mostExclusive) }
}

/** The fewest shared ENIs that carry so many pods, where `sizes` are on those that are there: one may have more than `ipsPerEni`, which was lowered. */
export function sharedEnisFor(
  pods: number,
  sizes: readonly number[],
  { ipsPerEni, maxEnis }: PoolBounds,
): number {
  let left = pods
  let count = 0
  for (const size of sizes.toSorted((a, b) => b - a)) {
    if (left <= 0) return count
    left -= Math.max(size, ipsPerEni)
    count++
  }
  if (left <= 0 || ipsPerEni <= 0) return count
  return Math.max(count, Math.min(maxEnis, count + Math.ceil(left / ipsPerEni)))
}
