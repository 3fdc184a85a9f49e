import assert from 'node:assert/strict'
import { test } from 'node:test'
import { sleep } from '../../internal/base/clock.ts'
import { createKeyedLock } from '../../internal/base/keyed-lock.ts'
import { VirtualClock } from '../fake/virtual-clock.ts'

function recorder() {
  const clock = new VirtualClock(0)
  const locks = createKeyedLock()
  const seen: string[] = []
  const run = (key: string, name: string, ms: number) =>
    locks.run(key, async () => {
      seen.push(`${name} begins at ${clock.now()}`)
      await sleep(clock, ms)
      seen.push(`${name} ends at ${clock.now()}`)
      return name
    })
  return { clock, locks, seen, run }
}

test('run() lets one at a time of a key go, in order of arrival', async () => {
  const { clock, seen, run } = recorder()
  const all = Promise.all([run('a', 'first', 10), run('a', 'second', 5), run('a', 'third', 1)])
  assert.deepEqual(await clock.runUntil(all), ['first', 'second', 'third'])
  assert.deepEqual(seen, [
    'first begins at 0',
    'first ends at 10',
    'second begins at 10',
    'second ends at 15',
    'third begins at 15',
    'third ends at 16',
  ])
})

test('run() makes other keys wait for nothing', async () => {
  const { clock, seen, run } = recorder()
  await clock.runUntil(Promise.all([run('a', 'long', 10), run('b', 'short', 1)]))
  assert.deepEqual(seen, ['long begins at 0', 'short begins at 0', 'short ends at 1', 'long ends at 10'])
})

test('run() goes on after a failure, which only its own caller hears of', async () => {
  const { clock, locks, run } = recorder()
  const failing = locks.run('a', async () => {
    await sleep(clock, 3)
    throw new Error('no luck')
  })
  const next = run('a', 'next', 1)
  await assert.rejects(clock.runUntil(failing), /no luck/)
  assert.equal(await clock.runUntil(next), 'next')
  assert.equal(await clock.runUntil(run('a', 'later', 1)), 'later')
})
