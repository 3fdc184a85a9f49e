// Failures of the Kubernetes API in our own words: the only place that knows its status codes.
import { type ErrorCode, IpamError } from '../ipam/errors.ts'
import type { Millis } from '../value/millis.ts'
import { listAt, textAt } from './json.ts'

const tooLarge = 'ResourceVersionTooLarge'

const deniedHint =
  'an API server that has just started answers so until it has read its roles; when it lasts, check the ClusterRole of this identity and its binding'

/** `status` is the HTTP status, 0 when there was no answer; only this package looks at it. */
export class KubeError extends IpamError {
  readonly status: number
  /** The API server's word for it ("NotFound", "Expired", …), empty when it gave none. */
  readonly reason: string
  /** How long the server asks us to wait. */
  readonly retryAfter: Millis | undefined

  constructor(
    code: ErrorCode,
    message: string,
    details: { status: number; reason?: string; retryAfter?: Millis; hint?: string; cause?: unknown },
  ) {
    super(code, message, {
      ...(details.hint === undefined ? {} : { hint: details.hint }),
      ...(details.cause === undefined ? {} : { cause: details.cause }),
    })
    this.status = details.status
    this.reason = details.reason ?? ''
    this.retryAfter = details.retryAfter
  }
}

/** The error of an answer that is not a success; `body` is a Status object when the API server itself spoke. */
export function refused(doing: string, status: number, body: unknown, retryAfter?: Millis): KubeError {
  const [cause] = listAt(body, 'details', 'causes')
  const reason = textAt(cause, 'reason') === tooLarge ? tooLarge : (textAt(body, 'reason') ?? '')
  const said = (textAt(body, 'message') ?? reason).slice(0, 500)
  return new KubeError(
    codeOf(status),
    `Cannot ${doing}: the API server answered ${status}${said && ` "${said}"`}`,
    {
      status,
      reason,
      ...(retryAfter === undefined ? {} : { retryAfter }),
      ...(status === 403 ? { hint: deniedHint } : {}),
    },
  )
}

/** The error of a request without a usable answer. Requests here are idempotent, so whether it happened does not matter. */
export function unreachable(doing: string, now: string, cause?: unknown): KubeError {
  return new KubeError('unavailable', `Cannot ${doing}: ${now}`, { status: 0, cause })
}

/** Is our resource version ahead of the server's cache? */
export function isTooNew(error: unknown): boolean {
  return error instanceof KubeError && error.reason === tooLarge
}

/** Did the API server itself answer, with this refusal? */
export function isAnswer(error: unknown): boolean {
  return error instanceof KubeError && error.status > 0
}

function codeOf(status: number): ErrorCode {
  if (status === 401 || status === 403) return 'denied'
  if (status === 404) return 'not_found'
  if (status === 409 || status === 410) return 'conflict'
  if (status === 429 || status >= 500) return 'unavailable'
  return 'bad_input'
}
