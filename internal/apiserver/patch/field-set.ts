// Which fields an applier says: sets of paths, in memory and as metav1.FieldsV1.
import { asObject, isObject, type Json, type JsonObject, sameJson } from '../object.ts'
import type { StrategicRules } from './strategic-patch.ts'

/** Steps as in FieldsV1: f:name, k:{"key":"value"} for an item with a key, v:"value" for a plain item, "." for the item itself. */
export type FieldPath = readonly string[]
/** By its text, so that sets of paths can be compared. */
export type FieldSet = ReadonlyMap<string, FieldPath>

const unowned = new Set(['f:apiVersion', 'f:kind'])
const unownedMetadata = new Set(
  ['name', 'namespace', 'uid', 'resourceVersion', 'generation', 'creationTimestamp', 'managedFields'].map(
    (name) => `f:${name}`,
  ),
)

/** Every field that `object` says, but those that identify it. */
export function fieldsOf(object: JsonObject, rules: StrategicRules): FieldSet {
  const paths = leaves(object, rules, []).filter(
    ([first = '', second = '']) =>
      !unowned.has(first) && !(first === 'f:metadata' && (second === '' || unownedMetadata.has(second))),
  )
  return setOf(paths)
}

export function setOf(paths: readonly FieldPath[]): FieldSet {
  return new Map(paths.map((path) => [JSON.stringify(path), path]))
}

function leaves(object: JsonObject, rules: StrategicRules, above: FieldPath): FieldPath[] {
  const entries = Object.entries(object)
  if (entries.length === 0) return [above]
  return entries.flatMap(([name, value]) => {
    const path = [...above, `f:${name}`]
    const rule = rules[name]
    if (isObject(value)) return leaves(value, rule?.below ?? {}, path)
    if (!Array.isArray(value) || rule?.key === undefined || value.length === 0) return [path]
    const { key, below = {} } = rule
    if (key === '') return value.map((item) => [...path, `v:${JSON.stringify(item)}`])
    return value.filter(isObject).flatMap((item) => {
      const own = [...path, `k:${JSON.stringify({ [key]: item[key] })}`]
      return [[...own, '.'], ...leaves(item, below, own)]
    })
  })
}

export function toFieldsV1(set: FieldSet): JsonObject {
  const root: JsonObject = {}
  for (const path of set.values()) {
    let node = root
    for (const step of path) {
      const next: JsonObject = asObject(node[step])
      node[step] = next
      node = next
    }
  }
  return root
}

export function fromFieldsV1(tree: Json | undefined, above: FieldPath = []): FieldPath[] {
  if (!isObject(tree)) return []
  const entries = Object.entries(tree)
  if (entries.length === 0) return [above]
  return entries.flatMap(([step, below]) => fromFieldsV1(below, [...above, step]))
}

/** What is at `path`; undefined when nothing is. */
export function valueAt(object: Json | undefined, path: FieldPath): Json | undefined {
  let current = object
  for (const step of path) {
    if (step === '.') continue
    current = child(current, step)
  }
  return current
}

function child(value: Json | undefined, step: string): Json | undefined {
  if (step.startsWith('f:')) return isObject(value) ? value[step.slice(2)] : undefined
  return Array.isArray(value) ? value[indexOf(value, step)] : undefined
}

function indexOf(list: readonly Json[], step: string): number {
  if (step.startsWith('f:')) return -1 // a field was here when it was applied, and is a list now
  const wanted = JSON.parse(step.slice(2)) as Json
  if (step.startsWith('v:')) return list.findIndex((item) => sameJson(item, wanted))
  const keys = Object.entries(isObject(wanted) ? wanted : {})
  return list.findIndex((item) => isObject(item) && keys.every(([key, value]) => sameJson(item[key], value)))
}

/** Removes, in place, what is at `path`, and what is left empty above it. */
export function removeAt(object: Json | undefined, path: FieldPath): void {
  const steps = path.filter((step) => step !== '.')
  const last = steps.at(-1)
  if (last === undefined) return
  const above = steps.slice(0, -1)
  const parent = valueAt(object, above)
  if (isObject(parent) && last.startsWith('f:')) delete parent[last.slice(2)]
  if (Array.isArray(parent)) {
    const index = indexOf(parent, last)
    if (index >= 0) parent.splice(index, 1)
  }
  const empty = Array.isArray(parent)
    ? parent.length === 0
    : isObject(parent) && Object.keys(parent).length === 0
  if (empty && above.length > 1) removeAt(object, above)
}
