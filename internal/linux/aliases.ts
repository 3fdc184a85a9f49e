// Names for people on pod links ("pod 10.0.1.5 eth0" in `ip link`): given a while after a burst of ADDs, many at once.
import type { Cancel, Clock } from '../base/clock.ts'
import type { PodWiring } from '../ipam/types.ts'
import type { Batcher } from './batcher.ts'
import { aliasLine } from './wiring-lines.ts'

/** One process for the names of many pods. */
export const aliasDelayMs = 1000
/** After that many the rest stay without a name until the next round has passed. */
const maxPending = 512

export interface Aliases {
  add(wiring: PodWiring): void
  close(): void
}

/** Failures are nobody's concern: a pod is as well without. */
export function createAliases(clock: Clock, batcher: Batcher): Aliases {
  let pending: PodWiring[] = []
  let cancel: Cancel | undefined

  function flush(): void {
    const lines = pending.map(aliasLine)
    pending = []
    cancel = undefined
    batcher.run(lines).catch(() => {})
  }

  return {
    add(wiring) {
      if (pending.length < maxPending) pending.push(wiring)
      cancel ??= clock.after(aliasDelayMs, flush)
    },
    close: () => cancel?.(),
  }
}
