// delete and deletecollection: options, preconditions, and what is answered.
import { mediaType, parseJson } from './body.ts'
import { checkedDryRun } from './dry-run.ts'
import { asObject, asText, type Json, type JsonObject, type KubeObject } from './object.ts'
import { select } from './read.ts'
import { deleteOne } from './remove.ts'
import { negotiate } from './represent.ts'
import { type Answer, type Call, jsonAnswer } from './request.ts'
import type { ResourceType } from './resource.ts'
import { badRequest, conflict, notFound, unsupportedMediaType } from './status-error.ts'
import { load } from './stored-object.ts'

export interface DeleteOptions {
  readonly graceSeconds: number | undefined
  readonly dryRun: boolean
  readonly uid: string
  readonly resourceVersion: string
}

export function deleteObject(call: Call): Answer {
  const { context, type, path } = call
  const name = path.name ?? ''
  const options = deleteOptions(call)
  const object = load(context, type, path.namespace, name)
  if (object === undefined) throw notFound(type, name)
  checkPreconditions(type, object, options)
  if (options.dryRun) return answer(call, object, true)
  const result = deleteOne(context, type, object, options)
  return answer(call, result.object, result.gone)
}

export function deleteCollection(call: Call): Answer {
  const options = deleteOptions(call)
  const { items, ending } = select(call)
  const deleted = items.map((object) => {
    checkPreconditions(call.type, object, options)
    return options.dryRun ? object : deleteOne(call.context, call.type, object, options).object
  })
  const as = negotiate(call.headers['accept'], call.query, call.type, () => call.context.clock.now())
  return jsonAnswer(200, as.list(deleted, { resourceVersion: String(ending.revision) }), as.contentType)
}

/** These give the object back, as their real registries do; others give a Status when it is gone. */
const returned = new Set(['pods', 'services', 'serviceaccounts', 'namespaces'])

function answer(call: Call, object: KubeObject, gone: boolean): Answer {
  const { type } = call
  if (!gone || (type.group === '' && returned.has(type.resource))) {
    const as = negotiate(call.headers['accept'], call.query, type, () => call.context.clock.now())
    return jsonAnswer(200, as.one(object), as.contentType)
  }
  const { name = '', uid = '' } = object.metadata
  return jsonAnswer(200, {
    kind: 'Status',
    apiVersion: 'v1',
    metadata: {},
    status: 'Success',
    details: { name, ...(type.group === '' ? {} : { group: type.group }), kind: type.resource, uid },
  })
}

/** What a delete asks for; what cannot be understood deletes nothing. Throws StatusError 400, 415 or 422. */
export function deleteOptions({ body, headers, query }: Call): DeleteOptions {
  const type = mediaType(headers['content-type'])
  if (body !== undefined && body !== '' && type !== '' && type !== 'application/json') {
    throw unsupportedMediaType(['application/json'])
  }
  const given = readObject('DeleteOptions', body === undefined || body === '' ? undefined : parseJson(body))
  const preconditions = readObject('preconditions', given['preconditions'])
  const said = given['dryRun'] ?? undefined
  if (said !== undefined && !Array.isArray(said)) throw badRequest('dryRun is no list')
  const dryRun = said === undefined ? query.getAll('dryRun') : said.map(asText)
  return {
    graceSeconds: graceOf(given, query),
    dryRun: checkedDryRun(dryRun),
    uid: readText('preconditions.uid', preconditions['uid']),
    resourceVersion: readText('preconditions.resourceVersion', preconditions['resourceVersion']),
  }
}

function readObject(what: string, value: Json | undefined): JsonObject {
  if (value === undefined || value === null) return {}
  if (typeof value !== 'object' || Array.isArray(value)) throw badRequest(`${what} is no object`)
  return asObject(value)
}

function readText(what: string, value: Json | undefined): string {
  if (value === undefined || value === null) return ''
  if (typeof value !== 'string') throw badRequest(`${what} is no text`)
  return value
}

function graceOf(given: JsonObject, query: URLSearchParams): number | undefined {
  const grace = given['gracePeriodSeconds'] ?? query.get('gracePeriodSeconds') ?? undefined
  if (grace === undefined || grace === null) return undefined
  const seconds = Number(grace)
  if (!Number.isInteger(seconds)) throw badRequest(`invalid gracePeriodSeconds ${JSON.stringify(grace)}`)
  return seconds
}

/** Throws StatusError 409 when it is not the object that is meant. */
export function checkPreconditions(
  type: ResourceType,
  { metadata }: KubeObject,
  { uid, resourceVersion }: DeleteOptions,
): void {
  const { name = '' } = metadata
  if (uid !== '' && uid !== metadata.uid) {
    throw conflict(
      type,
      name,
      `Precondition failed: UID in precondition: ${uid}, UID in object meta: ${metadata.uid}`,
    )
  }
  if (resourceVersion !== '' && resourceVersion !== metadata.resourceVersion) {
    const why = `Precondition failed: ResourceVersion in precondition: ${resourceVersion}, ResourceVersion in object meta: ${metadata.resourceVersion}`
    throw conflict(type, name, why)
  }
}
