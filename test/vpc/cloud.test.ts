import assert from 'node:assert/strict'
import { test } from 'node:test'
import { errorCode } from '../../internal/ipam/errors.ts'
import { far, medium, small, subnetA, subnetB, T0, vpcId } from '../sim/vpc/world.ts'
import { freeEni, pod, setUp } from './cloud-on-sim.ts'

test('createCloud() takes an ENI from creation to deletion', async (t) => {
  const { clock, cloud, create } = setUp(t)
  const run = clock.runUntil.bind(clock)
  const made = await run(create(1, 2, { cluster: 'c', node: 'n' }))
  assert.equal(made.state, 'pending')
  assert.deepEqual(made.tags, { cluster: 'c', node: 'n' })
  assert.equal(made.mac, made.mac.toLowerCase())
  assert.equal((await run(create(1, 2, { cluster: 'c', node: 'n' }))).id, made.id) // the same token
  const look = async () => (await run(cloud.describeEnis({ ids: [made.id] }, pod)))[0]
  await clock.advance(3000)
  const free = await look()
  assert.deepEqual([free?.state, free?.instanceId, free?.ips.length], ['available', undefined, 2])
  assert.ok(free?.ips.every(({ state, address }) => state === 'available' && address !== free.primaryIp))

  await run(cloud.attachEni({ eni: made.id, instance: medium, clientToken: 'a' }, pod))
  assert.equal((await look())?.state, 'attaching')
  await clock.advance(3000)
  const attached = await look()
  assert.deepEqual([attached?.state, attached?.instanceId], ['available', medium])

  const addresses = await run(cloud.assignIps({ eni: made.id, count: 3, clientToken: 'b' }, pod))
  assert.equal(addresses.length, 3)
  await clock.advance(3000)
  assert.equal((await look())?.ips.length, 5)
  await run(cloud.unassignIps({ eni: made.id, addresses }, 'release'))
  await clock.advance(3000)
  assert.deepEqual((await look())?.ips, free?.ips)

  await run(cloud.detachEni({ eni: made.id, instance: medium, clientToken: 'd' }, 'collect'))
  await clock.advance(3000)
  await run(cloud.deleteEni(made.id, 'collect'))
  await clock.advance(3000)
  assert.equal(await look(), undefined)
  await assert.rejects(run(cloud.deleteEni(made.id, 'collect')), { code: 'not_found' })
})

const tags = { cluster: 'c', claim: 'ns/web-0' }
const asked = {
  subnetId: subnetA,
  address: undefined,
  name: 'web-0',
  description: 'of a test',
  tags,
  clientToken: 'r1',
}

test('createCloud() reserves an address, assigns exactly it, and releases it', async (t) => {
  const world = setUp(t)
  const { clock, cloud } = world
  const run = clock.runUntil.bind(clock)
  const made = await run(cloud.reserveIp(asked, pod))
  assert.deepEqual([made.vpcId, made.subnetId, made.bound, made.tags], [vpcId, subnetA, false, tags])
  assert.deepEqual(await run(cloud.reserveIp(asked, pod)), made) // the same token
  const eni = await freeEni(world, 'holder')
  const exactly = { eni, count: 1, addresses: [made.address], clientToken: 'a' }
  assert.deepEqual(await run(cloud.assignIps(exactly, pod)), [made.address])
  await clock.advance(3000)
  const bound = [{ ...made, bound: true }]
  for (const query of [{ ids: [made.id] }, { tags }, { addresses: [made.address], subnetId: subnetA }])
    assert.deepEqual(await run(cloud.describeReservations(query, pod)), bound)
  await assert.rejects(run(cloud.releaseReservation(made, 'release')), { code: 'invalid_state' })
  await run(cloud.unassignIps({ eni, addresses: [made.address] }, 'release'))
  await clock.advance(3000)
  await run(cloud.releaseReservation(made, 'release'))
  assert.deepEqual(await run(cloud.describeReservations({ ids: [made.id] }, pod)), [])
  await assert.rejects(run(cloud.releaseReservation(made, 'release')), { code: 'not_found' })
})

