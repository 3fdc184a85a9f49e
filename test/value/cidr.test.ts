import assert from 'node:assert/strict'
import { test } from 'node:test'
import fc from 'fast-check'
import { cidrContains, cidrRange, gatewayOf, parseCidr } from '../../internal/value/cidr.ts'
import { ipv4FromNumber, ipv4ToNumber, parseIpv4 } from '../../internal/value/ipv4.ts'
import { cidr, ip } from '../given.ts'

for (const { text, want } of [
  { text: '10.0.1.0/24', want: true },
  { text: '10.0.1.16/28', want: true },
  { text: '0.0.0.0/0', want: true },
  { text: '10.0.1.5/32', want: true },
  { text: '10.0.1.1/24', want: false }, // host bits
  { text: '10.0.1.8/28', want: false },
  { text: '10.0.1.0/33', want: false },
  { text: '10.0.1.0/', want: false },
  { text: '10.0.1.0', want: false },
  { text: '10.0.1.0/24/24', want: false },
  { text: '10.0.1.0/+4', want: false },
  { text: '10.0.300.0/24', want: false },
]) {
  test(`parseCidr() ${want ? 'takes' : 'refuses'} "${text}"`, () => {
    assert.equal(parseCidr(text), want ? text : undefined)
  })
}

test('cidrContains() agrees with counting from the first address', () => {
  const anyBlock = fc.tuple(fc.ipV4(), fc.integer({ min: 0, max: 32 })).map(([text, bits]) => {
    const size = 2 ** (32 - bits)
    const first = Math.floor(ipv4ToNumber(ip(text)) / size) * size
    return { block: cidr(`${ipv4FromNumber(first)}/${bits}`), first, size }
  })
  fc.assert(
    fc.property(anyBlock, fc.ipV4(), ({ block, first, size }, text) => {
      const offset = ipv4ToNumber(ip(text)) - first
      assert.equal(cidrContains(block, ip(text)), offset >= 0 && offset < size)
      assert.deepEqual({ ...cidrRange(block), bits: 0 }, { first, size, bits: 0 })
      assert.ok(parseIpv4(ipv4FromNumber(first)))
    }),
  )
})

test('gatewayOf() is the first host address', () => {
  assert.equal(gatewayOf(cidr('10.0.1.0/24')), '10.0.1.1')
  assert.equal(gatewayOf(cidr('10.0.1.240/28')), '10.0.1.241')
})
