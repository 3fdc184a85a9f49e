// EIPs through the port, on the simulated cloud.
import assert from 'node:assert/strict'
import { type TestContext, test } from 'node:test'
import type { Ipv4 } from '../../internal/value/ipv4.ts'
import { medium, small } from '../sim/vpc/world.ts'
import { freeEni, pod, setUp } from './cloud-on-sim.ts'

const tags = { cluster: 'c', claim: 'ns/web-0' }

const wantedEip = {
  bandwidth: 100,
  chargeType: 'TRAFFIC_POSTPAID_BY_HOUR',
  isp: 'BGP',
  name: 'web-0',
  tags,
  raw: {},
  clientToken: 'e1',
} as const

test('createCloud() takes an EIP from allocation to release', async (t) => {
  const world = setUp(t)
  const { clock, cloud } = world
  const run = clock.runUntil.bind(clock)
  const eip = await run(cloud.allocateEip(wantedEip, pod))
  assert.equal(await run(cloud.allocateEip(wantedEip, pod)), eip) // the same token
  const look = async () => (await run(cloud.describeEips({ ids: [eip] }, pod)))[0]
  const creating = await look()
  assert.deepEqual([creating?.state, creating?.address], ['creating', undefined])
  await clock.advance(3000)
  const free = await look()
  assert.match(free?.address ?? '', /^(203\.0\.113|198\.51\.100)\.\d+$/)
  assert.deepEqual(free, {
    id: eip,
    address: free?.address,
    state: 'unbound',
    eniId: undefined,
    privateIp: undefined,
    instanceId: undefined,
    bandwidth: 100,
    chargeType: 'TRAFFIC_POSTPAID_BY_HOUR',
    isp: 'BGP',
    arrears: false,
    blocked: false,
    name: 'web-0',
    tags,
  })
  const eni = await freeEni(world, 'holder', 1)
  const privateIp = (await run(cloud.describeEnis({ ids: [eni] }, pod)))[0]?.ips[0]?.address
  assert.ok(privateIp)
  await run(cloud.associateEip({ eip, eni, privateIp }, pod))
  assert.equal((await look())?.state, 'binding')
  await clock.advance(3000)
  const loose = { ...free, state: 'bound_to_loose_eni', eniId: eni, privateIp }
  assert.deepEqual(await look(), loose)
  await run(cloud.attachEni({ eni, instance: medium, clientToken: 'a' }, pod))
  await clock.advance(3000)
  const bound = [{ ...loose, state: 'bound', instanceId: medium }]
  for (const query of [{ ids: [eip] }, { tags }, { eni }])
    assert.deepEqual(await run(cloud.describeEips(query, pod)), bound)
  await assert.rejects(run(cloud.releaseEip(eip, 'release')), { code: 'invalid_state' })
  await run(cloud.disassociateEip(eip, 'release'))
  assert.equal((await look())?.state, 'unbinding')
  await clock.advance(3000)
  assert.deepEqual(await look(), free)
  await run(cloud.releaseEip(eip, 'release'))
  assert.equal((await look())?.state, 'releasing')
  await clock.advance(3000)
  assert.equal(await look(), undefined)
  await assert.rejects(run(cloud.releaseEip(eip, 'release')), { code: 'not_found' })
})

/** EIPs of the console, and an ENI with addresses. */
async function withEni(t: TestContext, ips = 2) {
  const world = setUp(t)
  const { clock, cloud, sim } = world
  const run = clock.runUntil.bind(clock)
  const eni = await freeEni(world, 'holder', ips)
  const addresses =
    (await run(cloud.describeEnis({ ids: [eni] }, pod)))[0]?.ips.map(({ address }) => address) ?? []
  const eip = (id: string) => sim.admin.createEip({ id: `eip-${id.padStart(8, '0')}` }, clock.now()).id
  const bind = (id: string, privateIp: Ipv4 | undefined, to = eni) => {
    assert.ok(privateIp)
    return run(cloud.associateEip({ eip: id, eni: to, privateIp }, pod))
  }
  return { ...world, run, eni, addresses, eip, bind }
}