test('describeReservations() by tags reads every page, by ids and addresses as many calls as it takes', async (t) => {
  const { sim, clock, cloud } = setUp(t)
  const run = clock.runUntil.bind(clock)
  sim.setLimits({ hideReservedSubnets: true, refuseUnknownEnis: true })
  const made = await run(
    Promise.all(
      Array.from({ length: 130 }, (_, i) =>
        cloud.reserveIp({ ...asked, tags: { cluster: i % 2 === 0 ? 'c' : 'd' }, clientToken: `r${i}` }, pod),
      ),
    ),
  )
  const ids = made.map(({ id }) => id)
  const byId = await run(cloud.describeReservations({ ids: [...ids, 'rsvip-00000000'] }, 'collect'))
  assert.deepEqual(byId, made)
  const addresses = made.map(({ address }) => address)
  const byAddress = await run(cloud.describeReservations({ addresses, subnetId: subnetA }, 'collect'))
  assert.deepEqual(byAddress.map(({ id }) => id).sort(), ids.sort())
  assert.deepEqual(await run(cloud.describeReservations({ addresses, subnetId: subnetB }, 'collect')), [])
  const ours = await run(cloud.describeReservations({ tags: { cluster: 'c' } }, 'collect'))
  assert.equal(ours.length, 65)
  assert.deepEqual(await run(cloud.describeReservations({ ids: [] }, 'collect')), [])
})

test('reserveIp() without the permission is denied, and says which one', async (t) => {
  const { sim, clock, cloud } = setUp(t)
  sim.setFaults({ deny: { CreateReserveIpAddresses: 1 } })
  await assert.rejects(clock.runUntil(cloud.reserveIp(asked, pod)), {
    code: 'denied',
    hint: /^Allow vpc:CreateReserveIpAddresses/,
  })
  assert.deepEqual(sim.admin.audit(clock.now()).reservations, [])
})

test('[R5] reserveIp() does not know what became of it when no answer comes, and its token finds out', async (t) => {
  const { sim, clock, cloud } = setUp(t)
  sim.setFaults({ loseNextAnswers: { CreateReserveIpAddresses: 1 } })
  await assert.rejects(clock.runUntil(cloud.reserveIp(asked, pod)), { code: 'unknown_outcome' })
  const made = await clock.runUntil(cloud.reserveIp(asked, pod))
  assert.deepEqual(
    sim.admin.audit(clock.now()).reservations.map(({ id }) => id),
    [made.id],
  )
})

test('reserveIp() and assignIps() tell an address that another one has, and a full subnet', async (t) => {
  const world = setUp(t)
  const { clock, cloud } = world
  const run = clock.runUntil.bind(clock)
  const taken = await run(cloud.reserveIp(asked, pod))
  const again = { ...asked, address: taken.address, clientToken: 'r2' }
  await assert.rejects(run(cloud.reserveIp(again, pod)), { code: 'conflict' })
  const [one, two] = [await freeEni(world, 'one'), await freeEni(world, 'two')]
  const exactly = { count: 1, addresses: [taken.address] }
  await run(cloud.assignIps({ ...exactly, eni: one, clientToken: 'a' }, pod))
  await clock.advance(3000)
  await assert.rejects(run(cloud.assignIps({ ...exactly, eni: two, clientToken: 'b' }, pod)), {
    code: 'conflict',
  })
  const inB = (n: number) => cloud.reserveIp({ ...asked, subnetId: subnetB, clientToken: `b${n}` }, pod)
  await run(Promise.all(Array.from({ length: 12 }, (_, n) => inB(n))))
  await assert.rejects(run(inB(12)), { code: 'subnet_full' })
})

test('migrateIp() takes an address to another ENI', async (t) => {
  const world = setUp(t)
  const { clock, cloud } = world
  const [from, to] = [await freeEni(world, 'from', 1), await freeEni(world, 'to')]
  const ipsOf = async (id: string) => (await clock.runUntil(cloud.describeEnis({ ids: [id] }, pod)))[0]?.ips
  const address = (await ipsOf(from))?.[0]?.address
  assert.ok(address)
  await clock.runUntil(cloud.migrateIp({ from, to, address }, pod))
  assert.deepEqual(await ipsOf(from), [{ address, state: 'migrating' }])
  await clock.advance(3000)
  assert.deepEqual([await ipsOf(from), await ipsOf(to)], [[], [{ address, state: 'available' }]])
  await assert.rejects(clock.runUntil(cloud.migrateIp({ from, to, address }, pod)), { code: 'not_found' })
})

