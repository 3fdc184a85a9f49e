// create and update: what the server fills in, checks and protects around every write.
import { admit } from './admission.ts'
import { objectBody } from './body.ts'
import { checkedDryRun } from './dry-run.ts'
import { expireEvents } from './expire-events.ts'
import { setIdentity } from './identity.ts'
import { asText, at, clone, type Json, type KubeObject, type ObjectMeta, sameJson } from './object.ts'
import { removeForGood } from './remove.ts'
import { negotiate } from './represent.ts'
import { type Answer, type Call, type Context, jsonAnswer } from './request.ts'
import type { ResourceType, Writing } from './resource.ts'
import {
  alreadyExists,
  badRequest,
  conflict,
  forbidden,
  invalid,
  invalidField,
  methodNotAllowed,
  modified,
  notFound,
} from './status-error.ts'
import { keyOf, load, revisionOf, shown, toStored } from './stored-object.ts'
import { checkMetadata, checkMetadataUpdate } from './validate-meta.ts'

const namespaces = { group: '', resource: 'namespaces' }
const namespaceAbout = { ...namespaces, kind: 'Namespace' }

export function createObject(call: Call): Answer {
  const object = objectBody(call)
  if (call.type.namespaced && call.path.namespace === undefined) throw methodNotAllowed()
  return written(call, 201, create(call, object))
}

export function updateObject(call: Call): Answer {
  const { context, type, path } = call
  const object = objectBody(call)
  const name = path.name ?? ''
  if (object.metadata.name === undefined) object.metadata.name = name
  if (object.metadata.name !== name) {
    throw badRequest(
      `the name of the object (${object.metadata.name}) does not match the name on the URL (${name})`,
    )
  }
  adoptNamespace(call, object)
  const old = load(context, type, path.namespace, name)
  if (old === undefined) throw notFound(type, name)
  return written(call, 200, replace(call, old, object))
}

export function written(call: Call, status: number, { object, warnings }: Written): Answer {
  const as = negotiate(call.headers['accept'], call.query, call.type, () => call.context.clock.now())
  const answer = jsonAnswer(status, as.one(object), as.contentType)
  return warnings.length === 0 ? answer : { ...answer, warnings }
}

export interface Written {
  readonly object: KubeObject
  readonly warnings: readonly string[]
}

/** Writes a new object, with everything that the server sets. Throws StatusError. */
export function create(call: Call, object: KubeObject): Written {
  const { context, type } = call
  const now = context.clock.now()
  adoptNamespace(call, object)
  if (object.metadata.resourceVersion !== undefined) {
    throw badRequest('resourceVersion should not be set on objects to be created')
  }
  setIdentity(context, type, object, now)
  if (type.hasStatus && type.initialStatus !== undefined) object['status'] = clone(type.initialStatus)
  const warnings = knownFields(call, object)
  const writing: Writing = { now, old: undefined, subresource: '' }
  type.prepare?.(object, writing)
  if (object['status'] !== undefined && type.strategic === undefined && sameJson(object['status'], {}))
    delete object['status']
  check(type, object, [...checkMetadata(object, type), ...(type.check?.(object, writing) ?? [])])
  openNamespace(context, type, object)
  admit(call, object, undefined)
  const key = keyOf(type, object.metadata.namespace, object.metadata.name ?? '')
  if (context.storage.get(key) !== undefined) throw alreadyExists(type, key.name)
  if (isDryRun(call)) return { object, warnings }
  const stored = context.storage.create(key, toStored(type, object))
  registered(context, type)
  if (key.resource === 'events') expireEvents(context)
  return { object: shown(type, stored), warnings }
}

/**
 * Writes `next` over `old`, as far as the resource and the subresource allow; nothing is written when nothing changed.
 * Throws StatusError.
 */
export function replace(call: Call, old: KubeObject, next: KubeObject): Written {
  const { context, type, path } = call
  const about = old.metadata.name ?? ''
  checkPreconditions(type, old, next)
  const object = protectedParts(type, old, next, path.subresource)
  const warnings = knownFields(call, object)
  const writing: Writing = { now: context.clock.now(), old, subresource: path.subresource }
  type.prepare?.(object, writing)
  check(type, object, [
    ...checkMetadata(object, type),
    ...checkMetadataUpdate(object, old),
    ...(type.check?.(object, writing) ?? []),
  ])
  admit(call, object, old)
  if (type.countsGenerations && specChanged(old, object)) {
    object.metadata.generation = (old.metadata.generation ?? 0) + 1
  }
  if (sameJson(old, object)) return { object: old, warnings }
  if (isDryRun(call)) return { object, warnings }
  const key = keyOf(type, old.metadata.namespace, about)
  if (isFinished(object)) return { object: removeForGood(context, type, object, revisionOf(old)), warnings }
  const stored = context.storage.replace(key, toStored(type, object), revisionOf(old))
  registered(context, type)
  return { object: shown(type, stored), warnings }
}

/** Marked for deletion, and nothing holds it any more. */
function isFinished({ metadata }: KubeObject): boolean {
  const { deletionTimestamp, deletionGracePeriodSeconds = 0, finalizers = [] } = metadata
  return deletionTimestamp !== undefined && deletionGracePeriodSeconds === 0 && finalizers.length === 0
}

