import assert from 'node:assert/strict'
import { test } from 'node:test'
import { parseJsonPath } from '../../internal/apiserver/json-path.ts'

const object = {
  spec: { size: 3, 'a.b': 'dotted', list: ['x', 'y'] },
  status: {
    conditions: [
      { type: 'Ready', status: 'True' },
      { type: 'Full', status: 'False' },
    ],
  },
}

test('parseJsonPath() finds what printer columns ask for', () => {
  for (const [path, found] of [
    ['.spec.size', [3]],
    ['$.spec.size', [3]],
    ['.spec.none.below', []],
    [String.raw`.spec.a\.b`, ['dotted']],
    [`.spec['a.b']`, ['dotted']],
    ['.spec.list[1]', ['y']],
    ['.spec.list[*]', ['x', 'y']],
    ['.spec.list[7]', []],
    ['.status.conditions[?(@.type=="Full")].status', ['False']],
    [`.status.conditions[?(@.type=='Ready')].status`, ['True']],
    ['.status.conditions[*].type', ['Ready', 'Full']],
  ] as const) {
    assert.deepEqual(parseJsonPath(path)?.(object), found, path)
  }
})

test('parseJsonPath() refuses what it does not know', () => {
  for (const path of ['spec', '.spec[?(@.a>3)]', '.spec[', '..size'])
    assert.equal(parseJsonPath(path), undefined, path)
})
