// Random calls under seeds: the cloud stays consistent, and its past is what it was.
import assert from 'node:assert/strict'
import { test } from 'node:test'
import { pick, type Random, randomInt, seededRandom } from '../../../internal/base/random.ts'
import { ApiError } from '../../../internal/sim/vpc/api-error.ts'
import type { VpcSim } from '../../../internal/sim/vpc/sim.ts'
import { far, medium, openWorld, small, subnetA, subnetB, T0, vpcId } from './world.ts'

const instances = [small, medium, far]

function randomCall(sim: VpcSim, random: Random, at: number): void {
  const audit = sim.admin.audit(at)
  const eni = () => pick(random, audit.enis)?.id
  const ip = pick(random, audit.ips)
  const reservation = pick(random, audit.reservations)
  const eip = pick(random, audit.eips)?.id
  const calls: readonly [string, Record<string, unknown>][] = [
    [
      'CreateNetworkInterface',
      {
        VpcId: vpcId,
        SubnetId: pick(random, [subnetA, subnetB]),
        NetworkInterfaceName: 'x',
        SecondaryPrivateIpAddressCount: randomInt(random, 0, 4),
        Tags: [{ Key: 'k', Value: String(randomInt(random, 0, 2)) }],
      },
    ],
    ['AttachNetworkInterface', { NetworkInterfaceId: eni(), InstanceId: pick(random, instances) }],
    ['DetachNetworkInterface', { NetworkInterfaceId: eni(), InstanceId: pick(random, instances) }],
    ['DeleteNetworkInterface', { NetworkInterfaceId: eni() }],
    [
      'AssignPrivateIpAddresses',
      { NetworkInterfaceId: eni(), SecondaryPrivateIpAddressCount: randomInt(random, 1, 4) },
    ],
    [
      'UnassignPrivateIpAddresses',
      { NetworkInterfaceId: ip?.eniId, PrivateIpAddresses: [{ PrivateIpAddress: ip?.address }] },
    ],
    [
      'MigratePrivateIpAddress',
      {
        SourceNetworkInterfaceId: ip?.eniId,
        DestinationNetworkInterfaceId: eni(),
        PrivateIpAddress: ip?.address,
      },
    ],
    [
      'CreateReserveIpAddresses',
      {
        VpcId: vpcId,
        SubnetId: pick(random, [subnetA, subnetB]),
        IpAddressCount: randomInt(random, 1, 2),
        Tags: [{ Key: 'k', Value: String(randomInt(random, 0, 2)) }],
      },
    ],
    ['DeleteReserveIpAddresses', { VpcId: vpcId, ReserveIpIds: [reservation?.id] }],
    [
      'AssignPrivateIpAddresses',
      { NetworkInterfaceId: eni(), PrivateIpAddresses: [{ PrivateIpAddress: reservation?.address }] },
    ],
    ['AllocateAddresses', { AddressCount: randomInt(random, 1, 2), Tags: [{ Key: 'k', Value: 'eip' }] }],
    ['AssociateAddress', { AddressId: eip, NetworkInterfaceId: ip?.eniId, PrivateIpAddress: ip?.address }],
    ['AssociateAddress', { AddressId: eip, InstanceId: pick(random, instances) }],
    ['DisassociateAddress', { AddressId: eip }],
    ['ReleaseAddresses', { AddressIds: [eip] }],
  ]
  const [action, params] = pick(random, calls) ?? ['DescribeVpcs', {}]
  try {
    sim.handle(action, params, at)
  } catch (error) {
    if (!(error instanceof ApiError)) throw error
  }
}

function world(seed: number): VpcSim {
  const sim = openWorld({
    random: seededRandom(seed),
    latency: { minMs: 0, maxMs: 2000 },
    limits: { rateLimits: false, eips: 8, eipsPerDay: 1000 },
  })
  sim.setFaults({ failTasks: { '*': 0.1 } })
  return sim
}

test('random calls never break the cloud', () => {
  for (let seed = 1; seed <= 10; seed++) {
    const random = seededRandom(seed)
    const sim = world(seed)
    let now = T0
    for (let step = 0; step < 300; step++) {
      randomCall(sim, random, now)
      now += randomInt(random, 0, 300)
      assert.deepEqual(sim.admin.audit(now).faults, [], `seed ${seed}, step ${step}`)
    }
    if (sim.admin.audit(now).enis.some(({ instanceId }) => instanceId === medium))
      sim.admin.terminateInstance(medium, now)
    sim.advance(now + 10_000)
    const end = sim.admin.audit(now + 10_000)
    assert.deepEqual([end.faults, end.runningTasks], [[], 0], `seed ${seed}`)
    sim.close()
  }
})

test('stale describes answer what was true then', () => {
  const staleDescribeMs = 1000
  const [fresh, stale] = [world(7), world(7)] // the same calls under the same seed: the same world twice
  const [freshCalls, staleCalls] = [seededRandom(7), seededRandom(7)]
  stale.setFaults({ staleDescribeMs })
  const seen = new Map<number, unknown>()
  for (let now = T0; now < T0 + 20_000; now += 100) {
    randomCall(fresh, freshCalls, now)
    randomCall(stale, staleCalls, now)
    seen.set(now, describeAll(fresh, now))
    const past = seen.get(now - staleDescribeMs)
    const answer = describeAll(stale, now)
    if (past !== undefined) assert.deepEqual(answer, past)
  }
  const states = new Set([...seen.values()].map((one) => JSON.stringify(one)))
  assert.ok(states.size > 50, 'the world did change')
  stale.setFaults({ staleDescribeMs: 0 })
  const end = T0 + 30_000
  assert.deepEqual(describeAll(stale, end), describeAll(fresh, end))
})

function describeAll(sim: VpcSim, at: number): unknown {
  const { RequestId: _, ...enis } = sim.handle('DescribeNetworkInterfaces', { Limit: 100 }, at)
  const reserved = sim.handle('DescribeReserveIpAddresses', { Limit: 100 }, at)['ReserveIpAddressSet']
  const eips = sim.handle('DescribeAddresses', { Limit: 100 }, at)['AddressSet']
  return [enis, sim.handle('DescribeSubnets', {}, at)['SubnetSet'], reserved, eips]
}
