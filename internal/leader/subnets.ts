// The container subnets and their free addresses, read again when old, and counted down in between.
import type { Clock } from '../base/clock.ts'
import type { CloudSubnet, SubnetId } from '../ipam/types.ts'
import type { Cloud } from '../ports.ts'
import type { Millis } from '../value/millis.ts'

export interface Subnets {
  /** Have they ever been read? Before that `current` waits for the cloud. */
  known(): boolean
  /** The configured subnets as last read; nobody waits while they are read again. Throws what the cloud throws when they were never read. */
  current(): Promise<readonly CloudSubnet[]>
  /** Resolves when they have been read again, or that has failed; undefined while nobody does. */
  renewal(): Promise<void> | undefined
  find(id: SubnetId): CloudSubnet | undefined
  /** `count` addresses were just taken: until the next read they count as gone. */
  take(id: SubnetId, count: number): void
  /** The cloud says it has none left. */
  markFull(id: SubnetId): void
}

export function createSubnets(cloud: Cloud, clock: Clock, ids: readonly SubnetId[], maxAge: Millis): Subnets {
  const subnets = new Map<SubnetId, CloudSubnet>()
  let triedAt = Number.NEGATIVE_INFINITY
  let reading: Promise<void> | undefined
  let isKnown = false

  async function read(): Promise<void> {
    try {
      for (const subnet of await cloud.describeSubnets(ids, 'warm-refill')) subnets.set(subnet.id, subnet)
      isKnown = true
    } finally {
      triedAt = clock.now() // after a failure as well: an outage is not asked all the time whether it is over
      reading = undefined
    }
  }

  function setAvailable(id: SubnetId, available: (now: number) => number): void {
    const subnet = subnets.get(id)
    if (subnet !== undefined)
      subnets.set(id, { ...subnet, available: Math.max(0, available(subnet.available)) })
  }

  return {
    known: () => isKnown,
    async current() {
      if (subnets.size === 0 || clock.now() - triedAt >= maxAge) {
        reading ??= read()
        // Old numbers are better than none: an outage must not stop what needs no new address.
        if (subnets.size === 0) await reading
        else reading.catch(() => undefined)
      }
      return [...subnets.values()]
    },
    renewal: () => reading?.catch(() => undefined),
    find: (id) => subnets.get(id),
    take: (id, count) => setAvailable(id, (now) => now - count),
    markFull: (id) => setAvailable(id, () => 0),
  }
}
