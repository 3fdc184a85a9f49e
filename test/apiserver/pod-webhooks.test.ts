// Mutating webhooks of the embedded API server: what is asked, and what comes of each answer.
import assert from 'node:assert/strict'
import { createServer } from 'node:https'
import type { AddressInfo } from 'node:net'
import { text } from 'node:stream/consumers'
import { type TestContext, test } from 'node:test'
import { serveKubeApi } from '../../internal/apiserver/http-server.ts'
import { asText, at, type JsonObject } from '../../internal/apiserver/object.ts'
import { openSqliteStorage } from '../../internal/apiserver/sqlite-storage.ts'
import { issueCertificate, makeAuthority } from '../../internal/apiserver/tls/certificate.ts'
import { systemClock as clock } from '../../internal/base/clock.ts'
import { silentLog as log } from '../../internal/base/log.ts'
import { httpKubeServer, Kube } from '../contract/kube/server.ts'

const pods = '/api/v1/namespaces/default/pods'
const pod = { metadata: { name: 'web-0' }, spec: { containers: [{ name: 'main', image: 'none' }] } }

interface World {
  readonly kube: Kube
  /** What the webhook was asked, as reviews. */
  readonly asked: JsonObject[]
  /** What it answers; `response` gets the uid of the question. */
  answer: { status?: number; text?: string; response?: object }
}

/** An API server with one webhook of this failure policy; without a `service` nobody is behind it. */
async function serve(t: TestContext, failurePolicy: 'Fail' | 'Ignore', service = 'hook'): Promise<World> {
  const stack = new AsyncDisposableStack()
  t.after(() => stack.disposeAsync())
  const storage = openSqliteStorage({ path: ':memory:', clock })
  stack.defer(() => storage.close())
  const listen = { host: '127.0.0.1', port: 0 }
  const api = await serveKubeApi({ storage, clock, log, listen, aggregate: true })
  stack.defer(() => api.close())
  const validity = { from: Date.now() - 3_600_000, to: Date.now() + 3_600_000 }
  const authority = makeAuthority('hook-ca', validity)
  const certificate = issueCertificate(authority, 'hook-ca', ['hook.default.svc'], validity)
  const world: World = { kube: new Kube(httpKubeServer({ baseUrl: api.url })), asked: [], answer: {} }
  const hook = createServer(certificate, async (request, response) => {
    const review = JSON.parse(await text(request)) as JsonObject
    world.asked.push({ ...review, path: request.url })
    const { status = 200, text: said } = world.answer
    response.statusCode = status
    const uid = at(review, 'request', 'uid')
    response.end(said ?? JSON.stringify({ response: { uid, allowed: true, ...world.answer.response } }))
  })
  await new Promise<void>((resolve) => hook.listen(0, '127.0.0.1', resolve))
  stack.defer(() => {
    hook.close()
    hook.closeAllConnections()
  })
  await world.kube.create('/apis/discovery.k8s.io/v1/namespaces/default/endpointslices', {
    metadata: { name: 'hook', labels: { 'kubernetes.io/service-name': 'hook' } },
    addressType: 'IPv4',
    endpoints: [{ addresses: ['127.0.0.1'] }],
    ports: [{ port: (hook.address() as AddressInfo).port }],
  })
  await world.kube.create('/apis/admissionregistration.k8s.io/v1/mutatingwebhookconfigurations', {
    metadata: { name: 'hook' },
    webhooks: [
      {
        name: 'hook.example',
        failurePolicy,
        timeoutSeconds: 1,
        clientConfig: {
          service: { namespace: 'default', name: service, path: '/here' },
          caBundle: Buffer.from(authority.cert).toString('base64'),
        },
        rules: [{ apiGroups: [''], apiVersions: ['v1'], resources: ['pods'], operations: ['CREATE'] }],
      },
    ],
  })
  return world
}

function patch(...operations: object[]) {
  return { patchType: 'JSONPatch', patch: Buffer.from(JSON.stringify(operations)).toString('base64') }
}

test('a webhook sees a pod that is made, changes it and warns', async (t) => {
  const world = await serve(t, 'Fail')
  const note = { op: 'add', path: '/metadata/annotations', value: { note: 'grün' } }
  world.answer = { response: { ...patch(note), warnings: ['mind the gap'] } }
  const { body, headers, status } = await world.kube.send('POST', `${pods}?dryRun=All`, pod)
  assert.equal(status, 201)
  assert.equal(at(body, 'metadata', 'annotations', 'note'), 'grün')
  assert.match(String(headers['warning']), /299 - "mind the gap"/)
  assert.partialDeepStrictEqual(world.asked, [
    {
      path: '/here',
      apiVersion: 'admission.k8s.io/v1',
      request: {
        operation: 'CREATE',
        namespace: 'default',
        dryRun: true,
        resource: { resource: 'pods' },
        object: { metadata: { name: 'web-0', namespace: 'default' } },
      },
    },
  ])
})

test('a webhook for pods that are made sees nothing else', async (t) => {
  const { asked, kube } = await serve(t, 'Fail')
  await kube.create(pods, pod)
  await kube.patch('merge', `${pods}/web-0`, { metadata: { labels: { a: 'b' } } })
  await kube.create('/api/v1/namespaces/default/configmaps', { metadata: { name: 'c' } })
  await kube.get(`${pods}/web-0`)
  assert.equal(asked.length, 1)
})

test('a pod that a webhook refuses is not made', async (t) => {
  const world = await serve(t, 'Ignore')
  world.answer = { response: { allowed: false, status: { message: 'not today' } } }
  const { body, status } = await world.kube.send('POST', pods, pod)
  assert.equal(status, 403)
  assert.equal(asText(body['message']), 'admission webhook "hook.example" denied the request: not today')
})

for (const { what, answer = {}, service } of [
  { what: 'that is not there', service: 'nothing' },
  { what: 'that fails', answer: { status: 500 } },
  { what: 'that says what is no review', answer: { text: 'hello' } },
] as { what: string; answer?: World['answer']; service?: string }[])
  for (const [policy, want] of [
    ['Ignore', 201],
    ['Fail', 500],
  ] as const)
    test(`with failurePolicy ${policy} a webhook ${what} comes to ${want}`, async (t) => {
      const world = await serve(t, policy, service)
      world.answer = answer
      const { body, status } = await world.kube.send('POST', pods, pod)
      assert.equal(status, want)
      if (want === 500) assert.match(asText(body['message']), /failed calling webhook "hook\.example": /)
    })

test('what is no pod is refused without anybody being asked', async (t) => {
  const { asked, kube } = await serve(t, 'Fail')
  for (const body of ['', '{', '[]', '7']) assert.equal((await kube.send('POST', pods, body)).status, 400)
  assert.deepEqual(asked, [])
})

test('a webhook sees a pod that is made at a path written otherwise', async (t) => {
  const { asked, kube } = await serve(t, 'Fail')
  await kube.create('/api/v1/namespaces/default/pod%73/', pod)
  assert.equal(asked.length, 1)
})
