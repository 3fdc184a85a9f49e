import assert from 'node:assert/strict'
import { test } from 'node:test'
import { editDistance, nearest } from '../../internal/base/nearest.ts'

for (const { word, want } of [
  { word: 'cooldwon', want: 'cooldown' },
  { word: 'subnet', want: 'subnets' },
  { word: 'zzz', want: undefined },
  { word: 'cooldown', want: 'cooldown' },
]) {
  test(`nearest("${word}") is ${want ?? 'nothing'}`, () => {
    assert.equal(nearest(word, ['subnets', 'cooldown', 'region']), want)
  })
}

for (const { a, b, want } of [
  { a: '', b: 'abc', want: 3 },
  { a: 'abc', b: 'acb', want: 1 },
  { a: 'kitten', b: 'sitting', want: 3 },
]) {
  test(`editDistance("${a}", "${b}") is ${want}, both ways`, () => {
    assert.equal(editDistance(a, b), want)
    assert.equal(editDistance(b, a), want)
  })
}
