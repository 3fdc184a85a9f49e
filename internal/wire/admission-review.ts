// What an API server asks a mutating webhook, and the answer: admission.k8s.io/v1.
import { z } from 'zod'
import type { PatchOperation } from '../ipam/zone-affinity.ts'
import { isRecord, type JsonObject, parseJson } from './json.ts'

const apiVersion = 'admission.k8s.io/v1'
const kind = 'AdmissionReview'

/** What is asked about. */
export interface AdmissionQuestion {
  readonly uid: string
  readonly operation: string
  /** "pods"; "/pods/status" and what else there is of other groups and parts is none of them. */
  readonly resource: string
  readonly namespace: string
  readonly object: JsonObject
}

const review = z.object({
  apiVersion: z.literal(apiVersion),
  kind: z.literal(kind),
  request: z.object({
    uid: z.string().min(1),
    operation: z.string().nullish(),
    resource: z.object({ group: z.string().nullish(), resource: z.string() }).nullish(),
    subResource: z.string().nullish(),
    namespace: z.string().nullish(),
    object: z.unknown(),
  }),
})

/** undefined: it is no review, or one of a version that we do not speak. */
export function decodeAdmissionReview(text: string): AdmissionQuestion | undefined {
  const { data } = review.safeParse(parseJson(text))
  if (data === undefined) return undefined
  const { namespace, object, operation, resource, subResource, uid } = data.request
  const parts = [resource?.group, resource?.resource, subResource].filter((part) => part)
  return {
    uid,
    operation: operation ?? '',
    resource: parts.join('/'),
    namespace: namespace ?? '',
    object: isRecord(object) ? object : {},
  }
}

export interface AdmissionAnswer {
  readonly patch?: readonly PatchOperation[]
  /** For whoever makes the object. */
  readonly warnings?: readonly string[]
}

/** The answer that lets it pass. */
export function encodeAdmissionReview(
  uid: string,
  { patch = [], warnings = [] }: AdmissionAnswer,
): JsonObject {
  return {
    apiVersion,
    kind,
    response: {
      uid,
      allowed: true,
      ...(patch.length > 0 && {
        patchType: 'JSONPatch',
        patch: Buffer.from(JSON.stringify(patch)).toString('base64'),
      }),
      ...(warnings.length > 0 && { warnings }),
    },
  }
}
