import assert from 'node:assert/strict'
import { test } from 'node:test'
import fc from 'fast-check'
import { sleep } from '../../internal/base/clock.ts'
import { createWorkQueue } from '../../internal/base/work-queue.ts'
import { VirtualClock } from '../fake/virtual-clock.ts'

function queueOf({ concurrency = 2, takes = 10 } = {}) {
  const clock = new VirtualClock(0)
  const runs: { key: string; from: number; to?: number }[] = []
  const queue = createWorkQueue({
    clock,
    concurrency,
    async work(key) {
      const run: { key: string; from: number; to?: number } = { key, from: clock.now() }
      runs.push(run)
      await sleep(clock, takes)
      run.to = clock.now()
    },
  })
  const begun = () => runs.map(({ key, from }) => `${key} at ${from}`)
  return { clock, queue, runs, begun }
}

test('add() folds what comes before the run into it', async () => {
  const { clock, queue, begun } = queueOf()
  for (let i = 0; i < 5; i++) queue.add('a', 50)
  await clock.runUntilIdle()
  assert.deepEqual(begun(), ['a at 50'])
})

test('add() keeps the earlier of two times', async () => {
  const { clock, queue, begun } = queueOf()
  queue.add('a', 500)
  queue.add('a', 20)
  queue.add('a', 300)
  await clock.runUntilIdle()
  assert.deepEqual(begun(), ['a at 20'])
})

test('add() during a run brings one more run afterwards, however often it was called', async () => {
  const { clock, queue, begun } = queueOf()
  queue.add('a')
  await clock.advance(2)
  for (let i = 0; i < 3; i++) {
    queue.add('a')
    await clock.advance(1)
  }
  await clock.runUntilIdle()
  assert.deepEqual(begun(), ['a at 0', 'a at 10'])
})

test('a queue runs no more keys at a time than it may', async () => {
  const { clock, queue, begun } = queueOf({ concurrency: 2 })
  for (const key of ['a', 'b', 'c', 'd']) queue.add(key)
  await clock.runUntilIdle()
  assert.deepEqual(begun(), ['a at 0', 'b at 0', 'c at 10', 'd at 10'])
})

test('a queue that waits for nothing leaves others their turn', async () => {
  const clock = new VirtualClock(0)
  let done = 0
  const queue = createWorkQueue({ clock, concurrency: 4, work: async () => void done++ })
  for (let i = 0; i < 1000; i++) queue.add(`${i}`)
  const seen: number[] = []
  const look = () => {
    seen.push(done)
    if (done < 1000) clock.after(0, look)
  }
  clock.after(0, look)
  await clock.runUntilIdle()
  assert.equal(done, 1000)
  assert.ok(seen.length > 10, `${seen}`)
})

test('stop() lets what runs end, starts nothing more, and takes nothing more', async () => {
  const { clock, queue, begun, runs } = queueOf({ concurrency: 1 })
  queue.add('a')
  queue.add('b')
  queue.add('c', 100)
  await clock.advance(5)
  await clock.runUntil(queue.stop())
  assert.equal(runs[0]?.to, 10)
  queue.add('d')
  await clock.runUntilIdle()
  assert.deepEqual(begun(), ['a at 0'])
  await queue.stop() // again: nothing runs, so nothing is waited for
})

test('[R5] no wake-up is lost, and no key ever runs twice at a time, whatever the order of calls', async () => {
  const calls = fc.array(
    fc.record({ pause: fc.nat(15), key: fc.constantFrom('a', 'b', 'c'), delay: fc.nat(20) }),
  )
  await fc.assert(
    fc.asyncProperty(calls, fc.integer({ min: 1, max: 3 }), async (script, concurrency) => {
      const { clock, queue, runs } = queueOf({ concurrency, takes: 7 })
      const added: { key: string; at: number }[] = []
      for (const { pause, key, delay } of script) {
        await clock.advance(pause)
        queue.add(key, delay)
        added.push({ key, at: clock.now() })
      }
      await clock.runUntilIdle()
      for (const { key, at } of added)
        assert.ok(
          runs.some((run) => run.key === key && run.from >= at),
          `${key}, added at ${at}, ran afterwards`,
        )
      for (const run of runs) {
        const underWay = runs.filter(({ from, to = 0 }) => from <= run.from && run.from < to)
        assert.ok(underWay.length <= concurrency, `${underWay.length} at ${run.from}`)
        assert.equal(underWay.filter(({ key }) => key === run.key).length, 1)
      }
    }),
    { numRuns: 60 },
  )
})
