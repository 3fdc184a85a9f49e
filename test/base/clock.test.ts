import assert from 'node:assert/strict'
import { test } from 'node:test'
import { sleep, systemClock } from '../../internal/base/clock.ts'
import { VirtualClock } from '../fake/virtual-clock.ts'

test('systemClock.after() never runs within the turn that sets it, not even without delay', async () => {
  let ran = false
  await new Promise<void>((resolve) => {
    systemClock.after(0, () => {
      ran = true
      resolve()
    })
    assert.equal(ran, false)
  })
  assert.equal(ran, true)
})

test('systemClock.after() can be cancelled, with and without delay, and takes any length', async () => {
  const ran: string[] = []
  systemClock.after(0, () => ran.push('at once'))()
  systemClock.after(1, () => ran.push('soon'))()
  systemClock.after(2 ** 40, () => ran.push('in ages'))() // more than a timer of Node can hold would run at once
  await sleep(systemClock, 2)
  assert.deepEqual(ran, [])
})

test('sleep() ends with its signal, before or after the fact, and leaves no timer', async () => {
  const clock = new VirtualClock(0)
  const stop = new AbortController()
  const nap = sleep(clock, 1000, stop.signal)
  await clock.advance(10)
  stop.abort()
  await nap
  await sleep(clock, 1000, stop.signal)
  assert.equal(clock.now(), 10)
  assert.equal(clock.pending, 0)
})
