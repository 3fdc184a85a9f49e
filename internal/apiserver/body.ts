// Reads request bodies: JSON, of the right kind, with metadata of the right shape.
import { parseManifest } from '../wire/manifest.ts'
import { asObject, isObject, type Json, type JsonObject, type KubeObject, type ObjectMeta } from './object.ts'
import type { Call } from './request.ts'
import { apiVersionOf, type ResourceType } from './resource.ts'
import { badRequest, unsupportedMediaType } from './status-error.ts'

export function mediaType(header: string | undefined): string {
  return (header ?? '').split(';')[0]?.trim().toLowerCase() ?? ''
}

const yamlTypes = ['application/yaml', 'application/apply-patch+yaml']

/** The value in a body of media type `media`, JSON unless it says YAML. Throws StatusError 400. */
export function bodyValue(body: string | undefined, media: string): Json {
  // JSON is YAML, and much faster to read as what it is.
  if (!yamlTypes.includes(media) || body?.trimStart().startsWith('{')) return parseJson(body)
  const documents = parseManifest(body ?? '')
  const [document] = documents ?? []
  if (document === undefined || documents?.length !== 1)
    throw badRequest("couldn't parse the body as one YAML object")
  return document as JsonObject
}

/** Throws StatusError 400. */
export function parseJson(body: string | undefined): Json {
  if (body === undefined || body === '') throw badRequest('the request has no body')
  try {
    return JSON.parse(body) as Json
  } catch (error) {
    throw badRequest(`couldn't parse the body as JSON: ${(error as Error).message}`)
  }
}

/** The object in the body of a create or update. Throws StatusError 400 or 415. */
export function objectBody(call: Call): KubeObject {
  const type = mediaType(call.headers['content-type'])
  if (!['', 'application/json', 'application/yaml'].includes(type)) {
    throw unsupportedMediaType(['application/json', 'application/yaml'])
  }
  const value = bodyValue(call.body, type)
  if (!isObject(value)) throw badRequest('the body is not an object')
  return checkedObject(value, call.type)
}

/** `value` as an object of `type`. Throws StatusError 400 when it is of another. */
export function checkedObject(value: JsonObject, type: ResourceType): KubeObject {
  const apiVersion = apiVersionOf(type)
  if (value['apiVersion'] !== undefined && value['apiVersion'] !== apiVersion) {
    throw badRequest(
      `the API version in the data (${String(value['apiVersion'])}) does not match the expected API version (${apiVersion})`,
    )
  }
  if (value['kind'] !== undefined && value['kind'] !== type.kind) {
    throw badRequest(
      `the object provided is unrecognized (must be of type ${type.kind}): got ${String(value['kind'])}`,
    )
  }
  const object: KubeObject = {
    apiVersion,
    kind: type.kind,
    ...value,
    metadata: checkedMetadata(value['metadata']),
  }
  // Built-in types are Go structs to a real server: null is the zero value, which is not shown.
  return type.strategic === undefined ? object : (withoutNulls(object) as KubeObject)
}

function checkedMetadata(value: Json | undefined): ObjectMeta {
  const metadata = withoutNulls(asObject(value)) as JsonObject
  for (const field of ['labels', 'annotations']) {
    const map = metadata[field]
    if (map === undefined) continue
    if (!isObject(map) || Object.values(map).some((item) => typeof item !== 'string')) {
      throw badRequest(
        `json: cannot unmarshal into Go struct field ObjectMeta.metadata.${field} of type string`,
      )
    }
    if (Object.keys(map).length === 0) delete metadata[field]
  }
  for (const field of ['name', 'generateName', 'namespace', 'uid', 'resourceVersion']) {
    const text = metadata[field]
    if (text !== undefined && typeof text !== 'string') {
      throw badRequest(
        `json: cannot unmarshal into Go struct field ObjectMeta.metadata.${field} of type string`,
      )
    }
    if (text === '') delete metadata[field]
  }
  for (const field of ['finalizers', 'ownerReferences', 'managedFields']) {
    const list = metadata[field]
    if (list !== undefined && !(Array.isArray(list) && (field === 'finalizers' || list.every(isObject)))) {
      throw badRequest(`json: cannot unmarshal into Go struct field ObjectMeta.metadata.${field}`)
    }
    if (Array.isArray(list) && list.length === 0 && field !== 'managedFields') delete metadata[field]
  }
  return metadata as ObjectMeta
}

function withoutNulls(value: Json): Json {
  if (Array.isArray(value)) return value.map(withoutNulls)
  if (!isObject(value)) return value
  return Object.fromEntries(
    Object.entries(value).flatMap(([key, item]) =>
      item === null || item === undefined ? [] : [[key, withoutNulls(item)]],
    ),
  )
}

/** The Binding in the body. */
export function objectOfBinding(call: Call): JsonObject {
  return asObject(parseJson(call.body))
}
