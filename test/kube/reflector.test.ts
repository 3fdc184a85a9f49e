import assert from 'node:assert/strict'
import { afterEach, test } from 'node:test'
import { systemClock } from '../../internal/base/clock.ts'
import { silentLog } from '../../internal/base/log.ts'
import { seededRandom } from '../../internal/base/random.ts'
import { createKubeClient } from '../../internal/kube/client.ts'
import { createEndpoint } from '../../internal/kube/endpoint.ts'
import { toNodeFact } from '../../internal/kube/facts.ts'
import { reflect } from '../../internal/kube/reflector.ts'
import type { ReflectorLimits, Source } from '../../internal/kube/source.ts'
import { createRecorder, type Recorder } from './recorder.ts'
import {
  type Answer,
  type Exchange,
  refuse,
  reply,
  startTinyServer,
  status,
  type TinyServer,
} from './tiny-server.ts'

interface Item {
  readonly name: string
  readonly uid: string
}

const closing: (() => unknown)[] = []
afterEach(async () => {
  for (const close of closing.splice(0).reverse()) await close()
})

test('reflect() lists page by page, then watches from the version of the list', async () => {
  const server = await serve((exchange) => {
    if (isWatch(exchange)) return watch(exchange, [event('MODIFIED', 'b', 11), event('DELETED', 'a', 12)])
    const next = exchange.query.get('continue')
    list(exchange, next === null ? ['a'] : ['b'], 10, next === null ? 'page2' : undefined)
  })
  const fed = start(server, {}, { pageSize: 1 })
  await fed.until(({ told }) => told.length === 3)
  assert.deepEqual(fed.told, ['= a b', '+ b', '- a'])
  const [first, second, third] = server.seen
  assert.equal(first?.query.get('limit'), '1')
  assert.equal(first?.query.get('resourceVersion'), null, 'a consistent list names no version')
  assert.equal(second?.query.get('continue'), 'page2')
  assert.equal(third?.query.get('resourceVersion'), '10')
  assert.equal(third?.query.get('allowWatchBookmarks'), 'true')
  const seconds = Number(third?.query.get('timeoutSeconds'))
  assert.ok(seconds >= 300 && seconds <= 600)
})

test('[R7] reflect() tells nothing of a list that fails amid its pages', async () => {
  let lists = 0
  const server = await serve((exchange) => {
    if (isWatch(exchange)) return watch(exchange, [])
    const last = exchange.query.get('continue') !== null
    if (!last) lists += 1
    if (last && lists === 1) return refuse(exchange, 500, 'InternalError')
    if (last && lists === 2) return cutAmid(exchange)
    list(exchange, last ? ['b'] : ['a'], 10, last ? undefined : 'more')
  })
  const fed = start(server)
  await fed.until(({ told }) => told.length > 0)
  assert.deepEqual(fed.told, ['= a b'])
  assert.equal(lists, 3)
})

test('[R6] reflect() gives a list up whose next page is the same page', async () => {
  // It was read for ever, and its objects were kept.
  let pages = 0
  const server = await serve((exchange) => {
    if (isWatch(exchange)) watch(exchange, [])
    else list(exchange, ['a'], 10, pages++ < 4 ? 'again' : undefined)
  })
  const fed = start(server)
  await fed.until(({ told }) => told.length > 0)
  assert.deepEqual(fed.told, ['= a'])
  assert.ok(server.seen.filter((exchange) => exchange.query.get('continue') === 'again').length < 5)
})

for (const [what, body] of Object.entries({
  'no version': { items: [] },
  'no list': { metadata: { resourceVersion: '1' }, items: 'many' },
  'a status': status(200, 'Success'),
  // A single object, or a list cut by something in between, was taken for "there are none".
  'no items': { kind: 'Node', metadata: { name: 'a', resourceVersion: '1' } },
}))
  test(`[R7] reflect() takes an answer with ${what} for a failure, not for emptiness`, async () => {
    let lists = 0
    const server = await serve((exchange) => {
      if (isWatch(exchange)) return watch(exchange, [])
      if (lists++ === 0) reply(exchange, 200, body)
      else list(exchange, ['a'], 10)
    })
    const fed = start(server)
    await fed.until(({ told }) => told.length > 0)
    assert.deepEqual(fed.told, ['= a'])
  })

test('reflect() takes a list of null for an empty one', async () => {
  const server = await serve((exchange) => {
    if (isWatch(exchange)) return watch(exchange, [])
    reply(exchange, 200, { metadata: { resourceVersion: '1' }, items: null })
  })
  const fed = start(server)
  await fed.until(({ told }) => told.length > 0)
  assert.deepEqual(fed.told, ['='])
})

