// Just enough of an API server for NECs: objects in a map, versions, merge and JSON patches, and hooks to disturb them.
import { applyJsonPatch } from '../../internal/apiserver/patch/json-patch.ts'
import { StatusError } from '../../internal/apiserver/status-error.ts'
import { at } from '../../internal/kube/json.ts'
import { type Answer, type Exchange, refuse, reply } from './tiny-server.ts'

type Json = Record<string, unknown>

export interface TinyApi {
  readonly answer: Answer
  readonly objects: Map<string, Json>
  /** Called before each request is answered; true when it has answered itself. */
  disturb: (exchange: Exchange) => boolean
}

export function createTinyApi(): TinyApi {
  const objects = new Map<string, Json>()
  const api: TinyApi = {
    objects,
    disturb: () => false,
    answer(exchange) {
      if (api.disturb(exchange)) return
      const { method, body } = exchange
      const isStatus = exchange.path.endsWith('/status')
      const path = exchange.path.replace(/\/status$/, '')
      const now = objects.get(path)
      if (method === 'POST') {
        const key = `${path}/${String(at(body, 'metadata', 'name'))}`
        if (objects.has(key)) return refuse(exchange, 409, 'AlreadyExists')
        const { status: _ignored, ...given } = body as Json
        const created = versioned(given)
        objects.set(key, created)
        return reply(exchange, 201, created)
      }
      if (now === undefined) return refuse(exchange, 404, 'NotFound')
      const wanted = at(body, method === 'DELETE' ? 'preconditions' : 'metadata', 'resourceVersion')
      if (wanted !== undefined && wanted !== at(now, 'metadata', 'resourceVersion'))
        return refuse(exchange, 409, 'Conflict')
      if (method === 'DELETE') objects.delete(path)
      if (method === 'PATCH') {
        const next = patched(now, body, isStatus)
        if (next === undefined) return refuse(exchange, 422, 'Invalid')
        objects.set(path, versioned(next))
      }
      return reply(exchange, 200, objects.get(path) ?? {})
    },
  }
  let version = 0
  function versioned(object: Json): Json {
    return { ...object, metadata: { ...(object['metadata'] as Json), resourceVersion: String(++version) } }
  }
  return api
}

/** The status sub-resource takes status alone, the object everything else; undefined for a patch that does not fit. */
function patched(now: Json, patch: unknown, isStatus: boolean): Json | undefined {
  const next = Array.isArray(patch)
    ? tried(() => applyJsonPatch(now as never, patch))
    : (merge(now, patch) as Json)
  if (next === undefined) return undefined
  return isStatus ? { ...now, status: next['status'] } : { ...next, status: now['status'] }
}

function tried(work: () => Json): Json | undefined {
  try {
    return work()
  } catch (error) {
    if (error instanceof StatusError) return undefined
    throw error
  }
}

/** RFC 7386. */
function merge(now: unknown, patch: unknown): unknown {
  if (typeof patch !== 'object' || patch === null || Array.isArray(patch)) return patch
  const result: Json = typeof now === 'object' && now !== null && !Array.isArray(now) ? { ...now } : {}
  for (const [key, value] of Object.entries(patch)) {
    if (value === null) delete result[key]
    else if (value !== undefined) result[key] = merge(result[key], value)
  }
  return result
}
