// A pod that comes back to its static address has to run in the zone of that: what to add to it, so that the scheduler knows (S10).
import {
  cloudZoneLabel,
  type Labels,
  labelOf,
  meets,
  type NodeRequirement,
  type NodeTerm,
  oldZoneLabel,
  type PodPlacement,
  zoneLabel,
} from './node-affinity.ts'

export interface ZoneOfNodes {
  /** In the cloud's words. */
  readonly name: string
  /** What nodes in it have as `zoneLabel`, and no others; not empty. */
  readonly labels: readonly string[]
}

export interface PatchOperation {
  readonly op: 'add'
  readonly path: string
  readonly value: unknown
}

const required = 'requiredDuringSchedulingIgnoredDuringExecution'
const affinityPath = '/spec/affinity'

/**
 * A JSON patch (RFC 6902) with which the pod is only scheduled to the zone; empty when it is anyway, or is not scheduled at all, having a
 * node. `elsewhere`: by what it says itself it may not be there; whoever wrote it decides.
 */
export function zoneAffinityPatch(
  pod: PodPlacement,
  zone: ZoneOfNodes,
): readonly PatchOperation[] | 'elsewhere' {
  if (pod.nodeName !== undefined) return []
  const views = zone.labels.map((label) => labelsOf(zone, label))
  if (!views.some((labels) => mayBeThere(pod, labels))) return 'elsewhere'
  if (zone.labels.includes(labelOf(pod.nodeSelector ?? {}, zoneLabel) ?? '')) return []
  const wanted: NodeRequirement = { key: zoneLabel, operator: 'In', values: [...zone.labels] }
  const { terms } = pod
  if (terms === undefined) return [firstTerm(pod, { matchExpressions: [wanted] })]
  return terms.flatMap((term, i): PatchOperation[] => {
    // One that selects no node would select some with an expression of ours.
    if (saysNothing(term) || isBound(term, zone)) return []
    const path = `${affinityPath}/nodeAffinity/${required}/nodeSelectorTerms/${i}/matchExpressions`
    return term.matchExpressions === undefined
      ? [{ op: 'add', path, value: [wanted] }]
      : [{ op: 'add', path: `${path}/-`, value: wanted }]
  })
}

/** What of a node's labels follows from its zone. */
function labelsOf({ name }: ZoneOfNodes, label: string): Labels {
  return { [zoneLabel]: label, [oldZoneLabel]: label, [cloudZoneLabel]: name }
}

/** As far as these labels tell. */
function mayBeThere({ nodeSelector = {}, terms }: PodPlacement, labels: Labels): boolean {
  const ofZone = (key: string) => labelOf(labels, key)
  const selected = Object.entries(nodeSelector).every(([key, value]) =>
    [undefined, value].includes(ofZone(key)),
  )
  const allowed = ({ matchExpressions = [] }: NodeTerm) =>
    matchExpressions.every((each) => ofZone(each.key) === undefined || meets(each, ofZone(each.key)))
  return selected && (terms === undefined || terms.some((term) => !saysNothing(term) && allowed(term)))
}

function saysNothing({ matchExpressions = [], matchFields = [] }: NodeTerm): boolean {
  return matchExpressions.length + matchFields.length === 0
}

/** Is it of that zone already? */
function isBound({ matchExpressions = [] }: NodeTerm, { labels }: ZoneOfNodes): boolean {
  return matchExpressions.some(
    ({ key, operator, values = [] }) =>
      key === zoneLabel && operator === 'In' && values.every((value) => labels.includes(value)),
  )
}

function firstTerm({ hasAffinity, hasNodeAffinity }: PodPlacement, term: NodeTerm): PatchOperation {
  const terms = { nodeSelectorTerms: [term] }
  if (hasNodeAffinity) return { op: 'add', path: `${affinityPath}/nodeAffinity/${required}`, value: terms }
  const nodeAffinity = { [required]: terms }
  if (hasAffinity) return { op: 'add', path: `${affinityPath}/nodeAffinity`, value: nodeAffinity }
  return { op: 'add', path: affinityPath, value: { nodeAffinity } }
}
