// Strategic merge patch on a copy: as merge patch, but lists whose items have a key are merged item by item.
import { isObject, type Json, type JsonObject, sameJson } from '../object.ts'
import { badRequest } from '../status-error.ts'
import { setOwn } from './json-patch.ts'

/** How the lists below a field merge: by the key of their items, as a set of values, or (not named) as a whole. */
export interface StrategicRules {
  readonly [field: string]: StrategicRule
}

export interface StrategicRule {
  /** The field by which items are told apart; '' when the items are plain values. */
  readonly key?: string
  /** What is below: fields of the object, or of each item. */
  readonly below?: StrategicRules
}

/** `target` with `patch` merged in. Throws StatusError 400 when a directive is not understood or an item has no key. */
export function applyStrategicPatch(
  target: JsonObject,
  patch: JsonObject,
  rules: StrategicRules,
): JsonObject {
  const directive = patch['$patch']
  if (directive === 'delete') return {}
  if (directive === 'replace') return withoutDirectives(patch)
  if (directive !== undefined && directive !== 'merge')
    throw badRequest(`Unknown patch type found: ${String(directive)}`)
  const result = { ...target }
  keepOnly(result, patch['$retainKeys'])
  for (const [key, value] of Object.entries(patch)) {
    if (key.startsWith('$deleteFromPrimitiveList/'))
      removeValues(result, key.slice(key.indexOf('/') + 1), value)
  }
  for (const [key, value] of Object.entries(patch)) {
    if (key.startsWith('$')) continue
    const before = Object.hasOwn(result, key) ? result[key] : undefined
    const order = patch[`$setElementOrder/${key}`]
    if (value === null || value === undefined) delete result[key]
    else setOwn(result, key, mergeField(before, value, rules[key], order))
  }
  for (const [key, value] of Object.entries(patch)) {
    if (!key.startsWith('$setElementOrder/')) continue
    const field = key.slice(key.indexOf('/') + 1)
    if (!Object.hasOwn(patch, field) && Array.isArray(result[field])) {
      result[field] = ordered(result[field], value, result[field], rules[field]?.key)
    }
  }
  return result
}

function mergeField(
  before: Json | undefined,
  value: Json,
  rule: StrategicRule | undefined,
  order: Json | undefined,
): Json {
  if (isObject(value)) return applyStrategicPatch(isObject(before) ? before : {}, value, rule?.below ?? {})
  if (!Array.isArray(value) || rule?.key === undefined) return stripped(value)
  const original = Array.isArray(before) ? before : []
  const merged =
    rule.key === '' ? mergeValues(original, value) : mergeItems(original, value, rule.key, rule.below ?? {})
  return ordered(merged, Array.isArray(order) ? order : value, original, rule.key)
}

function mergeValues(before: readonly Json[], added: readonly Json[]): Json[] {
  const result = [...before]
  for (const value of added) if (!result.some((item) => sameJson(item, value))) result.push(value)
  return result
}

function mergeItems(
  before: readonly Json[],
  patch: readonly Json[],
  key: string,
  below: StrategicRules,
): Json[] {
  if (patch.some((item) => isObject(item) && item['$patch'] === 'replace')) {
    return patch.filter((item) => isObject(item) && item['$patch'] === undefined).map(stripped)
  }
  let result = [...before]
  for (const item of patch) {
    const id = isObject(item) ? item[key] : undefined
    if (!isObject(item) || id === undefined)
      throw badRequest(`map: ${JSON.stringify(item)} does not contain declared merge key: ${key}`)
    const index = result.findIndex((other) => isObject(other) && sameJson(other[key], id))
    const found = result[index]
    if (item['$patch'] === 'delete') result = result.filter((_, i) => i !== index)
    else if (isObject(found)) result[index] = applyStrategicPatch(found, item, below)
    else result.push(applyStrategicPatch({}, item, below))
  }
  return result
}

/**
 * What the patch names in the order of the patch, what only the server has in its own order; between the two the
 * server's order decides where it knows both, otherwise what the patch names comes first.
 */
function ordered(
  items: readonly Json[],
  order: Json | undefined,
  original: readonly Json[],
  key: string | undefined,
): Json[] {
  if (!Array.isArray(order)) return [...items]
  const idOf = (item: Json): Json | undefined =>
    key !== undefined && key !== '' && isObject(item) ? item[key] : item
  const rank = (list: readonly Json[], item: Json): number =>
    list.findIndex((other) => sameJson(idOf(other), idOf(item)))
  const named = items.filter((item) => rank(order, item) >= 0).sort((a, b) => rank(order, a) - rank(order, b))
  const rest = items.filter((item) => rank(order, item) < 0)
  const result: Json[] = []
  for (const item of rest) {
    const place = rank(original, item)
    while (named[0] !== undefined && !(rank(original, named[0]) > place)) result.push(...named.splice(0, 1))
    result.push(item)
  }
  return [...result, ...named]
}

function keepOnly(result: JsonObject, retained: Json | undefined): void {
  if (!Array.isArray(retained)) return
  for (const key of Object.keys(result)) if (!retained.includes(key)) delete result[key]
}

function removeValues(result: JsonObject, field: string, values: Json | undefined): void {
  const before = result[field]
  if (!Array.isArray(before) || !Array.isArray(values)) return
  result[field] = before.filter((item) => !values.some((value) => sameJson(item, value)))
}

function withoutDirectives(patch: JsonObject): JsonObject {
  return Object.fromEntries(
    Object.entries(patch)
      .filter(([key, value]) => !key.startsWith('$') && value !== null)
      .map(([key, value]) => [key, value === undefined ? value : stripped(value)]),
  )
}

function stripped(value: Json): Json {
  if (Array.isArray(value)) return value.map(stripped)
  return isObject(value) ? withoutDirectives(value) : value
}
