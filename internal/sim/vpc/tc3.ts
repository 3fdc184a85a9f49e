// TC3-HMAC-SHA256: is this request signed by a key we know? Checked on the raw body and on exactly the headers that
// the signer lists, so that any official SDK or CLI fits.
import { createHash, createHmac, timingSafeEqual } from 'node:crypto'
import type { Millis } from '../../value/millis.ts'
import { ApiError } from './api-error.ts'
import type { Credential } from './credentials.ts'

export interface SignedRequest {
  readonly method: string
  /** What follows "?"; "" for POST. */
  readonly query: string
  /** Names in lower case. */
  readonly headers: Readonly<Record<string, string | undefined>>
  readonly body: Uint8Array
}

export interface Signer {
  readonly credential: Credential
  /** The product in the scope; SDKs derive it from the endpoint, so it may be "127" as well. */
  readonly service: string
}

type FindCredential = (secretId: string) => Credential | undefined

const allowedSkewMs = 300_000

/** Who signed. Throws ApiError AuthFailure.*. */
export function verifySignature(request: SignedRequest, find: FindCredential, now: Millis): Signer {
  const claim = parseAuthorization(request.headers['authorization'])
  const timestamp = Number(request.headers['x-tc-timestamp'])
  if (!Number.isInteger(timestamp))
    throw new ApiError('MissingParameter', 'The header `X-TC-Timestamp` is missing or not a number.')
  if (Math.abs(now - timestamp * 1000) > allowedSkewMs)
    throw new ApiError(
      'AuthFailure.SignatureExpire',
      'Timestamp and server time cannot differ by more than five minutes.',
    )
  if (claim.date !== new Date(timestamp * 1000).toISOString().slice(0, 10))
    throw new ApiError(
      'AuthFailure.InvalidAuthorization',
      'The date of the credential is not that of the timestamp.',
    )
  const credential = find(claim.secretId)
  if (credential === undefined)
    throw new ApiError('AuthFailure.SecretIdNotFound', 'The SecretId is not found.')
  const spellings = hosts(request.headers['host'] ?? '').flatMap((host) => [
    { host, lowerCase: true },
    { host, lowerCase: false },
  ])
  if (!spellings.some((spelling) => matches(request, claim, credential, spelling)))
    throw new ApiError(
      'AuthFailure.SignatureFailure',
      'The provided credentials could not be validated. Please check your signature is correct.',
    )
  refuseBadToken(credential, request.headers['x-tc-token'], now)
  return { credential, service: claim.service }
}

interface Claim {
  readonly secretId: string
  readonly date: string
  readonly service: string
  readonly signedHeaders: readonly string[]
  readonly signature: string
}

function parseAuthorization(header: string | undefined): Claim {
  const match = header?.match(
    /^TC3-HMAC-SHA256\s+Credential=([^/]+)\/([^/]+)\/(.+)\/tc3_request,\s*SignedHeaders=([^,]+),\s*Signature=([0-9a-f]{64})$/,
  )
  const [, secretId, date, service, headers, signature] = match ?? []
  if (
    secretId === undefined ||
    date === undefined ||
    service === undefined ||
    headers === undefined ||
    signature === undefined
  )
    throw new ApiError('AuthFailure.InvalidAuthorization', 'The header `Authorization` is malformed.')
  const signedHeaders = headers.split(';')
  for (const needed of ['content-type', 'host'])
    if (!signedHeaders.includes(needed))
      throw new ApiError('AuthFailure.InvalidAuthorization', `The header \`${needed}\` must be signed.`)
  return { secretId, date, service, signedHeaders, signature }
}

/** Some SDKs sign the host without its port. */
function hosts(host: string): readonly string[] {
  const bare = host.replace(/:\d+$/, '')
  return bare === host ? [host] : [host, bare]
}

/** How a signer may have spelt the headers: the documents say in lower case, SDKs take some as they are. */
interface Spelling {
  readonly host: string
  readonly lowerCase: boolean
}

function matches(
  request: SignedRequest,
  claim: Claim,
  { secretKey }: Credential,
  { host, lowerCase }: Spelling,
): boolean {
  const canonicalHeaders = claim.signedHeaders.map((name) => {
    const value = name === 'host' ? host : (request.headers[name] ?? '').trim()
    return `${name}:${lowerCase ? value.toLowerCase() : value}\n`
  })
  const canonicalRequest = [
    request.method,
    '/',
    request.query,
    canonicalHeaders.join(''),
    claim.signedHeaders.join(';'),
    sha256(request.body),
  ].join('\n')
  const scope = `${claim.date}/${claim.service}/tc3_request`
  const toSign = `TC3-HMAC-SHA256\n${request.headers['x-tc-timestamp']}\n${scope}\n${sha256(canonicalRequest)}`
  const key = hmac(hmac(hmac(`TC3${secretKey}`, claim.date), claim.service), 'tc3_request')
  return timingSafeEqual(hmac(key, toSign), Buffer.from(claim.signature, 'hex'))
}

function refuseBadToken(credential: Credential, token: string | undefined, now: Millis): void {
  if (credential.token === null) return
  if (token !== credential.token) throw new ApiError('AuthFailure.TokenFailure', 'The token is wrong.')
  if (credential.expiresAt !== null && credential.expiresAt <= now)
    throw new ApiError('AuthFailure.TokenFailure', 'The token has expired.')
}

function sha256(data: string | Uint8Array): string {
  return createHash('sha256').update(data).digest('hex')
}

function hmac(key: string | Buffer, data: string): Buffer {
  return createHmac('sha256', key).update(data).digest()
}
