// What `ip -json` prints, read.
import assert from 'node:assert/strict'
import { test } from 'node:test'
import { readLinks } from '../../internal/linux/read-kernel.ts'

test('[D4] readLinks() knows an ENI by the MAC its hardware came with, whatever a pod that had it has set', () => {
  // A pod with CAP_NET_ADMIN set another MAC and ended: the ENI was known to nobody any more, and its place was lost.
  const link = { ifindex: 3, ifname: 'eth1', flags: ['UP'], address: '02:00:00:00:00:01' }
  const before = readLinks([{ ...link, address: '20:90:6f:00:00:01' }])
  assert.deepEqual(readLinks([{ ...link, permaddr: '20:90:6f:00:00:01' }]), before)
})
