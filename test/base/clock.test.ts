import assert from 'node:assert/strict'
import { test } from 'node:test'
import { evenClock, sleep, systemClock } from '../../internal/base/clock.ts'
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

/** A machine on which `passed` is what really passes, and `off` what its wall clock is wrong. */
function machine() {
  const state = { passed: 0, off: 0 }
  const clock = evenClock(
    () => 1_000_000_000 + state.passed + state.off,
    () => state.passed,
  )
  return { state, clock }
}

for (const off of [-86_400_000, -5000, 5000, 86_400_000])
  test(`[R7] evenClock() does not jump when the wall clock is set by ${off} ms, and goes towards what it shows`, () => {
    const { state, clock } = machine()
    const before = clock.now()
    state.off = off
    assert.equal(clock.now(), before)
    state.passed += 30_000
    const after = clock.now() - before
    assert.equal(after, 30_000 + Math.sign(off) * 3000)
    state.passed += Math.abs(off) * 10
    assert.equal(clock.now(), 1_000_000_000 + state.passed + state.off)
  })

test('evenClock() shows what the wall clock shows, in whole milliseconds, however often it is asked', () => {
  const { state, clock } = machine()
  for (let i = 0; i < 10_000; i++) {
    state.passed += 0.37
    assert.ok(Number.isInteger(clock.now()))
  }
  assert.ok(Math.abs(clock.now() - 1_000_003_700) <= 1)
})
