import assert from 'node:assert/strict'
import { test } from 'node:test'
import { silentLog } from '../../internal/base/log.ts'
import { seededRandom } from '../../internal/base/random.ts'
import { errorCode } from '../../internal/ipam/errors.ts'
import type { Priority } from '../../internal/ports.ts'
import { createLimiter, type LimiterOptions, type Retry } from '../../internal/vpc/limiter.ts'
import { VirtualClock } from '../fake/virtual-clock.ts'

/** Fails with what it asks for. */
class Refusal extends Error {
  readonly retry: Retry
  constructor(retry: Retry) {
    super(retry)
    this.retry = retry
  }
}

function setUp(options: Partial<LimiterOptions> = {}) {
  const clock = new VirtualClock(0)
  const limiter = createLimiter({
    clock,
    random: seededRandom(1),
    log: silentLog,
    limits: { Act: 20 },
    ...options,
  })
  const sent: { name: string; at: number }[] = []
  /** Answers of calls not named in `script` are immediate. */
  function call(name: string, priority: Priority = 'collect', script: (Retry | 'ok')[] = [], action = 'Act') {
    return limiter.run({
      action,
      priority,
      retry: (error) => (error instanceof Refusal ? error.retry : 'no'),
      async send() {
        sent.push({ name, at: clock.now() })
        const next = script.shift() ?? 'ok'
        if (next !== 'ok') throw new Refusal(next)
        return name
      },
    })
  }
  return { clock, limiter, sent, call }
}

test('[R5] run() keeps every second within the limit of the action', async () => {
  const { clock, sent, call } = setUp()
  const all = Promise.all(Array.from({ length: 100 }, (_, i) => call(`${i}`)))
  await clock.runUntil(all)
  for (const { at } of sent) {
    const inSecond = sent.filter((other) => other.at >= at && other.at < at + 1000).length
    assert.ok(inSecond <= 20, `${inSecond} calls within a second from ${at}`)
  }
  const took = (sent.at(-1)?.at ?? 0) / 1000
  assert.ok(took > 5 && took < 7, `100 calls at 20/s took ${took} s`)
})

test('run() sends a waiting pod first, then by priority and arrival, also within a turn', async () => {
  const { clock, sent, call } = setUp({ limits: { Act: 1 } })
  const names: [string, Priority][] = [
    ['c1', 'collect'],
    ['r1', 'release'],
    ['w1', 'warm-refill'],
    ['p1', 'waiting-pod'],
    ['w2', 'warm-refill'],
    ['p2', 'waiting-pod'],
  ]
  const all = Promise.all(names.map(([name, priority]) => call(name, priority)))
  await clock.advance(1500)
  const late = call('p3', 'waiting-pod')
  await clock.runUntil(Promise.all([all, late]))
  assert.deepEqual(
    sent.map(({ name }) => name),
    ['p1', 'p2', 'p3', 'w1', 'w2', 'r1', 'c1'],
  )
})

test('run() lets no action wait for the tokens of another', async () => {
  const { clock, sent, call } = setUp({ limits: { Act: 1, Other: 10 } })
  const slow = Promise.all([call('a'), call('b'), call('c')])
  await clock.runUntil(call('other', 'collect', [], 'Other'))
  assert.equal(clock.now(), 0)
  assert.deepEqual(
    sent.map(({ name }) => name),
    ['a', 'other'],
  )
  await clock.runUntil(slow)
})

test('[R5] run() sends a throttled call later, and slows the whole action down', async () => {
  const { clock, limiter, sent, call } = setUp()
  const done = call('refused', 'collect', ['slow-down', 'slow-down'])
  assert.equal(await clock.runUntil(done), 'refused')
  const gaps = sent.map(({ at }, i) => at - (sent[i - 1]?.at ?? 0))
  assert.equal(sent.length, 3)
  assert.ok(
    gaps.every((gap, i) => i === 0 || gap >= 125),
    `gaps ${gaps}`,
  )
  const [status] = limiter.status()
  assert.equal(status?.throttled, 2)
  assert.ok((status?.rate ?? 0) < 10)
  await clock.advance(120_000)
  await clock.runUntil(call('later'))
  assert.equal(limiter.status()[0]?.rate, 16) // 80 % of the limit: the rest is for bursts
})

