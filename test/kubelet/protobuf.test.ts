import assert from 'node:assert/strict'
import { test } from 'node:test'
import fc from 'fast-check'
import {
  deviceList,
  podResourceList,
  preferredRequest,
  registerRequest,
} from '../../internal/kubelet/messages.ts'

test('registerRequest is encoded as the kubelet wants it', () => {
  const bytes = registerRequest.encode({
    version: 'v1beta1',
    endpoint: 'a.sock',
    resourceName: 'x/y',
    options: { preStartRequired: false, preferredAllocationAvailable: true },
  })
  assert.equal(bytes.toString('latin1'), '\x0a\x07v1beta1\x12\x06a.sock\x1a\x03x/y\x22\x02\x10\x01')
})

test('a message is read as it was written', () => {
  const text = fc.string({ unit: 'binary' })
  const devices = fc.array(fc.record({ id: text, health: text }, { noNullPrototype: true }))
  fc.assert(
    fc.property(devices, (all) =>
      assert.deepEqual(deviceList.decode(deviceList.encode({ devices: all })).devices, all),
    ),
  )
  const wish = fc.record(
    { available: fc.array(text), mustInclude: fc.array(text), size: fc.nat() },
    { noNullPrototype: true },
  )
  fc.assert(
    fc.property(fc.array(wish), (containers) =>
      assert.deepEqual(
        preferredRequest.decode(preferredRequest.encode({ containers })).containers,
        containers,
      ),
    ),
  )
})

test('fields that are not known are skipped, of whatever wire type', () => {
  const topology = Buffer.from('1a02' + '0801', 'hex')
  const fixed = Buffer.concat([Buffer.from([0x29]), Buffer.alloc(8), Buffer.from([0x35]), Buffer.alloc(4)])
  const device = Buffer.concat([
    Buffer.from('\x0a\x01a', 'latin1'),
    topology,
    fixed,
    Buffer.from([0x38, 0x96, 0x01]),
  ])
  const list = Buffer.concat([Buffer.from([0x0a, device.length]), device])
  assert.deepEqual(deviceList.decode(list).devices, [{ id: 'a', health: '' }])
})

test('[R6] any bytes are a message or a RangeError', () => {
  fc.assert(
    fc.property(fc.uint8Array(), (bytes) => {
      try {
        podResourceList.decode(Buffer.from(bytes))
      } catch (error) {
        assert.ok(error instanceof RangeError)
      }
    }),
  )
})
