// Just enough of an API server for NECs: objects in a map, merge patches, and hooks to disturb them.
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
        const { status: _ignored, ...created } = body as Json
        objects.set(key, created)
        return reply(exchange, 201, created)
      }
      if (now === undefined) return refuse(exchange, 404, 'NotFound')
      if (method === 'DELETE') objects.delete(path)
      if (method === 'PATCH') objects.set(path, patched(now, body as Json, isStatus))
      return reply(exchange, 200, objects.get(path) ?? {})
    },
  }
  return api
}

/** The status sub-resource takes status alone, the object everything else. */
function patched(now: Json, patch: Json, isStatus: boolean): Json {
  const { status, ...rest } = patch
  return merge(now, isStatus ? { status } : rest) as Json
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
