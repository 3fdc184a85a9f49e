import assert from 'node:assert/strict'
import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { test } from 'node:test'
import { seededRandom } from '../../../internal/base/random.ts'
import { openVpcSim } from '../../../internal/sim/vpc/sim.ts'
import { attachedEni, codeOf, createEni, describeEni, later, readyEni } from './calls.ts'
import { medium, openWorld, subnetA, T0, vpcId } from './world.ts'

test('handle() applies a transition when its time has come, not before', () => {
  const sim = openWorld()
  const eni = createEni(sim)
  assert.equal(sim.nextDue(), T0 + 1000)
  assert.equal(describeEni(sim, eni, T0 + 999)?.state, 'PENDING')
  assert.equal(describeEni(sim, eni, T0 + 1000)?.state, 'AVAILABLE')
  assert.equal(sim.nextDue(), undefined)
})

test('an attachment holds its place while it is on its way', () => {
  const sim = openWorld()
  const eni = readyEni(sim)
  sim.handle('AttachNetworkInterface', { NetworkInterfaceId: eni, InstanceId: medium }, T0 + later)
  const meanwhile = describeEni(sim, eni, T0 + later)
  assert.deepEqual([meanwhile?.state, meanwhile?.instanceId], ['ATTACHING', medium])
  assert.ok(!sim.admin.fabric().some(({ id }) => id === eni), 'not plugged in yet')
  sim.advance(T0 + 2 * later)
  const plugged = sim.admin.fabric().find(({ id }) => id === eni)
  assert.deepEqual([plugged?.instanceId, plugged?.deviceIndex], [medium, 1])
})

test('onChange names the ENIs whose tasks begin and end', () => {
  const changes: string[][] = []
  const sim = openWorld()
  sim.onChange((enis) => changes.push([...enis]))
  const eni = attachedEni(sim, medium)
  assert.deepEqual(changes, [[eni], [eni], [eni], [eni]])
})

test('an unassigned address is taken until the task is done', () => {
  const sim = openWorld()
  const eni = readyEni(sim, { PrivateIpAddresses: [{ PrivateIpAddress: '10.0.1.9' }] })
  const one = { NetworkInterfaceId: eni, PrivateIpAddresses: [{ PrivateIpAddress: '10.0.1.9' }] }
  const at = T0 + later
  sim.handle('UnassignPrivateIpAddresses', one, at)
  const other = { PrivateIpAddresses: [{ PrivateIpAddress: '10.0.1.9' }] }
  assert.equal(
    codeOf(() => createEni(sim, at, other)),
    'ResourceInUse',
  )
  assert.ok(createEni(sim, at + 1000, other))
})

test('CreateAndAttachNetworkInterface makes an ENI in its place', () => {
  const sim = openWorld()
  const answer = sim.handle(
    'CreateAndAttachNetworkInterface',
    { VpcId: vpcId, SubnetId: subnetA, NetworkInterfaceName: 'x', InstanceId: medium },
    T0,
  )
  sim.advance(T0 + later)
  const made = answer['NetworkInterface'] as { NetworkInterfaceId: string }
  const eni = describeEni(sim, made.NetworkInterfaceId, T0 + later)
  assert.deepEqual([eni?.state, eni?.instanceId], ['AVAILABLE', medium])
})

test('terminateInstance() frees its ENIs, those on their way as well', () => {
  const sim = openWorld()
  const there = attachedEni(sim, medium)
  const coming = readyEni(sim)
  const at = T0 + 3 * later
  sim.handle('AttachNetworkInterface', { NetworkInterfaceId: coming, InstanceId: medium }, at)
  sim.admin.terminateInstance(medium, at)
  for (const eni of [there, coming])
    assert.deepEqual(
      [describeEni(sim, eni, at + later)?.state, describeEni(sim, eni, at + later)?.instanceId],
      ['AVAILABLE', undefined],
    )
  assert.deepEqual(sim.admin.audit(at + later).faults, [])
})

test('openVpcSim() goes on where the file ends', (t) => {
  const folder = mkdtempSync(join(tmpdir(), 'vpc-sim-'))
  t.after(() => rmSync(folder, { recursive: true }))
  const path = join(folder, 'vpc.db')
  const first = openWorld({ path })
  first.setFaults({ taskDelayMs: 500 })
  const token = { ClientToken: 'once' }
  const eni = createEni(first, T0, token)
  const before = first.admin.audit(T0)
  first.close()

  const second = openVpcSim({ path, random: seededRandom(2) })
  assert.deepEqual(second.admin.audit(T0), before)
  assert.equal(second.nextDue(), T0 + 1500)
  assert.equal(second.faults().taskDelayMs, 500)
  assert.equal(createEni(second, T0, token), eni)
  assert.equal(describeEni(second, eni, T0 + 1500)?.state, 'AVAILABLE')
  second.close()
})

test('the same seed gives the same answers', () => {
  const run = () => {
    const sim = openWorld({ latency: { minMs: 100, maxMs: 3000 } })
    for (let i = 0; i < 20; i++) createEni(sim, T0 + i * 100, { SecondaryPrivateIpAddressCount: i % 3 })
    return sim.handle('DescribeNetworkInterfaces', { Limit: 100 }, T0 + 2500)
  }
  assert.deepEqual(run(), run())
})
