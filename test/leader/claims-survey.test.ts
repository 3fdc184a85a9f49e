// Reservations that somebody made, released or changed behind the leader's back, or that a lost call has left.

import assert from 'node:assert/strict'
import { test } from 'node:test'
import { clusterTag } from '../../internal/ipam/eni-tags.ts'
import { reservationTags } from '../../internal/ipam/reservation-tags.ts'
import { noFaults } from '../../internal/sim/vpc/settings.ts'
import type { Ipv4 } from '../../internal/value/ipv4.ts'
import { known } from '../given.ts'
import { ClaimWorld, minute, second } from './claim-world.ts'
import { podOn, podSubnet, vpcId } from './leader-world.ts'
import { releaseNow } from './release.ts'

const purpose = (name: string, token: string) =>
  reservationTags({
    clusterId: 'cls-test',
    namespace: 'default',
    name,
    token,
    expireAfter: undefined,
    owner: undefined,
  })

function reserve(world: ClaimWorld, tags: Record<string, string>, address?: string) {
  const wanted = { subnetId: podSubnet, tags, ...(address !== undefined && { address }) }
  return world.cloud.admin.reserveIp(wanted, world.clock.now())
}

/** Of web-0, whose pod has ended on node-1: its reservation alone keeps it. */
async function restingAddress(world: ClaimWorld): Promise<Ipv4> {
  const uid = world.put('node-1', 'web-0')
  const address = await world.untilBound('web-0', 'node-1')
  await world.end(uid)
  await world.clock.advance(4 * minute)
  return address
}

/** Of web-0: its reservation is released, and an ENI of somebody else has it. */
async function giveToOthers(world: ClaimWorld, address: Ipv4): Promise<void> {
  assert.ok(world.console.create({ vpc: vpcId, subnet: podSubnet, tags: {}, ips: 0 }))
  await world.clock.advance(10 * second)
  const theirs = world.cloud.admin.audit(world.clock.now()).enis.find(({ name }) => name === 'by hand')
  world.cloud.admin.releaseReservation(known(world.claim('web-0')?.reservation), world.clock.now())
  assert.ok(world.console.assignNamed(known(theirs).id, address))
}

test('[R1] a reservation of no claim is released when two views agree, one of somebody else never', async (t) => {
  const world = await ClaimWorld.start(t)
  world.put('node-1', 'web-0')
  const address = await world.untilBound('web-0', 'node-1')
  const others = reserve(world, { [clusterTag]: 'cls-other' })
  const untagged = reserve(world, {})
  const unclear = reserve(world, { [clusterTag]: 'cls-test' })
  const orphan = reserve(world, purpose('web-9', 'lost'))
  await world.clock.advance(4 * minute)
  assert.equal(world.reserved().includes(orphan.address), false)
  for (const one of [others.address, untagged.address, unclear.address, address])
    assert.equal(world.reserved().includes(one), true)
  assert.deepEqual(world.suspects(), [`reservation-orphan ${unclear.id}`])
})

for (const detached of [false, true])
  test(`[R1] [R7] an orphan whose address an ENI of ours has is unassigned and released when two views agree${detached ? ', also when that was detached' : ''}`, async (t) => {
    const world = await ClaimWorld.start(t)
    world.put('node-1', 'web-0')
    const address = await world.untilBound('web-0', 'node-1')
    const eni = known(world.cloudEnis()[0])
    const orphan = reserve(world, purpose('web-9', 'lost'), '10.0.1.200')
    assert.equal(world.console.assignNamed(eni.id, orphan.address), true)
    await world.clock.advance(2 * second)
    if (detached) assert.ok(world.console.detach(eni.id, known(eni.instanceId ?? undefined)))
    await world.until(() => world.suspects().length > 0)
    const both = [`ip-unknown ${orphan.address}`, `reservation-orphan ${orphan.id}`]
    assert.deepEqual(world.suspects(), detached ? [`eni-detached ${eni.id}`, ...both] : both)
    assert.equal(world.reserved().includes(orphan.address), true)
    await world.until(() => !world.reserved().includes(orphan.address), 4 * minute)
    assert.deepEqual(world.addresses('node-1'), [address], 'no pod gets it')
    await world.clock.advance(2 * minute)
    assert.deepEqual(world.suspects(), [])
  })

