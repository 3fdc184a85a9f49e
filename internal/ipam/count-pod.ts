// Which pods a node's pools must hold something for (P18).
import type { EniMode, PodFact } from './types.ts'

/** What the pod must have: scheduled, with a network of its own, not finished, and asking for it; undefined: nothing. */
export function countedAs(pod: PodFact): EniMode | undefined {
  return pod.node !== undefined && !pod.hostNetwork && !pod.terminal ? pod.wants : undefined
}
