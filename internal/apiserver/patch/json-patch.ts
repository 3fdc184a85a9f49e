// JSON Patch (RFC 6902) on a copy.
import { isObject, type Json, type JsonObject, sameJson } from '../object.ts'
import { badRequest, StatusError } from '../status-error.ts'

/**
 * `target` with all operations applied in order.
 * Throws StatusError 400 when the patch is malformed, 422 when it does not fit (a failed test, a path that is not there).
 */
export function applyJsonPatch(target: JsonObject, patch: Json): JsonObject {
  if (!Array.isArray(patch))
    throw badRequest('cannot unmarshal a JSON patch that is not a list of operations')
  if (patch.length > 10_000)
    throw new StatusError(
      413,
      'RequestEntityTooLarge',
      'The allowed maximum operations in a JSON patch is 10000',
    )
  let document: Json = structuredClone(target)
  for (const operation of patch) {
    if (!isObject(operation))
      throw badRequest('cannot unmarshal a JSON patch operation that is not an object')
    document = applyOperation(document, operation)
  }
  if (!isObject(document)) throw unfit('the result is not an object')
  return document
}

function applyOperation(document: Json, operation: JsonObject): Json {
  const { op, path, from, value } = operation
  if (typeof path !== 'string') throw unfit('operation has no path')
  switch (op) {
    case 'add':
      return add(document, path, needed(value))
    case 'remove':
      return remove(document, path)
    case 'replace':
      read(document, path)
      return path === '' ? needed(value) : add(remove(document, path), path, needed(value))
    case 'test':
      if (!sameJson(readOrUndefined(document, path) ?? null, value ?? null)) {
        throw unfit(`testing value ${path} failed: test failed`)
      }
      return document
    case 'move': {
      const moved = read(document, pathText(from))
      return add(remove(document, pathText(from)), path, moved)
    }
    case 'copy':
      return add(document, path, structuredClone(read(document, pathText(from))))
    default:
      throw unfit(`Unexpected kind: ${String(op)}`)
  }
}

function unfit(message: string): StatusError {
  return new StatusError(
    422,
    'Invalid',
    `the server rejected our request due to an error in our request: ${message}`,
    {},
  )
}

function needed(value: Json | undefined): Json {
  if (value === undefined) throw unfit('operation has no value')
  return structuredClone(value)
}

function pathText(value: Json | undefined): string {
  if (typeof value !== 'string') throw unfit('operation has no from')
  return value
}

function steps(path: string): string[] {
  if (path === '') return []
  if (!path.startsWith('/')) throw unfit(`invalid path: ${path}`)
  return path
    .slice(1)
    .split('/')
    .map((step) => step.replaceAll('~1', '/').replaceAll('~0', '~'))
}

function child(parent: Json | undefined, step: string): Json | undefined {
  if (Array.isArray(parent)) return /^\d+$/.test(step) ? parent[Number(step)] : undefined
  return isObject(parent) && Object.hasOwn(parent, step) ? parent[step] : undefined
}

function readOrUndefined(document: Json, path: string): Json | undefined {
  return steps(path).reduce<Json | undefined>(child, document)
}

function read(document: Json, path: string): Json {
  const value = readOrUndefined(document, path)
  if (value === undefined) throw unfit(`path "${path}" doesn't exist: missing value`)
  return value
}

function parentOf(document: Json, path: string): { parent: Json[] | JsonObject; last: string } {
  const all = steps(path)
  const last = all.pop() ?? ''
  const parent = all.reduce<Json | undefined>(child, document)
  if (!Array.isArray(parent) && !isObject(parent)) throw unfit(`path "${path}" doesn't exist: missing parent`)
  return { parent, last }
}

function add(document: Json, path: string, value: Json): Json {
  if (path === '') return value
  const { parent, last } = parentOf(document, path)
  if (Array.isArray(parent)) {
    const index = last === '-' ? parent.length : Number(last)
    if (!/^(\d+|-)$/.test(last) || index > parent.length) throw unfit(`invalid index in path "${path}"`)
    parent.splice(index, 0, value)
  } else {
    setOwn(parent, last, value)
  }
  return document
}

function remove(document: Json, path: string): Json {
  read(document, path)
  const { parent, last } = parentOf(document, path)
  if (Array.isArray(parent)) parent.splice(Number(last), 1)
  else delete parent[last]
  return document
}

/** Plain assignment would run the setter of "__proto__". */
export function setOwn(target: JsonObject, key: string, value: Json): void {
  Object.defineProperty(target, key, { value, writable: true, enumerable: true, configurable: true })
}
