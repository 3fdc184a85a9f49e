// OpenAPI, as much as clients need: which kinds there are, their schemas as far as known, and that patches take fieldValidation.
import { asObject, type JsonObject } from './object.ts'
import { openApiProtobuf, openApiV2Protobuf } from './openapi-protobuf.ts'
import { type Answer, jsonAnswer } from './request.ts'
import { apiVersionOf, type ResourceType, type Verb } from './resource.ts'
import { serverVersion } from './version.ts'

/** The answer to an OpenAPI path, or undefined when it is none. */
export function openApi(
  path: string,
  accept: string | undefined,
  types: readonly ResourceType[],
): Answer | undefined {
  if (path === '/openapi/v2') {
    if (/v2[@.]v1\.0\+protobuf/.test(accept ?? '')) {
      const body = openApiV2Protobuf(types, serverVersion.gitVersion)
      return { status: 200, contentType: openApiProtobuf, body }
    }
    return jsonAnswer(200, version2(types))
  }
  if (path === '/openapi/v3') return jsonAnswer(200, index(types))
  const base = /^\/openapi\/v3\/(.+)$/.exec(path)?.[1]
  const served = types.filter((type) => basePath(type) === base)
  return served.length === 0 ? undefined : jsonAnswer(200, version3(served))
}

function basePath({ group, version }: ResourceType): string {
  return group === '' ? `api/${version}` : `apis/${group}/${version}`
}

function index(types: readonly ResourceType[]): JsonObject {
  const paths = [...new Set(types.map(basePath))]
  return {
    paths: Object.fromEntries(paths.map((path) => [path, { serverRelativeURL: `/openapi/v3/${path}` }])),
  }
}

const info = { title: 'Kubernetes', version: serverVersion.gitVersion }

function version3(types: readonly ResourceType[]): JsonObject {
  return {
    openapi: '3.0.0',
    info,
    paths: Object.assign({}, ...types.map(pathsOf)) as JsonObject,
    components: { schemas: Object.fromEntries(types.map((type) => [schemaName(type), kindSchema(type)])) },
  }
}

function version2(types: readonly ResourceType[]): JsonObject {
  return {
    swagger: '2.0',
    info,
    paths: Object.assign({}, ...types.map(oldPathsOf)) as JsonObject,
    definitions: Object.fromEntries(types.map((type) => [schemaName(type), kindSchema(type)])),
  }
}

function kindOf({ group, version, kind }: ResourceType): JsonObject {
  return { group, version, kind }
}

/** As the real server names them: the group's domain reversed. */
function schemaName({ group, version, kind }: ResourceType): string {
  const domain = group === '' ? ['io', 'k8s', 'api', 'core'] : group.split('.').reverse()
  return [...domain, version, kind].join('.')
}

function kindSchema(type: ResourceType): JsonObject {
  const properties = asObject(type.schema['properties'])
  return {
    description: `${type.kind} (${apiVersionOf(type)})`,
    ...type.schema,
    properties: { ...objectFields, ...properties, metadata: objectFields.metadata },
    'x-kubernetes-group-version-kind': [kindOf(type)],
  }
}

const text = (description: string) => ({ type: 'string', description })
const texts = { type: 'object', additionalProperties: { type: 'string' } }
const open = { type: 'object', 'x-kubernetes-preserve-unknown-fields': true }

const objectFields = {
  apiVersion: text('The versioned schema of this representation of an object.'),
  kind: text('The REST resource this object represents.'),
  metadata: {
    type: 'object',
    description: "Standard object's metadata.",
    properties: {
      name: text('Unique within a namespace.'),
      namespace: text('The space within which the name must be unique.'),
      uid: text('Unique in time and space.'),
      resourceVersion: text('The internal version of this object.'),
      generation: { type: 'integer' },
      creationTimestamp: { type: 'string', format: 'date-time' },
      deletionTimestamp: { type: 'string', format: 'date-time' },
      labels: { ...texts, description: 'Keys and values to select objects by.' },
      annotations: { ...texts, description: 'Keys and values that are not for selecting.' },
      finalizers: { type: 'array', items: { type: 'string' } },
      ownerReferences: { type: 'array', items: open },
    },
    'x-kubernetes-preserve-unknown-fields': true,
  },
}

function pathsOf(type: ResourceType): JsonObject {
  const operation = (action: string): JsonObject => ({
    parameters: [{ name: 'fieldValidation', in: 'query', schema: { type: 'string' } }],
    responses: { '200': { description: 'OK' } },
    'x-kubernetes-action': action,
    'x-kubernetes-group-version-kind': kindOf(type),
  })
  return operationsOf(type, operation)
}

/** In the old form; servers that merge documents keep only the definitions that a path refers to. */
function oldPathsOf(type: ResourceType): JsonObject {
  const reference = { $ref: `#/definitions/${schemaName(type)}` }
  const operation = (action: string): JsonObject => ({
    responses: { '200': { description: 'OK', schema: reference } },
    'x-kubernetes-action': action,
    'x-kubernetes-group-version-kind': kindOf(type),
  })
  return operationsOf(type, operation)
}

const onCollection = { list: ['get', 'list'], create: ['post', 'post'] } as const
const onObject = {
  get: ['get', 'get'],
  update: ['put', 'put'],
  patch: ['patch', 'patch'],
  delete: ['delete', 'delete'],
} as const

function operationsOf(type: ResourceType, operation: (action: string) => JsonObject): JsonObject {
  const scope = type.namespaced ? '/namespaces/{namespace}' : ''
  const collection = `/${basePath(type)}${scope}/${type.resource}`
  const served = (table: Readonly<Partial<Record<Verb, readonly [string, string]>>>): JsonObject =>
    Object.fromEntries(
      type.verbs.flatMap((verb) => {
        const [method, action] = table[verb] ?? []
        return method === undefined || action === undefined ? [] : [[method, operation(action)]]
      }),
    )
  return { [collection]: served(onCollection), [`${collection}/{name}`]: served(onObject) }
}
