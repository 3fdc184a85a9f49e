// Where a pod may run, as it says itself: by labels of nodes, in the way the scheduler reads them.

export type Labels = Readonly<Record<string, string>>

export interface NodeRequirement {
  readonly key: string
  readonly operator: string
  readonly values?: readonly string[] | undefined
}

/** All of it must hold; one that says nothing selects no node. */
export interface NodeTerm {
  readonly matchExpressions?: readonly NodeRequirement[] | undefined
  /** Of fields instead of labels; there is only `metadata.name`. */
  readonly matchFields?: readonly NodeRequirement[] | undefined
}

export interface PodPlacement {
  readonly nodeName?: string | undefined
  readonly nodeSelector?: Labels | undefined
  /** One of them must hold; undefined: there is no such condition. */
  readonly terms?: readonly NodeTerm[] | undefined
  /** How much of the way to the terms the pod has: a patch must not begin above what is there. */
  readonly hasAffinity: boolean
  readonly hasNodeAffinity: boolean
}

/** Of the zone that a node is in. The older one is still selected by. */
export const zoneLabel = 'topology.kubernetes.io/zone'
export const oldZoneLabel = 'failure-domain.beta.kubernetes.io/zone'
/** In the cloud's own words; `zoneLabel` has a number on TKE. */
export const cloudZoneLabel = 'topology.com.tencent.cloud.csi.cbs/zone'

/** May the pod run on the node? */
export function selects(
  { nodeSelector = {}, terms }: PodPlacement,
  node: { name: string; labels: Labels },
): boolean {
  const selected = Object.entries(nodeSelector).every(([key, value]) => labelOf(node.labels, key) === value)
  return selected && (terms === undefined || terms.some((term) => termSelects(term, node)))
}

function termSelects(
  { matchExpressions = [], matchFields = [] }: NodeTerm,
  { name, labels }: { name: string; labels: Labels },
): boolean {
  if (matchExpressions.length + matchFields.length === 0) return false
  return (
    matchExpressions.every((each) => meets(each, labelOf(labels, each.key))) &&
    matchFields.every((each) => meets(each, each.key === 'metadata.name' ? name : undefined))
  )
}

/** Is a label of this value what is required? undefined: there is no such label. An operator that nobody knows is never met. */
export function meets({ operator, values = [] }: NodeRequirement, value: string | undefined): boolean {
  switch (operator) {
    case 'In':
      return value !== undefined && values.includes(value)
    case 'NotIn':
      return value === undefined || !values.includes(value)
    case 'Exists':
      return value !== undefined
    case 'DoesNotExist':
      return value === undefined
    case 'Gt':
      return compared(value, values, (number, bound) => number > bound)
    case 'Lt':
      return compared(value, values, (number, bound) => number < bound)
    default:
      return false
  }
}

function compared(
  value: string | undefined,
  [bound = '']: readonly string[],
  holds: (number: number, bound: number) => boolean,
): boolean {
  const whole = (text: string) => (/^-?\d+$/.test(text) ? Number(text) : Number.NaN)
  return value !== undefined && holds(whole(value), whole(bound))
}

export function labelOf(labels: Labels, key: string): string | undefined {
  return Object.hasOwn(labels, key) ? labels[key] : undefined
}
