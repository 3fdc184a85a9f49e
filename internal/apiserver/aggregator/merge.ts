// Documents about all of the API, from those of each server that has a part of it.
import { asObject, asObjects, asText, at, type JsonObject } from '../object.ts'

export interface Part {
  readonly group: string
  readonly version: string
  /** What its server says; undefined: it says nothing. */
  readonly document: JsonObject | undefined
}

/** APIGroupList. */
export function mergeGroups(own: JsonObject, parts: readonly Part[]): JsonObject {
  return { ...own, groups: [...asObjects(own['groups']), ...parts.map(groupOf)] }
}

export function groupOf({ group, version }: Part): JsonObject {
  const served = { groupVersion: `${group}/${version}`, version }
  return { name: group, versions: [served], preferredVersion: served }
}

/** APIGroupDiscoveryList. */
export function mergeDiscovery(own: JsonObject, parts: readonly Part[]): JsonObject {
  const items = parts.map(({ group, version, document }): JsonObject => {
    const found = asObjects(document?.['items']).find((item) => at(item, 'metadata', 'name') === group)
    const stale = { version, freshness: 'Stale', resources: [] }
    return found ?? { metadata: { name: group }, versions: [stale] }
  })
  return { ...own, items: [...asObjects(own['items']), ...items] }
}

/** The index of OpenAPI v3. */
export function mergeIndex(own: JsonObject, parts: readonly Part[]): JsonObject {
  const found = parts.flatMap(({ group, version, document }) => {
    const path = `apis/${group}/${version}`
    const entry = asObject(document?.['paths'])[path]
    return entry === undefined ? [] : [[path, entry] as const]
  })
  return { ...own, paths: { ...asObject(own['paths']), ...Object.fromEntries(found) } }
}

/** OpenAPI v2. */
export function mergeOpenApi(own: JsonObject, parts: readonly Part[]): JsonObject {
  const merged = (field: string): JsonObject =>
    Object.assign({}, asObject(own[field]), ...parts.map(({ document }) => asObject(document?.[field])))
  return { ...own, paths: merged('paths'), definitions: merged('definitions') }
}

export function isDiscovery(document: JsonObject): boolean {
  return asText(document['kind']) === 'APIGroupDiscoveryList'
}
