import assert from 'node:assert/strict'
import { test } from 'node:test'
import { createThrottle } from '../../internal/kube/throttle.ts'
import { epoch, VirtualClock } from '../fake/virtual-clock.ts'

test('[R5] turn() lets a burst pass at once, then one by one', async () => {
  const clock = new VirtualClock()
  const throttle = createThrottle(clock, { qps: 10, burst: 3 })
  const at: number[] = []
  const turns = Array.from({ length: 6 }, () => throttle.turn().then(() => at.push(clock.now() - epoch)))
  await clock.runUntil(Promise.all(turns))
  assert.deepEqual(at, [0, 0, 0, 100, 200, 300])
  await clock.advance(10_000)
  const later: number[] = []
  const more = Array.from({ length: 4 }, () => throttle.turn().then(() => later.push(clock.now() - epoch)))
  await clock.runUntil(Promise.all(more))
  assert.deepEqual(later, [10_300, 10_300, 10_300, 10_400])
})
