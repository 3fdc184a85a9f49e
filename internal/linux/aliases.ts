// Aliases of pod links, which say whose they are: given a while after a burst of ADDs, many at once. What is lost on the way (we
// may die before) the next look at the kernel makes good.
import type { Cancel, Clock } from '../base/clock.ts'
import type { PodWiring } from '../ipam/types.ts'
import type { Batcher } from './batcher.ts'
import { aliasLine } from './wiring-lines.ts'

/** One process for the aliases of many pods. */
export const aliasDelayMs = 1000

export interface Aliases {
  add(wiring: PodWiring): void
  /** Gives what is pending at once. */
  close(): Promise<void>
}

/** Failures are for the next look. */
export function createAliases(clock: Clock, batcher: Batcher): Aliases {
  /** By link: of a link that was made anew, only the last one is true. */
  const pending = new Map<string, string>()
  let cancel: Cancel | undefined

  async function flush(): Promise<void> {
    const lines = [...pending].map(([link, alias]) => aliasLine(link, alias))
    pending.clear()
    cancel = undefined
    await batcher.run(lines).catch(() => {})
  }

  return {
    add({ alias, hostLink }) {
      pending.delete(hostLink)
      if (alias === undefined) return
      pending.set(hostLink, alias)
      cancel ??= clock.after(aliasDelayMs, () => void flush())
    },
    async close() {
      cancel?.()
      if (pending.size > 0) await flush()
    },
  }
}