test('reflect() resumes after a connection cut in mid-line, without a new list', async () => {
  const server = await serve((exchange) => {
    if (!isWatch(exchange)) return list(exchange, ['a'], 10)
    if (from(exchange) === 10) {
      const half = event('MODIFIED', 'c', 12).slice(0, 30)
      exchange.response.write(`${event('ADDED', 'b', 11)}\n${half}`, () => exchange.response.destroy())
    } else watch(exchange, [event('MODIFIED', 'c', 12)])
  })
  const fed = start(server)
  await fed.until(({ told }) => told.length === 3)
  assert.deepEqual(fed.told, ['= a', '+ b', '+ c'])
  assert.deepEqual(versions(server), [10, 11])
})

test('reflect() resumes from a bookmark', async () => {
  const server = await serve((exchange) => {
    if (!isWatch(exchange)) return list(exchange, ['a'], 10)
    if (from(exchange) === 10) end(exchange, [bookmark(40)])
    else watch(exchange, [event('ADDED', 'b', 41)])
  })
  const fed = start(server)
  await fed.until(({ told }) => told.includes('+ b'))
  assert.deepEqual(fed.told, ['= a', '+ b'])
  assert.deepEqual(versions(server), [10, 40])
})

for (const { how, answer } of [
  {
    how: 'an ERROR event',
    answer: (exchange: Exchange) => end(exchange, [error(410, 'Expired')]),
  },
  { how: 'the answer itself', answer: (exchange: Exchange) => refuse(exchange, 410, 'Expired') },
])
  test(`reflect() lists again when its version is too old, said by ${how}`, async () => {
    let lists = 0
    const server = await serve((exchange) => {
      if (!isWatch(exchange)) return list(exchange, lists++ === 0 ? ['a', 'b'] : ['b', 'c'], 10 * lists)
      if (from(exchange) === 10) answer(exchange)
      else watch(exchange, [event('DELETED', 'c', 21)])
    })
    const fed = start(server)
    await fed.until(({ told }) => told.length === 3)
    assert.deepEqual(fed.told, ['= a b', '= b c', '- c'])
  })

test('reflect() begins the list anew when its continue token expires', async () => {
  let lists = 0
  const server = await serve((exchange) => {
    if (isWatch(exchange)) return watch(exchange, [])
    if (exchange.query.get('continue') === 'old') return refuse(exchange, 410, 'Expired')
    list(exchange, ['a'], 10, lists++ === 0 ? 'old' : undefined)
  })
  const fed = start(server)
  await fed.until(({ told }) => told.length > 0)
  assert.deepEqual(fed.told, ['= a'])
})

test('[R1] reflect() leaves out events that come twice or late', async () => {
  const server = await serve((exchange) => {
    if (!isWatch(exchange)) return list(exchange, ['a'], 10)
    watch(exchange, [
      event('MODIFIED', 'a', 12),
      event('MODIFIED', 'a', 12),
      event('DELETED', 'a', 9),
      event('ADDED', 'b', 11),
      event('ADDED', 'c', 100),
    ])
  })
  const fed = start(server)
  await fed.until(({ told }) => told.includes('+ c'))
  assert.deepEqual(fed.told, ['= a', '+ a', '+ c'])
})

test('[R6] reflect() goes on after an object that is none', async () => {
  const server = await serve((exchange) => {
    if (!isWatch(exchange))
      return reply(exchange, 200, { metadata: { resourceVersion: '10' }, items: [null, {}, node('a', 3)] })
    watch(exchange, [
      JSON.stringify({ type: 'ADDED', object: { metadata: { resourceVersion: '11' }, spec: 7 } }),
      JSON.stringify({ type: 'ADDED' }),
      JSON.stringify(['?']),
      event('ADDED', 'b', 12),
    ])
  })
  const fed = start(server)
  await fed.until(({ told }) => told.includes('+ b'))
  assert.deepEqual(fed.told, ['= a', '+ b'])
})

test('[R6] reflect() lists again after a line that is not JSON: an event was lost', async () => {
  let lists = 0
  const server = await serve((exchange) => {
    if (!isWatch(exchange)) return list(exchange, lists++ === 0 ? ['a'] : ['a', 'b'], 10 * lists)
    if (from(exchange) === 10) watch(exchange, ['{"type":"ADDED","object":{]}'])
    else watch(exchange, [])
  })
  const fed = start(server)
  await fed.until(({ told }) => told.length === 2)
  assert.deepEqual(fed.told, ['= a', '= a b'])
})

