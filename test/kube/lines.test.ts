import assert from 'node:assert/strict'
import { test } from 'node:test'
import fc from 'fast-check'
import { createLineSplitter } from '../../internal/kube/lines.ts'

test('push() gives the same lines however the bytes are cut', () => {
  const line = fc.string({ unit: 'grapheme', maxLength: 20 }).filter((text) => !/[\n\r]/.test(text))
  fc.assert(
    fc.property(fc.array(line), fc.array(fc.nat(40)), (lines, cuts) => {
      const splitter = createLineSplitter()
      const found: string[] = []
      let rest = Buffer.from(lines.map((text) => `${text}\n`).join(''))
      for (const cut of [...cuts, rest.length]) {
        found.push(...splitter.push(rest.subarray(0, cut)))
        rest = rest.subarray(cut)
      }
      found.push(...splitter.push(rest))
      assert.deepEqual(
        found,
        lines.map((text) => text.trim()).filter((text) => text !== ''),
      )
    }),
  )
})

test('push() keeps an unfinished line to itself', () => {
  const splitter = createLineSplitter()
  assert.deepEqual(splitter.push(Buffer.from('{"a":1}\n{"b"')), ['{"a":1}'])
  assert.deepEqual(splitter.push(Buffer.from(':2}\n')), ['{"b":2}'])
})

test('push() refuses a line without end', () => {
  const splitter = createLineSplitter(10)
  splitter.push(Buffer.from('123456'))
  assert.throws(() => splitter.push(Buffer.from('789012')), RangeError)
})