test('[R1] [R2] an orphan on an ENI of ours leaves it by an intent: no pool gets it, however long that takes', async (t) => {
  const world = await ClaimWorld.start(t)
  world.put('node-1', 'web-0')
  await world.untilBound('web-0', 'node-1')
  const eni = known(world.cloudEnis()[0])
  const orphan = reserve(world, purpose('web-9', 'lost'), '10.0.1.200')
  assert.equal(world.console.assignNamed(eni.id, orphan.address), true)
  world.cloud.setFaults({ throttle: { UnassignPrivateIpAddresses: 1 } })
  const leaving = () =>
    world.ledger
      .openIntents()
      .some(({ addresses, kind }) => kind === 'unassign' && addresses.includes(orphan.address))
  await world.until(leaving, 4 * minute)
  for (const name of ['a', 'b', 'c', 'd']) world.put('node-1', name, 1, { keepsIp: false })
  await world.clock.advance(2 * minute)
  assert.ok(leaving())
  assert.equal(world.addresses('node-1').includes(orphan.address), false)
  world.crash()
  world.cloud.setFaults(noFaults)
  world.start()
  await world.until(() => !world.reserved().includes(orphan.address), 6 * minute)
  assert.equal(world.addresses('node-1').includes(orphan.address), false)
  assert.deepEqual(world.differences(), [])
})

for (const { does, tags, waits } of [
  { does: 'its tags do not say whose it is', tags: { [clusterTag]: 'cls-test' }, waits: false },
  { does: 'a pod shows its address', tags: purpose('web-9', 'lost'), waits: true },
])
  test(`[R7] an orphan whose address an ENI of ours has is left alone while ${does}`, async (t) => {
    const world = await ClaimWorld.start(t)
    world.put('node-1', 'web-0')
    await world.untilBound('web-0', 'node-1')
    const eni = known(world.cloudEnis()[0]).id
    const orphan = reserve(world, tags, '10.0.1.200')
    const shows = () =>
      world.kube.pods.put('other', podOn('node-2', 'other', { uid: 'other', ip: orphan.address }))
    if (waits) shows()
    assert.equal(world.console.assignNamed(eni, orphan.address), true)
    await world.clock.advance(5 * minute)
    assert.equal(world.reserved().includes(orphan.address), true)
    assert.ok(world.suspects().includes(`ip-unknown ${orphan.address}`))
    if (waits) world.kube.pods.remove('other')
    else assert.equal(world.console.unassign(eni, orphan.address), true)
    await world.clock.advance(4 * minute)
    assert.deepEqual(
      world.suspects().filter((suspect) => suspect.startsWith('ip-')),
      [],
    )
    assert.equal(world.reserved().includes(orphan.address), !waits)
  })

test('[R1] a claim that is let go before it knows its address gives that back from an ENI, too', async (t) => {
  const world = await ClaimWorld.start(t)
  world.put('node-1', 'web-1')
  const kept = await world.untilBound('web-1', 'node-1')
  world.cloud.setFaults({
    loseNextAnswers: { CreateReserveIpAddresses: 1 },
    throttle: { DescribeReserveIpAddresses: 1 },
  })
  const uid = world.put('node-1', 'web-0')
  await world.until(() => world.reserved().length === 2)
  world.crash()
  world.kube.pods.remove(uid)
  world.cloud.setFaults(noFaults)
  const address = known(world.reserved().find((one) => one !== kept))
  assert.ok(world.console.assignNamed(known(world.cloudEnis()[0]).id, address))
  world.start()
  await world.until(() => world.stateOf('web-0') === 'Releasing -')
  await world.until(() => world.stateOf('web-0') === 'none', 6 * minute)
  assert.deepEqual([world.reserved(), world.addresses('node-1')], [[kept], [kept]])
})

test('[R1] a reservation that somebody released is made again for a claim that rests', async (t) => {
  const world = await ClaimWorld.start(t)
  const address = await restingAddress(world)
  const before = known(world.claim('web-0')?.reservation)
  world.cloud.admin.releaseReservation(before, world.clock.now())
  await world.clock.advance(3 * minute)
  const claim = known(world.claim('web-0'))
  assert.notEqual(claim.reservation, before)
  assert.deepEqual([claim.phase, claim.address, claim.reason], ['Retained', address, ''])
  assert.deepEqual(world.reserved(), [address])
  assert.deepEqual(world.suspects(), [])
})

