// Another server of the API: found by its APIService and the endpoints of its Service, spoken to over TLS on both sides.
import type { ClientRequest, OutgoingHttpHeaders } from 'node:http'
import { request } from 'node:https'
import { asObjects, asText, at, type Json, type JsonObject, type KubeObject } from '../object.ts'
import type { Storage } from '../storage.ts'
import type { KeyPair } from '../tls/certificate.ts'

export interface Backend {
  readonly group: string
  readonly version: string
  /** undefined: its Service has no endpoint. */
  readonly address: string | undefined
  readonly port: number
  readonly serverName: string
  /** PEM of what vouches for it. */
  readonly authority: string
}

const services = { group: 'apiregistration.k8s.io', resource: 'apiservices' }

/** Those that are registered; ours to find anew each time, as they move. */
export function backendsIn(storage: Storage): readonly Backend[] {
  return storage.list(services).items.flatMap((item) => backendOf(storage, item) ?? [])
}

export function findBackend(storage: Storage, group: string, version: string): Backend | undefined {
  const item = storage.get({ ...services, namespace: '', name: `${version}.${group}` })
  return item === undefined ? undefined : backendOf(storage, item)
}

function backendOf(storage: Storage, apiService: KubeObject): Backend | undefined {
  const spec = (...path: string[]) => asText(at(apiService, 'spec', ...path))
  const [namespace, name] = [spec('service', 'namespace'), spec('service', 'name')]
  if (name === '') return undefined // served by this server itself
  const found = endpointOf(storage, namespace, name)
  return {
    group: spec('group'),
    version: spec('version'),
    address: found?.address,
    port: found?.port ?? 0,
    serverName: `${name}.${namespace}.svc`,
    authority: Buffer.from(spec('caBundle'), 'base64').toString('utf8'),
  }
}

/** The first one of a Service. */
export function endpointOf(
  storage: Storage,
  namespace: string,
  service: string,
): { readonly address: string; readonly port: number } | undefined {
  const slices = storage
    .list({ group: 'discovery.k8s.io', resource: 'endpointslices', namespace })
    .items.filter(({ metadata }) => metadata.labels?.['kubernetes.io/service-name'] === service)
  return slices.flatMap((slice) => endpointsOf(slice))[0]
}

function endpointsOf(slice: JsonObject): { address: string; port: number }[] {
  const port = Number(asObjects(slice['ports'])[0]?.['port'] ?? 0)
  const addresses = asObjects(slice['endpoints']).flatMap(({ addresses }): Json[] =>
    Array.isArray(addresses) ? addresses : [],
  )
  return addresses.map((address) => ({ address: asText(address), port }))
}

export interface BackendRequest {
  readonly method: string
  readonly path: string
  readonly headers: OutgoingHttpHeaders
}

/** Begins a request that speaks for whoever may do everything. */
export function requestTo(
  backend: Backend,
  identity: KeyPair,
  { method, path, headers }: BackendRequest,
): ClientRequest {
  return request({
    host: backend.address,
    port: backend.port,
    servername: backend.serverName,
    ca: backend.authority,
    cert: identity.cert,
    key: identity.key,
    agent: false,
    method,
    path,
    headers: { ...headers, 'x-remote-user': 'admin', 'x-remote-group': 'system:masters' },
  })
}
