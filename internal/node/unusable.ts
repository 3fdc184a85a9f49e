// Idle addresses that no pod can get, though the leader takes them for bound: their ENI's link does not appear, or somebody unknown may have
// them. What passes within moments, as with every new ENI, is not worth telling.
import type { Clock } from '../base/clock.ts'
import type { Ipv4 } from '../value/ipv4.ts'
import type { Millis } from '../value/millis.ts'

export interface Unusable {
  /** By the look that was just taken. */
  saw(addresses: readonly Ipv4[]): void
  /** Those that have been so for a while. */
  lasting(): ReadonlySet<Ipv4>
}

/** A link is there seconds after its ENI is attached. */
const lastsAfter: Millis = 30_000

export function createUnusable(clock: Clock): Unusable {
  let since: ReadonlyMap<Ipv4, Millis> = new Map()
  return {
    saw(addresses) {
      const now = clock.now()
      since = new Map(addresses.map((address) => [address, Math.min(now, since.get(address) ?? now)]))
    },
    lasting() {
      const until = clock.now() - lastsAfter
      return new Set([...since].flatMap(([address, from]) => (from <= until ? [address] : [])))
    },
  }
}
