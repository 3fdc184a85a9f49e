// What an ENI's tags say, people may have edited.
import assert from 'node:assert/strict'
import { test } from 'node:test'
import { purposeOf } from '../../internal/ipam/eni-tags.ts'

for (const node of ['', '..', 'a/b', '-a', 'a'.repeat(300)]) {
  test(`[R7] purposeOf() takes "${node.slice(0, 10)}" for no node: there can be none of that name`, () => {
    assert.equal(purposeOf({ tags: { 'tke-eni-node': node } }).node, undefined)
  })
}

for (const node of ['n', 'node-1', '10.0.0.1', 'a.b-c.d']) {
  test(`purposeOf() reads the node "${node}"`, () => {
    assert.equal(purposeOf({ tags: { 'tke-eni-node': node } }).node, node)
  })
}
