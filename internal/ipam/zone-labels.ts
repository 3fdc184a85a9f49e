// How nodes of a zone are labelled. The cloud names zones ("ap-guangzhou-3"), the label of a node on TKE has a number ("100003"), other
// clusters have either; only the nodes themselves tell.
import type { ZoneOfNodes } from './zone-affinity.ts'

export interface LabelledNode {
  /** In the cloud's words. */
  readonly zone: string
  /** undefined: the node has none. */
  readonly label: string | undefined
}

/** By zone: labels that its nodes have and no others. A zone without such labels is not there: nothing would bring a pod to it. */
export function zonesByLabels(nodes: readonly LabelledNode[]): ReadonlyMap<string, ZoneOfNodes> {
  const zonesOf = new Map<string, Set<string>>()
  for (const { label, zone } of nodes)
    if (label !== undefined) zonesOf.set(label, (zonesOf.get(label) ?? new Set()).add(zone))
  const found = new Map<string, string[]>()
  for (const [label, zones] of [...zonesOf].toSorted(([a], [b]) => (a < b ? -1 : 1))) {
    const [zone = '', ...others] = zones
    if (others.length === 0) found.set(zone, [...(found.get(zone) ?? []), label])
  }
  return new Map([...found].map(([name, labels]) => [name, { name, labels }]))
}
