import assert from 'node:assert/strict'
import { test } from 'node:test'
import { rpFilterKey } from '../../internal/ipam/sysctl-keys.ts'

// The agent once asked for "net.ipv4.conf.eth0.100.rp_filter", which no kernel has: the filter of such a link was never set.
test('[D3] rpFilterKey() keeps a dot in a link’s name apart from those of the key', () => {
  assert.equal(rpFilterKey('eth0.100'), 'net.ipv4.conf.eth0/100.rp_filter')
  assert.equal(rpFilterKey('all'), 'net.ipv4.conf.all.rp_filter')
})
