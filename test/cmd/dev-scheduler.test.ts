import assert from 'node:assert/strict'
import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { test } from 'node:test'
import { startEmbeddedApi } from '../../cmd/dev/api.ts'
import { startScheduler } from '../../cmd/dev/scheduler.ts'
import { systemClock as clock } from '../../internal/base/clock.ts'
import { silentLog as log } from '../../internal/base/log.ts'
import { systemRandom as random } from '../../internal/base/random.ts'
import { connectKube } from '../../internal/kube/connect.ts'
import { reflect } from '../../internal/kube/reflector.ts'

interface Pod {
  readonly metadata: { readonly name: string }
  readonly spec: { readonly nodeName?: string }
}

test('the scheduler of dev spreads pods over the nodes there are, whatever nodes others name', async () => {
  // A pod bound by hand to "elsewhere" made that the emptiest node, and the next pods followed it there.
  await using stack = new AsyncDisposableStack()
  const directory = mkdtempSync(join(tmpdir(), 'tke-eni-scheduler-'))
  stack.defer(() => rmSync(directory, { recursive: true }))
  const api = await startEmbeddedApi({ directory, listen: { host: '127.0.0.1', port: 0 }, clock })
  stack.defer(() => api.close())
  const client = await connectKube(api.admin, clock)
  stack.defer(() => client.close())
  const create = (name: string, spec: object) =>
    client.call({
      doing: 'create a pod',
      method: 'POST',
      path: '/api/v1/namespaces/default/pods',
      body: {
        apiVersion: 'v1',
        kind: 'Pod',
        metadata: { name },
        spec: { ...spec, containers: [{ name: 'c', image: 'none' }] },
      },
    })
  await create('stray', { nodeName: 'elsewhere' })
  await create('a', {})
  await create('b', {})
  const placed = new Map<string, string>()
  const all = Promise.withResolvers<void>()
  const see = ({ metadata, spec }: Pod) => {
    if (spec.nodeName !== undefined) placed.set(metadata.name, spec.nodeName)
    if (placed.size === 5) all.resolve()
  }
  stack.defer(
    reflect(
      { what: 'pods', path: '/api/v1/pods', read: (pod) => pod as Pod, freshness: 'consistent' },
      { replaced: (pods) => pods.forEach(see), changed: see, removed: () => {} },
      { client, clock, random, log },
    ),
  )
  stack.defer(startScheduler({ client, clock, random, log, nodes: () => ['n1', 'n2'] }))
  await create('c', {})
  await create('d', {})
  await all.promise
  const perNode = Map.groupBy(placed.values(), (node) => node)
  assert.deepEqual(
    ['elsewhere', 'n1', 'n2'].map((node) => perNode.get(node)?.length),
    [1, 2, 2],
  )
})
