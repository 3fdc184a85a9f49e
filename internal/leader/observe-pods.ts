// Notes in the ledger which pod shows which address, so that the file alone answers "who has 10.0.1.5?".
// For people and for careful releases only: the node's database decides who has what.
import type { Clock } from '../base/clock.ts'
import type { Log } from '../base/log.ts'
import type { PodFact } from '../ipam/types.ts'
import type { LeaderLedger } from '../ports.ts'
import type { Ipv4 } from '../value/ipv4.ts'

export interface PodObserver {
  observe(pod: PodFact, gone: boolean): void
}

/** Gathers observations of a turn into one change of the ledger. */
export function createPodObserver(ledger: LeaderLedger, clock: Clock, log: Log): PodObserver {
  const pending = new Map<string, { pod: PodFact; gone: boolean }>()
  const addressOf = new Map<string, Ipv4>([...ledger.podAddresses()].map(([address, uid]) => [uid, address]))

  async function flush(): Promise<void> {
    const batch = [...pending.values()]
    pending.clear()
    try {
      await ledger.write((tx) => {
        for (const { pod, gone } of batch) {
          const before = addressOf.get(pod.uid)
          const now = gone || pod.terminal || pod.hostNetwork ? undefined : pod.ip
          if (before === now) continue
          if (before !== undefined) tx.setPod(before, undefined)
          if (now !== undefined) tx.setPod(now, pod)
        }
      })
      for (const { pod, gone } of batch) {
        if (gone || pod.terminal || pod.ip === undefined) addressOf.delete(pod.uid)
        else addressOf.set(pod.uid, pod.ip)
      }
    } catch (error) {
      log.warn('pod addresses not noted', { error: (error as Error).message })
    }
  }

  return {
    observe(pod, gone) {
      if (pod.hostNetwork || (pod.ip === undefined && !addressOf.has(pod.uid))) return
      if (pending.size === 0) clock.after(0, () => void flush())
      pending.set(pod.uid, { pod, gone })
    },
  }
}
