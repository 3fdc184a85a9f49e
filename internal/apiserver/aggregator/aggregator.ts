// API aggregation, as a cluster's API server does it: requests of registered groups are passed on to the server that has them, and what
// describes the whole API has all parts.
import type { IncomingMessage, ServerResponse } from 'node:http'
import type { Clock } from '../../base/clock.ts'
import type { Log } from '../../base/log.ts'
import type { Random } from '../../base/random.ts'
import type { Api } from '../api.ts'
import type { Serve } from '../entrance.ts'
import { exchange, refusal, reply } from '../http-exchange.ts'
import { asObject, type Json, type JsonObject } from '../object.ts'
import { type ApiAnswer, type ApiRequest, isWatch } from '../request.ts'
import { StatusError } from '../status-error.ts'
import type { Storage } from '../storage.ts'
import { issueCertificate, makeAuthority } from '../tls/certificate.ts'
import { type Backend, backendsIn, findBackend, requestTo } from './backend.ts'
import {
  groupOf,
  isDiscovery,
  mergeDiscovery,
  mergeGroups,
  mergeIndex,
  mergeOpenApi,
  type Part,
} from './merge.ts'
import { withPodWebhooks } from './pod-webhooks.ts'

export interface AggregatorParts {
  readonly api: Api
  readonly storage: Storage
  readonly clock: Clock
  readonly random: Random
  readonly log: Log
}

/** How long a server may take to accept a connection, or to describe itself. */
const patience = 2000
const year = 365 * 86_400_000
const configMaps = '/api/v1/namespaces/kube-system/configmaps'
const configMap = 'extension-apiserver-authentication'

/** Serves `api` and what is registered in it; webhooks see the pods that are made. Publishes how it proves itself to the others. */
export function createAggregator(parts: AggregatorParts): Serve {
  const { api, storage, clock, log } = parts
  const own = withPodWebhooks(parts)
  const validity = { from: clock.now() - year, to: clock.now() + 10 * year }
  const authority = makeAuthority('front-proxy-ca', validity)
  const identity = issueCertificate(authority, 'front-proxy-ca', ['front-proxy-client'], validity, 'client')
  publish(api, authority.cert)

  /** What `backend` says at `path`; undefined when it says nothing that can be read. */
  function read(backend: Backend, path: string, accept: string): Promise<JsonObject | undefined> {
    return new Promise((resolve) => {
      if (backend.address === undefined) return resolve(undefined)
      const sent = requestTo(backend, identity, { method: 'GET', path, headers: { accept } })
      const cancel = clock.after(patience, () => sent.destroy())
      const end = (document?: JsonObject) => {
        cancel()
        resolve(document)
      }
      sent.once('error', () => end())
      sent.once('response', (answer) => {
        let text = ''
        answer.setEncoding('utf8')
        answer.on('data', (chunk: string) => {
          text += chunk
        })
        answer.once('end', () => end(answer.statusCode === 200 ? parsed(text) : undefined))
        answer.once('error', () => end())
      })
      sent.end()
    })
  }

  async function merged(request: ApiRequest, merge: Merge): Promise<ApiAnswer> {
    const own = api.handle(request)
    const backends = backendsIn(storage)
    if (isWatch(own) || own.status !== 200 || typeof own.body !== 'string' || backends.length === 0)
      return own
    const accept = request.headers?.['accept'] ?? ''
    const parts = await Promise.all(
      backends.map(
        async (backend): Promise<Part> => ({
          ...backend,
          document: await read(backend, request.url, accept),
        }),
      ),
    )
    return { ...own, body: `${JSON.stringify(merge(asObject(parsed(own.body)), parts))}\n` }
  }

  function handle(request: ApiRequest): ApiAnswer | Promise<ApiAnswer> {
    const path = request.url.split('?')[0] ?? ''
    const merge = request.method === 'GET' ? merges[path] : undefined
    if (merge !== undefined) return merged(request, merge)
    const group = request.method === 'GET' ? /^\/apis\/([^/]+)\/?$/.exec(path)?.[1] : undefined
    const backend = group === undefined ? undefined : backendsIn(storage).find((each) => each.group === group)
    if (backend === undefined) return own(request)
    const body = { kind: 'APIGroup', apiVersion: 'v1', ...groupOf({ ...backend, document: undefined }) }
    return { status: 200, contentType: 'application/json', body: `${JSON.stringify(body)}\n` }
  }

  function passOn(request: IncomingMessage, response: ServerResponse, backend: Backend): void {
    if (backend.address === undefined) return reply(response, refusal(unreachable('it has no endpoint')))
    const { method = 'GET', url = '/' } = request
    const sent = requestTo(backend, identity, { method, path: url, headers: forwarded(request) })
    const cancel = clock.after(patience, () => sent.destroy(new Error('it does not answer')))
    const fail = (error: Error) => {
      cancel()
      log.debug('request not passed on', { url, error: error.message })
      if (response.headersSent) response.destroy()
      else reply(response, refusal(unreachable(error.message)))
    }
    sent.once('socket', (socket) => socket.once('secureConnect', cancel))
    sent.once('error', fail)
    sent.once('response', (answer) => {
      response.writeHead(answer.statusCode ?? 502, answer.headers)
      response.flushHeaders() // of a watch, before anything happens
      answer.once('error', () => response.destroy())
      answer.pipe(response)
    })
    response.once('close', () => sent.destroy())
    request.pipe(sent)
  }

  return (request, response) => {
    const [, group, version] = /^(?:\/openapi\/v3)?\/apis\/([^/?]+)\/([^/?]+)/.exec(request.url ?? '') ?? []
    const backend =
      group === undefined || version === undefined ? undefined : findBackend(storage, group, version)
    if (backend === undefined) void exchange(request, response, handle, log)
    else passOn(request, response, backend)
  }
}

type Merge = (own: JsonObject, parts: readonly Part[]) => JsonObject

const merges: Readonly<Record<string, Merge>> = {
  '/apis': (own, parts) => (isDiscovery(own) ? mergeDiscovery(own, parts) : mergeGroups(own, parts)),
  '/openapi/v3': mergeIndex,
  '/openapi/v2': mergeOpenApi,
}

/** What a client says of itself is for us alone to say. */
function forwarded({ headers }: IncomingMessage): Record<string, string> {
  const passed = ['accept', 'content-type', 'content-length', 'transfer-encoding', 'user-agent']
  return Object.fromEntries(
    passed.flatMap((name) => {
      const value = headers[name]
      return typeof value === 'string' ? [[name, value]] : []
    }),
  )
}

function unreachable(why: string): StatusError {
  return new StatusError(503, 'ServiceUnavailable', `error trying to reach service: ${why}`)
}

function publish(api: Api, authority: string): void {
  const body = JSON.stringify({
    metadata: { name: configMap },
    data: {
      'requestheader-client-ca-file': authority,
      'requestheader-allowed-names': '["front-proxy-client"]',
      'requestheader-username-headers': '["X-Remote-User"]',
      'requestheader-group-headers': '["X-Remote-Group"]',
      'requestheader-extra-headers-prefix': '["X-Remote-Extra-"]',
    },
  })
  const made = api.handle({ method: 'POST', url: configMaps, body })
  if (made.status === 409) api.handle({ method: 'PUT', url: `${configMaps}/${configMap}`, body })
}

function parsed(text: string): JsonObject | undefined {
  try {
    return asObject(JSON.parse(text) as Json)
  } catch {
    return undefined
  }
}
