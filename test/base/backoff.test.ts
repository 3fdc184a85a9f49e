import assert from 'node:assert/strict'
import { test } from 'node:test'
import fc from 'fast-check'
import { backoffDelay } from '../../internal/base/backoff.ts'
import { seededRandom } from '../../internal/base/random.ts'

const policy = { firstMs: 1000, maxMs: 60_000 }

for (const { failures, full } of [
  { failures: 0, full: 1000 },
  { failures: 1, full: 2000 },
  { failures: 5, full: 32_000 },
  { failures: 6, full: 60_000 },
  { failures: 10_000, full: 60_000 },
]) {
  test(`[R5] backoffDelay() after ${failures} failures lies between half and all of ${full} ms`, () => {
    assert.equal(backoffDelay(policy, failures, { next: () => 0 }), full / 2)
    assert.ok(backoffDelay(policy, failures, { next: () => 1 - Number.EPSILON }) <= full)
  })
}

test('[R5] backoffDelay() spreads many retries over its range', () => {
  const random = seededRandom(3)
  fc.assert(
    fc.property(fc.nat(40), (failures) => {
      const delays = Array.from({ length: 50 }, () => backoffDelay(policy, failures, random))
      assert.ok(new Set(delays).size > 25)
    }),
    { seed: 1 },
  )
})