test('[R1] a survey settles that it was released and that its address was put on an ENI of ours', async (t) => {
  const world = await ClaimWorld.start(t)
  const uid = world.put('node-1', 'web-0')
  const address = await world.untilBound('web-0', 'node-1')
  world.put('node-1', 'web-1')
  await world.untilBound('web-1', 'node-1')
  await world.end(uid)
  await world.clock.advance(4 * minute)
  const before = known(world.claim('web-0')?.reservation)
  const eni = known(world.ledger.pool('node-1')?.enis[0]?.id)
  world.cloud.admin.releaseReservation(before, world.clock.now())
  assert.ok(world.console.assignNamed(eni, address))
  await world.clock.advance(5 * minute)
  assert.notEqual(world.claim('web-0')?.reservation, before)
  assert.equal(world.claim('web-0')?.address, address)
  assert.deepEqual(world.suspects(), [])
})

test('[R1] so it is, and it rests no longer on its ENI, when the clock was set back meanwhile', async (t) => {
  const world = await ClaimWorld.start(t)
  const uid = world.put('node-1', 'web-0')
  const address = await world.untilBound('web-0', 'node-1')
  await world.end(uid)
  world.crash()
  world.machine.skewMs -= 365 * 24 * 60 * minute
  world.start()
  await world.until(() => world.addresses('node-1').length === 0, 5 * minute)
  assert.deepEqual(world.addresses('node-1'), [])
  await world.clock.advance(10 * second)
  const before = known(world.claim('web-0')?.reservation)
  world.cloud.admin.releaseReservation(before, world.clock.now())
  await world.clock.advance(4 * minute)
  assert.notEqual(world.claim('web-0')?.reservation, before)
  assert.deepEqual(world.reserved(), [address])
})

test('[R1] where somebody else has taken the address meanwhile, the claim says so', async (t) => {
  const world = await ClaimWorld.start(t)
  const address = await restingAddress(world)
  world.cloud.admin.releaseReservation(known(world.claim('web-0')?.reservation), world.clock.now())
  const theirs = reserve(world, {}, address)
  await world.clock.advance(3 * minute)
  const claim = known(world.claim('web-0'))
  assert.deepEqual([claim.phase, claim.reservation, claim.reason], ['Retained', undefined, 'AddressTaken'])
  assert.ok(world.podReasons('web-0').includes('AddressTaken'))
  await world.clock.advance(3 * minute)
  assert.equal(world.claim('web-0')?.version, claim.version, 'it is said once')
  world.cloud.admin.releaseReservation(theirs.id, world.clock.now())
  await world.clock.advance(2 * minute)
  assert.match(known(world.claim('web-0')?.reservation), /^rsvip-/, 'it is kept again as soon as it is free')
})

// Incident: each refused call brought on a survey that came too soon to judge what had just been refused, in place of the one that was due.
test('[R1] a reservation that is gone is missed, also while its address is refused again and again', async (t) => {
  const world = await ClaimWorld.start(t, { surveyEvery: 5 * minute })
  const address = await restingAddress(world)
  await world.clock.advance(minute) // a survey is just over: the first refusal comes before the next
  await giveToOthers(world, address)
  world.put('node-1', 'web-0', 2)
  await world.until(() => world.podReasons('web-0').includes('AddressTaken'), 30 * minute)
  assert.ok(world.podReasons('web-0').includes('AddressTaken'))
  assert.equal(world.claim('web-0')?.reservation, undefined)
})

test('[S6] the next pod of its name is told what to do, and by force it gets another', async (t) => {
  const world = await ClaimWorld.start(t)
  const address = await restingAddress(world)
  await giveToOthers(world, address)
  const next = world.put('node-1', 'web-0', 2)
  const told = () =>
    world.kube.notices.find(({ about, reason }) => about.uid === next && reason === 'AddressTaken')
  await world.until(() => told() !== undefined, 20 * minute)
  assert.match(known(told()).message, /tke-eni delete vipc web-0 -n default --force/)
  assert.equal(world.claim('web-0')?.address, address)
  const outcome = releaseNow(known(world.leader).claims, world.claim('web-0'), { force: true })
  await world.until(() => world.claim('web-0')?.phase === 'Bound', 10 * minute)
  assert.deepEqual(await outcome, 'releasing')
  assert.notEqual(await world.untilBound('web-0', 'node-1'), address)
})

