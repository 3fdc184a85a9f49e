// The temporary credentials of the CAM role of this machine: fetched once for all callers, renewed long before they expire,
// and used to their very end when renewing fails. A failure is told for a moment only, then it is tried again.
import { type BackoffPolicy, backoffDelay } from '../base/backoff.ts'
import type { Clock } from '../base/clock.ts'
import type { Log } from '../base/log.ts'
import type { Random } from '../base/random.ts'
import { IpamError } from '../ipam/errors.ts'
import type { Millis } from '../value/millis.ts'
import { MalformedAnswer, readAnswer } from './answer.ts'
import type { Credentials, Secret } from './credentials.ts'
import { metadataReader, metadataUrl, type ReadMetadata } from './metadata.ts'

export interface RoleOptions {
  readonly clock: Clock
  readonly random: Random
  readonly log: Log
  readonly metadataUrl?: string | undefined
  /** In place of HTTP. */
  readonly readMetadata?: ReadMetadata
}

/** Renewal begins so long before expiry, and up to a minute earlier, so that not all leaders ask at once. */
const renewBefore: Millis = 10 * 60_000
/** A call signed later than this could arrive with expired credentials. */
const unusableBefore: Millis = 30_000
const shortestInterval: Millis = 10_000
const backoff: BackoffPolicy = { firstMs: 1000, maxMs: 60_000 }
const rolePath = '/latest/meta-data/cam/security-credentials/'

interface Held {
  readonly secret: Secret
  readonly fetchedAt: Millis
  readonly renewAt: Millis
  readonly expiresAt: Millis
}

export function roleCredentials(options: RoleOptions): Credentials {
  const { clock, random, log, metadataUrl: url = metadataUrl } = options
  const read = options.readMetadata ?? metadataReader(url)
  const source = `the CAM role of this machine (${url})`
  let held: Held | undefined
  let renewal: Promise<Held> | undefined
  let failures = 0
  let failed: { readonly error: IpamError; readonly until: Millis } | undefined

  async function get(): Promise<Secret> {
    const now = clock.now()
    const usable = held !== undefined && now < held.expiresAt - unusableBefore ? held : undefined
    if (usable !== undefined && now < usable.renewAt) return usable.secret
    const next = renewOnce(now)
    if (usable === undefined) return (await next).secret
    next.catch(() => {}) // reported below; what we hold is still good
    return usable.secret
  }

  /** The renewal under way, or a new one; during back-off the last failure. */
  function renewOnce(now: Millis): Promise<Held> {
    if (renewal !== undefined) return renewal
    const pause = failed === undefined ? 0 : failed.until - now
    // A longer one is that of a clock that was set back.
    if (failed !== undefined && pause > 0 && pause <= backoff.maxMs) return Promise.reject(failed.error)
    renewal = fetchSecret().then(succeeded, failedNow)
    return renewal
  }

  function succeeded(fresh: Held): Held {
    held = fresh
    renewal = undefined
    failed = undefined
    failures = 0
    log.info('cloud credentials renewed', { expiresAt: new Date(fresh.expiresAt).toISOString() })
    return fresh
  }

  function failedNow(cause: unknown): never {
    renewal = undefined
    const retryIn = backoffDelay(backoff, failures++, random)
    const error = describeFailure(cause)
    failed = { error, until: clock.now() + retryIn }
    log.warn('cloud credentials not renewed', { error: error.message, retryIn })
    throw error
  }

  async function fetchSecret(): Promise<Held> {
    const role = (await readPath(rolePath)).trim().split('\n')[0] ?? ''
    if (role === '') throw noRole('an empty list of roles')
    const answer = readAnswer(parseJson(await readPath(rolePath + encodeURIComponent(role))), '')
    const code = answer.text('Code')
    if (code !== 'Success') throw noRole(`"${code}" for role "${role}"`)
    const secret = {
      secretId: answer.text('TmpSecretId'),
      secretKey: answer.text('TmpSecretKey'),
      token: answer.text('Token'),
    }
    const now = clock.now()
    const expiresAt = answer.count('ExpiredTime') * 1000
    if (expiresAt - unusableBefore <= now) throw new Error('the credentials it gives have expired')
    const renewAt = Math.max(now + shortestInterval, expiresAt - renewBefore - random.next() * 60_000)
    return { secret, fetchedAt: now, renewAt, expiresAt }
  }

  async function readPath(path: string): Promise<string> {
    const { status, body } = await read(path)
    if (status === 404) throw noRole('no CAM role (HTTP 404)')
    if (status !== 200) throw new Error(`it answered HTTP ${status}`)
    return body
  }

  function noRole(found: string): IpamError {
    return new IpamError('unauthenticated', `Cannot sign calls to Tencent Cloud: ${url} shows ${found}`)
  }

  function describeFailure(cause: unknown): IpamError {
    if (cause instanceof IpamError) return cause
    const what = `Cannot read the CAM role from ${url}`
    // Only the field's name: its value may be the secret.
    if (cause instanceof MalformedAnswer)
      return new IpamError('unavailable', `${what}: field ${cause.place} is not readable`)
    return new IpamError('unavailable', `${what}: ${cause instanceof Error ? cause.message : String(cause)}`)
  }

  return {
    source,
    get,
    renew() {
      // Once per interval: refused calls come in bursts.
      if (held !== undefined && clock.now() - held.fetchedAt >= shortestInterval) held = undefined
    },
  }
}

function parseJson(text: string): unknown {
  try {
    return JSON.parse(text)
  } catch {
    throw new Error('its answer is not JSON') // the parser's own message would quote the answer
  }
}
