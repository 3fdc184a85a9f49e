import assert from 'node:assert/strict'
import { test } from 'node:test'
import { hostLinkName } from '../../internal/ipam/host-link.ts'
import { isHostLink, podLinkMacs } from '../../internal/linux/pod-link.ts'

test('isHostLink() knows every name of hostLinkName() and no other link', () => {
  for (let id = 0; id < 1000; id += 1) assert.ok(isHostLink(hostLinkName(`c${id}`, 'eth0')))
  for (const name of [
    'eth0',
    'tke',
    'tkelan',
    'tke0123456789',
    'tke0123456789ab',
    'xtke0123456789',
    'tke0123456789G',
  ])
    assert.equal(isHostLink(name), false, name)
})

test('podLinkMacs() gives both ends stable, different, locally administered unicast addresses', () => {
  const seen = new Set<string>()
  for (let id = 0; id < 1000; id += 1) {
    const { hostMac, podMac } = podLinkMacs(hostLinkName(`c${id}`, 'eth0'))
    assert.match(hostMac, /^02(:[0-9a-f]{2}){5}$/)
    assert.match(podMac, /^02(:[0-9a-f]{2}){5}$/)
    seen.add(hostMac).add(podMac)
  }
  assert.equal(seen.size, 2000)
  assert.deepEqual(podLinkMacs('tke00000000001'), podLinkMacs('tke00000000001'))
})
