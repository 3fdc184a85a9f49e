// The pods of this node, as the API server shows them: for counting and for telling what is certainly gone. Never asked by ADD.
import type { Clock } from '../base/clock.ts'
import { countedIn } from '../ipam/count-pod.ts'
import type { EniMode, PodFact, PodUid } from '../ipam/types.ts'
import type { Feed } from '../ports.ts'
import type { Ipv4 } from '../value/ipv4.ts'
import type { Millis } from '../value/millis.ts'

export interface PodFacts {
  readonly feed: Feed<PodFact>
  /** A whole list has come since the start. */
  synced(): boolean
  /** Pods that count for a pool (P18). */
  count(mode: EniMode, poolOf: (address: Ipv4) => EniMode | undefined): number
  has(uid: PodUid): boolean
  get(uid: PodUid): PodFact | undefined
  /** Resolves when the pod is known, or after `timeout`. */
  known(uid: PodUid, clock: Clock, timeout: Millis): Promise<void>
  /** The pod that has the address in its status. */
  showing(address: Ipv4): PodFact | undefined
}

export function podFacts(changed: () => void): PodFacts {
  const pods = new Map<PodUid, PodFact>()
  const awaited = new Map<PodUid, Set<() => void>>()
  let synced = false

  function came({ uid }: PodFact): void {
    for (const heard of awaited.get(uid) ?? []) heard()
  }

  return {
    feed: {
      replaced(items) {
        pods.clear()
        for (const pod of items) pods.set(pod.uid, pod)
        synced = true
        items.forEach(came)
        changed()
      },
      changed(pod) {
        pods.set(pod.uid, pod)
        came(pod)
        changed()
      },
      removed(pod) {
        pods.delete(pod.uid)
        changed()
      },
    },
    synced: () => synced,
    count: (mode, poolOf) => [...pods.values()].filter((pod) => countedIn(pod, poolOf) === mode).length,
    has: (uid) => pods.has(uid),
    get: (uid) => pods.get(uid),
    known(uid, clock, timeout) {
      if (pods.has(uid)) return Promise.resolve()
      return new Promise((resolve) => {
        const waiting = awaited.get(uid) ?? new Set()
        const heard = () => {
          cancel()
          waiting.delete(heard)
          if (waiting.size === 0) awaited.delete(uid)
          resolve()
        }
        const cancel = clock.after(timeout, heard)
        awaited.set(uid, waiting.add(heard))
      })
    },
    showing: (address) => [...pods.values()].find(({ hostNetwork, ip }) => !hostNetwork && ip === address),
  }
}
