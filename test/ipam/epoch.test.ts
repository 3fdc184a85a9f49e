import assert from 'node:assert/strict'
import { test } from 'node:test'
import { highestEpoch, isLater } from '../../internal/ipam/epoch.ts'

/** The largest that Kubernetes can store. */
const largest = 2_147_483_647

for (const { does, known, shown, want } of [
  { does: 'is what is known when nothing is shown', known: 7, shown: [], want: 7 },
  { does: 'is the highest that is shown', known: 2, shown: [5, 41, 3], want: 41 },
  { does: 'never falls below what is known', known: 9, shown: [5, 8], want: 9 },
  { does: 'passes over a number that no leader can have come to', known: 5, shown: [5, largest, 6], want: 6 },
  { does: 'needs no ledger to tell what is far off', known: 0, shown: [largest, 12_345], want: 12_345 },
  { does: 'leaves room for the next leader', known: 0, shown: [largest], want: 0 },
]) {
  test(`[R8] highestEpoch() ${does}`, () => {
    assert.equal(highestEpoch(known, shown), want)
  })
}

test('[R8] isLater() believes the next leader, and many after it, but not any number', () => {
  assert.deepEqual(
    [4, 5, 6, 1_000_000, largest].map((epoch) => isLater(epoch, 5)),
    [false, false, true, true, false],
  )
})
