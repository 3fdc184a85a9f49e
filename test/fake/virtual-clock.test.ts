import assert from 'node:assert/strict'
import { test } from 'node:test'
import { sleep } from '../../internal/base/clock.ts'
import { randomInt, seededRandom } from '../../internal/base/random.ts'
import { VirtualClock } from './virtual-clock.ts'

test('VirtualClock runs timers by time, then in the order in which they were set', async () => {
  const clock = new VirtualClock(0)
  const random = seededRandom(7)
  const set = Array.from({ length: 500 }, (_, id) => ({ id, at: randomInt(random, 0, 40) }))
  const ran: { id: number; at: number }[] = []
  const cancels = set.map(({ id, at }) => clock.after(at, () => ran.push({ id, at: clock.now() })))
  for (const [id, cancel] of cancels.entries()) if (id % 5 === 0) cancel()
  await clock.runUntilIdle()
  const kept = set.filter(({ id }) => id % 5 !== 0)
  assert.deepEqual(
    ran,
    kept.toSorted((a, b) => a.at - b.at || a.id - b.id),
  )
  for (const cancel of cancels) cancel()
  assert.equal(clock.pending, 0)
})

test('VirtualClock lets promises go on between two timers', async () => {
  const clock = new VirtualClock(0)
  const seen: string[] = []
  async function chain(): Promise<void> {
    await sleep(clock, 10)
    for (let i = 0; i < 5; i++) await Promise.resolve()
    seen.push(`chain at ${clock.now()}`)
  }
  const done = chain()
  clock.after(10, () => seen.push('second timer'))
  await clock.advance(10)
  assert.deepEqual(seen, ['chain at 10', 'second timer'])
  await done
})

test('advance() stops at its end, with later timers still set', async () => {
  const clock = new VirtualClock(0)
  let late = false
  clock.after(11, () => {
    late = true
  })
  await clock.advance(10)
  assert.deepEqual([clock.now(), late, clock.pending], [10, false, 1])
  await clock.advance(1)
  assert.deepEqual([clock.now(), late, clock.pending], [11, true, 0])
})

test('runUntilIdle() names a loop that never ends', async () => {
  const clock = new VirtualClock(0)
  const again = () => void clock.after(1000, again)
  again()
  await assert.rejects(clock.runUntilIdle(10_000), /1 timers are still set after 10000 ms/)
})

test('runUntil() gives the outcome, and fails when nothing can bring it', async () => {
  const clock = new VirtualClock(0)
  assert.equal(await clock.runUntil(sleep(clock, 5000).then(() => 'done')), 'done')
  assert.equal(clock.now(), 5000)
  await assert.rejects(clock.runUntil(new Promise(() => {})), /waits for no timer/)
})
