import assert from 'node:assert/strict'
import { test } from 'node:test'
import { isRecent, parseDuration } from '../../internal/value/millis.ts'

for (const { text, want } of [
  { text: '0', want: 0 },
  { text: '90s', want: 90_000 },
  { text: '1h30m', want: 5_400_000 },
  { text: '250ms', want: 250 },
  { text: '5m', want: 300_000 },
  { text: '1d', want: 86_400_000 },
  { text: '', want: undefined },
  { text: '5', want: undefined },
  { text: '-5m', want: undefined },
  { text: '5 m', want: undefined },
  { text: '1.5h', want: undefined },
  { text: '5M', want: undefined },
  { text: `${'9'.repeat(30)}d`, want: undefined },
]) {
  test(`[R6] parseDuration("${text}") is ${want ?? 'refused'}`, () => assert.equal(parseDuration(text), want))
}

for (const { at, want } of [
  { at: 1000, want: true },
  { at: 501, want: true },
  { at: 500, want: false },
  { at: 1001, want: false },
]) {
  test(`isRecent(): ${at} is ${want ? '' : 'not '}within 500 ms of 1000`, () => {
    assert.equal(isRecent(at, 1000, 500), want)
  })
}
