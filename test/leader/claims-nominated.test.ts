// What a pod asks for by its annotations, and cannot have; and two pods of one name.

import assert from 'node:assert/strict'
import { test } from 'node:test'
import { noFaults } from '../../internal/sim/vpc/settings.ts'
import type { Ipv4 } from '../../internal/value/ipv4.ts'
import { known } from '../given.ts'
import { ClaimWorld, minute, second } from './claim-world.ts'
import { podSubnet, vpcId } from './leader-world.ts'
import { releaseNow } from './release.ts'

const wish = '10.0.1.77' as Ipv4
const farSubnet = 'subnet-00000far'
const denied = { ...noFaults, deny: { CreateReserveIpAddresses: 1 } }

const asks = (nominatedIp: Ipv4) => ({ claim: { nominatedIp } })

test('[S12] a pod gets the address that it asks for', async (t) => {
  const world = await ClaimWorld.start(t)
  world.put('node-1', 'web-0', 1, asks(wish))
  assert.equal(await world.untilBound('web-0', 'node-1'), wish)
})

test('[S12][S13] also where none can be reserved', async (t) => {
  const world = await ClaimWorld.start(t)
  world.cloud.setFaults(denied)
  world.put('node-1', 'web-0', 1, asks(wish))
  await world.until(() => world.stateOf('web-0') === `Bound ${wish}`)
  assert.equal(world.stateOf('web-0'), `Bound ${wish}`)
})

for (const { does, faults } of [
  { does: 'waits for its end, and has it then', faults: noFaults },
  { does: 'does so with parked addresses, too', faults: denied },
]) {
  test(`[S12][R1] one that asks for the address of another pod ${does}`, async (t) => {
    const world = await ClaimWorld.start(t)
    world.cloud.setFaults(faults)
    const uid = world.put('node-1', 'web-0', 1, asks(wish))
    await world.until(() => world.claim('web-0')?.phase === 'Bound')
    world.put('node-2', 'web-1', 1, asks(wish))
    await world.clock.advance(2 * minute)
    assert.equal(world.stateOf('web-1'), 'Pending -')
    assert.equal(world.claim('web-1')?.reason, 'AddressTaken')
    assert.match(world.claim('web-1')?.message ?? '', /pod default\/web-0 has 10\.0\.1\.77$/)
    assert.ok(world.podReasons('web-1').includes('AddressTaken'))
    await world.end(uid)
    const released = releaseNow(known(world.leader).claims, world.claim('web-0'))
    await world.until(() => world.claim('web-1')?.phase === 'Bound', 5 * minute)
    assert.deepEqual(await released, 'releasing')
    assert.equal(world.stateOf('web-1'), `Bound ${wish}`)
  })
}

test('[S12] one that a stranger has is not got, and the pod is told, once', async (t) => {
  const world = await ClaimWorld.start(t)
  const theirs = world.cloud.admin.reserveIp({ subnetId: podSubnet, address: wish }, world.clock.now())
  world.put('node-1', 'web-0', 1, asks(wish))
  await world.clock.advance(minute)
  assert.deepEqual([world.stateOf('web-0'), world.claim('web-0')?.reason], ['Pending -', 'AddressTaken'])
  const { version } = known(world.claim('web-0'))
  await world.clock.advance(5 * minute)
  assert.equal(world.claim('web-0')?.version, version)
  assert.deepEqual(world.podReasons('web-0'), ['AddressTaken'])
  world.cloud.admin.releaseReservation(theirs.id, world.clock.now())
  assert.equal(await world.untilBound('web-0', 'node-1'), wish)
})

for (const { asks: claim, reason, says } of [
  {
    asks: { nominatedIp: '172.16.0.9' as Ipv4 },
    reason: 'NominatedAddressRefused',
    says: /no container subnet that it may use contains 172\.16\.0\.9$/,
  },
  {
    asks: { nominatedSubnets: ['subnet-unknown0'] },
    reason: 'NominatedSubnetRefused',
    says: /subnet-unknown0: none of them is a container subnet$/,
  },
  {
    asks: { nominatedSubnets: [farSubnet] },
    reason: 'StaticIPInOtherZone',
    says: /subnet-00000far is in zone ap-guangzhou-4, and node node-1 in zone ap-guangzhou-3/,
  },
  {
    asks: { nominatedIp: '10.0.4.9' as Ipv4 },
    reason: 'StaticIPInOtherZone',
    says: /10\.0\.4\.9 is in zone ap-guangzhou-4/,
  },
]) {
  for (const faults of [noFaults, denied])
    test(`[S12] ${reason}: ${JSON.stringify(claim)} ${faults === denied ? 'without reservations' : ''}`, async (t) => {
      const world = new ClaimWorld(t, { staticIps: true, subnetIds: [podSubnet, farSubnet] })
      world.cloud.admin.createSubnet(
        { id: farSubnet, vpcId, cidr: '10.0.4.0/24', zone: 'ap-guangzhou-4' },
        world.clock.now(),
      )
      world.cloud.setFaults(faults)
      world.addNode('node-1', 'S5.MEDIUM4')
      world.start()
      await world.clock.advance(20 * second)
      if (faults === denied) world.put('node-1', 'any-0')
      await world.clock.advance(20 * second)
      world.put('node-1', 'web-0', 1, { claim })
      await world.clock.advance(minute)
      assert.deepEqual([world.stateOf('web-0'), world.claim('web-0')?.reason], ['Pending -', reason])
      assert.match(world.claim('web-0')?.message ?? '', says)
      assert.deepEqual(world.podReasons('web-0'), [reason])
      assert.equal(world.condition('node-1'), 'PoolServed', 'the node lacks nothing')
    })
}