test('[R5] allocateEip() does not know what became of it when no answer comes, and its token finds out', async (t) => {
  const { sim, clock, cloud, sent } = setUp(t)
  sim.setFaults({ loseNextAnswers: { AllocateAddresses: 1 } })
  await assert.rejects(clock.runUntil(cloud.allocateEip(wantedEip, pod)), { code: 'unknown_outcome' })
  assert.equal(sent('AllocateAddresses'), 1)
  const found = await clock.runUntil(cloud.describeEips({ tags }, pod))
  const eip = await clock.runUntil(cloud.allocateEip(wantedEip, pod))
  assert.deepEqual(
    found.map(({ id }) => id),
    [eip],
  )
})

test('allocateEip() whose delivery has failed needs another token', async (t) => {
  const { sim, clock, cloud } = setUp(t)
  const run = clock.runUntil.bind(clock)
  sim.setFaults({ failTasks: { AllocateAddresses: 1 } })
  const lost = await run(cloud.allocateEip(wantedEip, pod))
  await clock.advance(3000)
  assert.deepEqual(await run(cloud.describeEips({ ids: [lost] }, pod)), [])
  sim.setFaults({ failTasks: {} })
  await assert.rejects(run(cloud.allocateEip(wantedEip, pod)), {
    code: 'cloud_fault',
    message: /UnsupportedOperation.DeliveryFailed/,
  })
  assert.notEqual(await run(cloud.allocateEip({ ...wantedEip, clientToken: 'e2' }, pod)), lost)
})

test('allocateEip() takes raw parameters, which override nothing of ours', async (t) => {
  const { sim, clock, cloud } = setUp(t)
  sim.setLimits({ bandwidthPackages: ['bwp-00000001'] })
  const raw = { BandwidthPackageId: 'bwp-00000001', AddressCount: 7, AddressName: 'x', ClientToken: 'y' }
  const request = { ...wantedEip, chargeType: 'BANDWIDTH_PACKAGE', bandwidth: 500, raw }
  const eip = await clock.runUntil(cloud.allocateEip(request, pod))
  const { eips } = sim.admin.audit(clock.now())
  assert.deepEqual(
    eips.map(({ id, name, bandwidth, chargeType }) => [id, name, bandwidth, chargeType]),
    [[eip, 'web-0', 500, 'BANDWIDTH_PACKAGE']],
  )
  const unknown = { ...wantedEip, raw: { NoSuchField: 1 }, clientToken: 'e2' }
  await assert.rejects(clock.runUntil(cloud.allocateEip(unknown, pod)), {
    code: 'bad_input',
    message: /NoSuchField/,
  })
})

test('[E8] allocateEip() without the permission is denied, and says which one and who carries it', async (t) => {
  const { sim, clock, cloud } = setUp(t)
  sim.setFaults({ deny: { AllocateAddresses: 1 } })
  await assert.rejects(clock.runUntil(cloud.allocateEip(wantedEip, pod)), {
    code: 'denied',
    hint: /^Allow cvm:AllocateAddresses .*role IPAMDofTKE_QCSRole .*policy QcloudAccessForIPAMDRoleInQcloudAllocateEIP$/,
  })
  assert.deepEqual(sim.admin.audit(clock.now()).eips, [])
})

