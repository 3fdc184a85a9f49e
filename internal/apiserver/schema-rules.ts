// How the lists of a custom resource merge, as its schema says.
import { asObject, asText, isObject, type JsonObject } from './object.ts'
import type { StrategicRule, StrategicRules } from './patch/strategic-patch.ts'

/** Lists of type map with one key merge by it, sets by value; all others as a whole. */
export function rulesOfSchema(schema: JsonObject): StrategicRules {
  const metadata: StrategicRule = { below: { finalizers: { key: '' }, ownerReferences: { key: 'uid' } } }
  return { ...below(schema), metadata }
}

function below(schema: JsonObject): StrategicRules {
  const properties = Object.entries(asObject(schema['properties']))
  return Object.fromEntries(
    properties.flatMap(([name, property]) => (isObject(property) ? [[name, ruleOf(property)]] : [])),
  )
}

function ruleOf(schema: JsonObject): StrategicRule {
  const keys = schema['x-kubernetes-list-map-keys']
  if (schema['x-kubernetes-list-type'] === 'set') return { key: '' }
  if (schema['x-kubernetes-list-type'] === 'map' && Array.isArray(keys) && keys.length === 1) {
    return { key: asText(keys[0]), below: below(asObject(schema['items'])) }
  }
  return schema['type'] === 'array' ? {} : { below: below(schema) }
}
