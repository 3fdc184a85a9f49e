// What the cluster is told of the leader's API of claims, and what it is asked.
import assert from 'node:assert/strict'
import { test } from 'node:test'
import { systemClock } from '../../internal/base/clock.ts'
import { silentLog } from '../../internal/base/log.ts'
import { systemRandom } from '../../internal/base/random.ts'
import { IpamError } from '../../internal/ipam/errors.ts'
import { accessReviews, type Subject } from '../../internal/kube/access-reviews.ts'
import type { KubeClient } from '../../internal/kube/client.ts'
import { keepClaimsApi } from '../../internal/kube/install-claims-api.ts'
import { at } from '../../internal/kube/json.ts'
import type { KubeRequest } from '../../internal/kube/send.ts'
import { VirtualClock } from '../fake/virtual-clock.ts'

function clientThat(answer: (request: KubeRequest) => unknown): KubeClient & { asked: KubeRequest[] } {
  const asked: KubeRequest[] = []
  return {
    asked,
    async call(request) {
      asked.push(request)
      return answer(request)
    },
    open: () => Promise.reject(new IpamError('unavailable', 'Cannot open: nothing is there')),
    close() {},
  }
}

const ann: Subject = { user: 'ann', uid: '7', groups: ['dev'], extra: { scopes: ['a'] } }
const wanted = { verb: 'get', path: '/openapi/v3' }

test('accessReviews() asks once in ten seconds for the same', async () => {
  const clock = new VirtualClock()
  const client = clientThat(() => ({ status: { allowed: true } }))
  const ask = accessReviews(client, clock)
  for (let i = 0; i < 3; i++) assert.equal((await ask(ann, wanted)).allowed, true)
  await ask({ ...ann, groups: [] }, wanted)
  assert.equal(client.asked.length, 2)
  assert.partialDeepStrictEqual(client.asked[0]?.body, {
    kind: 'SubjectAccessReview',
    spec: { user: 'ann', uid: '7', groups: ['dev'], extra: { scopes: ['a'] }, nonResourceAttributes: wanted },
  })
  await clock.advance(10_001)
  await ask(ann, wanted)
  assert.equal(client.asked.length, 3)
})

test('accessReviews() does not remember that nobody answered, and takes no for no', async () => {
  let answers = 0
  const client = clientThat(() => {
    if (answers++ === 0) throw new IpamError('unavailable', 'Cannot ask: nobody is there')
    return { status: { allowed: true, denied: true, reason: 'not today' } }
  })
  const ask = accessReviews(client, new VirtualClock())
  await assert.rejects(ask(ann, wanted), { code: 'unavailable' })
  assert.deepEqual(await ask(ann, wanted), { allowed: false, why: 'not today' })
})

test('[K1] keepClaimsApi() names the machine of the leader that serves now', async () => {
  const objects = new Map<string, unknown>()
  const client = clientThat(({ method = 'GET', path, body }) => {
    if (method === 'GET') {
      if (!objects.has(path)) throw new IpamError('not_found', `Cannot get: there is no ${path}`)
      return objects.get(path)
    }
    objects.set(method === 'POST' ? `${path}/${at(body, 'metadata', 'name')}` : path, body)
    return body
  })
  const tools = { client, clock: systemClock, log: silentLog, random: systemRandom }
  const service = 'kube-system/services/tke-eni-apiserver'
  for (const address of ['10.0.0.5', '10.0.0.6']) {
    const leading = new AbortController()
    const kept = keepClaimsApi(async () => ({ address, port: 8448, authority: 'PEM' }), tools, leading.signal)
    while (!JSON.stringify([...objects]).includes(address) || objects.size < 4)
      await new Promise((resolve) => setImmediate(resolve))
    leading.abort()
    await kept
  }
  const text = JSON.stringify([...objects])
  assert.ok(!text.includes('10.0.0.5') && text.includes(service))
  const apiService = objects.get(
    '/apis/apiregistration.k8s.io/v1/apiservices/v1beta1.ipam.tke.cloud.tencent.com',
  )
  assert.equal(at(apiService, 'spec', 'caBundle'), Buffer.from('PEM').toString('base64'))
})
