// Notes in the ledger which pod shows which address, so that the file alone answers "who has 10.0.1.5?".
// For people and for careful releases only: the node's database decides who has what.
import type { Clock } from '../base/clock.ts'
import type { Log } from '../base/log.ts'
import { errorCode } from '../ipam/errors.ts'
import type { PodFact, PodUid } from '../ipam/types.ts'
import type { LeaderLedger, LeaderTx } from '../ports.ts'
import type { Ipv4 } from '../value/ipv4.ts'

export interface PodObserver {
  observe(pod: PodFact, gone: boolean): void
  /** All pods there are: one that is not among them has gone, though nobody may have heard of it. */
  listed(pods: readonly PodFact[]): void
}

/** What could not be stored is tried again after so long. */
const retryAfter = 1000

/** Gathers observations of a turn into one change of the ledger. */
export function createPodObserver(
  ledger: LeaderLedger,
  clock: Clock,
  log: Log,
  /** All that are there. */
  present: () => Iterable<PodFact>,
): PodObserver {
  /** What each pod shows, undefined when it shows nothing any more; in the order of events. */
  const pending = new Map<PodUid, PodFact | undefined>()
  const addressOf = new Map<PodUid, Ipv4>([...ledger.podAddresses()].map(([address, uid]) => [uid, address]))

  async function flush(): Promise<void> {
    const batch = [...pending]
    pending.clear()
    try {
      // Those that left come first: an address may have gone from one to the other within the batch.
      await ledger.write((tx) => {
        const holders = new Map(ledger.podAddresses())
        const left = new Set(batch.flatMap(([uid, pod]) => leave(tx, holders, uid, pod?.ip) ?? []))
        for (const [uid, pod] of [...showing(left), ...batch]) {
          if (pod?.ip === undefined || holders.get(pod.ip) === uid) continue
          // On another node it is not the pod's, whatever the pod shows.
          if (ledger.nodeOf(pod.ip) === pod.node) tx.setPod(pod.ip, pod)
        }
      })
      for (const [uid, pod] of batch) {
        if (pod?.ip === undefined) addressOf.delete(uid)
        else addressOf.set(uid, pod.ip)
      }
    } catch (error) {
      log.warn('pod addresses not noted', { error: (error as Error).message })
      if (errorCode(error) === 'storage') keep(batch)
    }
  }

  /** Two may show one address, while a node that has restarted gives its addresses anew. */
  function showing(addresses: ReadonlySet<Ipv4>): readonly (readonly [PodUid, PodFact])[] {
    if (addresses.size === 0) return []
    const live = [...present()].filter((pod) => !pod.terminal && !pod.hostNetwork)
    return live.flatMap((pod) => (pod.ip !== undefined && addresses.has(pod.ip) ? [[pod.uid, pod]] : []))
  }

  /** Kubernetes will not tell it again. */
  function keep(batch: readonly (readonly [PodUid, PodFact | undefined])[]): void {
    const newer = [...pending]
    pending.clear()
    for (const [uid, pod] of batch) pending.set(uid, pod)
    for (const [uid, pod] of newer) {
      pending.delete(uid)
      pending.set(uid, pod)
    }
    if (newer.length === 0) clock.after(retryAfter, () => void flush())
  }

  /** Returns what it has left. A late event of a pod that is gone takes nothing from the one that has its address now. */
  function leave(
    tx: LeaderTx,
    holders: Map<Ipv4, PodUid>,
    uid: PodUid,
    now: Ipv4 | undefined,
  ): Ipv4 | undefined {
    const before = addressOf.get(uid)
    if (before === undefined || before === now || holders.get(before) !== uid) return undefined
    tx.setPod(before, undefined)
    holders.delete(before)
    return before
  }

  function note(uid: PodUid, pod: PodFact | undefined): void {
    if (pending.size === 0) clock.after(0, () => void flush())
    pending.delete(uid)
    pending.set(uid, pod)
  }

  return {
    observe(pod, gone) {
      if (pod.hostNetwork) return
      const shows = !gone && !pod.terminal && pod.ip !== undefined
      if (shows) {
        if (addressOf.get(pod.uid) !== pod.ip || pending.has(pod.uid)) note(pod.uid, pod)
      } else if (addressOf.has(pod.uid) || pending.has(pod.uid)) note(pod.uid, undefined)
    },
    listed(pods) {
      const uids = new Set(pods.map(({ uid }) => uid))
      for (const uid of addressOf.keys()) if (!uids.has(uid)) note(uid, undefined)
    },
  }
}
