// patch: JSON patch, merge patch and strategic merge patch on the newest state; server-side apply has a file of its own.
import { applyObject } from './apply-object.ts'
import { checkedObject, mediaType, parseJson } from './body.ts'
import { isObject, type JsonObject } from './object.ts'
import { applyJsonPatch } from './patch/json-patch.ts'
import { applyMergePatch } from './patch/merge-patch.ts'
import { applyStrategicPatch } from './patch/strategic-patch.ts'
import type { Answer, Call } from './request.ts'
import type { ResourceType } from './resource.ts'
import { badRequest, invalid, invalidField, notFound, unsupportedMediaType } from './status-error.ts'
import { load } from './stored-object.ts'
import { replace, written } from './write.ts'

const applyPatch = 'application/apply-patch+yaml'
const jsonPatch = 'application/json-patch+json'
const mergePatch = 'application/merge-patch+json'
const strategicPatch = 'application/strategic-merge-patch+json'

export function patchObject(call: Call): Answer {
  const { context, type, path } = call
  const name = path.name ?? ''
  const media = mediaType(call.headers['content-type'])
  if (media === applyPatch) return applyObject(call)
  const accepted = [
    applyPatch,
    jsonPatch,
    mergePatch,
    ...(type.strategic === undefined ? [] : [strategicPatch]),
  ]
  if (!accepted.includes(media)) throw unsupportedMediaType(accepted)
  const old = load(context, type, path.namespace, name)
  if (old === undefined) throw notFound(type, name)
  const next = checkedObject(patched(old, media, call), type)
  for (const field of ['name', 'namespace', 'uid'] as const) {
    const isLeftOut = field === 'uid' && next.metadata.uid === undefined
    if (next.metadata[field] !== old.metadata[field] && !isLeftOut) {
      throw invalid(type, name, [
        invalidField(`metadata.${field}`, next.metadata[field], 'field is immutable'),
      ])
    }
  }
  return written(call, 200, replace(call, old, next))
}

function patched(
  old: JsonObject,
  media: string,
  { body, type }: { body: string | undefined; type: ResourceType },
) {
  const patch = parseJson(body)
  if (media === jsonPatch) return applyJsonPatch(old, patch)
  if (!isObject(patch)) throw badRequest('a merge patch must be an object')
  return media === mergePatch
    ? applyMergePatch(old, patch)
    : applyStrategicPatch(old, patch, type.strategic ?? {})
}