test('describeInstances(), describeSubnets() and describeEniQuota() give the facts of a node', async (t) => {
  const { clock, cloud } = setUp(t)
  const instances = await clock.runUntil(cloud.describeInstances([medium, far, 'ins-00unknow'], pod))
  assert.deepEqual(instances.map(({ id, zone, state }) => [id, zone, state]).sort(), [
    [far, 'ap-guangzhou-4', 'RUNNING'],
    [medium, 'ap-guangzhou-3', 'RUNNING'],
  ])
  const subnets = await clock.runUntil(cloud.describeSubnets([subnetA, subnetB], pod))
  assert.deepEqual(subnets.map(({ id, vpcId, cidr, zone }) => [id, vpcId, cidr, zone]).sort(), [
    [subnetA, vpcId, '10.0.1.0/24', 'ap-guangzhou-3'],
    [subnetB, vpcId, '10.0.2.0/28', 'ap-guangzhou-4'],
  ])
  assert.deepEqual(await clock.runUntil(cloud.describeEniQuota(small, pod)), { enis: 2, ipsPerEni: 6 })
})

test('describeEnis() shares calls among those who ask within a turn', async (t) => {
  const { clock, cloud, sent, create } = setUp(t)
  const made = await clock.runUntil(Promise.all(Array.from({ length: 130 }, (_, i) => create(i))))
  const answers = await clock.runUntil(
    Promise.all(made.map(({ id }) => cloud.describeEnis({ ids: [id, 'eni-00000000'] }, pod))),
  )
  assert.deepEqual(
    answers.map((enis) => enis.map(({ id }) => id)),
    made.map(({ id }) => [id]),
  )
  assert.equal(sent('DescribeNetworkInterfaces'), 2)
})

test('describeEnis() gives what exists when the API refuses unknown ids', async (t) => {
  const { sim, clock, cloud, create } = setUp(t)
  sim.setLimits({ refuseUnknownEnis: true })
  const made = await clock.runUntil(Promise.all([create(1), create(2), create(3)]))
  const ids = ['eni-unknown1', made[0]?.id ?? '', 'eni-unknown2', made[1]?.id ?? '', made[2]?.id ?? '']
  const found = await clock.runUntil(cloud.describeEnis({ ids }, pod))
  assert.deepEqual(found.map(({ id }) => id).sort(), made.map(({ id }) => id).sort())
  assert.deepEqual(await clock.runUntil(cloud.describeEnis({ ids: ['eni-unknown1'] }, pod)), [])
})

test('describeEnis() by tags reads every page and nothing of others', async (t) => {
  const { clock, cloud, create } = setUp(t)
  const owner = (i: number) => ({ cluster: i % 3 === 0 ? 'ours' : 'theirs', kind: 'eni' })
  await clock.runUntil(Promise.all(Array.from({ length: 240 }, (_, i) => create(i, 0, owner(i)))))
  const find = (tags: Record<string, string>) => clock.runUntil(cloud.describeEnis({ tags }, 'collect'))
  assert.equal((await find({ kind: 'eni' })).length, 240)
  assert.equal((await find({ kind: 'eni', cluster: 'ours' })).length, 80)
  assert.equal((await find({ cluster: 'nobody' })).length, 0)
  await assert.rejects(find({}), { code: 'bad_input' })
})

test('describeEnis() refuses an id that would spoil a shared call', async (t) => {
  const { clock, cloud, create } = setUp(t)
  const made = await clock.runUntil(create(1))
  const both = Promise.allSettled([
    cloud.describeEnis({ ids: ['x'] }, pod),
    cloud.describeEnis({ ids: [made.id] }, pod),
  ])
  const [bad, good] = await clock.runUntil(both)
  assert.deepEqual(
    [bad?.status === 'rejected' && errorCode(bad.reason), good?.status],
    ['bad_input', 'fulfilled'],
  )
})

test('[R5] createCloud() gets through throttling', async (t) => {
  const { sim, clock, create, sent } = setUp(t)
  sim.setFaults({ throttle: { CreateNetworkInterface: 1 }, throttleUntil: clock.now() + 3000 })
  const made = await clock.runUntil(create(1))
  assert.equal(made.name, 'eni 1')
  assert.ok(sent('CreateNetworkInterface') > 2)
  assert.ok(clock.now() >= T0 + 3000)
})