test('[R1] a claim finds a reservation of its own that it does not know', async (t) => {
  const world = await ClaimWorld.start(t)
  const uid = world.put('node-1', 'web-0')
  await world.untilBound('web-0', 'node-1')
  await world.end(uid)
  await world.clock.advance(4 * minute)
  const before = known(world.claim('web-0'))
  const forgotten = world.ledger.write((tx) => tx.changeClaim(before, { reservation: undefined }))
  await world.clock.advance(0)
  await forgotten
  await world.clock.advance(3 * minute)
  assert.equal(world.claim('web-0')?.reservation, before.reservation)
})

test('[R1] a reservation of one pod on the address of another is for a person to decide', async (t) => {
  const world = await ClaimWorld.start(t)
  const address = await restingAddress(world)
  world.cloud.admin.releaseReservation(known(world.claim('web-0')?.reservation), world.clock.now())
  const other = reserve(world, purpose('web-9', 'other'), address)
  await world.clock.advance(4 * minute)
  assert.ok(world.suspects().includes(`reservation-doubled ${other.id}`))
  assert.deepEqual(world.reserved(), [address])
})

test('[R1] one that keeps its address in place of the claim’s own is its own from then on', async (t) => {
  const world = await ClaimWorld.start(t)
  const address = await restingAddress(world)
  world.cloud.admin.releaseReservation(known(world.claim('web-0')?.reservation), world.clock.now())
  const other = reserve(world, purpose('web-0', 'other'), address)
  await world.clock.advance(4 * minute)
  assert.equal(world.claim('web-0')?.reservation, other.id)
  assert.deepEqual([world.suspects(), world.reserved()], [[], [address]])
})

test('[R7] a view that lacks all reservations loses none of them', async (t) => {
  const world = await ClaimWorld.start(t)
  for (let i = 0; i < 5; i++) world.put('node-1', `web-${i}`)
  await world.untilBound('web-4', 'node-1')
  await world.until(() => [0, 1, 2, 3].every((i) => world.claim(`web-${i}`)?.phase === 'Bound'))
  const before = world.ledger.staticClaims().map(({ reservation }) => reservation)
  world.crash()
  world.between = (transport) => ({
    async request(product, action, params, options) {
      const answer = await transport.request(product, action, params, options)
      if (action !== 'DescribeReserveIpAddresses') return answer
      return { ...answer, ReserveIpAddressSet: [], TotalCount: 0 }
    },
  })
  world.start()
  await world.clock.advance(4 * minute)
  assert.deepEqual(
    world.ledger.staticClaims().map(({ reservation }) => reservation),
    before,
  )
})

test('[S4][R7] a new ENI that gets a kept address for its own goes back, and the claim has it again', async (t) => {
  const world = ClaimWorld.of(t, { exclusiveEnis: true }, '10.0.1.0/28')
  world.start()
  await world.clock.advance(10 * second)
  const address = await restingAddress(world)
  const others = takeAllOthers(world)
  world.cloud.admin.releaseReservation(known(world.claim('web-0')?.reservation), world.clock.now())
  const uid = 'uid-own'
  world.kube.pods.put(uid, podOn('node-2', 'own', { uid, wants: 'exclusive' }))
  const isItsOwn = () =>
    world.cloud.admin.audit(world.clock.now()).ips.some((ip) => ip.primary && ip.address === address)
  await world.until(isItsOwn)
  assert.ok(isItsOwn(), 'it was the only one left')
  world.put('node-1', 'web-0', 2)
  await world.clock.advance(20 * second)
  for (const { id } of others) world.cloud.admin.releaseReservation(id, world.clock.now())
  assert.equal(await world.untilBound('web-0', 'node-1'), address)
  await world.until(() => world.published('node-2').length === 1)
  assert.notEqual(known(world.published('node-2')[0]).primaryIp, address)
})

/** Reserves for somebody else what the subnet has left. */
function takeAllOthers(world: ClaimWorld): { readonly id: string }[] {
  const { ips, reservations } = world.cloud.admin.audit(world.clock.now())
  const taken = new Set([...ips, ...reservations].map(({ address }) => address))
  const all = Array.from({ length: 13 }, (_, i) => `10.0.1.${i + 2}` as Ipv4)
  return all
    .filter((address) => !taken.has(address))
    .map((address) => reserve(world, { [clusterTag]: 'cls-other' }, address))
}
