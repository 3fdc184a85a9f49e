import assert from 'node:assert/strict'
import { test } from 'node:test'
import { createPause } from '../../internal/base/pause.ts'
import { VirtualClock } from '../fake/virtual-clock.ts'

test('[R5] createPause() waits longer after each failure, and not at all after a success', async () => {
  const clock = new VirtualClock(0)
  const pause = createPause({ firstMs: 1000, maxMs: 8000 }, clock, { next: () => 0 })
  assert.equal(pause.left(), 0)
  assert.deepEqual(
    [1, 2, 3, 4, 5].map(() => pause.failed()),
    [500, 1000, 2000, 4000, 4000],
  )
  await clock.advance(1500)
  assert.equal(pause.left(), 2500)
  await clock.advance(10_000)
  assert.equal(pause.left(), 0)
  pause.failed()
  pause.succeeded()
  assert.equal(pause.left(), 0)
  assert.equal(pause.failed(), 500)
})
