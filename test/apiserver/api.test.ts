// The API without HTTP, under a virtual clock and seeded chance, as a simulation uses it.
import assert from 'node:assert/strict'
import { test } from 'node:test'
import { type Api, createApi } from '../../internal/apiserver/api.ts'
import { defineResource } from '../../internal/apiserver/define-resource.ts'
import { asText, at, type JsonObject } from '../../internal/apiserver/object.ts'
import { fixedRegistry } from '../../internal/apiserver/registry.ts'
import { isWatch } from '../../internal/apiserver/request.ts'
import { openSqliteStorage } from '../../internal/apiserver/sqlite-storage.ts'
import { seededRandom } from '../../internal/base/random.ts'
import { VirtualClock } from '../fake/virtual-clock.ts'

const configMaps = '/api/v1/namespaces/default/configmaps'

function open(seed = 1) {
  const clock = new VirtualClock(Date.UTC(2026, 0, 2))
  const storage = openSqliteStorage({ path: ':memory:', clock })
  return { clock, storage, api: createApi({ storage, clock, random: seededRandom(seed) }) }
}

function send(api: Api, method: string, url: string, body?: object, type = 'application/json') {
  const given = body === undefined ? {} : { body: JSON.stringify(body) }
  const answer = api.handle({ method, url, headers: { 'content-type': type }, ...given })
  assert.ok(!isWatch(answer))
  return { status: answer.status, body: JSON.parse(String(answer.body)) as JsonObject }
}

function watch(api: Api, url: string) {
  const answer = api.handle({ method: 'GET', url })
  assert.ok(isWatch(answer))
  const seen: string[] = []
  const stop = answer.start({
    send: (text) => {
      const { type, object } = JSON.parse(text) as { type: string; object: JsonObject }
      seen.push(
        `${type} ${asText(at(object, 'metadata', 'name')) || asText(at(object, 'metadata', 'resourceVersion'))}`,
      )
    },
    end: () => seen.push('end'),
    taken: async () => {},
    fail: assert.fail,
  })
  return { seen, stop }
}

test('handle() gives the same answers for the same seed', () => {
  const run = () => {
    const { api } = open(7)
    return send(api, 'POST', configMaps, { metadata: { generateName: 'a-' } })
  }
  assert.deepEqual(run(), run())
})

test('handle() answers in the same turn; watches hear of it in a later one', async () => {
  const { api, clock } = open()
  const { seen, stop } = watch(api, `${configMaps}?watch=true`)
  send(api, 'POST', configMaps, { metadata: { name: 'a' } })
  assert.deepEqual(seen, [])
  await clock.runUntilIdle()
  assert.deepEqual(seen, ['ADDED a'])
  stop()
  send(api, 'POST', configMaps, { metadata: { name: 'b' } })
  await clock.runUntilIdle()
  assert.deepEqual(seen, ['ADDED a'])
})

test('a watch sets no timer unless it asks for bookmarks or an end', async () => {
  const { api, clock, storage } = open()
  watch(api, `${configMaps}?watch=true`)
  assert.equal(clock.pending, 0)
  const { seen } = watch(api, `${configMaps}?watch=true&allowWatchBookmarks=true&timeoutSeconds=150`)
  await clock.advance(149_000)
  const revision = storage.revision()
  assert.deepEqual(seen, [`BOOKMARK ${revision}`, `BOOKMARK ${revision}`, `BOOKMARK ${revision}`])
  await clock.advance(1000)
  assert.equal(seen.at(-1), 'end')
  assert.equal(clock.pending, 0)
})

test('a namespace goes with its last content', () => {
  const { api } = open()
  const path = '/api/v1/namespaces/gone'
  send(api, 'POST', '/api/v1/namespaces', { metadata: { name: 'gone' } })
  send(api, 'POST', `${path}/configmaps`, { metadata: { name: 'plain' } })
  const spec = { nodeName: 'n', containers: [{ name: 'c', image: 'i' }] }
  send(api, 'POST', `${path}/pods`, { metadata: { name: 'runs' }, spec })
  assert.equal(send(api, 'DELETE', path).status, 200)
  assert.equal(send(api, 'GET', `${path}/configmaps/plain`).status, 404)
  assert.equal(at(send(api, 'GET', path).body, 'status', 'phase'), 'Terminating')
  send(api, 'DELETE', `${path}/pods/runs`, { gracePeriodSeconds: 0 })
  assert.equal(send(api, 'GET', path).status, 404)
})

test('a definition goes with its objects, and is served again after a restart', () => {
  const { api, storage, clock } = open()
  const definitions = '/apis/apiextensions.k8s.io/v1/customresourcedefinitions'
  const things = '/apis/x.io/v1/things'
  send(api, 'POST', definitions, {
    metadata: { name: 'things.x.io' },
    spec: {
      group: 'x.io',
      scope: 'Cluster',
      names: { plural: 'things', kind: 'Thing' },
      versions: [
        { name: 'v1', served: true, storage: true, schema: { openAPIV3Schema: { type: 'object' } } },
      ],
    },
  })
  send(api, 'POST', things, { metadata: { name: 'held', finalizers: ['x.io/hold'] } })
  const again = createApi({ storage, clock, random: seededRandom(2) })
  assert.equal(send(again, 'GET', `${things}/held`).status, 200)
  send(again, 'DELETE', `${definitions}/things.x.io`)
  assert.equal(send(again, 'GET', `${definitions}/things.x.io`).status, 200)
  send(again, 'PATCH', `${things}/held`, { metadata: { finalizers: null } }, 'application/merge-patch+json')
  assert.equal(send(again, 'GET', `${definitions}/things.x.io`).status, 404)
  assert.equal(send(again, 'GET', things).status, 404)
})

test('events older than an hour go as new ones come', async () => {
  const { api, clock } = open()
  const events = '/api/v1/namespaces/default/events'
  const event = {
    metadata: { generateName: 'e-' },
    involvedObject: { kind: 'Pod', name: 'p' },
    reason: 'R',
    message: 'm',
  }
  const count = () => (send(api, 'GET', events).body['items'] as object[]).length
  for (let i = 0; i < 150; i++) send(api, 'POST', events, event)
  assert.equal(count(), 150)
  await clock.advance(3_700_000)
  for (let i = 0; i < 100; i++) send(api, 'POST', events, event)
  assert.equal(count(), 100)
})

test('createApi() with a registry of its own serves that and nothing else', () => {
  const clock = new VirtualClock(0)
  const storage = openSqliteStorage({ path: ':memory:', clock })
  const addresses = defineResource({
    group: 'ipam.example.com',
    version: 'v1beta1',
    resource: 'addresses',
    kind: 'Address',
    namespaced: false,
    verbs: ['get', 'list', 'watch', 'delete'],
  })
  const api = createApi({ storage, clock, random: seededRandom(1), registry: fixedRegistry([addresses]) })
  assert.equal(storage.list({ group: '', resource: 'namespaces' }).items.length, 0)
  storage.create(
    { group: 'ipam.example.com', resource: 'addresses', namespace: '', name: 'a' },
    { apiVersion: 'ipam.example.com/v1beta1', kind: 'Address', metadata: { name: 'a' } },
  )
  const path = '/apis/ipam.example.com/v1beta1/addresses'
  assert.equal(send(api, 'GET', `${path}/a`).status, 200)
  assert.equal(send(api, 'POST', path, { metadata: { name: 'b' } }).status, 405)
  assert.equal(send(api, 'DELETE', `${path}/a`).status, 200)
  assert.equal(send(api, 'GET', '/api/v1/pods').status, 404)
})
