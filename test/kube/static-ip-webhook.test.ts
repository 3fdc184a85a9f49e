// What the API server is told of the webhook for static pods, and when it is told nothing.
import assert from 'node:assert/strict'
import { test } from 'node:test'
import { seededRandom } from '../../internal/base/random.ts'
import { type ErrorCode, IpamError } from '../../internal/ipam/errors.ts'
import type { KubeClient } from '../../internal/kube/client.ts'
import { keepStaticIpWebhook, type WebhookPlace } from '../../internal/kube/install-static-ip-webhook.ts'
import { at } from '../../internal/kube/json.ts'
import type { KubeRequest } from '../../internal/kube/send.ts'
import { VirtualClock } from '../fake/virtual-clock.ts'
import { LogBook } from '../node/log-book.ts'

const collection = '/apis/admissionregistration.k8s.io/v1/mutatingwebhookconfigurations'
const minute = 60_000
const warning = 'static pods are not kept to the zones of their addresses'

/** An API server that keeps one kind of object, and may refuse. */
function openWorld() {
  const clock = new VirtualClock()
  const log = new LogBook()
  const asked: string[] = []
  const world = {
    clock,
    log,
    asked,
    object: undefined as unknown,
    refuses: undefined as ErrorCode | undefined,
    knowsConditions: true,
    place: undefined as WebhookPlace | undefined,
    /** Until the function it returns is called. */
    keep() {
      const ends = new AbortController()
      const tools = { client, clock, log, random: seededRandom(1) }
      const kept = keepStaticIpWebhook(() => world.place, tools, ends.signal)
      return () => {
        ends.abort()
        return kept
      }
    },
  }
  const client: KubeClient = {
    async call({ body, method = 'GET', path, query }: KubeRequest) {
      assert.ok(path === collection || path === `${collection}/tke-eni-static-ip`)
      asked.push(query?.['dryRun'] === undefined ? method : `${method} dryRun`)
      if (world.refuses !== undefined) throw new IpamError(world.refuses, `Cannot ${method}: so it is`)
      const isThere = world.object !== undefined
      if (method === 'POST' && isThere) throw new IpamError('conflict', 'Cannot create: it is there')
      if (method !== 'POST' && !isThere) throw new IpamError('not_found', `Cannot ${method}: it is not there`)
      if (method === 'DELETE') world.object = undefined
      if (method === 'GET' || method === 'DELETE') return world.object ?? {}
      const stored = world.knowsConditions ? body : withoutConditions(body)
      if (query?.['dryRun'] === undefined) world.object = stored
      return stored
    },
    open: () => Promise.reject(new IpamError('unavailable', 'Cannot open: nothing is there')),
    close() {},
  }
  return world
}

const place: WebhookPlace = { path: '/static-ip/secret', authority: 'PEM' }

test('[S10] keepStaticIpWebhook() names the authority and the path of the leader that leads', async () => {
  const world = openWorld()
  world.place = place
  const stop = world.keep()
  await world.clock.advance(1)
  const webhook = () => at(world.object, 'webhooks', '0')
  assert.equal(at(webhook(), 'clientConfig', 'caBundle'), Buffer.from('PEM').toString('base64'))
  assert.equal(at(webhook(), 'clientConfig', 'service', 'path'), '/static-ip/secret')
  assert.partialDeepStrictEqual(webhook(), {
    failurePolicy: 'Ignore',
    timeoutSeconds: 2,
    sideEffects: 'None',
  })
  await world.clock.advance(minute)
  assert.deepEqual(world.asked, ['POST dryRun', 'GET', 'POST', 'GET'])
  world.place = { path: '/static-ip/other', authority: 'ROOT' }
  await world.clock.advance(minute)
  assert.equal(at(webhook(), 'clientConfig', 'service', 'path'), '/static-ip/other')
  await stop()
})

test('keepStaticIpWebhook() puts back what somebody deletes or changes', async () => {
  const world = openWorld()
  world.place = place
  const stop = world.keep()
  await world.clock.advance(1)
  const webhooks = at(world.object, 'webhooks')
  for (const wrong of [undefined, { metadata: { name: 'tke-eni-static-ip' }, webhooks: [] }]) {
    world.object = wrong
    await world.clock.advance(minute)
    assert.deepEqual(at(world.object, 'webhooks'), webhooks)
  }
  await stop()
})

test('keepStaticIpWebhook() removes it once when it is turned off, and has it again', async () => {
  const world = openWorld()
  world.object = { metadata: { name: 'tke-eni-static-ip' } }
  const stop = world.keep()
  await world.clock.advance(10 * minute)
  assert.equal(world.object, undefined)
  assert.deepEqual(world.asked, ['DELETE'])
  world.place = place
  await world.clock.advance(minute)
  assert.notEqual(world.object, undefined)
  world.place = undefined
  await world.clock.advance(minute)
  assert.equal(world.object, undefined)
  await stop()
})

test('keepStaticIpWebhook() says once what it lacks, and tries again', async () => {
  const world = openWorld()
  world.refuses = 'denied'
  world.place = place
  const stop = world.keep()
  await world.clock.advance(60 * minute)
  assert.equal(world.log.count(warning), 1)
  world.refuses = undefined
  await world.clock.advance(10 * minute)
  assert.notEqual(world.object, undefined)
  await stop()
})

test('keepStaticIpWebhook() says nothing of what it may not do where nobody wants it', async () => {
  const world = openWorld()
  world.refuses = 'denied'
  const stop = world.keep()
  await world.clock.advance(60 * minute)
  assert.equal(world.log.count(warning), 0)
  assert.deepEqual(world.asked, ['DELETE'])
  await stop()
})

test('keepStaticIpWebhook() leaves an API server alone that would ask about every pod', async () => {
  // One before Kubernetes 1.28 drops conditions that it does not know, without a word.
  const world = openWorld()
  world.knowsConditions = false
  world.place = place
  const stop = world.keep()
  await world.clock.advance(60 * minute)
  assert.equal(world.object, undefined)
  assert.equal(world.log.count(warning), 1)
  await stop()
})

test('keepStaticIpWebhook() ends when another leader has come', async () => {
  const world = openWorld()
  world.refuses = 'deposed'
  world.place = place
  const stop = world.keep()
  await world.clock.advance(60 * minute)
  assert.deepEqual(world.asked, ['POST dryRun'])
  await stop()
})

function withoutConditions(object: unknown): unknown {
  return JSON.parse(JSON.stringify(object, (key, value) => (key === 'matchConditions' ? undefined : value)))
}
