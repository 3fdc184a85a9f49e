import assert from 'node:assert/strict'
import { test } from 'node:test'
import { warningsOf } from '../../cmd/plan/warnings.ts'
import { nodeBounds } from '../given.ts'

const bounds = (minWarm: number, minWarmEnis: number, maxExclusive = 2) =>
  nodeBounds(
    { minWarm, maxWarm: 5, maxEnis: 3, ipsPerEni: 9 },
    { minWarm: minWarmEnis, maxWarm: 1, maxEnis: maxExclusive, ipsPerEni: 1 },
  )

for (const { does, before, after, want } of [
  {
    does: 'has nothing to say of a pool that stays warm',
    before: bounds(5, 1),
    after: bounds(1, 1),
    want: [],
  },
  { does: 'has nothing to say of what is so already', before: bounds(0, 0), after: bounds(0, 0), want: [] },
  {
    does: 'says that pods which ask by resource find no node where nothing is kept warm',
    before: bounds(5, 1),
    after: bounds(0, 0),
    want: [
      /^with route-eni-ip-min-warm-target 0 .*eni-ip are not scheduled/,
      /^with direct-eni-min-warm-target 0 .*direct-eni are not/,
    ],
  },
  {
    does: 'has nothing to say of exclusive ENIs where there are none',
    before: bounds(5, 1),
    after: bounds(5, 0, 0),
    want: [],
  },
])
  test(`[P17] warningsOf() ${does}`, () => {
    const found = warningsOf(before, after)
    assert.equal(found.length, want.length)
    want.forEach((text, i) => {
      assert.match(found[i] ?? '', text)
    })
  })
