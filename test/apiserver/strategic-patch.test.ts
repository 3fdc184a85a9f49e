import assert from 'node:assert/strict'
import { test } from 'node:test'
import { applyStrategicPatch } from '../../internal/apiserver/patch/strategic-patch.ts'

const rules = {
  items: { key: 'name', below: { ports: { key: 'port' } } },
  set: { key: '' },
  inner: { below: { items: { key: 'name' } } },
}
const item = (name: string, rest: object = {}) => ({ name, ...rest })
const items = (...names: readonly string[]) => names.map((name) => item(name))

const cases = [
  {
    does: 'merges objects and removes nulls',
    target: { a: 1, o: { x: 1, y: 2 } },
    patch: { a: null, o: { y: 3 } },
    result: { o: { x: 1, y: 3 } },
  },
  {
    does: 'replaces lists without a key',
    target: { list: [1, 2] },
    patch: { list: [3] },
    result: { list: [3] },
  },
  {
    does: 'merges items by key',
    target: { items: [item('a', { v: 1 }), item('b')] },
    patch: { items: [item('a', { w: 2 })] },
    result: { items: [item('a', { v: 1, w: 2 }), item('b')] },
  },
  {
    does: 'puts new items first',
    target: { items: items('a') },
    patch: { items: items('b') },
    result: { items: items('b', 'a') },
  },
  {
    does: 'keeps the order of what is there',
    target: { items: items('a', 'b', 'c') },
    patch: { items: items('b') },
    result: { items: items('a', 'b', 'c') },
  },
  {
    does: 'orders as asked',
    target: { items: items('a', 'b') },
    patch: { '$setElementOrder/items': items('c', 'b', 'a'), items: items('c') },
    result: { items: items('c', 'b', 'a') },
  },
  {
    does: 'deletes an item by directive',
    target: { items: items('a', 'b') },
    patch: { items: [item('a', { $patch: 'delete' })] },
    result: { items: items('b') },
  },
  {
    does: 'replaces a list by directive',
    target: { items: items('a', 'b') },
    patch: { items: [{ $patch: 'replace' }, item('c')] },
    result: { items: items('c') },
  },
  {
    does: 'replaces an object by directive',
    target: { o: { x: 1 } },
    patch: { o: { $patch: 'replace', y: 2 } },
    result: { o: { y: 2 } },
  },
  {
    does: 'keeps only retained keys',
    target: { o: { x: 1, y: 2 } },
    patch: { o: { $retainKeys: ['y', 'z'], z: 3 } },
    result: { o: { y: 2, z: 3 } },
  },
  {
    does: 'joins sets',
    target: { set: ['a', 'b'] },
    patch: { set: ['b', 'c'] },
    result: { set: ['a', 'b', 'c'] },
  },
  {
    does: 'takes from sets',
    target: { set: ['a', 'b'] },
    patch: { '$deleteFromPrimitiveList/set': ['a'] },
    result: { set: ['b'] },
  },
  {
    does: 'merges lists in items',
    target: { items: [item('a', { ports: [{ port: 1, x: 1 }] })] },
    patch: { items: [item('a', { ports: [{ port: 1, y: 2 }] })] },
    result: { items: [item('a', { ports: [{ port: 1, x: 1, y: 2 }] })] },
  },
]

for (const { does, target, patch, result } of cases) {
  test(`applyStrategicPatch() ${does}`, () => {
    const before = structuredClone(target)
    assert.deepEqual(applyStrategicPatch(target, patch, rules), result)
    assert.deepEqual(target, before, 'the target stays as it was')
  })
}

test('applyStrategicPatch() refuses items without their key and unknown directives', () => {
  for (const patch of [{ items: [{ v: 1 }] }, { items: ['a'] }, { o: { $patch: 'upside-down' } }]) {
    assert.throws(() => applyStrategicPatch({}, patch, rules), { code: 400 })
  }
})