test('allocateEip() tells what is used up, of the account, of the day and of the cloud, and that money is owed', async (t) => {
  const { sim, clock, cloud } = setUp(t)
  let token = 0
  const refused = async (want: object) => {
    const request = { ...wantedEip, clientToken: `q${++token}` }
    await assert.rejects(clock.runUntil(cloud.allocateEip(request, pod)), want)
  }
  sim.setLimits({ eips: 0 })
  await refused({ code: 'eip_quota', hint: /^Release unused EIPs/ })
  sim.setLimits({ eips: 1000, eipsPerDay: 0 })
  await refused({ code: 'eip_quota', hint: /^Wait for the next day/ })
  sim.setLimits({ eipsPerDay: 1000 })
  sim.setFaults({ noBalance: true })
  await refused({ code: 'arrears', hint: /^Pay / })
  sim.setFaults({ noBalance: false })
  for (let i = 0; i < 508; i++) sim.admin.createEip({}, clock.now())
  await refused({ code: 'no_address' })
})

test('allocateEip() stays within ten calls a second', async (t) => {
  const { sim, clock, cloud } = setUp(t)
  sim.setLimits({ eips: 100, eipsPerDay: 100 })
  const asked = Array.from({ length: 40 }, (_, i) =>
    cloud.allocateEip({ ...wantedEip, clientToken: `r${i}` }, pod),
  )
  await clock.runUntil(Promise.all(asked))
  assert.deepEqual(sim.stats()['AllocateAddresses']?.outcomes, { ok: 40 })
})

test('describeEips() by tags reads every page and nothing of others, by ids as many calls as it takes', async (t) => {
  const { sim, clock, cloud, sent } = setUp(t)
  const run = clock.runUntil.bind(clock)
  const made = Array.from({ length: 230 }, (_, i) =>
    sim.admin.createEip({ tags: { cluster: i % 2 === 0 ? 'ours' : 'theirs' } }, clock.now()),
  )
  sim.setLimits({ refuseUnknownEnis: true })
  const ours = await run(cloud.describeEips({ tags: { cluster: 'ours' } }, 'collect'))
  assert.equal(ours.length, 115)
  assert.deepEqual(await run(cloud.describeEips({ tags: { cluster: 'nobody' } }, 'collect')), [])
  const before = sent('DescribeAddresses')
  const ids = made.map(({ id }) => id)
  const byId = await run(cloud.describeEips({ ids }, 'collect'))
  assert.deepEqual(
    byId.map(({ id, address }) => ({ id, address })),
    made,
  )
  assert.equal(sent('DescribeAddresses') - before, 3)
  assert.deepEqual(
    (await run(cloud.describeEips({ ids: ['eip-00000000', ids[3] ?? ''] }, 'collect'))).map(({ id }) => id),
    [ids[3]],
  )
  assert.deepEqual(await run(cloud.describeEips({ ids: [] }, 'collect')), [])
})

test('describeEips() shares calls among those who ask within a turn', async (t) => {
  const { sim, clock, cloud, sent } = setUp(t)
  const made = Array.from({ length: 130 }, () => sim.admin.createEip({}, clock.now()))
  const answers = await clock.runUntil(
    Promise.all(made.map(({ id }) => cloud.describeEips({ ids: [id, 'eip-00000000'] }, pod))),
  )
  assert.deepEqual(
    answers.map((eips) => eips.map(({ id }) => id)),
    made.map(({ id }) => [id]),
  )
  assert.equal(sent('DescribeAddresses'), 2)
})

test('describeEips() by ENI gives what is on it, or on its way', async (t) => {
  const { clock, cloud, run, eni, addresses, eip, bind } = await withEni(t)
  const [a, b] = [eip('a'), eip('b')]
  eip('c')
  await bind(a, addresses[0])
  await clock.advance(3000)
  await bind(b, addresses[1])
  const found = await run(cloud.describeEips({ eni }, pod))
  assert.deepEqual(found.map(({ id, state, privateIp }) => [id, state, privateIp]).sort(), [
    [a, 'bound_to_loose_eni', addresses[0]],
    [b, 'binding', addresses[1]],
  ])
  assert.deepEqual(await run(cloud.describeEips({ eni: 'eni-00000000' }, pod)), [])
})

