import assert from 'node:assert/strict'
import { test } from 'node:test'
import { NoAnswer } from '../../../internal/sim/vpc/api-error.ts'
import { noFaults } from '../../../internal/sim/vpc/settings.ts'
import { codeOf, createEni, describeEni, later, readyEni } from './calls.ts'
import { medium, openWorld, T0 } from './world.ts'

const tooMany = /^(RequestLimitExceeded|LimitExceeded\.ActionLimited)$/

test('rate limits hold per action and second', () => {
  const sim = openWorld({ limits: { rates: { DescribeVpcs: 3 } } })
  const codes = (at: number) =>
    Array.from({ length: 5 }, () => codeOf(() => sim.handle('DescribeVpcs', {}, at)))
  assert.equal(codes(T0).filter((code) => code === 'ok').length, 3)
  assert.equal(codes(T0 + 1000).filter((code) => code === 'ok').length, 3)
  for (const code of codes(T0 + 1000)) assert.match(code, tooMany)
  sim.setLimits({ rateLimits: false })
  assert.deepEqual(new Set(codes(T0 + 1000)), new Set(['ok']))
})

test('throttle refuses until its end', () => {
  const sim = openWorld()
  sim.setFaults({ throttle: { '*': 1, DescribeVpcs: 0 }, throttleUntil: T0 + 1000 })
  assert.match(
    codeOf(() => createEni(sim)),
    tooMany,
  )
  assert.equal(
    codeOf(() => sim.handle('DescribeVpcs', {}, T0)),
    'ok',
  )
  assert.ok(createEni(sim, T0 + 1000))
})

test('a lost answer has had its effect, a lost request has not', () => {
  const sim = openWorld()
  const enis = () => sim.admin.audit(T0).enis.length
  const before = enis()
  sim.setFaults({ loseNextAnswers: { CreateNetworkInterface: 1 } })
  assert.throws(() => createEni(sim), new NoAnswer('the answer was lost', true))
  assert.equal(enis(), before + 1)
  sim.setFaults({ lostRequests: { CreateNetworkInterface: 1 } })
  assert.throws(() => createEni(sim), new NoAnswer('the request was lost', false))
  assert.equal(enis(), before + 1)
  sim.setFaults(noFaults)
  createEni(sim)
  assert.equal(enis(), before + 2)
})

test('a repeated ClientToken brings the answer that was lost', () => {
  const sim = openWorld()
  sim.setFaults({ loseNextAnswers: { CreateNetworkInterface: 1 } })
  const token = { ClientToken: 'again' }
  assert.throws(() => createEni(sim, T0, token), NoAnswer)
  const made = createEni(sim, T0 + 1, token)
  assert.equal(sim.admin.audit(T0).enis.find(({ primary }) => !primary)?.id, made)
  sim.setLimits({ refuseTokenWhileRunning: true })
  assert.equal(
    codeOf(() => createEni(sim, T0 + 2, token)),
    'UnsupportedOperation.IdempotentProcessing',
  )
  assert.equal(createEni(sim, T0 + later, token), made)
})

test('an outage refuses everything', () => {
  const sim = openWorld()
  sim.setFaults({ outage: 'unavailable' })
  assert.equal(
    codeOf(() => createEni(sim)),
    'ServiceUnavailable',
  )
  sim.setFaults({ outage: 'reset' })
  assert.throws(() => createEni(sim), NoAnswer)
})

test('taskDelayMs puts transitions off', () => {
  const sim = openWorld()
  sim.setFaults({ taskDelayMs: 5000 })
  createEni(sim)
  assert.equal(sim.nextDue(), T0 + 6000)
})

for (const c of [
  { action: 'AttachNetworkInterface', more: { InstanceId: medium }, wantIps: 2 },
  { action: 'DeleteNetworkInterface', more: {}, wantIps: 2 },
  { action: 'AssignPrivateIpAddresses', more: { SecondaryPrivateIpAddressCount: 4 }, wantIps: 2 },
  {
    action: 'UnassignPrivateIpAddresses',
    more: { PrivateIpAddresses: [{ PrivateIpAddress: '10.0.1.9' }] },
    wantIps: 2,
  },
])
  test(`a failed task of ${c.action} leaves the ENI as it was`, () => {
    const sim = openWorld()
    const eni = readyEni(sim, { PrivateIpAddresses: [{ PrivateIpAddress: '10.0.1.9' }] })
    const before = describeEni(sim, eni, T0 + later)
    sim.setFaults({ failTasks: { [c.action]: 1 } })
    const { RequestId } = sim.handle(c.action, { NetworkInterfaceId: eni, ...c.more }, T0 + later)
    assert.notDeepEqual(describeEni(sim, eni, T0 + later), before)
    assert.deepEqual(describeEni(sim, eni, T0 + 2 * later), before)
    assert.equal(before?.ips.length, c.wantIps)
    const task = sim.handle('DescribeVpcTaskResult', { TaskId: RequestId }, T0 + 2 * later)
    assert.equal(task['Status'], 'FAILED')
  })
