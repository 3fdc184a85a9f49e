import assert from 'node:assert/strict'
import { createHash, createHmac } from 'node:crypto'
import { test } from 'node:test'
import type { Credential } from '../../../internal/sim/vpc/credentials.ts'
import { type SignedRequest, verifySignature } from '../../../internal/sim/vpc/tc3.ts'
import { codeOf } from './calls.ts'

const signedAt = 1_769_817_600_000

const example: Credential = {
  secretId: 'AKIDexample',
  secretKey: 'example key',
  token: null,
  role: null,
  expiresAt: null,
}
const temporary: Credential = {
  ...example,
  secretId: 'AKIDtemporary',
  token: 'T',
  role: 'role',
  expiresAt: signedAt + 60_000,
}
const find = (secretId: string) => [example, temporary].find((one) => one.secretId === secretId)

/** As sent by the Python SDK 3.1.193. */
const post: SignedRequest = {
  method: 'POST',
  query: '',
  body: Buffer.from('{"Limit": "1"}'),
  headers: {
    'content-type': 'application/json',
    host: 'vpc.tencentcloudapi.com',
    'x-tc-timestamp': '1769817600',
    authorization:
      'TC3-HMAC-SHA256 Credential=AKIDexample/2026-01-31/vpc/tc3_request, SignedHeaders=content-type;host, ' +
      'Signature=6722c99a48e1ba398bd17c6075e57741071e441adec6e45aee8b5c8fd164e675',
  },
}
const get: SignedRequest = {
  method: 'GET',
  query: 'Limit=1',
  body: Buffer.alloc(0),
  headers: {
    ...post.headers,
    'content-type': 'application/x-www-form-urlencoded',
    authorization:
      'TC3-HMAC-SHA256 Credential=AKIDexample/2026-01-31/vpc/tc3_request, SignedHeaders=content-type;host, ' +
      'Signature=b066b85f0208253260b891c82275b073ff55e3b52d4c67857c5bd1e54c23cf1c',
  },
}

const withHeaders = (headers: SignedRequest['headers'], base = post): SignedRequest => ({
  ...base,
  headers: { ...base.headers, ...headers },
})
const verify = (request: SignedRequest, now = signedAt) => verifySignature(request, find, now)

test('verifySignature() accepts what an official SDK signs', () => {
  for (const request of [post, get])
    assert.deepEqual(verify(request), { credential: example, service: 'vpc' })
})

test('verifySignature() accepts a host signed without its port', () => {
  assert.ok(verify(withHeaders({ host: 'vpc.tencentcloudapi.com:8080' })))
})

test('verifySignature() honours the list of signed headers', () => {
  const headers = { 'x-tc-action': 'DescribeVpcs', host: '127.0.0.1:8080' }
  const request = sign(withHeaders(headers), { names: 'content-type;host;x-tc-action', service: '127' })
  assert.equal(verify(request).service, '127')
  assert.equal(
    codeOf(() => verify(withHeaders({ 'x-tc-action': 'DeleteVpc' }, request))),
    'AuthFailure.SignatureFailure',
  )
})

test('verifySignature() wants the token of a temporary key, while it lasts', () => {
  const signed = (token: string | undefined) => sign(withHeaders({ 'x-tc-token': token }), { by: temporary })
  assert.ok(verify(signed('T')))
  for (const token of [undefined, 'other'])
    assert.equal(
      codeOf(() => verify(signed(token))),
      'AuthFailure.TokenFailure',
    )
  assert.equal(
    codeOf(() => verify(signed('T'), signedAt + 60_000)),
    'AuthFailure.TokenFailure',
  )
})

for (const c of [
  {
    does: 'another body',
    request: { ...post, body: Buffer.from('{}') },
    code: 'AuthFailure.SignatureFailure',
  },
  { does: 'another query', request: { ...get, query: 'Limit=2' }, code: 'AuthFailure.SignatureFailure' },
  {
    does: 'another host',
    request: withHeaders({ host: 'cvm.tencentcloudapi.com' }),
    code: 'AuthFailure.SignatureFailure',
  },
  { does: 'an old time', now: signedAt + 300_001, code: 'AuthFailure.SignatureExpire' },
  { does: 'a time to come', now: signedAt - 300_001, code: 'AuthFailure.SignatureExpire' },
  {
    does: 'another day',
    request: withHeaders({ authorization: post.headers['authorization']?.replace('01-31', '01-30') }),
    code: 'AuthFailure.InvalidAuthorization',
  },
  {
    does: 'an unknown key',
    request: withHeaders({
      authorization: post.headers['authorization']?.replace('AKIDexample', 'AKIDother'),
    }),
    code: 'AuthFailure.SecretIdNotFound',
  },
  {
    does: 'no signature',
    request: withHeaders({ authorization: undefined }),
    code: 'AuthFailure.InvalidAuthorization',
  },
  {
    does: 'an unsigned host',
    request: sign(post, { names: 'content-type' }),
    code: 'AuthFailure.InvalidAuthorization',
  },
  { does: 'no time', request: withHeaders({ 'x-tc-timestamp': undefined }), code: 'MissingParameter' },
])
  test(`verifySignature() refuses ${c.does}: ${c.code}`, () => {
    assert.equal(
      codeOf(() => verify(c.request ?? post, c.now)),
      c.code,
    )
  })

interface SignOptions {
  readonly by?: Credential
  readonly names?: string
  readonly service?: string
}

/** Signs in the way of the documentation: header values in lower case. */
function sign(request: SignedRequest, options: SignOptions): SignedRequest {
  const { by = example, names = 'content-type;host', service = 'vpc' } = options
  const sha256 = (data: string | Uint8Array) => createHash('sha256').update(data).digest('hex')
  const hmac = (key: string | Buffer, data: string) => createHmac('sha256', key).update(data).digest()
  const lines = names.split(';').map((name) => `${name}:${request.headers[name]?.toLowerCase()}\n`)
  const canonical = [request.method, '/', request.query, lines.join(''), names, sha256(request.body)].join(
    '\n',
  )
  const toSign = `TC3-HMAC-SHA256\n1769817600\n2026-01-31/${service}/tc3_request\n${sha256(canonical)}`
  const key = hmac(hmac(hmac(`TC3${by.secretKey}`, '2026-01-31'), service), 'tc3_request')
  const scope = `${by.secretId}/2026-01-31/${service}/tc3_request`
  const signature = hmac(key, toSign).toString('hex')
  const authorization = `TC3-HMAC-SHA256 Credential=${scope}, SignedHeaders=${names}, Signature=${signature}`
  return withHeaders({ authorization }, request)
}
