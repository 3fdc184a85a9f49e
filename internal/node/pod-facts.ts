// The pods of this node, as the API server shows them: for counting and for telling what is certainly gone. Never asked by ADD.
import type { Clock } from '../base/clock.ts'
import { samePod } from '../ipam/choose-address.ts'
import { countedIn, hasClaimed, hasUnclearPolicy, isStatic } from '../ipam/count-pod.ts'
import { podText } from '../ipam/pod-need.ts'
import type { EniMode, PodFact, PodName, PodUid } from '../ipam/types.ts'
import type { Feed } from '../ports.ts'
import type { Ipv4 } from '../value/ipv4.ts'
import type { Millis } from '../value/millis.ts'

export interface PodFacts {
  readonly feed: Feed<PodFact>
  /** A whole list has come since the start. */
  synced(): boolean
  /** Pods that count for a pool (P18). `isClaimed`: set where pods that keep their addresses are served; who has a claimed one does not count. */
  count(
    mode: EniMode,
    poolOf: (address: Ipv4) => EniMode | undefined,
    isClaimed: ((address: Ipv4) => boolean) | undefined,
  ): number
  has(uid: PodUid): boolean
  get(uid: PodUid): PodFact | undefined
  /** Of that name; the one that stays, when an earlier one is on its way out. */
  named(pod: PodName): PodFact | undefined
  /** Names of pods that keep their addresses, or may, and have not ended. */
  keepers(): (pod: PodName) => boolean
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
    count: (mode, poolOf, isClaimed) =>
      [...pods.values()].filter(
        (pod) => countedIn(pod, poolOf) === mode && (isClaimed === undefined || !hasClaimed(pod, isClaimed)),
      ).length,
    has: (uid) => pods.has(uid),
    get: (uid) => pods.get(uid),
    named(pod) {
      const all = [...pods.values()].filter((one) => samePod(one, pod))
      return all.find(({ deleting, terminal }) => !deleting && !terminal) ?? all[0]
    },
    keepers() {
      const kept = [...pods.values()].filter(
        (pod) =>
          (isStatic(pod) || hasUnclearPolicy(pod)) && !pod.hostNetwork && !pod.deleting && !pod.terminal,
      )
      const names = new Set(kept.map(podText))
      return (pod) => names.has(podText(pod))
    },
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
