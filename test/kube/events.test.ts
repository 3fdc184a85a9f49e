import assert from 'node:assert/strict'
import { afterEach, test } from 'node:test'
import { systemClock } from '../../internal/base/clock.ts'
import type { Fields, Log } from '../../internal/base/log.ts'
import { silentLog } from '../../internal/base/log.ts'
import { seededRandom } from '../../internal/base/random.ts'
import type { Notice } from '../../internal/ipam/types.ts'
import { createKubeClient } from '../../internal/kube/client.ts'
import { createEndpoint } from '../../internal/kube/endpoint.ts'
import { createEvents, type EventLimits, type Events } from '../../internal/kube/events.ts'
import { at } from '../../internal/kube/json.ts'
import type { KubeRequest } from '../../internal/kube/send.ts'
import { VirtualClock } from '../fake/virtual-clock.ts'
import { type Answer, type Exchange, refuse, reply, startTinyServer, type TinyServer } from './tiny-server.ts'

const closing: (() => unknown)[] = []
afterEach(async () => {
  for (const close of closing.splice(0).reverse()) await close()
})

const podNotice: Notice = {
  about: { kind: 'Pod', namespace: 'shop', name: 'web-0', uid: 'u1' },
  type: 'Warning',
  reason: 'SubnetFull',
  message: 'Cannot bind 3 addresses: subnet "subnet-1a" is full',
}

test('[K3] notify() writes an Event that kubectl describe shows', async () => {
  const { server, events } = await serve(created)
  events.notify(podNotice)
  const { path, method, body } = await server.saw(() => true)
  assert.equal(`${method} ${path}`, 'POST /api/v1/namespaces/shop/events')
  const { metadata, ...rest } = body as { metadata: { name: string } }
  assert.match(metadata.name, /^web-0\.[0-9a-f]{16}$/)
  assert.deepEqual(rest, {
    apiVersion: 'v1',
    kind: 'Event',
    involvedObject: { apiVersion: 'v1', kind: 'Pod', namespace: 'shop', name: 'web-0', uid: 'u1' },
    type: 'Warning',
    reason: 'SubnetFull',
    message: podNotice.message,
    source: { component: 'tke-eni', host: 'leader-1' },
    reportingComponent: 'tke-eni',
    reportingInstance: 'leader-1',
    firstTimestamp: '2026-01-01T00:00:00Z',
    lastTimestamp: '2026-01-01T00:00:00Z',
    count: 1,
  })
})

test('notify() about what has no namespace goes to "default"', async () => {
  const { server, events } = await serve(created)
  events.notify({ ...podNotice, about: { kind: 'NodeENIConfig', name: 'node-1' } })
  const { path, body } = await server.saw(() => true)
  assert.equal(path, '/api/v1/namespaces/default/events')
  assert.deepEqual(at(body, 'involvedObject'), {
    apiVersion: 'networking.tke.cloud.tencent.com/v1',
    kind: 'NodeENIConfig',
    name: 'node-1',
  })
})

test('notify() counts alike notices in one Event, written now and then', async () => {
  const { server, clock, events, written } = await serve(created)
  events.notify(podNotice)
  const first = await server.saw(isPost)
  await written(1)
  for (let n = 0; n < 50; n++)
    events.notify({ ...podNotice, message: `Cannot bind ${n} addresses: subnet "subnet-2b" is full` })
  await clock.advance(29_000)
  assert.equal(server.seen.length, 1, 'not before 30 s')
  await clock.advance(1000)
  const second = await server.saw(isPatch)
  assert.equal(second.path, `/api/v1/namespaces/shop/events/${String(at(first.body, 'metadata', 'name'))}`)
  assert.deepEqual(second.body, {
    count: 51,
    lastTimestamp: '2026-01-01T00:00:00Z',
    message: 'Cannot bind 49 addresses: subnet "subnet-2b" is full',
  })
})

for (const { does, other } of [
  { does: 'another object', other: { about: { ...podNotice.about, name: 'web-1' } } },
  { does: 'the next pod of the same name', other: { about: { ...podNotice.about, uid: 'u2' } } },
  { does: 'another reason', other: { reason: 'ENILimit' } },
  { does: 'another sentence', other: { message: 'Cannot bind addresses: the subnet is gone' } },
])
  test(`notify() keeps ${does} apart`, async () => {
    const { server, events, written } = await serve(created)
    events.notify(podNotice)
    events.notify({ ...podNotice, ...other })
    await written(2)
    assert.ok(server.seen.every(isPost))
  })