test('run() cuts the rate once for calls that were throttled together', async () => {
  const { clock, limiter, call } = setUp({ limits: { Act: 100 } })
  const all = Promise.all(Array.from({ length: 10 }, (_, i) => call(`${i}`, 'collect', ['slow-down'])))
  await clock.step()
  assert.equal(limiter.status()[0]?.rate, 40)
  await clock.runUntil(all)
})

for (const c of [
  { does: 'gives up on a call that is refused for ever', script: 'again' as const, attempts: 8 },
  { does: 'gives up on a call that is throttled for ever', script: 'slow-down' as const, attempts: 8 },
  { does: 'never repeats what may have happened', script: 'no' as const, attempts: 1 },
]) {
  test(`run() ${c.does}`, async () => {
    const { clock, sent, call } = setUp()
    const failed = call('x', 'collect', Array(50).fill(c.script))
    await assert.rejects(clock.runUntil(failed), { message: c.script })
    assert.equal(sent.length, c.attempts)
    assert.ok(clock.now() < 60_000, `gave up after ${clock.now()} ms`)
    assert.equal(clock.pending, 0)
  })
}

test('run() keeps the place of a repeated call before younger ones of its priority', async () => {
  const { clock, sent, call } = setUp({ limits: { Act: 1 } })
  const all = Promise.all([call('old', 'release', ['again']), call('b', 'release'), call('c', 'release')])
  await clock.runUntil(all)
  assert.deepEqual(
    sent.map(({ name }) => name),
    ['old', 'old', 'b', 'c'],
  )
})

test('run() refuses the least important call when too many wait', async () => {
  const { clock, call } = setUp({ limits: { Act: 1 }, maxWaiting: 2 })
  const outcomes: string[] = []
  const note = (name: string, priority: Priority) =>
    call(name, priority).then(
      () => outcomes.push(`${name} sent`),
      (error: unknown) => outcomes.push(`${name} ${errorCode(error)}`),
    )
  const all = Promise.all([
    note('c1', 'collect'),
    note('c2', 'collect'),
    note('p1', 'waiting-pod'),
    note('c3', 'collect'),
  ])
  await clock.runUntil(all)
  assert.deepEqual(outcomes, ['c2 throttled', 'c3 throttled', 'p1 sent', 'c1 sent'])
})

test('run() sends nothing more once the signal is given', async () => {
  const stop = new AbortController()
  const { clock, sent, call } = setUp({ limits: { Act: 1 }, signal: stop.signal })
  const first = await clock.runUntil(call('first'))
  const backingOff = call('second', 'waiting-pod', ['again', 'again'])
  const queued = call('third')
  const refused = Promise.allSettled([backingOff, queued])
  await clock.advance(1300)
  stop.abort()
  const codes = (await refused).map((one) => one.status === 'rejected' && errorCode(one.reason))
  assert.deepEqual([first, ...codes], ['first', 'unavailable', 'unavailable'])
  await assert.rejects(call('fourth'), { code: 'unavailable' })
  await clock.runUntilIdle()
  assert.equal(sent.length, 2)
})

test('run() holds no more calls under way than it may', async () => {
  const { clock, limiter } = setUp({ limits: { Act: 1000 }, maxInFlight: 3 })
  let inFlight = 0
  let most = 0
  const send = async () => {
    most = Math.max(most, ++inFlight)
    await new Promise<void>((resolve) => clock.after(100, resolve))
    inFlight--
  }
  const calls = Array.from({ length: 10 }, () =>
    limiter.run({ action: 'Act', priority: 'collect', send, retry: () => 'no' }),
  )
  await clock.runUntil(Promise.all(calls))
  assert.equal(most, 3)
})
