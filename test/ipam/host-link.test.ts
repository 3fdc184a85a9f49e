import assert from 'node:assert/strict'
import { test } from 'node:test'
import { hostLinkName } from '../../internal/ipam/host-link.ts'

test('hostLinkName() fits into 15 characters and tells 50,000 sandboxes apart', () => {
  const names = new Set(
    Array.from({ length: 50_000 }, (_, i) => hostLinkName(i.toString(16).padStart(64, '0'), 'eth0')),
  )
  assert.equal(names.size, 50_000)
  for (const name of [...names].slice(0, 100)) assert.match(name, /^tke[0-9a-f]{11}$/)
})

test('[R9] hostLinkName() is the same for the same sandbox interface, another one for another', () => {
  assert.equal(hostLinkName('c1', 'eth0'), hostLinkName('c1', 'eth0'))
  assert.notEqual(hostLinkName('c1', 'eth0'), hostLinkName('c1', 'eth1'))
})