test('reflect() makes a silent watch anew from where it was', async () => {
  const server = await serve((exchange) => {
    if (!isWatch(exchange)) return list(exchange, ['a'], 10)
    if (from(exchange) === 10) watch(exchange, [event('ADDED', 'b', 11)])
    else if (versions(server).length === 2) watch(exchange, [])
    else watch(exchange, [event('ADDED', 'c', 12)])
  })
  const fed = start(server, {}, { stallAfter: 20 })
  await fed.until(({ told }) => told.includes('+ c'))
  assert.deepEqual(fed.told, ['= a', '+ b', '+ c'])
  assert.deepEqual(versions(server).slice(0, 3), [10, 11, 11])
})

test('reflect() outlives the server and goes on at the next one without a new list', async () => {
  const first = await serve((exchange) => {
    if (isWatch(exchange)) watch(exchange, [event('ADDED', 'b', 11)])
    else list(exchange, ['a'], 10)
  })
  const fed = start(first)
  await fed.until(({ told }) => told.includes('+ b'))
  await first.stop()
  const second = await serve(
    (exchange) => {
      if (isWatch(exchange)) watch(exchange, [event('DELETED', 'a', 12)])
      else list(exchange, [], 99)
    },
    { port: first.port },
  )
  await fed.until(({ told }) => told.includes('- a'))
  assert.deepEqual(fed.told, ['= a', '+ b', '- a'])
  assert.deepEqual(versions(second), [11])
})

test('[R5] reflect() never lists again because of lost connections, however many', async () => {
  let lists = 0
  const server = await serve((exchange) => {
    if (!isWatch(exchange)) return list(exchange, ['a'], 10 * ++lists)
    if (versions(server).length <= 12) exchange.request.socket.destroy()
    else watch(exchange, [event('ADDED', 'b', 11)])
  })
  const fed = start(server)
  await fed.until(({ told }) => told.includes('+ b'))
  assert.deepEqual(fed.told, ['= a', '+ b'])
})

test('reflect() tries a list when the server keeps refusing the watch', async () => {
  let lists = 0
  const server = await serve((exchange) => {
    if (!isWatch(exchange)) return list(exchange, ['a'], 10 * ++lists)
    if (from(exchange) === 10) refuse(exchange, 500, 'InternalError')
    else watch(exchange, [event('ADDED', 'b', 21)])
  })
  const fed = start(server)
  await fed.until(({ told }) => told.includes('+ b'))
  assert.deepEqual(fed.told, ['= a', '= a', '+ b'])
  assert.equal(versions(server).length, 7)
})

test('reflect() watches from the oldest page of a list whose pages are not of one version', async () => {
  const server = await serve((exchange) => {
    if (isWatch(exchange)) return watch(exchange, [])
    const last = exchange.query.get('continue') !== null
    list(exchange, last ? ['b'] : ['a'], last ? 13 : 10, last ? undefined : 'more')
  })
  start(server)
  assert.equal(from(await server.saw(isWatch)), 10)
})

test('reflect() lists again when the server turns out to be behind (restored from a backup)', async () => {
  let lists = 0
  const server = await serve((exchange) => {
    if (!isWatch(exchange)) return list(exchange, ['a'], lists++ === 0 ? 100 : 50)
    if (from(exchange) === 100) watch(exchange, [bookmark(50)])
    else watch(exchange, [event('ADDED', 'b', 51)])
  })
  const fed = start(server)
  await fed.until(({ told }) => told.includes('+ b'))
  assert.deepEqual(fed.told, ['= a', '= a', '+ b'])
})

test('reflect() of a cached collection asks for nothing older than it saw, and for the truth when that fails', async () => {
  const asked: (string | null)[] = []
  const server = await serve((exchange) => {
    const version = exchange.query.get('resourceVersion')
    if (isWatch(exchange)) {
      if (version === '10') end(exchange, [event('ADDED', 'b', 11), error(410, 'Expired')])
      else watch(exchange, [])
      return
    }
    asked.push(version)
    if (version === '0') return list(exchange, ['a'], 10)
    if (version === null) return list(exchange, ['a', 'b'], 8)
    reply(exchange, 504, {
      ...status(504, 'Timeout'),
      details: { causes: [{ reason: 'ResourceVersionTooLarge' }] },
    })
  })
  const fed = start(server, { freshness: 'cached' })
  await fed.until(({ told }) => told.length === 3)
  assert.deepEqual(fed.told, ['= a', '+ b', '= a b'])
  assert.deepEqual(asked, ['0', '11', null])
})

test('reflect() passes its field selector to list and watch', async () => {
  const server = await serve((exchange) => {
    if (isWatch(exchange)) watch(exchange, [])
    else list(exchange, [], 10)
  })
  start(server, { fieldSelector: 'spec.nodeName=node-1' })
  const watched = await server.saw(isWatch)
  assert.equal(watched.query.get('fieldSelector'), 'spec.nodeName=node-1')
  assert.equal(server.seen[0]?.query.get('fieldSelector'), 'spec.nodeName=node-1')
})