test('[S12] the next pod of the name has nothing to do with what the one before asked for in vain', async (t) => {
  const world = await ClaimWorld.start(t)
  const uid = world.put('node-1', 'web-0', 1, asks('10.0.1.0' as Ipv4))
  await world.until(() => world.claim('web-0')?.reason === 'CloudRefused')
  await world.clock.advance(5 * minute)
  world.kube.pods.remove(uid)
  world.put('node-1', 'web-0', 2)
  await world.until(() => world.claim('web-0')?.phase === 'Bound', 30 * second)
  assert.equal(world.claim('web-0')?.phase, 'Bound')
})

test('[S12] nor when it comes while no leader runs', async (t) => {
  const world = await ClaimWorld.start(t)
  const uid = world.put('node-1', 'web-0', 1, { claim: { nominatedSubnets: ['subnet-typo'] } })
  await world.until(() => world.claim('web-0')?.reason === 'NominatedSubnetRefused')
  world.crash()
  world.kube.pods.remove(uid)
  world.put('node-1', 'web-0', 2)
  world.start()
  await world.untilBound('web-0', 'node-1')
})

test('[S12][R2] what was reserved for the pod before, and not heard of, is let go when the next one asks for something else', async (t) => {
  const world = await ClaimWorld.start(t)
  world.cloud.setFaults({ loseNextAnswers: { CreateReserveIpAddresses: 1 } })
  const uid = world.put('node-1', 'web-0', 1, asks(wish))
  await world.until(() => world.reserved().length === 1)
  world.crash()
  world.kube.pods.remove(uid)
  world.put('node-1', 'web-0', 2, asks('10.0.1.78' as Ipv4))
  world.start()
  assert.equal(await world.untilBound('web-0', 'node-1'), '10.0.1.78')
  await world.clock.advance(second)
  assert.deepEqual(world.reserved(), ['10.0.1.78'])
})

test('[S4] a pod that comes while one of its name is in a pause is looked after at once', async (t) => {
  const world = await ClaimWorld.start(t)
  world.cloud.setFaults({ throttle: { CreateReserveIpAddresses: 1, DescribeReserveIpAddresses: 1 } })
  const uid = world.put('node-1', 'web-0')
  await world.clock.advance(20 * minute)
  world.cloud.setFaults({ throttle: {} })
  world.kube.pods.remove(uid)
  world.put('node-1', 'web-0', 2)
  await world.until(() => world.claim('web-0')?.phase === 'Bound', 15 * second)
  assert.equal(world.claim('web-0')?.phase, 'Bound')
})

test('[R1][S4] of two pods of one name, one of which was deleted by force, never both have it', async (t) => {
  const world = await ClaimWorld.start(t)
  const first = world.put('node-1', 'web-0')
  const address = await world.untilBound('web-0', 'node-1')
  world.show(first, address)
  const its = world.publishedFor('node-1', 'web-0')
  // The new one is seen before the old one is gone.
  const second1 = world.put('node-2', 'web-0', 2)
  await world.clock.advance(5 * second)
  assert.equal(world.claim('web-0')?.podUid, second1)
  world.show(first, address) // a late event of the old one
  await world.clock.advance(5 * second)
  assert.equal(world.claim('web-0')?.podUid, second1)
  world.kube.pods.remove(first)
  await world.clock.advance(3 * minute)
  assert.deepEqual(world.publishedFor('node-2', 'web-0'), [], 'node-1 may still run it')
  assert.equal(world.claim('web-0')?.reason, 'StaticIPInUse')
  world.giveBack('node-1', its)
  assert.equal(await world.untilBound('web-0', 'node-2'), address)
  assert.deepEqual(world.publishedFor('node-1', 'web-0'), [])
})
