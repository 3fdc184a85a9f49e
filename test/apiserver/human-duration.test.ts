import assert from 'node:assert/strict'
import { test } from 'node:test'
import { ageOf, humanDuration } from '../../internal/apiserver/human-duration.ts'

const s = 1000
const m = 60 * s
const h = 60 * m
const d = 24 * h

test('humanDuration() prints as kubectl does', () => {
  for (const [duration, text] of [
    [-5 * s, '<invalid>'],
    [0, '0s'],
    [119 * s, '119s'],
    [2 * m, '2m'],
    [9 * m + 59 * s, '9m59s'],
    [10 * m + 1 * s, '10m'],
    [179 * m, '179m'],
    [3 * h, '3h'],
    [7 * h + 59 * m, '7h59m'],
    [8 * h + 1 * m, '8h'],
    [47 * h, '47h'],
    [48 * h, '2d'],
    [7 * d + 23 * h, '7d23h'],
    [8 * d + 1 * h, '8d'],
    [729 * d, '729d'],
    [730 * d, '2y'],
    [800 * d, '2y70d'],
    [3650 * d, '10y'],
  ] as const) {
    assert.equal(humanDuration(duration), text)
  }
})

test('ageOf() knows when there is no time', () => {
  assert.equal(ageOf(undefined, 0), '<unknown>')
  assert.equal(ageOf('soon', 0), '<unknown>')
  assert.equal(ageOf('1970-01-01T00:00:10Z', 15_000), '5s')
})
