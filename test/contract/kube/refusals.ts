// What is refused, and in which words: clients act on reason and code, people read the message.
import assert from 'node:assert/strict'
import { describe, test } from 'node:test'
import type { BenchOf } from '../kube.contract.ts'

interface Case {
  readonly name: string
  readonly method?: string
  /** After the namespace's path, or from the root when it begins with "//". */
  readonly path: string
  readonly body?: unknown
  readonly headers?: Readonly<Record<string, string>>
  readonly code: number
  readonly reason?: string
  readonly message?: RegExp
  readonly cause?: string
}

const json = (metadata: object, rest: object = {}) => ({ metadata, ...rest })

const cases: readonly Case[] = [
  {
    name: 'an object that is not there',
    path: '/configmaps/nope',
    code: 404,
    reason: 'NotFound',
    message: /^configmaps "nope" not found$/,
  },
  { name: 'a group that is not there', path: '//apis/no.such.group/v1/things', code: 404 },
  { name: 'a version that is not there', path: '//apis/apps/v7/deployments', code: 404 },
  { name: 'a resource that is not there', path: '/things', code: 404 },
  { name: 'a subresource that is not there', path: '/configmaps/nope/status', code: 404 },
  {
    name: 'a namespace that is not there',
    method: 'POST',
    path: '//api/v1/namespaces/no-such/configmaps',
    body: json({ name: 'a' }),
    code: 404,
    message: /namespaces "no-such" not found/,
  },
  {
    name: 'deleting what is not there',
    method: 'DELETE',
    path: '/configmaps/nope',
    code: 404,
    reason: 'NotFound',
  },
  {
    name: 'patching what is not there',
    method: 'PATCH',
    path: '/configmaps/nope',
    body: {},
    headers: { 'content-type': 'application/merge-patch+json' },
    code: 404,
    reason: 'NotFound',
  },
  {
    name: 'updating what is not there',
    method: 'PUT',
    path: '/configmaps/nope',
    body: json({ name: 'nope' }),
    code: 404,
    reason: 'NotFound',
  },
  {
    name: 'a second object of the same name',
    method: 'POST',
    path: '/configmaps',
    body: json({ name: 'kube-taken' }),
    code: 409,
    reason: 'AlreadyExists',
    message: /^configmaps "kube-taken" already exists$/,
  },
  {
    name: 'no name',
    method: 'POST',
    path: '/configmaps',
    body: json({}),
    code: 422,
    reason: 'Invalid',
    message: /metadata\.name: Required value: name or generateName is required/,
    cause: 'metadata.name',
  },
  {
    name: 'a name in capitals',
    method: 'POST',
    path: '/configmaps',
    body: json({ name: 'Loud' }),
    code: 422,
    reason: 'Invalid',
    message:
      /^ConfigMap "Loud" is invalid: metadata\.name: Invalid value: "Loud": a lowercase RFC 1123 subdomain/,
    cause: 'metadata.name',
  },
  {
    name: 'a label value with a space',
    method: 'POST',
    path: '/configmaps',
    body: json({ name: 'a', labels: { a: 'b c' } }),
    code: 422,
    reason: 'Invalid',
    cause: 'metadata.labels',
  },
  {
    name: 'a label key with two slashes',
    method: 'POST',
    path: '/configmaps',
    body: json({ name: 'a', labels: { 'a/b/c': 'd' } }),
    code: 422,
    reason: 'Invalid',
    cause: 'metadata.labels',
  },
  {
    name: 'an annotation key with a space',
    method: 'POST',
    path: '/configmaps',
    body: json({ name: 'a', annotations: { 'a b': 'c' } }),
    code: 422,
    reason: 'Invalid',
    cause: 'metadata.annotations',
  },
  {
    name: 'a label that is a number',
    method: 'POST',
    path: '/configmaps',
    body: json({ name: 'a', labels: { a: 1 } }),
    code: 400,
    reason: 'BadRequest',
  },
  {
    name: 'another kind',
    method: 'POST',
    path: '/configmaps',
    body: { apiVersion: 'v1', kind: 'Secret', metadata: { name: 'a' } },
    code: 400,
    reason: 'BadRequest',
  },
  {
    name: 'another API version',
    method: 'POST',
    path: '/configmaps',
    body: { apiVersion: 'v2', kind: 'ConfigMap', metadata: { name: 'a' } },
    code: 400,
    reason: 'BadRequest',
  },
  {
    name: 'another namespace',
    method: 'POST',
    path: '/configmaps',
    body: json({ name: 'a', namespace: 'elsewhere' }),
    code: 400,
    reason: 'BadRequest',
    message: /the namespace of the provided object does not match the namespace sent on the request/,
  },
  {
    name: 'another name than the path',
    method: 'PUT',
    path: '/configmaps/kube-taken',
    body: json({ name: 'b' }),
    code: 400,
    reason: 'BadRequest',
    message: /the name of the object \(b\) does not match the name on the URL \(kube-taken\)/,
  },
  {
    name: 'text that is no JSON',
    method: 'POST',
    path: '/configmaps',
    body: '{',
    code: 400,
    reason: 'BadRequest',
  },
  {
    name: 'a body of an unknown type',
    method: 'POST',
    path: '/configmaps',
    body: 'hello',
    headers: { 'content-type': 'text/plain' },
    code: 415,
    reason: 'UnsupportedMediaType',
  },
  {
    name: 'a patch of an unknown type',
    method: 'PATCH',
    path: '/configmaps/kube-taken',
    body: {},
    headers: { 'content-type': 'application/json' },
    code: 415,
    reason: 'UnsupportedMediaType',
  },
  {
    name: 'an answer in an unknown form',
    path: '/configmaps/kube-taken',
    headers: { accept: 'image/png' },
    code: 406,
    reason: 'NotAcceptable',
  },
  {
    name: 'a method that does not fit',
    method: 'POST',
    path: '/configmaps/kube-taken',
    body: json({ name: 'a' }),
    code: 405,
    reason: 'MethodNotAllowed',
  },
  {
    name: 'creating in all namespaces at once',
    method: 'POST',
    path: '//api/v1/configmaps',
    body: json({ name: 'a' }),
    code: 405,
    reason: 'MethodNotAllowed',
  },
  {
    name: 'a label selector that is none',
    path: '/configmaps?labelSelector=a%20b%20c',
    code: 400,
    reason: 'BadRequest',
  },
  {
    name: 'a field that cannot be selected by',
    path: '/configmaps?fieldSelector=data.a%3Db',
    code: 400,
    reason: 'BadRequest',
    message: /"?data\.a"?/,
  },
  {
    name: 'a continue token that is none',
    path: '/configmaps?limit=1&continue=nonsense',
    code: 400,
    reason: 'BadRequest',
  },
  { name: 'a resourceVersion that is none', path: '/configmaps?resourceVersion=soon', code: 400 },
  {
    name: 'a match rule without a version',
    path: '/configmaps?resourceVersionMatch=Exact',
    code: 422,
    reason: 'Invalid',
  },
  {
    name: 'a pod without containers',
    method: 'POST',
    path: '/pods',
    body: json({ name: 'empty' }, { spec: { containers: [] } }),
    code: 422,
    reason: 'Invalid',
    message: /spec\.containers: Required value/,
    cause: 'spec.containers',
  },
  {
    name: 'a dry run of some of it',
    method: 'POST',
    path: '/configmaps?dryRun=Some',
    body: json({ name: 'a' }),
    code: 422,
  },
]

export function refusalTests(bench: BenchOf): void {
  describe('refusals', () => {
    test('an object that others run into', async () => {
      const { kube, core } = bench()
      await kube.create(`${core}/configmaps`, json({ name: 'kube-taken' }))
    })
    for (const c of cases) {
      test(`${c.method ?? 'GET'} refuses ${c.name}`, async () => {
        const { kube, core } = bench()
        const path = c.path.startsWith('//') ? c.path.slice(1) : core + c.path
        const { status, body } = await kube.send(c.method ?? 'GET', path, c.body, c.headers)
        assert.equal(status, c.code, JSON.stringify(body))
        if (c.reason === undefined) return
        assert.partialDeepStrictEqual(body, {
          kind: 'Status',
          apiVersion: 'v1',
          status: 'Failure',
          code: c.code,
          reason: c.reason,
        })
        if (c.message !== undefined) assert.match(String(body['message']), c.message)
        if (c.cause !== undefined) {
          assert.partialDeepStrictEqual(body, { details: { causes: [{ field: c.cause }] } })
        }
      })
    }
  })
}
