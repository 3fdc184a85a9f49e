// JSON merge patch (RFC 7386) on a copy: null removes, objects merge, anything else replaces.
import { isObject, type Json, type JsonObject } from '../object.ts'
import { setOwn } from './json-patch.ts'

/** `target` with `patch` merged in. */
export function applyMergePatch(target: JsonObject, patch: JsonObject): JsonObject {
  const result = { ...target }
  for (const [key, value] of Object.entries(patch)) {
    if (value === null || value === undefined) delete result[key]
    else setOwn(result, key, merged(Object.hasOwn(target, key) ? target[key] : undefined, value))
  }
  return result
}

function merged(before: Json | undefined, value: Json): Json {
  if (!isObject(value)) return structuredClone(value)
  return applyMergePatch(isObject(before) ? before : {}, value)
}
