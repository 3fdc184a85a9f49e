import assert from 'node:assert/strict'
import { test } from 'node:test'
import fc from 'fast-check'
import { compareIpv4, ipv4FromNumber, ipv4ToNumber, parseIpv4 } from '../../internal/value/ipv4.ts'

test('parseIpv4() takes four numbers and nothing else', () => {
  assert.equal(parseIpv4('10.0.1.5'), '10.0.1.5')
  for (const text of [
    '',
    '10.0.1',
    '10.0.1.256',
    '10.0.01.5',
    '10.0.1.5 ',
    '1.2.3.4.5',
    '::1',
    '10.0.1.-1',
  ]) {
    assert.equal(parseIpv4(text), undefined, text)
  }
})

test('ipv4FromNumber() undoes ipv4ToNumber()', () => {
  fc.assert(
    fc.property(fc.ipV4(), (text) => {
      const ip = parseIpv4(text)
      assert.ok(ip)
      assert.equal(ipv4FromNumber(ipv4ToNumber(ip)), ip)
    }),
  )
})

test('compareIpv4() orders by number, not by text', () => {
  const ips = ['10.0.0.10', '10.0.0.9', '9.255.255.255'].flatMap((text) => parseIpv4(text) ?? [])
  assert.deepEqual(ips.toSorted(compareIpv4), ['9.255.255.255', '10.0.0.9', '10.0.0.10'])
})
