import assert from 'node:assert/strict'
import { test } from 'node:test'
import fc from 'fast-check'
import { chooseDevices, preferDevices } from '../../internal/kubelet/choose-devices.ts'

const small = fc.integer({ min: 0, max: 20 })
const counted = fc
  .record({
    capacity: small,
    allocatable: small,
    used: fc.uniqueArray(fc.integer({ min: 0, max: 30 }), { maxLength: 10 }),
  })
  .map(({ capacity, allocatable, used }) => ({
    counts: { capacity, allocatable: Math.min(capacity, allocatable) },
    used: new Set(used.map((n) => `eni-ip-${n}`)),
  }))

test('[P17] chooseDevices() has as many as the counts say, and what pods have among them', () => {
  fc.assert(
    fc.property(counted, ({ counts, used }) => {
      const devices = chooseDevices('eni-ip', counts, used)
      const healthy = devices.filter(({ health }) => health === 'Healthy').map(({ id }) => id)
      assert.equal(new Set(devices.map(({ id }) => id)).size, devices.length)
      assert.equal(devices.length, Math.max(counts.capacity, used.size))
      assert.equal(healthy.length, Math.max(counts.allocatable, used.size))
      for (const id of used) assert.ok(healthy.includes(id))
    }),
  )
})

test('chooseDevices() changes nothing when one that was healthy is handed out', () => {
  fc.assert(
    fc.property(counted, fc.nat(), ({ counts, used }, pick) => {
      const before = chooseDevices('eni-ip', counts, used)
      const healthy = before.filter(({ health }) => health === 'Healthy')
      const chosen = healthy[pick % Math.max(1, healthy.length)]
      fc.pre(chosen !== undefined)
      assert.deepEqual(chooseDevices('eni-ip', counts, new Set([...used, chosen.id])), before)
    }),
  )
})

test('preferDevices() takes the lowest numbers, after those that it must', () => {
  const available = ['eni-ip-10', 'eni-ip-9', 'eni-ip-2', 'eni-ip-11']
  assert.deepEqual(preferDevices(available, [], 2), ['eni-ip-2', 'eni-ip-9'])
  assert.deepEqual(preferDevices(available, ['eni-ip-11'], 2), ['eni-ip-11', 'eni-ip-2'])
})
