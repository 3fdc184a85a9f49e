import assert from 'node:assert/strict'
import { test } from 'node:test'
import { shownAddresses } from '../../internal/leader/shown-addresses.ts'
import { nth } from '../given.ts'
import { podOn } from './leader-world.ts'

test('shownAddresses() knows which other nodes have live pods that show an address, and tells each change once', () => {
  const told: string[] = []
  const shown = shownAddresses((address, node) => told.push(`${address} ${node}`))
  const on = (...nodes: readonly string[]) => nodes.filter((node) => shown.elsewhere(nth(5), node))
  const a = podOn('n1', 'a', { ip: nth(5) })
  shown.put(a)
  shown.put(a)
  shown.put(podOn('n3', 'h', { ip: nth(5), hostNetwork: true }))
  assert.deepEqual(on('n1', 'n2'), ['n2'])
  shown.put(podOn('n2', 'b', { ip: nth(5) }))
  assert.deepEqual(on('n1', 'n2', 'n3'), ['n3'])
  shown.put({ ...a, ip: nth(6) })
  assert.deepEqual(on('n1', 'n2'), ['n1'])
  shown.put(podOn('n2', 'b', { ip: nth(5), terminal: true }))
  assert.deepEqual(on('n1', 'n2'), [])
  shown.drop(a.uid)
  shown.drop(a.uid)
  assert.deepEqual(told, [
    '10.0.1.5 n1',
    '10.0.1.5 n2',
    '10.0.1.5 n1',
    '10.0.1.6 n1',
    '10.0.1.5 n2',
    '10.0.1.6 n1',
  ])
})
