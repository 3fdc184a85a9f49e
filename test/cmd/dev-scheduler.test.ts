import assert from 'node:assert/strict'
import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { type TestContext, test } from 'node:test'
import { startEmbeddedApi } from '../../cmd/dev/api.ts'
import { startScheduler } from '../../cmd/dev/scheduler.ts'
import { systemClock as clock } from '../../internal/base/clock.ts'
import { silentLog as log } from '../../internal/base/log.ts'
import { systemRandom as random } from '../../internal/base/random.ts'
import { IpamError } from '../../internal/ipam/errors.ts'
import type { KubeClient } from '../../internal/kube/client.ts'
import { connectKube } from '../../internal/kube/connect.ts'
import { reflect } from '../../internal/kube/reflector.ts'
import { VirtualClock } from '../fake/virtual-clock.ts'
import { LogBook } from '../node/log-book.ts'

interface Pod {
  readonly metadata: { readonly name: string }
  readonly spec: { readonly nodeName?: string }
}

/** An API server of dev, with a client. */
async function served(t: TestContext) {
  const stack = new AsyncDisposableStack()
  t.after(() => stack.disposeAsync())
  const directory = mkdtempSync(join(tmpdir(), 'tke-eni-scheduler-'))
  stack.defer(() => rmSync(directory, { recursive: true }))
  const api = await startEmbeddedApi({ directory, listen: { host: '127.0.0.1', port: 0 }, clock })
  stack.defer(() => api.close())
  const client = await connectKube(api.admin, clock)
  stack.defer(() => client.close())
  return { client, stack }
}

function create(client: KubeClient, name: string, spec: object = {}) {
  return client.call({
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
}

function plain(name: string) {
  return { name, labels: {} }
}

/** The node of each pod, once `count` of them have one. */
async function placements(client: KubeClient, count: number): Promise<ReadonlyMap<string, string>> {
  const placed = new Map<string, string>()
  const all = Promise.withResolvers<void>()
  const see = ({ metadata, spec }: Pod) => {
    if (spec.nodeName !== undefined) placed.set(metadata.name, spec.nodeName)
    if (placed.size === count) all.resolve()
  }
  const stop = reflect(
    { what: 'pods', path: '/api/v1/pods', read: (pod) => pod as Pod, freshness: 'consistent' },
    { replaced: (pods) => pods.forEach(see), changed: see, removed: () => {} },
    { client, clock, random, log },
  )
  await all.promise
  stop()
  return placed
}

test('the scheduler of dev spreads pods over the nodes there are, whatever nodes others name', async (t) => {
  // A pod bound by hand to "elsewhere" made that the emptiest node, and the next pods followed it there.
  const { client, stack } = await served(t)
  await create(client, 'stray', { nodeName: 'elsewhere' })
  await create(client, 'a')
  await create(client, 'b')
  stack.defer(startScheduler({ client, clock, random, log, nodes: () => [plain('n1'), plain('n2')] }))
  await create(client, 'c')
  await create(client, 'd')
  const perNode = Map.groupBy((await placements(client, 5)).values(), (node) => node)
  assert.deepEqual(
    ['elsewhere', 'n1', 'n2'].map((node) => perNode.get(node)?.length),
    [1, 2, 2],
  )
})

test('[S10] the scheduler of dev puts a pod only where it says that it may run', async (t) => {
  const { client, stack } = await served(t)
  const zone = 'topology.kubernetes.io/zone'
  const nodes = [plain('n1'), { name: 'n2', labels: { [zone]: '100004' } }]
  stack.defer(startScheduler({ client, clock, random, log, nodes: () => nodes }))
  const required = {
    nodeSelectorTerms: [{ matchExpressions: [{ key: zone, operator: 'In', values: ['100004'] }] }],
  }
  const spec = { affinity: { nodeAffinity: { requiredDuringSchedulingIgnoredDuringExecution: required } } }
  for (const name of ['a', 'b', 'c']) await create(client, name, spec)
  await create(client, 'd', { nodeSelector: { [zone]: '100003' } })
  await create(client, 'e')
  const placed = await placements(client, 4)
  assert.deepEqual(Object.fromEntries(placed), { a: 'n2', b: 'n2', c: 'n2', e: 'n1' })
})

test('the scheduler of dev tries again when a pod could not be bound', async (t) => {
  // One answer that was lost, and the pod waited for ever.
  const { client, stack } = await served(t)
  let refusals = 2
  const flaky: KubeClient = {
    ...client,
    async call(request) {
      if (!request.path.endsWith('/binding') || refusals === 0) return client.call(request)
      refusals--
      throw new IpamError('unavailable', 'Cannot bind the pod: the test says so')
    },
  }
  const virtual = new VirtualClock()
  const book = new LogBook()
  const refused = book.next('pod not scheduled')
  stack.defer(
    startScheduler({ client: flaky, clock: virtual, random, log: book, nodes: () => [plain('n1')] }),
  )
  await create(client, 'a')
  await refused
  await virtual.advance(2000)
  assert.deepEqual([...(await placements(client, 1))], [['a', 'n1']])
  assert.equal(book.count('pod not scheduled'), 2)
})
