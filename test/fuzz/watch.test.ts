// An API server that answers lists and watches with anything, over real HTTP: once it answers well again, what we believe is what it
// has; and only a complete list is ever taken for the whole truth.
import assert from 'node:assert/strict'
import fc from 'fast-check'
import { systemClock } from '../../internal/base/clock.ts'
import { silentLog } from '../../internal/base/log.ts'
import { seededRandom } from '../../internal/base/random.ts'
import type { NodeFact } from '../../internal/ipam/types.ts'
import { createKubeClient } from '../../internal/kube/client.ts'
import { createEndpoint } from '../../internal/kube/endpoint.ts'
import { toNodeFact } from '../../internal/kube/facts.ts'
import { reflect } from '../../internal/kube/reflector.ts'
import { createRecorder } from '../kube/recorder.ts'
import { type Exchange, refuse, reply, startTinyServer, status } from '../kube/tiny-server.ts'
import { fuzz } from './fuzz.ts'
import { node } from './kube-inputs.ts'
import { mutateText, mutation } from './mutate.ts'
import { oddText } from './odd.ts'

/** How one request is answered. */
interface Oddity {
  readonly status: number
  readonly text: (exchange: Exchange) => string
  /** Bytes in each piece that is written; 0: all at once. */
  readonly piece: number
  /** How the answer ends. */
  readonly end: 'well' | 'cut' | 'short'
}

const list = { kind: 'NodeList', metadata: { resourceVersion: '10' }, items: [named('a', 9), named('b', 10)] }
const events = [
  { type: 'ADDED', object: named('c', 11) },
  { type: 'MODIFIED', object: named('a', 12) },
  { type: 'DELETED', object: named('b', 13) },
  { type: 'BOOKMARK', object: { kind: 'Node', metadata: { resourceVersion: '14' } } },
  { type: 'ERROR', object: status(410, 'Expired') },
]

const changes = fc.array(mutation, { maxLength: 2 })
const watchText = fc
  .array(fc.tuple(fc.constantFrom(...events), changes), { maxLength: 4 })
  .map((lines) => lines.map(([event, wrong]) => mutateText(event, wrong)).join('\n'))
const listText = changes.map((wrong) => mutateText(list, wrong))

const text: fc.Arbitrary<Oddity['text']> = fc.oneof(
  {
    weight: 5,
    arbitrary: fc.tuple(listText, watchText).map(
      ([asList, asWatch]) =>
        (exchange: Exchange) =>
          isWatch(exchange) ? asWatch : asList,
    ),
  },
  { weight: 1, arbitrary: oddText.map((any) => () => any) },
  {
    weight: 1,
    arbitrary: fc.constantFrom('<html>502</html>', '{', '[', 'null', '{}', '\n\n\n').map((any) => () => any),
  },
  { weight: 1, arbitrary: fc.constant(() => `{"type":"ADDED","object":{"x":"${'y'.repeat(300_000)}"}}\n`) },
)

const oddity: fc.Arbitrary<Oddity> = fc.record({
  status: fc.oneof(
    { weight: 6, arbitrary: fc.constant(200) },
    { weight: 1, arbitrary: fc.constantFrom(201, 204, 302, 400, 401, 404, 410, 418, 500, 503, 504) },
  ),
  text,
  piece: fc.constantFrom(0, 0, 7, 500),
  end: fc.constantFrom('well' as const, 'well' as const, 'cut' as const, 'short' as const),
})

fuzz(
  '[R6] after any answers of the API server what we believe is what it has',
  fc.tuple(fc.array(oddity, { minLength: 1, maxLength: 5 }), fc.constantFrom('consistent', 'cached')),
  async ([oddities, freshness]) => {
    const waiting = [...oddities]
    const server = await startTinyServer((exchange) => {
      const odd = waiting.shift()
      if (odd === undefined) sane(exchange)
      else void answer(exchange, odd)
    })
    const client = createKubeClient(createEndpoint({ server: server.url }, systemClock), systemClock, {
      qps: 1000,
      burst: 1000,
      timeout: 300,
    })
    const recorder = createRecorder((item: NodeFact) => item.name)
    const stop = reflect({ what: 'nodes', path: '/api/v1/nodes', read: toNodeFact, freshness }, recorder, {
      client,
      clock: systemClock,
      random: seededRandom(1),
      log: silentLog,
      limits: { backoff: { firstMs: 1, maxMs: 3 } },
    })
    try {
      await recorder.until(
        ({ truth }) => waiting.length === 0 && [...truth.keys()].toSorted(byText).join() === 'x,y,z',
      )
      assert.ok(server.seen.length < 60, `${server.seen.length} requests`)
      assert.deepEqual([...recorder.truth.values()].map(({ uid }) => uid).toSorted(byText), [
        'uid-x',
        'uid-y',
        'uid-z',
      ])
    } finally {
      stop()
      client.close()
      await server.stop()
    }
  },
  { cost: 3 },
)

const byText = (a: string, b: string) => a.localeCompare(b)

/** x and y in the list, z in the watch; versions are of a time after all that was odd. */
function sane(exchange: Exchange): void {
  const from = exchange.query.get('resourceVersion') ?? ''
  if (!/^\d*$/.test(from)) return refuse(exchange, 400, 'BadRequest')
  if (!isWatch(exchange)) {
    if (BigInt(from) <= 1000n)
      reply(exchange, 200, {
        ...list,
        metadata: { resourceVersion: '1000' },
        items: [named('x', 900), named('y', 999)],
      })
    else
      reply(exchange, 504, {
        ...status(504, 'Timeout'),
        details: { causes: [{ reason: 'ResourceVersionTooLarge' }] },
      })
    return
  }
  if (from !== '1000') return refuse(exchange, 410, 'Expired')
  exchange.response.writeHead(200)
  exchange.response.write(`${JSON.stringify({ type: 'ADDED', object: named('z', 1001) })}\n`)
}

async function answer(exchange: Exchange, { status: code, text: write, piece, end }: Oddity): Promise<void> {
  const { response } = exchange
  response.on('error', () => {})
  const bytes = Buffer.from(write(exchange))
  response.writeHead(code, end === 'short' ? { 'content-length': bytes.length + 50 } : {})
  const size = piece === 0 || bytes.length > 20_000 ? bytes.length : piece
  for (let at = 0; at < bytes.length && !response.destroyed; at += size)
    await new Promise<void>((done) => response.write(bytes.subarray(at, at + size), () => done()))
  if (end === 'well') response.end()
  else response.destroy()
}

function isWatch(exchange: Exchange): boolean {
  return exchange.query.get('watch') === '1'
}

function named(name: string, version: number) {
  const metadata = { ...node.metadata, name, uid: `uid-${name}`, resourceVersion: String(version) }
  return { ...node, metadata }
}
