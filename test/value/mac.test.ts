import assert from 'node:assert/strict'
import { test } from 'node:test'
import { parseMac } from '../../internal/value/mac.ts'

test('[D4] parseMac() makes the spellings of the API and of Linux one', () => {
  assert.equal(parseMac('20:90:6F:0A:BC:01'), '20:90:6f:0a:bc:01')
  assert.equal(parseMac('20:90:6f:0a:bc:01'), '20:90:6f:0a:bc:01')
})

for (const text of ['', '20:90:6f:0a:bc', '20:90:6f:0a:bc:01:02', '20-90-6f-0a-bc-01', '20:90:6f:0a:bc:0g']) {
  test(`parseMac() refuses "${text}"`, () => assert.equal(parseMac(text), undefined))
}
