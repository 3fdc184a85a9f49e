// Refusals in the API's own words: each becomes a Status object that kubectl prints as it is.
import type { JsonObject } from './object.ts'

export interface Cause {
  readonly reason: string
  readonly message: string
  readonly field: string
}

export interface About {
  readonly group: string
  readonly resource: string
  readonly kind?: string
}

/** An answer that is a metav1.Status with status "Failure". */
export class StatusError extends Error {
  readonly code: number
  readonly reason: string
  readonly details: JsonObject | undefined
  readonly listMeta: JsonObject

  constructor(
    code: number,
    reason: string,
    message: string,
    details?: JsonObject,
    listMeta: JsonObject = {},
  ) {
    super(message)
    this.name = 'StatusError'
    this.code = code
    this.reason = reason
    this.details = details
    this.listMeta = listMeta
  }

  toJSON(): JsonObject {
    return {
      kind: 'Status',
      apiVersion: 'v1',
      metadata: this.listMeta,
      status: 'Failure',
      message: this.message,
      ...(this.reason === '' ? {} : { reason: this.reason }),
      ...(this.details === undefined ? {} : { details: this.details }),
      code: this.code,
    }
  }
}

/** "pods" or "leases.coordination.k8s.io", as messages name a resource. */
function qualified({ group, resource }: About): string {
  return group === '' ? resource : `${resource}.${group}`
}

function details(about: About, name: string, kind: string = about.resource): JsonObject {
  return { name, ...(about.group === '' ? {} : { group: about.group }), kind }
}

export function notFound(about: About, name: string): StatusError {
  return new StatusError(404, 'NotFound', `${qualified(about)} "${name}" not found`, details(about, name))
}

/** The path leads nowhere: an unknown group, version or resource. */
export function noSuchPath(): StatusError {
  return new StatusError(404, 'NotFound', 'the server could not find the requested resource', {})
}

export function alreadyExists(about: About, name: string): StatusError {
  const message = `${qualified(about)} "${name}" already exists`
  return new StatusError(409, 'AlreadyExists', message, details(about, name))
}

export function conflict(
  about: About,
  name: string,
  why: string,
  causes: readonly Cause[] = [],
): StatusError {
  const message = `Operation cannot be fulfilled on ${qualified(about)} "${name}": ${why}`
  return new StatusError(409, 'Conflict', message, withCauses(details(about, name), causes))
}

export const modified =
  'the object has been modified; please apply your changes to the latest version and try again'

export function forbidden(
  about: About,
  name: string,
  why: string,
  causes: readonly Cause[] = [],
): StatusError {
  const message = `${qualified(about)} "${name}" is forbidden: ${why}`
  return new StatusError(403, 'Forbidden', message, withCauses(details(about, name), causes))
}

/** A validating admission policy, bound under its own name, refuses the write. */
export function deniedByPolicy(about: About, name: string, policy: string, why: string): StatusError {
  const said = `ValidatingAdmissionPolicy '${policy}' with binding '${policy}' denied request: ${why}`
  return new StatusError(422, 'Invalid', `${qualified(about)} "${name}" is forbidden: ${said}`, {
    ...details(about, name),
    causes: [{ message: said }],
  })
}

export function badRequest(message: string): StatusError {
  return new StatusError(400, 'BadRequest', message)
}

export function methodNotAllowed(
  message = 'the server does not allow this method on the requested resource',
): StatusError {
  return new StatusError(405, 'MethodNotAllowed', message, {})
}

export function notAcceptable(): StatusError {
  const message = 'only the following media types are accepted: application/json'
  return new StatusError(406, 'NotAcceptable', message)
}

export function unsupportedMediaType(accepted: readonly string[]): StatusError {
  const message = `the body of the request was in an unknown format - accepted media types include: ${accepted.join(', ')}`
  return new StatusError(415, 'UnsupportedMediaType', message)
}

/** The list or watch asks for a past that is no longer kept. `listMeta` may carry a fresh continue token. */
export function expired(message: string, listMeta: JsonObject = {}): StatusError {
  return new StatusError(410, 'Expired', message, undefined, listMeta)
}

export function unauthorized(): StatusError {
  return new StatusError(401, 'Unauthorized', 'Unauthorized')
}

export function tooLargeVersion(asked: number, current: number): StatusError {
  const message = `Timeout: Too large resource version: ${asked}, current: ${current}`
  return new StatusError(504, 'Timeout', message, {
    causes: [{ reason: 'ResourceVersionTooLarge', message: 'Too large resource version' }],
    retryAfterSeconds: 1,
  })
}

/** 422 with one cause per fault, in the wording of the API machinery. */
export function invalid(about: About, name: string, causes: readonly Cause[]): StatusError {
  const texts = causes.map(({ field, message }) => `${field}: ${message}`)
  const what = texts.length === 1 ? texts[0] : `[${texts.join(', ')}]`
  const kind = about.kind ?? about.resource
  const qualifiedKind = about.group === '' ? kind : `${kind}.${about.group}`
  return new StatusError(
    422,
    'Invalid',
    `${qualifiedKind} "${name}" is invalid: ${what}`,
    withCauses(details(about, name, kind), causes),
  )
}

function withCauses(base: JsonObject, causes: readonly Cause[]): JsonObject {
  if (causes.length === 0) return base
  return { ...base, causes: causes.map(({ reason, message, field }) => ({ reason, message, field })) }
}

export function requiredField(field: string, why = ''): Cause {
  return { reason: 'FieldValueRequired', message: `Required value${why === '' ? '' : `: ${why}`}`, field }
}

export function invalidField(field: string, value: unknown, why: string): Cause {
  return { reason: 'FieldValueInvalid', message: `Invalid value: ${JSON.stringify(value)}: ${why}`, field }
}

export function forbiddenField(field: string, why: string): Cause {
  return { reason: 'FieldValueForbidden', message: `Forbidden: ${why}`, field }
}
