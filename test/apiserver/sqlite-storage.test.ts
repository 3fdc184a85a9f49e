import assert from 'node:assert/strict'
import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { test } from 'node:test'
import type { KubeObject } from '../../internal/apiserver/object.ts'
import { openSqliteStorage } from '../../internal/apiserver/sqlite-storage.ts'
import { StatusError } from '../../internal/apiserver/status-error.ts'
import type { Storage } from '../../internal/apiserver/storage.ts'
import { randomInt, seededRandom } from '../../internal/base/random.ts'
import { VirtualClock } from '../fake/virtual-clock.ts'

const pods = { group: '', resource: 'pods' }

function keyOf(name: string, namespace = 'ns') {
  return { ...pods, namespace, name }
}

function pod(name: string, value = 0, namespace = 'ns'): KubeObject {
  return { apiVersion: 'v1', kind: 'Pod', metadata: { name, namespace }, value }
}

function versionOf(object: KubeObject): number {
  return Number(object.metadata.resourceVersion)
}

function isExpired(error: unknown): boolean {
  return error instanceof StatusError && error.code === 410
}

test('openSqliteStorage() finds objects, versions and the past again after a restart', async (t) => {
  const folder = mkdtempSync(join(tmpdir(), 'apiserver-'))
  t.after(() => rmSync(folder, { recursive: true }))
  const path = join(folder, 'apiserver.db')
  const clock = new VirtualClock(0)
  const before = openSqliteStorage({ path, clock })
  const first = before.create(keyOf('a'), pod('a'))
  before.replace(keyOf('a'), pod('a', 1), versionOf(first))
  before.close()

  const after = openSqliteStorage({ path, clock })
  t.after(() => after.close())
  assert.equal(after.revision(), versionOf(first) + 1)
  assert.equal(after.get(keyOf('a'))?.['value'], 1)
  const seen: string[] = []
  after.watch(pods, versionOf(first), ({ type, object, previous }) => {
    seen.push(`${type} ${String(previous?.['value'])} -> ${String(object['value'])}`)
  })
  await clock.runUntilIdle()
  assert.deepEqual(seen, ['MODIFIED 0 -> 1'])
  assert.equal(versionOf(after.create(keyOf('b'), pod('b'))), versionOf(first) + 2)
})

test('create(), replace() and remove() refuse what is not as expected', () => {
  const storage = openSqliteStorage({ path: ':memory:', clock: new VirtualClock(0) })
  const made = storage.create(keyOf('a'), pod('a'))
  const isConflict = (error: unknown) => error instanceof StatusError && error.code === 409
  assert.throws(() => storage.create(keyOf('a'), pod('a')), isConflict)
  assert.throws(() => storage.replace(keyOf('a'), pod('a'), versionOf(made) - 1), isConflict)
  assert.throws(() => storage.remove(keyOf('b'), pod('b'), versionOf(made)), isConflict)
  const gone = storage.remove(keyOf('a'), made, versionOf(made))
  assert.equal(versionOf(gone), versionOf(made) + 1)
  assert.equal(storage.get(keyOf('a')), undefined)
})

test('list() shows any revision that is kept, whatever happened since (against a naive copy)', () => {
  for (let seed = 1; seed <= 20; seed++) {
    const random = seededRandom(seed)
    const storage = openSqliteStorage({ path: ':memory:', clock: new VirtualClock(0), keepChanges: 30 })
    const history = new Map([[storage.revision(), new Map<string, number>()]])
    for (let step = 0; step < 120; step++)
      history.set(...changed(storage, history, randomInt(random, 0, 9), step))
    for (const [revision, state] of history) {
      const values = () =>
        storage.list(pods, { at: revision }).items.map((item) => [item.metadata.name, item['value']])
      if (revision < storage.revision() - 33) assert.throws(values, isExpired, `seed ${seed}`)
      else if (revision >= storage.revision() - 30) {
        const wanted = [...state].sort(([a], [b]) => (a < b ? -1 : 1))
        assert.deepEqual(values(), wanted, `seed ${seed}, revision ${revision}`)
        assert.equal(storage.count(pods, { at: revision }), wanted.length)
      }
    }
    storage.close()
  }
})

/** Makes, changes or removes pod `n`; the new revision and the state it has. */
function changed(
  storage: Storage,
  history: ReadonlyMap<number, ReadonlyMap<string, number>>,
  n: number,
  step: number,
): [number, Map<string, number>] {
  const name = `pod-${n}`
  const state = new Map(history.get(storage.revision()))
  const old = storage.get(keyOf(name))
  if (old === undefined) storage.create(keyOf(name), pod(name, step))
  else if (step % 3 === 0) storage.remove(keyOf(name), old, versionOf(old))
  else storage.replace(keyOf(name), pod(name, step), versionOf(old))
  if (old !== undefined && step % 3 === 0) state.delete(name)
  else state.set(name, step)
  return [storage.revision(), state]
}

test('list() pages by namespace and name', () => {
  const storage = openSqliteStorage({ path: ':memory:', clock: new VirtualClock(0) })
  for (const [namespace, name] of [
    ['b', 'a'],
    ['a', 'b'],
    ['a', 'a'],
    ['b', 'b'],
  ] as const) {
    storage.create(keyOf(name, namespace), pod(name, 0, namespace))
  }
  const first = storage.list(pods, { limit: 3 })
  assert.deepEqual(
    first.items.map(({ metadata }) => `${metadata.namespace}/${metadata.name}`),
    ['a/a', 'a/b', 'b/a'],
  )
  assert.equal(first.more, true)
  const rest = storage.list(pods, { limit: 3, after: { namespace: 'b', name: 'a' } })
  assert.deepEqual([rest.items.length, rest.more], [1, false])
  assert.equal(storage.list({ ...pods, namespace: 'a' }).items.length, 2)
})

test('watch() refuses a past that is not kept and a future that never was', () => {
  const storage = openSqliteStorage({ path: ':memory:', clock: new VirtualClock(0), keepChanges: 10 })
  let last = storage.create(keyOf('a'), pod('a'))
  const early = versionOf(last)
  for (let i = 0; i < 20; i++) last = storage.replace(keyOf('a'), pod('a', i), versionOf(last))
  assert.throws(() => storage.watch(pods, early, () => {}), isExpired)
  assert.throws(() => storage.watch(pods, storage.revision() + 1, () => {}), isExpired)
  storage.watch(pods, storage.revision() - 10, () => {}).stop()
})

test('watch() delivers in later turns, in order, also what its own callback writes', async () => {
  const clock = new VirtualClock(0)
  const storage = openSqliteStorage({ path: ':memory:', clock })
  const seen: string[] = []
  const subscription = storage.watch(pods, storage.revision(), ({ key, revision }) => {
    seen.push(key.name)
    assert.ok(subscription.position() >= revision - 1)
    if (key.name === 'a') storage.create(keyOf('c'), pod('c'))
  })
  storage.create(keyOf('a'), pod('a'))
  storage.create(keyOf('b'), pod('b'))
  assert.deepEqual(seen, [])
  assert.equal(subscription.position(), storage.revision() - 2)
  await clock.runUntilIdle()
  assert.deepEqual(seen, ['a', 'b', 'c'])
  assert.equal(subscription.position(), storage.revision())
  subscription.stop()
  storage.create(keyOf('d'), pod('d'))
  await clock.runUntilIdle()
  assert.equal(seen.length, 3)
})