test('notify() begins a new Event after the window', async () => {
  const { server, clock, events, written } = await serve(created)
  events.notify(podNotice)
  await written(1)
  await clock.advance(600_001)
  events.notify(podNotice)
  await written(2)
  assert.ok(server.seen.every(isPost))
})

test('notify() creates an Event again that has expired meanwhile', async () => {
  const { server, clock, events, written } = await serve((exchange) => {
    if (isPatch(exchange)) refuse(exchange, 404, 'NotFound')
    else created(exchange)
  })
  events.notify(podNotice)
  await written(1)
  events.notify(podNotice)
  await clock.advance(30_000)
  await written(3)
  assert.deepEqual(
    server.seen.map(({ method, body }) => `${method} ${String(at(body, 'count'))}`),
    ['POST 1', 'PATCH 2', 'POST 2'],
  )
})

test('[R5] notify() drops what the queue cannot hold, and says so', async () => {
  const log = recordingLog()
  const { server, clock, events, written } = await serve(created, { queued: 3, qps: 1, burst: 1 }, log)
  for (let n = 0; n < 10; n++)
    events.notify({ ...podNotice, about: { ...podNotice.about, name: `web-${n}` } })
  // One is in hand, three wait.
  assert.equal(log.entries.filter((entry) => entry.event === 'event dropped').length, 6)
  await written(1)
  assert.equal(server.seen.length, 1, 'one a second')
  for (const n of [2, 3, 4]) {
    await clock.advance(1000)
    await written(n)
  }
  assert.equal(server.seen.length, 4)
})

test('[R5] notify() tries again while the API server is away, and drops what it refuses', async () => {
  const log = recordingLog()
  let down = true
  const { server, clock, events, written } = await serve(
    (exchange) => {
      if (at(exchange.body, 'reason') === 'Odd') refuse(exchange, 403, 'Forbidden')
      else if (down) refuse(exchange, 503, 'ServiceUnavailable')
      else created(exchange)
    },
    {},
    log,
  )
  events.notify({ ...podNotice, reason: 'Odd' })
  events.notify(podNotice)
  await written(2)
  assert.equal(log.entries.length, 1)
  down = false
  await until(() => clock.pending > 0)
  await clock.advance(30_000)
  await written(3)
  const names = server.seen.slice(1).map(({ body }) => at(body, 'metadata', 'name'))
  assert.equal(names[0], names[1], 'the same name, so that it cannot come twice')
})

test('close() ends the writing', async () => {
  const { server, clock, events, written } = await serve(created)
  events.notify(podNotice)
  await written(1)
  events.notify(podNotice)
  events.close()
  events.notify({ ...podNotice, reason: 'Later' })
  await clock.advance(60_000)
  assert.equal(server.seen.length, 1)
})

const created: Answer = (exchange) => reply(exchange, isPost(exchange) ? 201 : 200, {})

function isPost({ method }: Exchange): boolean {
  return method === 'POST'
}

function isPatch({ method }: Exchange): boolean {
  return method === 'PATCH'
}

async function serve(
  answer: Answer,
  eventLimits: Partial<EventLimits> = {},
  log: Log = silentLog,
): Promise<{
  server: TinyServer
  clock: VirtualClock
  events: Events
  /** Resolves when `count` writes have their answer. */
  written: (count: number) => Promise<void>
}> {
  const server = await startTinyServer(answer)
  const clock = new VirtualClock()
  // The wire runs on the system's time; only the events' own waiting is virtual.
  const client = createKubeClient(createEndpoint({ server: server.url }, systemClock), systemClock)
  const random = seededRandom(7)
  let answered = 0
  const counting = {
    ...client,
    call: (request: KubeRequest) => client.call(request).finally(() => answered++),
  }
  const events = createEvents({ client: counting, clock, random, log, instance: 'leader-1', eventLimits })
  closing.push(server.stop, client.close, events.close)
  return { server, clock, events, written: (count) => until(() => answered >= count) }
}

async function until(holds: () => boolean): Promise<void> {
  while (!holds()) await new Promise((resolve) => setImmediate(resolve))
}

function recordingLog(): Log & { readonly entries: { event: string; fields: Fields | undefined }[] } {
  const entries: { event: string; fields: Fields | undefined }[] = []
  const note = (event: string, fields?: Fields) => void entries.push({ event, fields })
  const log: Log & { entries: typeof entries } = {
    entries,
    debug() {},
    info: note,
    warn: note,
    error: note,
    child: () => log,
  }
  return log
}