function registered(context: Context, type: ResourceType): void {
  if (type.resource === 'customresourcedefinitions') context.registry.refresh()
}

function check(type: ResourceType, object: KubeObject, causes: Parameters<typeof invalid>[2]): void {
  if (causes.length > 0) throw invalid(type, object.metadata.name ?? '', causes)
}

function adoptNamespace({ type, path }: Call, object: KubeObject): void {
  if (!type.namespaced) {
    delete object.metadata.namespace
    return
  }
  const given = object.metadata.namespace
  if (given !== undefined && path.namespace !== undefined && given !== path.namespace) {
    throw badRequest('the namespace of the provided object does not match the namespace sent on the request')
  }
  if (path.namespace !== undefined) object.metadata.namespace = path.namespace
}

function openNamespace({ storage }: Context, type: ResourceType, object: KubeObject): void {
  if (!type.namespaced) return
  const name = object.metadata.namespace ?? ''
  const namespace = storage.get({ ...namespaces, namespace: '', name })
  if (namespace === undefined) throw notFound(namespaceAbout, name)
  if (asText(at(namespace, 'status', 'phase')) !== 'Terminating') return
  const why = `unable to create new content in namespace ${name} because it is being terminated`
  throw forbidden(type, object.metadata.name ?? '', why, [
    {
      reason: 'NamespaceTerminating',
      message: `namespace ${name} is being terminated`,
      field: 'metadata.namespace',
    },
  ])
}

function checkPreconditions(type: ResourceType, old: KubeObject, next: KubeObject): void {
  const name = old.metadata.name ?? ''
  const { uid, resourceVersion } = next.metadata
  if (uid !== undefined && uid !== old.metadata.uid) {
    const why = `Precondition failed: UID in precondition: ${uid}, UID in object meta: ${old.metadata.uid}`
    throw conflict(type, name, why)
  }
  if (resourceVersion === undefined || resourceVersion === '0') {
    if (type.unconditionalUpdate) return
    throw invalid(type, name, [
      invalidField('metadata.resourceVersion', 0, 'must be specified for an update'),
    ])
  }
  if (resourceVersion !== old.metadata.resourceVersion) throw conflict(type, name, modified)
}

/** `next` with the parts of `old` that this kind of request may not change. */
function protectedParts(
  type: ResourceType,
  old: KubeObject,
  next: KubeObject,
  subresource: string,
): KubeObject {
  const object = subresource === 'status' ? statusOnly(type, old, next) : withoutStatus(type, old, next)
  object.metadata = {
    ...without(object.metadata, systemFields),
    ...Object.fromEntries(systemFields.flatMap((field) => presentField(old.metadata, field))),
  }
  const { metadata } = object
  if (metadata.managedFields === undefined && old.metadata.managedFields !== undefined) {
    metadata.managedFields = old.metadata.managedFields
  } else if (metadata.managedFields?.length === 0) delete metadata.managedFields
  return object
}

function presentField(metadata: ObjectMeta, field: string): [string, Json][] {
  const value = metadata[field]
  return value === undefined ? [] : [[field, value]]
}

function without(metadata: ObjectMeta, fields: readonly string[]): ObjectMeta {
  return Object.fromEntries(Object.entries(metadata).filter(([field]) => !fields.includes(field)))
}

const systemFields = [
  'name',
  'namespace',
  'uid',
  'resourceVersion',
  'generateName',
  'generation',
  'creationTimestamp',
  'deletionTimestamp',
  'deletionGracePeriodSeconds',
]

function statusOnly(type: ResourceType, old: KubeObject, next: KubeObject): KubeObject {
  const object: KubeObject = { ...clone(old) }
  if (next['status'] === undefined) delete object['status']
  else object['status'] = clone(next['status'])
  if (type.statusCarriesMetadata) {
    const { ownerReferences: _, finalizers: __, ...metadata } = clone(next.metadata)
    const kept = ['ownerReferences', 'finalizers'].flatMap((field) => presentField(old.metadata, field))
    object.metadata = { ...metadata, ...Object.fromEntries(kept) }
  }
  return object
}

function withoutStatus(type: ResourceType, old: KubeObject, next: KubeObject): KubeObject {
  const object = clone(next)
  if (!type.hasStatus) return object
  if (old['status'] === undefined) delete object['status']
  else object['status'] = clone(old['status'])
  return object
}

function specChanged(old: KubeObject, object: KubeObject): boolean {
  const { metadata: _, status: __, ...before } = old
  const { metadata: ___, status: ____, ...after } = object
  return !sameJson(before, after)
}

function isDryRun({ query }: Call): boolean {
  return checkedDryRun(query.getAll('dryRun').filter((value) => value !== ''))
}

/** Obeys fieldValidation for fields that the schema does not know: refuse, warn or say nothing. */
function knownFields({ query, type }: Call, object: KubeObject): string[] {
  const mode = query.get('fieldValidation') ?? 'Warn'
  if (mode === 'Ignore' || type.unknownFields === undefined) return []
  const unknown = type.unknownFields(object).map((path) => `unknown field "${path}"`)
  if (unknown.length === 0 || mode !== 'Strict') return unknown
  throw badRequest(
    `${type.kind} in version "${type.version}" cannot be handled as a ${type.kind}: strict decoding error: ${unknown.join(', ')}`,
  )
}
