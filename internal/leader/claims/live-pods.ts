// Pods that may have a claim, by their names.
import { podText } from '../../ipam/pod-need.ts'
import type { PodFact, PodName, PodUid } from '../../ipam/types.ts'

export interface LivePods {
  /** Says whether that may matter to the claim of its name. */
  note(pod: PodFact, gone: boolean): boolean
  /** The latest of that name. */
  named(pod: PodName): PodFact | undefined
  /** Those that are not among all there are. */
  missingIn(all: readonly PodFact[]): readonly PodFact[]
}

export function createLivePods(mayHave: (pod: PodFact) => boolean): LivePods {
  /** By name, the latest last. */
  const pods = new Map<string, Map<PodUid, PodFact>>()
  return {
    note(pod, gone) {
      const key = podText(pod)
      const ofName = pods.get(key) ?? new Map<PodUid, PodFact>()
      const counts = !gone && mayHave(pod)
      if (!counts && !ofName.delete(pod.uid)) return false
      if (counts) ofName.set(pod.uid, pod)
      if (ofName.size === 0) pods.delete(key)
      else pods.set(key, ofName)
      return true
    },
    named: (pod) => [...(pods.get(podText(pod))?.values() ?? [])].at(-1),
    missingIn(all) {
      const present = new Set(all.map(({ uid }) => uid))
      return [...pods.values()].flatMap((ofName) =>
        [...ofName.values()].filter(({ uid }) => !present.has(uid)),
      )
    },
  }
}
