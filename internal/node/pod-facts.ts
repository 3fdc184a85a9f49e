// The pods of this node, as the API server shows them: for counting and for telling what is certainly gone. Never asked by ADD.
import { countsForRouteEni } from '../ipam/count-pod.ts'
import type { PodFact, PodUid } from '../ipam/types.ts'
import type { Feed } from '../ports.ts'

export interface PodFacts {
  readonly feed: Feed<PodFact>
  /** A whole list has come since the start. */
  synced(): boolean
  /** Pods that count (P18). */
  count(): number
  has(uid: PodUid): boolean
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
    count: () => [...pods.values()].filter(countsForRouteEni).length,
    has: (uid) => pods.has(uid),
  }
}
