// Mutating webhooks, for pods that are made. This server evaluates no CEL and no selectors: a webhook for pods is sent every one, whatever
// its conditions say. It is asked before defaults are set and anything is checked.
import type { Clock } from '../../base/clock.ts'
import type { Log } from '../../base/log.ts'
import type { Random } from '../../base/random.ts'
import { randomUuid } from '../../base/random-uuid.ts'
import { type Api, refusalOf } from '../api.ts'
import { bodyValue, mediaType } from '../body.ts'
import { asObject, asObjects, asText, at, isObject, type Json, type JsonObject } from '../object.ts'
import { applyJsonPatch } from '../patch/json-patch.ts'
import { type ApiAnswer, type ApiRequest, isWatch } from '../request.ts'
import { parseResourcePath } from '../request-path.ts'
import { parseTarget } from '../request-target.ts'
import { StatusError } from '../status-error.ts'
import type { Storage } from '../storage.ts'
import { askWebhook } from './ask-webhook.ts'

export interface PodWebhookParts {
  readonly api: Api
  readonly storage: Storage
  readonly clock: Clock
  /** For uids. */
  readonly random: Random
  readonly log: Log
}

interface NewPod {
  readonly namespace: string
  readonly dryRun: boolean
  readonly object: JsonObject
}

/** `api.handle`, after the webhooks that want to see pods have seen the one that is made. */
export function withPodWebhooks(
  parts: PodWebhookParts,
): (request: ApiRequest) => ApiAnswer | Promise<ApiAnswer> {
  const { api, storage } = parts
  return (request) => {
    const place = newPodIn(request)
    const webhooks = place === undefined ? [] : podWebhooks(storage)
    const object = webhooks.length === 0 ? undefined : objectIn(request)
    if (place === undefined || object === undefined) return api.handle(request)
    const pod = { object, ...place }
    return madeBy(webhooks, pod, request, parts).catch(refusalOf)
  }
}

/** undefined: no pod is made by it. */
function newPodIn({ method, url }: ApiRequest): Omit<NewPod, 'object'> | undefined {
  const target = method === 'POST' ? parseTarget(url) : undefined
  const path = target === undefined ? undefined : parseResourcePath(target.path)
  if (target === undefined || path?.namespace === undefined || path.name !== undefined) return undefined
  const { group, resource, namespace } = path
  if (group !== '' || resource !== 'pods') return undefined
  return { namespace, dryRun: target.query.has('dryRun') }
}

const configurations = { group: 'admissionregistration.k8s.io', resource: 'mutatingwebhookconfigurations' }

function podWebhooks(storage: Storage): readonly JsonObject[] {
  const has = (rule: JsonObject, field: string, value: string) => {
    const list = rule[field]
    return Array.isArray(list) && (list.includes(value) || list.includes('*'))
  }
  return storage
    .list(configurations)
    .items.flatMap((each) => asObjects(each['webhooks']))
    .filter(({ rules }) =>
      asObjects(rules).some(
        (rule) =>
          has(rule, 'apiGroups', '') && has(rule, 'resources', 'pods') && has(rule, 'operations', 'CREATE'),
      ),
    )
}

/** What is no object is refused by who would keep it. */
function objectIn({ body, headers = {} }: ApiRequest): JsonObject | undefined {
  try {
    const value = bodyValue(body, mediaType(headers['content-type']))
    return isObject(value) ? value : undefined
  } catch {
    return undefined
  }
}

async function madeBy(
  webhooks: readonly JsonObject[],
  pod: NewPod,
  request: ApiRequest,
  parts: PodWebhookParts,
): Promise<ApiAnswer> {
  let { object } = pod
  const warnings: string[] = []
  for (const webhook of webhooks) {
    const response = await answerOf(webhook, { ...pod, object }, parts)
    if (response === undefined) continue
    if (response['allowed'] !== true) throw denied(webhook, response)
    const said = response['warnings']
    if (Array.isArray(said)) warnings.push(...said.map(asText))
    const patch = asText(response['patch'])
    if (patch !== '')
      object = applyJsonPatch(object, JSON.parse(Buffer.from(patch, 'base64').toString('utf8')) as Json)
  }
  const headers = { ...request.headers, 'content-type': 'application/json' }
  const answer = parts.api.handle({ ...request, headers, body: JSON.stringify(object) })
  if (isWatch(answer) || warnings.length === 0) return answer
  return { ...answer, warnings: [...warnings, ...(answer.warnings ?? [])] }
}

/** undefined: it did not answer, and the pod is made without it. Throws StatusError 500 when it must not be. */
async function answerOf(
  webhook: JsonObject,
  { dryRun, namespace, object }: NewPod,
  parts: PodWebhookParts,
): Promise<JsonObject | undefined> {
  const question = {
    apiVersion: 'admission.k8s.io/v1',
    kind: 'AdmissionReview',
    request: {
      uid: randomUuid(parts.random),
      kind: { group: '', version: 'v1', kind: 'Pod' },
      resource: { group: '', version: 'v1', resource: 'pods' },
      ...{ namespace, operation: 'CREATE', dryRun },
      object: { ...object, metadata: { ...asObject(object['metadata']), namespace } },
    },
  }
  try {
    return await askWebhook(webhook, JSON.stringify(question), parts)
  } catch (error) {
    parts.log.debug('webhook not asked', { error: String(error) })
    if (webhook['failurePolicy'] === 'Ignore') return undefined
    const why = `failed calling webhook "${asText(webhook['name'])}": ${(error as Error).message}`
    throw new StatusError(500, 'InternalError', `Internal error occurred: ${why}`)
  }
}

function denied(webhook: JsonObject, response: JsonObject): StatusError {
  const why = asText(at(response, 'status', 'message')) || 'without explanation'
  const message = `admission webhook "${asText(webhook['name'])}" denied the request: ${why}`
  return new StatusError(403, 'Forbidden', message, {})
}
