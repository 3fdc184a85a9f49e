// Whose the places for ENIs are that both kinds share (X3): pods come before warm ones, also where these have them already. Leader and
// agent ask the same question: the one grows no ENI that the other is about to give up.
import { maxBindable } from './pool.ts'
import { type EniMode, eniModes, type NodeBounds, type PoolBounds } from './types.ts'

/** Of one kind. */
export interface PlaceClaim {
  /** ENIs that are there. */
  readonly there: number
  /** ENIs that pods have. */
  readonly used: number
  /** ENIs that pods need, those that they wait for included. */
  readonly needed: number
}

/**
 * The maxima, lowered where a kind has ENIs there that no pod needs, and the other one's pods wait for their places, or the instance takes
 * no more so many. What pods have stays; then come pods that wait for something on ENIs that are there, other pods that wait, and warm
 * ENIs; of each those of addresses first.
 */
export function sharePlaces(bounds: NodeBounds, claims: Readonly<Record<EniMode, PlaceClaim>>): NodeBounds {
  const { instanceEnis } = bounds
  const granted = { shared: claims.shared.used, exclusive: claims.exclusive.used }
  const grant = (mode: EniMode, wanted: number) => {
    const free = instanceEnis - granted.shared - granted.exclusive
    granted[mode] += Math.max(0, Math.min(wanted - granted[mode], free))
  }
  for (const mode of eniModes) grant(mode, Math.min(claims[mode].needed, claims[mode].there))
  for (const mode of eniModes) grant(mode, claims[mode].needed)
  const { shared: forShared, exclusive: forExclusive } = granted
  const mostShared = Math.max(forShared, instanceEnis - forExclusive)
  const sharedThere = Math.min(claims.shared.there, mostShared, bounds.shared.maxEnis)
  const mostExclusive = Math.max(forExclusive, instanceEnis - Math.max(forShared, sharedThere))
  const within = (mode: EniMode, most: number): PoolBounds => {
    const { maxEnis } = bounds[mode]
    return { ...bounds[mode], maxEnis: claims[mode].there > most ? Math.min(maxEnis, most) : maxEnis }
  }
  return { ...bounds, shared: within('shared', mostShared), exclusive: within('exclusive', mostExclusive) }
}

/**
 * The fewest shared ENIs that carry so many pods of the pool beside so many claimed addresses, where `sizes` are on those that are there: one may
 * have more than `ipsPerEni`, which was lowered.
 */
export function sharedEnisFor(
  { claimed, pods }: { readonly pods: number; readonly claimed: number },
  sizes: readonly number[],
  bounds: PoolBounds,
): number {
  const { ipsPerEni, maxEnis, maxPods = Number.POSITIVE_INFINITY } = bounds
  const there = sizes.reduce((sum, size) => sum + size, 0)
  // Beyond the most that may be bound no ENI is made, whoever waits.
  let left = Math.min(
    pods + claimed,
    Math.max(there, maxBindable({ ipsPerEni, maxEnis, maxPods: maxPods + claimed })),
  )
  let count = 0
  for (const size of sizes.toSorted((a, b) => b - a)) {
    if (left <= 0) return count
    left -= Math.max(size, ipsPerEni)
    count++
  }
  if (left <= 0 || ipsPerEni <= 0) return count
  return Math.max(count, Math.min(maxEnis, count + Math.ceil(left / ipsPerEni)))
}