test('associateEip() tells what stands in its way', async (t) => {
  const { sim, clock, run, cloud, addresses, eip, bind } = await withEni(t)
  const [first, second] = addresses
  await assert.rejects(bind('eip-00000000', first), { code: 'not_found' })
  await assert.rejects(bind(eip('a'), '10.0.1.250' as Ipv4), { code: 'invalid_state' })
  await assert.rejects(bind(eip('a'), first, 'eni-00000000'), { code: 'invalid_state' })
  await bind(eip('a'), first)
  await clock.advance(3000)
  await assert.rejects(bind(eip('b'), first), { code: 'conflict' })
  await assert.rejects(bind(eip('a'), second), { code: 'invalid_state' })
  sim.admin.troubleEip(eip('b'), { arrears: true }, clock.now())
  await assert.rejects(bind(eip('b'), second), { code: 'arrears', hint: /^Pay/ })
  sim.admin.troubleEip(eip('b'), { arrears: false, blocked: true }, clock.now())
  await assert.rejects(bind(eip('b'), second), { code: 'invalid_state', message: /InvalidAddressId.Blocked/ })
  const [seen] = await run(cloud.describeEips({ ids: [eip('b')] }, pod))
  assert.deepEqual([seen?.arrears, seen?.blocked], [false, true])
})

test('associateEip() tells an instance that takes no more', async (t) => {
  const { clock, run, cloud, eni, addresses, eip, bind } = await withEni(t, 3)
  await run(cloud.attachEni({ eni, instance: small, clientToken: 'a' }, pod))
  await clock.advance(3000)
  await bind(eip('a'), addresses[0])
  await bind(eip('b'), addresses[1])
  await assert.rejects(bind(eip('c'), addresses[2]), {
    code: 'eip_quota',
    hint: /larger instance type/,
  })
})

test('associateEip() and disassociateEip() wait for a task on the EIP', async (t) => {
  const { clock, run, cloud, eni, addresses } = await withEni(t)
  const privateIp = addresses[0]
  assert.ok(privateIp)
  const eip = await run(cloud.allocateEip(wantedEip, pod))
  await run(cloud.associateEip({ eip, eni, privateIp }, pod))
  await run(cloud.disassociateEip(eip, pod))
  await run(cloud.releaseEip(eip, pod))
  await clock.advance(3000)
  assert.deepEqual(await run(cloud.describeEips({ ids: [eip] }, pod)), [])
})

for (const lost of ['requests', 'answers'] as const)
  test(`[R5] associateEip() does not know what became of it when ${lost} are lost, and describing tells`, async (t) => {
    const { sim, clock, run, cloud, eni, addresses, eip, bind } = await withEni(t)
    const id = eip('a')
    const action = { AssociateAddress: 1 }
    sim.setFaults(lost === 'requests' ? { lostRequests: action } : { lostAnswers: action })
    await assert.rejects(bind(id, addresses[0]), { code: 'unknown_outcome' })
    assert.equal(sim.stats()['AssociateAddress']?.calls, 1)
    await clock.advance(3000)
    const [found] = await run(cloud.describeEips({ ids: [id] }, pod))
    const want = lost === 'requests' ? ['unbound', undefined] : ['bound_to_loose_eni', eni]
    assert.deepEqual([found?.state, found?.eniId], want)
  })

test('describeEipQuota() tells what is used of the account’s quotas', async (t) => {
  const { sim, clock, cloud } = setUp(t)
  const run = clock.runUntil.bind(clock)
  sim.admin.createEip({}, clock.now())
  await run(cloud.allocateEip({ ...wantedEip, isp: 'CTCC' }, pod))
  assert.deepEqual(await run(cloud.describeEipQuota(pod)), {
    total: { used: 2, limit: 20 },
    daily: { used: 0, limit: 40 },
    singleLineTotal: { used: 1, limit: 6 },
    singleLineDaily: { used: 1, limit: 12 },
  })
})
