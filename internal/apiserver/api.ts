// Kubernetes' REST conventions over a storage: one request in, one answer or watch out, nothing of HTTP.
import type { Clock } from '../base/clock.ts'
import type { Random } from '../base/random.ts'
import { type KnownPolicy, policyResources } from './admission.ts'
import { bindPod } from './binding.ts'
import { deleteCollection, deleteObject } from './delete.ts'
import { discover } from './discovery.ts'
import { openApi } from './openapi.ts'
import { patchObject } from './patch-object.ts'
import { getObject, listObjects } from './read.ts'
import { clusterRegistry, type Registry } from './registry.ts'
import {
  type Answer,
  type ApiAnswer,
  type ApiRequest,
  type Call,
  type Context,
  healthy,
  jsonAnswer,
} from './request.ts'
import { parseResourcePath, type ResourcePath } from './request-path.ts'
import { isHealth, parseTarget } from './request-target.ts'
import type { ResourceType, Verb } from './resource.ts'
import { review } from './review.ts'
import { badRequest, methodNotAllowed, noSuchPath, StatusError } from './status-error.ts'
import type { Storage } from './storage.ts'
import { serverVersion } from './version.ts'
import { watchObjects } from './watch.ts'
import { createObject, updateObject } from './write.ts'

export interface ApiOptions {
  readonly storage: Storage
  readonly clock: Clock
  /** For uids and generated names. */
  readonly random: Random
  /** What is served; a cluster's resources when missing. */
  readonly registry?: Registry
  /** Admission policies that may be installed. */
  readonly policies?: readonly KnownPolicy[]
}

export interface Api {
  /** Answers in the same turn; refusals are answers too (Status objects). Throws only on faults of the server itself. */
  handle(request: ApiRequest): ApiAnswer
}

/** Without a `registry` a whole cluster is served, and its first namespaces are made when they are missing. */
export function createApi({ storage, clock, random, registry, policies = [] }: ApiOptions): Api {
  const context: Context = {
    storage,
    clock,
    random,
    policies,
    registry: registry ?? clusterRegistry(storage, policyResources(policies)),
  }
  const api: Api = { handle: (request) => answering(() => route(context, request, standardActions)) }
  if (registry === undefined) for (const name of firstNamespaces) ensureNamespace(api, name)
  return api
}

const firstNamespaces = ['default', 'kube-system', 'kube-public', 'kube-node-lease']

function ensureNamespace(api: Api, name: string): void {
  const url = '/api/v1/namespaces'
  if (api.handle({ method: 'GET', url: `${url}/${name}` }).status === 200) return
  api.handle({ method: 'POST', url, body: JSON.stringify({ metadata: { name } }) })
}

/** Refusals are answers, too. */
export function answering<A>(how: () => A): A | Answer {
  try {
    return how()
  } catch (error) {
    return refusalOf(error)
  }
}

/** The answer to a refusal that was thrown; throws what is none. */
export function refusalOf(error: unknown): Answer {
  if (error instanceof StatusError) return jsonAnswer(error.code, error)
  throw error
}

/** What each verb does; `A` is what some of them answer besides. */
export type Actions<A = never> = Readonly<Record<Verb, (call: Call) => ApiAnswer | A>>

/** Throws StatusError. */
export function route<A = never>(context: Context, request: ApiRequest, actions: Actions<A>): ApiAnswer | A {
  const target = parseTarget(request.url)
  if (target === undefined) throw badRequest(`"${request.url}" is not a path`)
  const { path: pathname, query } = target
  const headers = request.headers ?? {}
  if (request.method === 'GET' || request.method === 'HEAD') {
    const answer =
      fixedPath(pathname) ??
      discover(pathname, headers['accept'], context.registry.all()) ??
      openApi(pathname, headers['accept'], context.registry.all())
    if (answer !== undefined) return answer
  }
  const reviewed = review(request.method, pathname, request.body)
  if (reviewed !== undefined) return reviewed
  const path = parseResourcePath(pathname)
  if (path === undefined) throw noSuchPath()
  const type = context.registry.find(path.group, path.version, path.resource)
  if (type === undefined || !isServed(type, path)) throw noSuchPath()
  return perform(request.method, { context, type, path, query, headers, body: request.body }, actions)
}

function fixedPath(pathname: string): Answer | undefined {
  if (isHealth(pathname)) return healthy
  if (pathname === '/version') return jsonAnswer(200, serverVersion)
  if (pathname === '/')
    return jsonAnswer(200, { paths: ['/api', '/apis', '/healthz', '/openapi/v3', '/version'] })
  return undefined
}

function isServed(type: ResourceType, { namespace, name, subresource }: ResourcePath): boolean {
  if (namespace !== undefined && !type.namespaced) return false
  if (name !== undefined && type.namespaced && namespace === undefined) return false
  if (subresource === '') return true
  if (subresource === 'status') return type.hasStatus
  return subresource === 'binding' && type.resource === 'pods' && type.group === ''
}

export const standardActions: Actions = {
  create: createObject,
  delete: deleteObject,
  deletecollection: deleteCollection,
  get: getObject,
  list: listObjects,
  patch: patchObject,
  update: updateObject,
  watch: watchObjects,
}

function perform<A>(method: string, call: Call, actions: Actions<A>): ApiAnswer | A {
  if (call.path.subresource === 'binding') {
    if (method !== 'POST') throw methodNotAllowed()
    return bindPod(call)
  }
  const verb = verbOf(method, call)
  const allowed = verb !== undefined && call.type.verbs.includes(verb)
  if (!allowed || (call.path.subresource === 'status' && !['get', 'patch', 'update'].includes(verb))) {
    throw methodNotAllowed(verb === undefined ? undefined : call.type.whyNot?.[verb])
  }
  return actions[verb](call)
}

/** What a request wants, by its method and path; undefined when there is no such verb. */
export function verbOf(
  method: string,
  { path, query }: { readonly path: ResourcePath; readonly query: URLSearchParams },
): Verb | undefined {
  const named = path.name !== undefined
  const asksWatch = path.watch || ['true', '1'].includes(query.get('watch') ?? '')
  switch (method) {
    case 'GET':
    case 'HEAD':
      if (asksWatch && path.subresource === '') return 'watch'
      return named ? 'get' : 'list'
    case 'POST':
      return named ? undefined : 'create'
    case 'PUT':
      return named ? 'update' : undefined
    case 'PATCH':
      return named ? 'patch' : undefined
    case 'DELETE':
      return named ? 'delete' : 'deletecollection'
    default:
      return undefined
  }
}
