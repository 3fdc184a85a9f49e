// Which pods a node's shared-ENI pool must hold an address for (P18).
import type { PodFact } from './types.ts'

/** Scheduled, with a network of its own, not finished, and asking for a shared ENI address. */
export function countsForRouteEni(pod: PodFact): boolean {
  return pod.node !== undefined && !pod.hostNetwork && !pod.terminal && pod.wantsRouteEni
}
