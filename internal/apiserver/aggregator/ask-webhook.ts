// One question to one webhook, behind a Service of the cluster.
import { request } from 'node:https'
import type { Clock } from '../../base/clock.ts'
import { asText, at, isObject, type Json, type JsonObject } from '../object.ts'
import type { Storage } from '../storage.ts'
import { endpointOf } from './backend.ts'

export interface AskTools {
  readonly storage: Storage
  readonly clock: Clock
}

/** Longer than any object with its patch. */
const maxAnswer = 8 * 1024 * 1024

/** `response` of the AdmissionReview that it answers with. Rejects when there is none within its `timeoutSeconds`. */
export function askWebhook(
  webhook: JsonObject,
  body: string,
  { clock, storage }: AskTools,
): Promise<JsonObject> {
  const config = (...path: string[]) => asText(at(webhook, 'clientConfig', ...path))
  const [namespace, name] = [config('service', 'namespace'), config('service', 'name')]
  const endpoint = endpointOf(storage, namespace, name)
  if (endpoint === undefined) return Promise.reject(new Error(`service "${name}" has no endpoint`))
  const { promise, reject, resolve } = Promise.withResolvers<JsonObject>()
  const sent = request({
    host: endpoint.address,
    port: endpoint.port,
    servername: `${name}.${namespace}.svc`,
    ca: Buffer.from(config('caBundle'), 'base64').toString('utf8'),
    agent: false,
    method: 'POST',
    path: config('service', 'path') || '/',
    headers: { 'content-type': 'application/json', 'content-length': Buffer.byteLength(body) },
  })
  const seconds = Number(webhook['timeoutSeconds'] ?? 10)
  const cancel = clock.after(seconds * 1000, () => sent.destroy(new Error('it does not answer in time')))
  sent.once('error', reject)
  sent.once('response', (answer) => {
    let text = ''
    answer.setEncoding('utf8').on('data', (chunk: string) => {
      text += chunk
      if (text.length > maxAnswer) sent.destroy(new Error('its answer is too long'))
    })
    answer.once('error', reject)
    answer.once('end', () => {
      const response = answer.statusCode === 200 ? responseIn(text) : undefined
      if (response !== undefined) resolve(response)
      else reject(new Error(`it answered ${answer.statusCode} without a review`))
    })
  })
  sent.end(body)
  return promise.finally(cancel)
}

function responseIn(text: string): JsonObject | undefined {
  try {
    const response = at(JSON.parse(text) as Json, 'response')
    return isObject(response) ? response : undefined
  } catch {
    return undefined
  }
}
