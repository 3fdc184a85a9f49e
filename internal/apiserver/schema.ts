// Structural schemas of custom resources: defaults, pruning, validation.
import { asObject, isObject, type Json, type JsonObject, sameJson } from './object.ts'
import { type Cause, invalidField, requiredField } from './status-error.ts'

/** Fills in defaults, in place. */
export function applyDefaults(value: Json | undefined, schema: JsonObject): void {
  if (isObject(value)) {
    for (const [name, property] of Object.entries(asObject(schema['properties']))) {
      const fallback = asObject(property)['default']
      if (value[name] === undefined && fallback !== undefined) value[name] = structuredClone(fallback)
      applyDefaults(value[name], asObject(property))
    }
    const more = schema['additionalProperties']
    if (isObject(more)) for (const item of Object.values(value)) applyDefaults(item, more)
  }
  if (Array.isArray(value)) for (const item of value) applyDefaults(item, asObject(schema['items']))
}

/** Removes, in place, what the schema does not know; returns the paths of what was removed. */
export function prune(value: Json | undefined, schema: JsonObject, path = ''): string[] {
  if (Array.isArray(value)) {
    return value.flatMap((item, i) => prune(item, asObject(schema['items']), `${path}[${i}]`))
  }
  if (!isObject(value)) return []
  const properties = asObject(schema['properties'])
  const more = schema['additionalProperties']
  const removed: string[] = []
  for (const [name, item] of Object.entries(value)) {
    const below = path === '' ? name : `${path}.${name}`
    const property = Object.hasOwn(properties, name) ? properties[name] : undefined
    if (isObject(property)) removed.push(...prune(item, property, below))
    else if (isObject(more)) removed.push(...prune(item, more, below))
    else if (
      more !== true &&
      schema['x-kubernetes-preserve-unknown-fields'] !== true &&
      !embedded(schema, name)
    ) {
      delete value[name]
      removed.push(below)
    }
  }
  return removed
}

/** Removes, in place, each null where the schema allows none: to set a field to null is to remove it. */
export function dropNulls(value: Json | undefined, schema: JsonObject): void {
  if (Array.isArray(value)) for (const item of value) dropNulls(item, asObject(schema['items']))
  if (!isObject(value)) return
  const properties = asObject(schema['properties'])
  const more = schema['additionalProperties']
  for (const [name, item] of Object.entries(value)) {
    const property = Object.hasOwn(properties, name) ? properties[name] : more
    if (!isObject(property)) continue
    if (item === null && property['nullable'] !== true && property['type'] !== undefined) delete value[name]
    else dropNulls(item, property)
  }
}

function embedded(schema: JsonObject, name: string): boolean {
  return (
    schema['x-kubernetes-embedded-resource'] === true && ['apiVersion', 'kind', 'metadata'].includes(name)
  )
}

/** Every way in which `value` does not fit. */
export function validate(value: Json | undefined, schema: JsonObject, field: string): Cause[] {
  if (value === undefined) return []
  if (value === null)
    return schema['nullable'] === true || schema['type'] === undefined ? [] : wrongType(value, schema, field)
  if (!fitsType(value, schema)) return wrongType(value, schema, field)
  return [
    ...checkValue(value, schema, field),
    ...checkBelow(value, schema, field),
    ...checkCombined(value, schema, field),
  ]
}

function fitsType(value: Json, schema: JsonObject): boolean {
  const type = schema['type']
  if (schema['x-kubernetes-int-or-string'] === true)
    return typeof value === 'string' || Number.isInteger(value)
  if (type === undefined) return true
  if (type === 'integer') return Number.isInteger(value)
  if (type === 'array') return Array.isArray(value)
  if (type === 'object') return isObject(value)
  return typeof value === type
}

function wrongType(value: Json, schema: JsonObject, field: string): Cause[] {
  const given = value === null ? 'null' : Array.isArray(value) ? 'array' : typeof value
  const why = `${field} in body must be of type ${String(schema['type'])}: ${JSON.stringify(given)}`
  return [
    { reason: 'FieldValueTypeInvalid', message: `Invalid value: ${JSON.stringify(given)}: ${why}`, field },
  ]
}

