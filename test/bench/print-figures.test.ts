import assert from 'node:assert/strict'
import { test } from 'node:test'
import type { Figure } from './figure.ts'
import { figureAsText, figuresAsJson } from './print-figures.ts'
import { percentile } from './statistics.ts'

const figure: Figure = {
  id: 'q2',
  title: 'allocations',
  rows: [
    { what: 'store', value: 8000, unit: '/s', reference: { what: 'fsync each', value: 4000 } },
    { what: 'agent', value: 61.25, unit: 'MB' },
  ],
  notes: ['on a busy machine'],
}
const machine = {
  cores: 2,
  processor: 'any',
  architecture: 'x64',
  kernel: '6',
  fileSystem: 'ext4',
  load: 0,
}

test('figureAsText() sets each number beside its reference', () => {
  assert.equal(
    figureAsText(figure),
    [
      'Q2  allocations',
      '  store   8000/s  2.00 x  4000/s fsync each',
      '  agent  61.3 MB',
      '  (on a busy machine)',
    ].join('\n'),
  )
})

test('figuresAsJson() has the ratios', () => {
  const { figures } = JSON.parse(figuresAsJson(machine, [figure])) as {
    figures: [{ rows: { ratio?: number }[] }]
  }
  assert.deepEqual(
    figures[0].rows.map(({ ratio }) => ratio),
    [2, undefined],
  )
})

test('percentile() is one of the values', () => {
  assert.equal(percentile([3, 1, 2], 0.5), 2)
  assert.equal(percentile([3, 1, 2], 0.99), 3)
  assert.ok(Number.isNaN(percentile([], 0.5)))
})
