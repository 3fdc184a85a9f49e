// The webhook for static pods as an API server meets it, and as somebody else does.
import assert from 'node:assert/strict'
import { request } from 'node:https'
import { after, before, beforeEach, test } from 'node:test'
import {
  type AggregatedServer,
  serveAggregated,
} from '../../../internal/apiserver/aggregated/serve-aggregated.ts'
import { staticIpWebhook } from '../../../internal/apiserver/claims/static-ip-webhook.ts'
import { asText, at, type Json, type JsonObject } from '../../../internal/apiserver/object.ts'
import { issueCertificate, makeAuthority } from '../../../internal/apiserver/tls/certificate.ts'
import { systemClock } from '../../../internal/base/clock.ts'
import { silentLog } from '../../../internal/base/log.ts'
import { IpamError } from '../../../internal/ipam/errors.ts'
import { claimFeed } from '../../../internal/store/leader/claim-feed.ts'
import { zoneOfNodes } from '../../contract/static-ip.contract.ts'
import { LogBook } from '../../node/log-book.ts'
import { insertClaim, retained } from './claim-rows.ts'
import { openClaimLedger } from './claim-server.ts'

const ledger = openClaimLedger()
const path = '/static-ip/0123456789abcdef'
const log = new LogBook()
let server: AggregatedServer
/** Of the next question. */
let fails = false
let obstacle: string | undefined

before(async () => {
  const feed = claimFeed(ledger.db, systemClock)
  const handle = staticIpWebhook({
    feed: {
      claim(pod) {
        if (fails) throw new IpamError('storage', 'Cannot read: the disk is gone')
        return feed.claim(pod)
      },
    },
    isStatic: (pod) => at(pod, 'metadata', 'annotations', 'keeps') === 'yes',
    zone: zoneOfNodes,
    obstacle: () => obstacle,
    log,
  })
  const validity = { from: Date.now() - 3_600_000, to: Date.now() + 3_600_000 }
  const authority = makeAuthority('test-ca', validity)
  server = await serveAggregated({
    handle: () => assert.fail('only the webhook is asked'),
    allows: () => assert.fail('only the webhook is asked'),
    listen: { host: '127.0.0.1', port: 0 },
    certificate: issueCertificate(authority, 'test-ca', ['tke-eni-apiserver.kube-system.svc'], validity),
    hook: { path, name: '/static-ip', handle },
    log: silentLog,
  })
})
after(async () => {
  await server.close()
  ledger.close()
})
beforeEach(() => {
  ledger.db.run('DELETE FROM claim')
  insertClaim(ledger.db, retained('web-0', '10.0.0.5', { zone: 'zone-b' }))
  fails = false
  obstacle = undefined
})

const pod = { metadata: { name: 'web-0', annotations: { keeps: 'yes' } }, spec: {} }

function review(request: object = {}): JsonObject {
  return {
    apiVersion: 'admission.k8s.io/v1',
    kind: 'AdmissionReview',
    request: {
      uid: 'u-1',
      operation: 'CREATE',
      resource: { group: '', version: 'v1', resource: 'pods' },
      namespace: 'default',
      object: pod as Json,
      ...request,
    },
  }
}

test('[S10] an API server is answered with a patch', async () => {
  const { status, body } = await post(`${path}?timeout=2s`, review())
  assert.equal(status, 200)
  assert.partialDeepStrictEqual(body, {
    apiVersion: 'admission.k8s.io/v1',
    kind: 'AdmissionReview',
    response: { uid: 'u-1', allowed: true, patchType: 'JSONPatch' },
  })
  const [operation] = JSON.parse(Buffer.from(asText(at(body, 'response', 'patch')), 'base64').toString())
  assert.equal(operation.path, '/spec/affinity')
})

for (const { what, request } of [
  { what: 'another operation', request: { operation: 'UPDATE' } },
  { what: 'another resource', request: { resource: { group: 'apps', resource: 'pods' } } },
  { what: 'a part of a pod', request: { subResource: 'status' } },
  {
    what: 'a pod without a name',
    request: { object: { ...pod, metadata: { annotations: { keeps: 'yes' } } } },
  },
  { what: 'another namespace', request: { namespace: 'other' } },
  { what: 'no namespace', request: { namespace: null } },
  { what: 'no object', request: { object: null } },
  { what: 'an object that is a list', request: { object: [pod] } },
  { what: 'a pod whose affinity is a text', request: { object: { ...pod, spec: { affinity: 'near' } } } },
  { what: 'a pod whose terms are none', request: { object: { ...pod, spec: termsOf(7) } } },
  { what: 'a pod without a spec', request: { object: { metadata: pod.metadata } } },
])
  test(`[R6] ${what} is let pass as it is`, async () => {
    const { status, body } = await post(path, review(request))
    assert.deepEqual([status, body['response']], [200, { uid: 'u-1', allowed: true }])
  })

test('a pod is let pass when the ledger cannot be read, and while it is rebuilt', async () => {
  fails = true
  assert.deepEqual((await post(path, review())).body['response'], { uid: 'u-1', allowed: true })
  assert.equal(log.count('static pod made without the zone of its address'), 1)
  fails = false
  obstacle = 'the ledger is being rebuilt'
  assert.deepEqual((await post(path, review())).body['response'], { uid: 'u-1', allowed: true })
})

for (const { what, body, status } of [
  { what: 'nothing', body: '', status: 400 },
  { what: 'no JSON', body: '{', status: 400 },
  { what: 'a list', body: '[]', status: 400 },
  { what: 'an older version', body: { ...review(), apiVersion: 'admission.k8s.io/v1beta1' }, status: 400 },
  { what: 'another kind', body: { ...review(), kind: 'ConversionReview' }, status: 400 },
  { what: 'no uid', body: review({ uid: '' }), status: 400 },
  { what: 'no request', body: { ...review(), request: null }, status: 400 },
  { what: 'more than a pod can be', body: ' '.repeat(4 * 1024 * 1024), status: 413 },
])
  test(`[R6] ${what} is refused`, async () => {
    assert.equal((await post(path, body)).status, status)
  })

test('[K4] nobody finds it by chance', async () => {
  for (const wrong of ['/static-ip', '/static-ip/', `${path}0`, path.replace('f', 'e'), `/x${path}`, '/'])
    assert.equal((await post(wrong, review())).status, 401, wrong)
})

function termsOf(nodeSelectorTerms: unknown): object {
  return {
    affinity: { nodeAffinity: { requiredDuringSchedulingIgnoredDuringExecution: { nodeSelectorTerms } } },
  }
}

function post(url: string, body: unknown): Promise<{ status: number; body: JsonObject }> {
  const options = { host: '127.0.0.1', port: server.port, rejectUnauthorized: false, agent: false }
  return new Promise((resolve, reject) => {
    const sent = request({ ...options, method: 'POST', path: url }, (answer) => {
      let text = ''
      answer.setEncoding('utf8').on('data', (chunk: string) => {
        text += chunk
      })
      answer.once('end', () => resolve({ status: answer.statusCode ?? 0, body: JSON.parse(text) }))
      answer.once('error', reject)
    })
    sent.once('error', reject)
    sent.end(typeof body === 'string' ? body : JSON.stringify(body))
  })
}