function checkValue(value: Json, schema: JsonObject, field: string): Cause[] {
  const causes: Cause[] = []
  const fault = (why: string): number => causes.push(invalidField(field, value, `${field} in body ${why}`))
  const options = schema['enum']
  if (Array.isArray(options) && !options.some((option) => sameJson(option, value))) {
    const supported = options.map((option) => JSON.stringify(option)).join(', ')
    const message = `Unsupported value: ${JSON.stringify(value)}: supported values: ${supported}`
    causes.push({ reason: 'FieldValueNotSupported', message, field })
  }
  if (typeof value === 'number') {
    const { minimum, maximum, exclusiveMinimum, exclusiveMaximum, multipleOf } = schema
    if (typeof minimum === 'number' && (exclusiveMinimum === true ? value <= minimum : value < minimum))
      fault(`should be greater than ${exclusiveMinimum === true ? '' : 'or equal to '}${minimum}`)
    if (typeof maximum === 'number' && (exclusiveMaximum === true ? value >= maximum : value > maximum))
      fault(`should be less than ${exclusiveMaximum === true ? '' : 'or equal to '}${maximum}`)
    if (typeof multipleOf === 'number' && value % multipleOf !== 0)
      fault(`should be a multiple of ${multipleOf}`)
  }
  if (typeof value === 'string') {
    const { minLength, maxLength, pattern } = schema
    if (typeof minLength === 'number' && value.length < minLength)
      fault(`should be at least ${minLength} chars long`)
    if (typeof maxLength === 'number' && value.length > maxLength)
      fault(`should be at most ${maxLength} chars long`)
    if (typeof pattern === 'string' && expression(pattern)?.test(value) === false)
      fault(`should match '${pattern}'`)
  }
  if (Array.isArray(value)) {
    const { minItems, maxItems } = schema
    if (typeof minItems === 'number' && value.length < minItems)
      fault(`should have at least ${minItems} items`)
    if (typeof maxItems === 'number' && value.length > maxItems)
      fault(`should have at most ${maxItems} items`)
  }
  return causes
}

function checkBelow(value: Json, schema: JsonObject, field: string): Cause[] {
  if (Array.isArray(value)) {
    const items = asObject(schema['items'])
    return [
      ...value.flatMap((item, i) => validate(item, items, `${field}[${i}]`)),
      ...checkListType(value, schema, field),
    ]
  }
  if (!isObject(value)) return []
  const properties = asObject(schema['properties'])
  const required = Array.isArray(schema['required']) ? schema['required'] : []
  const below = (name: string): string => (field === '' ? name : `${field}.${name}`)
  const causes = required
    .filter((name) => typeof name === 'string' && value[name] === undefined)
    .map((name) => requiredField(below(String(name))))
  const more = schema['additionalProperties']
  for (const [name, item] of Object.entries(value)) {
    const property = Object.hasOwn(properties, name) ? properties[name] : isObject(more) ? more : undefined
    if (isObject(property)) causes.push(...validate(item, property, below(name)))
  }
  return causes
}

function checkListType(list: readonly Json[], schema: JsonObject, field: string): Cause[] {
  const keys = schema['x-kubernetes-list-map-keys']
  const type = schema['x-kubernetes-list-type']
  if (type !== 'set' && (type !== 'map' || !Array.isArray(keys))) return []
  const seen = new Set<string>()
  return list.flatMap((item, i) => {
    const id = type === 'set' ? item : (keys as Json[]).map((key) => asObject(item)[String(key)] ?? null)
    const text = JSON.stringify(id)
    if (!seen.has(text)) {
      seen.add(text)
      return []
    }
    return [{ reason: 'FieldValueDuplicate', message: `Duplicate value: ${text}`, field: `${field}[${i}]` }]
  })
}

function checkCombined(value: Json, schema: JsonObject, field: string): Cause[] {
  const schemas = (name: string): JsonObject[] => {
    const list = schema[name]
    return Array.isArray(list) ? list.filter(isObject) : []
  }
  const causes = schemas('allOf').flatMap((part) => validate(value, part, field))
  const fits = (part: JsonObject): boolean => validate(value, part, field).length === 0
  const any = schemas('anyOf')
  if (any.length > 0 && !any.some(fits))
    causes.push(invalidField(field, value, `${field} in body must validate at least one schema (anyOf)`))
  const one = schemas('oneOf')
  if (one.length > 0 && one.filter(fits).length !== 1)
    causes.push(invalidField(field, value, `${field} in body must validate one and only one schema (oneOf)`))
  const not = schema['not']
  if (isObject(not) && fits(not))
    causes.push(invalidField(field, value, `${field} in body must not validate the schema (not)`))
  return causes
}

/** Patterns are RE2's; one that JavaScript cannot read is not checked. */
function expression(pattern: string): RegExp | undefined {
  try {
    return new RegExp(pattern, 'u')
  } catch {
    return undefined
  }
}
