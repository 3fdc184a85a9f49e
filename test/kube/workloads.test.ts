// Workloads of any kind, by their metadata alone, from the embedded API server.
import assert from 'node:assert/strict'
import { type TestContext, test } from 'node:test'
import { serveKubeApi } from '../../internal/apiserver/http-server.ts'
import { openSqliteStorage } from '../../internal/apiserver/sqlite-storage.ts'
import { systemClock } from '../../internal/base/clock.ts'
import { silentLog } from '../../internal/base/log.ts'
import { systemRandom } from '../../internal/base/random.ts'
import { connectKube } from '../../internal/kube/connect.ts'
import { at } from '../../internal/kube/json.ts'
import { createWorkloads } from '../../internal/kube/workloads.ts'
import type { Workload } from '../../internal/ports.ts'
import { createRecorder } from './recorder.ts'

const game = { apiVersion: 'games.example/v1', kind: 'GameServerSet' }
const games = '/apis/games.example/v1/namespaces/default/gameserversets'

async function serve(t: TestContext) {
  const storage = openSqliteStorage({ path: ':memory:', clock: systemClock, keepChanges: 1000 })
  const listen = { host: '127.0.0.1', port: 0 }
  const served = await serveKubeApi({ storage, clock: systemClock, log: silentLog, listen })
  const client = await connectKube({ server: served.url }, systemClock)
  t.after(async () => {
    client.close()
    await served.close()
    storage.close()
  })
  const send = (method: 'POST' | 'DELETE', path: string, body?: object) =>
    client.call({ doing: 'test', method, path, body })
  await send('POST', '/apis/apiextensions.k8s.io/v1/customresourcedefinitions', {
    metadata: { name: 'gameserversets.games.example' },
    spec: {
      group: 'games.example',
      scope: 'Namespaced',
      names: {
        kind: game.kind,
        listKind: 'GameServerSetList',
        plural: 'gameserversets',
        singular: 'gameserverset',
      },
      versions: [
        {
          ...{ name: 'v1', served: true, storage: true },
          schema: { openAPIV3Schema: { type: 'object', 'x-kubernetes-preserve-unknown-fields': true } },
        },
      ],
    },
  })
  const limits = { backoff: { firstMs: 1, maxMs: 5 } }
  const parts = { client, clock: systemClock, random: systemRandom, log: silentLog, limits }
  return { workloads: createWorkloads(parts), send, client }
}

test('[S7] getWorkload() finds one of any kind, with what controls it, and says when there is none', async (t) => {
  const { send, workloads } = await serve(t)
  const owner = { apiVersion: 'apps/v1', kind: 'Deployment', name: 'top', uid: 'uid-top' }
  const references = [
    { ...owner, name: 'other', uid: 'uid-other' },
    { ...owner, controller: true },
  ]
  const made = await send('POST', games, {
    ...game,
    metadata: { name: 'lobby', ownerReferences: references },
    spec: { replicas: 3 },
  })
  const uid = at(made, 'metadata', 'uid')
  assert.deepEqual(await workloads.getWorkload({ ...game, name: 'lobby' }, 'default'), {
    ...{ ...game, name: 'lobby', namespace: 'default', uid },
    controller: owner,
  })
  assert.equal(await workloads.getWorkload({ ...game, name: 'lobby' }, 'kube-system'), undefined)
  assert.equal(await workloads.getWorkload({ ...game, name: 'none' }, 'default'), undefined)
})

test('[S7] getWorkload() finds what belongs to no namespace', async (t) => {
  const { send, workloads } = await serve(t)
  const node = { apiVersion: 'v1', kind: 'Node' }
  await send('POST', '/api/v1/nodes', { ...node, metadata: { name: 'n1' } })
  const found = await workloads.getWorkload({ ...node, name: 'n1' }, 'default')
  assert.deepEqual([found?.name, found?.namespace, found?.controller], ['n1', undefined, undefined])
})

test('[S7][R7] getWorkload() takes an unknown kind for no proof of absence', async (t) => {
  const { send, workloads } = await serve(t)
  const get = (apiVersion: string, kind: string) =>
    workloads.getWorkload({ apiVersion, kind, name: 'x' }, 'default')
  await assert.rejects(get('games.example/v1', 'Unknown'), { code: 'not_found' })
  await assert.rejects(get('nobody.example/v1', 'Unknown'), { code: 'not_found' })
  assert.equal(await get('games.example/v1', game.kind), undefined)
  await send('DELETE', '/apis/apiextensions.k8s.io/v1/customresourcedefinitions/gameserversets.games.example')
  await assert.rejects(get('games.example/v1', game.kind))
})

test('[S7] getWorkload() finds one whose version was given up since it was referred to', async (t) => {
  const { send, workloads } = await serve(t)
  const made = await send('POST', games, { ...game, metadata: { name: 'lobby' } })
  const found = await workloads.getWorkload(
    { ...game, apiVersion: 'games.example/v1alpha1', name: 'lobby' },
    'default',
  )
  assert.deepEqual([found?.apiVersion, found?.uid], ['games.example/v1alpha1', at(made, 'metadata', 'uid')])
})

test('[S7] watchWorkloads() tells what comes and goes, by metadata alone', async (t) => {
  const { send, workloads } = await serve(t)
  await send('POST', games, { ...game, metadata: { name: 'a' }, spec: { big: 'x'.repeat(1000) } })
  const seen = createRecorder((one: Workload) => one.name)
  const stop = workloads.watchWorkloads(game, seen, () => {})
  t.after(stop)
  await seen.until(({ truth }) => truth.has('a'))
  await send('POST', games, { ...game, metadata: { name: 'b' } })
  await seen.until(({ truth }) => truth.has('b'))
  await send('DELETE', `${games}/a`)
  await seen.until(({ truth }) => !truth.has('a'))
})

test('[S7] watchWorkloads() says why it cannot', async (t) => {
  const { workloads } = await serve(t)
  const trouble = Promise.withResolvers<Error>()
  const seen = createRecorder((one: Workload) => one.name)
  t.after(workloads.watchWorkloads({ ...game, kind: 'Unknown' }, seen, trouble.resolve))
  assert.match((await trouble.promise).message, /has no such kind$/)
})