test('reflect() tells everything again to a reader that failed', async () => {
  const server = await serve((exchange) => {
    if (!isWatch(exchange)) return list(exchange, ['a'], 10)
    watch(exchange, [event('ADDED', 'b', 11)])
  })
  const recorder = createRecorder((item: Item) => item.name)
  let failures = 0
  const fails = {
    ...recorder,
    changed(item: Item) {
      if (failures++ === 0) throw new Error('disk full')
      recorder.changed(item)
    },
  }
  start(server, {}, {}, fails)
  await recorder.until(({ told }) => told.includes('+ b'))
  assert.deepEqual(recorder.told, ['= a', '= a', '+ b'])
})

test('reflect() tells nothing after it was stopped', async () => {
  const server = await serve((exchange) => {
    if (isWatch(exchange)) watch(exchange, [event('ADDED', 'b', 11), event('ADDED', 'c', 12)])
    else list(exchange, ['a'], 10)
  })
  const recorder = createRecorder((item: Item) => item.name)
  const stops: (() => void)[] = []
  const stopsAtOnce = {
    ...recorder,
    changed(item: Item) {
      recorder.changed(item)
      for (const stop of stops) stop()
    },
  }
  const { stop } = startStoppable(server, {}, {}, stopsAtOnce)
  stops.push(stop)
  const watched = await server.saw(isWatch)
  await new Promise((resolve) => watched.response.on('close', resolve))
  assert.deepEqual(recorder.told, ['= a', '+ b'])
})

async function serve(answer: Answer, where = {}): Promise<TinyServer> {
  const server = await startTinyServer(answer, where)
  closing.push(() => server.stop())
  return server
}

function start(
  server: TinyServer,
  source: Partial<Source<Item>> = {},
  limits: Partial<ReflectorLimits> = {},
  recorder = createRecorder((item: Item) => item.name),
): Recorder<Item> {
  startStoppable(server, source, limits, recorder)
  return recorder
}

function startStoppable(
  server: TinyServer,
  source: Partial<Source<Item>>,
  limits: Partial<ReflectorLimits>,
  feed: Recorder<Item>,
): { stop: () => void } {
  const client = createKubeClient(createEndpoint({ server: server.url }, systemClock), systemClock)
  const stop = reflect<Item>(
    { what: 'nodes', path: '/api/v1/nodes', read: toNodeFact, freshness: 'consistent', ...source },
    feed,
    {
      client,
      clock: systemClock,
      random: seededRandom(1),
      log: silentLog,
      limits: { backoff: { firstMs: 1, maxMs: 5 }, ...limits },
    },
  )
  closing.push(stop, client.close)
  return { stop }
}

function isWatch(exchange: Exchange): boolean {
  return exchange.query.get('watch') === '1'
}

function from(exchange: Exchange): number {
  return Number(exchange.query.get('resourceVersion'))
}

function versions(server: TinyServer): number[] {
  return server.seen.filter(isWatch).map(from)
}

function node(name: string, version: number) {
  return { kind: 'Node', metadata: { name, uid: `uid-${name}`, resourceVersion: String(version) } }
}

function list(exchange: Exchange, names: readonly string[], version: number, next?: string): void {
  reply(exchange, 200, {
    kind: 'NodeList',
    metadata: { resourceVersion: String(version), ...(next === undefined ? {} : { continue: next }) },
    items: names.map((name) => node(name, 1)),
  })
}

/** Sends the lines and stays open. */
function watch(exchange: Exchange, lines: readonly string[]): void {
  exchange.response.writeHead(200, { 'content-type': 'application/json' })
  exchange.response.flushHeaders()
  for (const line of lines) exchange.response.write(`${line}\n`)
}

/** Sends the lines and ends in good order. */
function end(exchange: Exchange, lines: readonly string[]): void {
  watch(exchange, lines)
  exchange.response.end()
}

function cutAmid(exchange: Exchange): void {
  exchange.response.writeHead(200, { 'content-type': 'application/json', 'content-length': 1000 })
  exchange.response.write('{"metadata":{"resourceVersion":"10"},"items":[', () => exchange.response.destroy())
}

function event(type: string, name: string, version: number): string {
  return JSON.stringify({ type, object: node(name, version) })
}

function bookmark(version: number): string {
  return JSON.stringify({
    type: 'BOOKMARK',
    object: { kind: 'Node', metadata: { resourceVersion: String(version) } },
  })
}

function error(code: number, reason: string): string {
  return JSON.stringify({ type: 'ERROR', object: status(code, reason) })
}