test('[R5] createCloud() stays within the limits of the API however much is asked', async (t) => {
  const { sim, clock, cloud } = setUp(t)
  const quotas = Array.from({ length: 200 }, () => cloud.describeEniQuota(medium, 'collect'))
  await clock.runUntil(Promise.all(quotas))
  assert.deepEqual(sim.stats()['DescribeNetworkInterfaceLimit']?.outcomes, { ok: 200 })
})

test('[R5] createCloud() finds the pace when others use up most of the limit', async (t) => {
  const { sim, clock, create } = setUp(t)
  sim.setLimits({ rates: { CreateNetworkInterface: 10 } })
  const made = await clock.runUntil(Promise.all(Array.from({ length: 150 }, (_, i) => create(i))))
  assert.equal(made.length, 150)
  const { calls = 0 } = sim.stats()['CreateNetworkInterface'] ?? {}
  assert.ok(calls < 300, `${calls} calls for 150 ENIs`)
  assert.ok(clock.now() - T0 < 60_000, `took ${clock.now() - T0} ms`)
})

test('createEni() whose answer is lost has an unknown outcome, and the same token finds the ENI', async (t) => {
  const { sim, clock, cloud, create, sent } = setUp(t)
  sim.setFaults({ loseNextAnswers: { CreateNetworkInterface: 1 } })
  await assert.rejects(clock.runUntil(create(1, 0, { intent: '7' })), { code: 'unknown_outcome' })
  assert.equal(sent('CreateNetworkInterface'), 1)
  const found = await clock.runUntil(cloud.describeEnis({ tags: { intent: '7' } }, pod))
  const again = await clock.runUntil(create(1, 0, { intent: '7' }))
  assert.deepEqual(
    found.map(({ id }) => id),
    [again.id],
  )
})

test('describeSubnets() whose answer is lost is asked again', async (t) => {
  const { sim, clock, cloud, sent } = setUp(t)
  sim.setFaults({ loseNextAnswers: { DescribeSubnets: 2 } })
  assert.equal((await clock.runUntil(cloud.describeSubnets([subnetA], pod))).length, 1)
  assert.equal(sent('DescribeSubnets'), 3)
})

test('assignIps() waits for another task on the same ENI', async (t) => {
  const { clock, cloud, create } = setUp(t)
  const { id } = await clock.runUntil(create(1))
  await clock.advance(3000)
  const both = Promise.all(
    ['a', 'b'].map((clientToken) => cloud.assignIps({ eni: id, count: 2, clientToken }, pod)),
  )
  const given = (await clock.runUntil(both)).flat()
  assert.equal(new Set(given).size, 4)
})

test('createCloud() tells an unreachable cloud, and recovers', async (t) => {
  const { clock, create, setReachable } = setUp(t)
  setReachable(false)
  await assert.rejects(clock.runUntil(create(1)), { code: 'unavailable', message: /cannot be reached/ })
  const later = create(2)
  await clock.advance(1000)
  setReachable(true)
  assert.equal((await clock.runUntil(later)).name, 'eni 2')
})

test('createCloud() tells what is used up', async (t) => {
  const { sim, clock, cloud, create } = setUp(t)
  const run = clock.runUntil.bind(clock)
  const code = (work: Promise<unknown>) => run(work.then(() => 'ok', errorCode))
  assert.equal(await code(create('big', 200)), 'ip_quota')
  sim.setLimits({ enisPerVpc: 2 })
  const made = await run(Promise.all([create(1), create(2)]))
  assert.equal(await code(create(3)), 'eni_quota')
  await clock.advance(3000)
  const attach = (i: number) =>
    cloud.attachEni({ eni: made[i]?.id ?? '', instance: small, clientToken: `a${i}` }, pod)
  assert.equal(await code(attach(0)), 'ok')
  await clock.advance(3000)
  assert.equal(await code(attach(1)), 'eni_quota')
  assert.equal(await code(attach(0)), 'ok') // the same token again
  assert.equal(await code(cloud.deleteEni(made[0]?.id ?? '', 'collect')), 'invalid_state')
  const assign = (count: number) =>
    cloud.assignIps({ eni: made[0]?.id ?? '', count, clientToken: `n${count}` }, pod)
  assert.equal(await code(assign(6)), 'ip_quota')
  assert.equal(await code(cloud.describeEniQuota('ins-00000000', pod)), 'not_found')
})
