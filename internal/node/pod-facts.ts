// The pods of this node, as the API server shows them: for counting and for telling what is certainly gone. Never asked by ADD.
import { countedAs } from '../ipam/count-pod.ts'
import type { EniMode, PodFact, PodUid } from '../ipam/types.ts'
import type { Feed } from '../ports.ts'
import type { Ipv4 } from '../value/ipv4.ts'

export interface PodFacts {
  readonly feed: Feed<PodFact>
  /** A whole list has come since the start. */
  synced(): boolean
  /** Pods that count for a pool (P18). */
  count(mode: EniMode): number
  has(uid: PodUid): boolean
  get(uid: PodUid): PodFact | undefined
  /** The pod that has the address in its status. */
  showing(address: Ipv4): PodFact | undefined
}

export function podFacts(changed: () => void): PodFacts {
  const pods = new Map<PodUid, PodFact>()
  let synced = false
  return {
    feed: {
      replaced(items) {
        pods.clear()
        for (const pod of items) pods.set(pod.uid, pod)
        synced = true
        changed()
      },
      changed(pod) {
        pods.set(pod.uid, pod)
        changed()
      },
      removed(pod) {
        pods.delete(pod.uid)
        changed()
      },
    },
    synced: () => synced,
    count: (mode) => [...pods.values()].filter((pod) => countedAs(pod) === mode).length,
    has: (uid) => pods.has(uid),
    get: (uid) => pods.get(uid),
    showing: (address) => [...pods.values()].find(({ hostNetwork, ip }) => !hostNetwork && ip === address),
  }
}
