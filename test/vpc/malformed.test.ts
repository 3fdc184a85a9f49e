// Whatever the API answers, a wrong value never gets through in silence and nothing crashes.
import assert from 'node:assert/strict'
import { test } from 'node:test'
import { silentLog } from '../../internal/base/log.ts'
import { seededRandom } from '../../internal/base/random.ts'
import { IpamError } from '../../internal/ipam/errors.ts'
import type { Cloud, EipQuery } from '../../internal/ports.ts'
import { createCloud } from '../../internal/vpc/cloud.ts'
import type { Transport } from '../../internal/vpc/transport.ts'
import { VirtualClock } from '../fake/virtual-clock.ts'
import { ip } from '../given.ts'

type Json = Record<string, unknown>

/** A cloud that gives `answers` by action. */
function cloudWith(answers: Json): { cloud: Cloud; clock: VirtualClock } {
  const transport: Transport = { request: async (_, action) => answers[action] as Json }
  const clock = new VirtualClock()
  return { clock, cloud: createCloud({ transport, clock, random: seededRandom(1), log: silentLog }) }
}

const id = 'eni-0000000a'

const eni = (change: Json = {}): Json => ({
  NetworkInterfaceId: id,
  NetworkInterfaceName: 'name',
  SubnetId: 'subnet-1',
  MacAddress: '20:90:6F:00:00:0A',
  State: 'AVAILABLE',
  Primary: false,
  Attachment: null,
  PrivateIpAddressSet: [
    { PrivateIpAddress: '10.0.0.5', Primary: true, State: 'AVAILABLE', Later: { added: 1 } },
    { PrivateIpAddress: '10.0.0.6', Primary: false, State: 'PENDING' },
  ],
  TagSet: [{ Key: 'k', Value: 'v' }],
  AddedLater: 10n,
  ...change,
})

const subnet = { SubnetId: 'subnet-1', VpcId: 'vpc-1', CidrBlock: '10.0.0.0/24', Zone: 'z-1' }
const described = (...items: unknown[]) => ({ NetworkInterfaceSet: items, TotalCount: items.length })

test('describeEnis() reads what is there and leaves out what it does not know', async () => {
  const { cloud, clock } = cloudWith({ DescribeNetworkInterfaces: described(eni()) })
  assert.deepEqual(await clock.runUntil(cloud.describeEnis({ ids: [id] }, 'collect')), [
    {
      id,
      name: 'name',
      subnetId: 'subnet-1',
      mac: '20:90:6f:00:00:0a',
      state: 'available',
      primary: false,
      instanceId: undefined,
      primaryIp: '10.0.0.5',
      ips: [{ address: '10.0.0.6', state: 'pending' }],
      tags: { k: 'v' },
    },
  ])
})

const enis: [change: Json | unknown, field: string][] = [
  [{ MacAddress: null }, 'NetworkInterfaceSet[0].MacAddress'],
  [{ MacAddress: '20:90:6F' }, 'NetworkInterfaceSet[0].MacAddress'],
  [{ State: 'MELTED' }, 'NetworkInterfaceSet[0].State'],
  [{ State: 'INUSE' }, 'NetworkInterfaceSet[0].State'],
  [{ State: 'constructor' }, 'NetworkInterfaceSet[0].State'],
  [{ NetworkInterfaceId: 7 }, 'NetworkInterfaceSet[0].NetworkInterfaceId'],
  [{ Primary: 'false' }, 'NetworkInterfaceSet[0].Primary'],
  [{ Attachment: {} }, 'NetworkInterfaceSet[0].Attachment.InstanceId'],
  [{ Attachment: [] }, 'NetworkInterfaceSet[0].Attachment'],
  [{ PrivateIpAddressSet: [] }, 'NetworkInterfaceSet[0].PrivateIpAddressSet'],
  [{ PrivateIpAddressSet: undefined }, 'NetworkInterfaceSet[0].PrivateIpAddressSet'],
  [
    { PrivateIpAddressSet: [{ PrivateIpAddress: '10.0.0.256', Primary: true }] },
    'NetworkInterfaceSet[0].PrivateIpAddressSet[0].PrivateIpAddress',
  ],
  [
    {
      PrivateIpAddressSet: [
        { PrivateIpAddress: '10.0.0.5', Primary: true },
        { PrivateIpAddress: '10.0.0.6', Primary: true },
      ],
    },
    'NetworkInterfaceSet[0].PrivateIpAddressSet[1].Primary',
  ],
  [{ TagSet: [{ Value: 'v' }] }, 'NetworkInterfaceSet[0].TagSet[0].Key'],
  [
    {
      PrivateIpAddressSet: [
        { PrivateIpAddress: '10.0.0.5', Primary: true },
        { PrivateIpAddress: '10.0.0.5', Primary: false, State: 'AVAILABLE' },
      ],
    },
    'NetworkInterfaceSet[0].PrivateIpAddressSet',
  ],
]
for (const [change, field] of enis) {
  test(`describeEnis() names ${field} when the ENI has ${JSON.stringify(change)}`, async () => {
    const { cloud, clock } = cloudWith({ DescribeNetworkInterfaces: described(eni(change as Json)) })
    const answer = clock.runUntil(cloud.describeEnis({ ids: [id] }, 'collect'))
    await assert.rejects(answer, (error) => {
      assert.ok(error instanceof IpamError)
      assert.equal(error.code, 'cloud_fault')
      assert.ok(error.message.includes(`field ${field} is `), error.message)
      return true
    })
  })
}

test('describeEnis() lets only those suffer who asked for the malformed ENI', async () => {
  const bad = eni({ NetworkInterfaceId: 'eni-0000000b', MacAddress: 'x' })
  const { cloud, clock } = cloudWith({ DescribeNetworkInterfaces: described(bad, eni()) })
  const ask = (one: string) => cloud.describeEnis({ ids: [one] }, 'collect')
  const [good, failed] = await clock.runUntil(Promise.allSettled([ask(id), ask('eni-0000000b')]))
  assert.deepEqual([good?.status, failed?.status], ['fulfilled', 'rejected'])
})

const create = (cloud: Cloud) =>
  cloud.createEni(
    {
      name: 'n',
      description: 'd',
      subnetId: 'subnet-1',
      securityGroups: [],
      secondaryIps: 0,
      tags: {},
      clientToken: 't',
    },
    'waiting-pod',
  )
const assign = (cloud: Cloud) => cloud.assignIps({ eni: id, count: 2, clientToken: 't' }, 'waiting-pod')
const address = (PrivateIpAddress: unknown) => ({ PrivateIpAddress, Primary: false })

const reservation = (change: Json = {}): Json => ({
  ReserveIpId: 'rsvip-0000000a',
  VpcId: 'vpc-1',
  SubnetId: 'subnet-1',
  ReserveIpAddress: '10.0.0.9',
  ResourceId: '',
  IpType: 0,
  State: 'UnBind',
  TagSet: [{ Key: 'k', Value: 'v' }],
  AddedLater: 10n,
  ...change,
})
const readable = { SubnetSet: [{ ...subnet, AvailableIpAddressCount: 5 }], TotalCount: 1 }
const reservedAs = (...items: unknown[]) => ({
  DescribeSubnets: readable,
  CreateReserveIpAddresses: { ReserveIpAddressSet: items },
})
const reserve = (cloud: Cloud) => {
  const asked = { subnetId: 'subnet-1', address: ip('10.0.0.9'), name: 'n', description: '' }
  return cloud.reserveIp({ ...asked, tags: {}, clientToken: 't' }, 'waiting-pod')
}
const listed = (...items: unknown[]) => ({
  DescribeSubnets: readable,
  DescribeReserveIpAddresses: { ReserveIpAddressSet: items, TotalCount: items.length },
})
const byTag = (cloud: Cloud) => cloud.describeReservations({ tags: { k: 'v' } }, 'collect')
const assignExactly = (cloud: Cloud, count: number, ...addresses: readonly string[]) =>
  cloud.assignIps({ eni: id, count, addresses: addresses.map(ip), clientToken: 't' }, 'waiting-pod')

const theReservation = {
  id: 'rsvip-0000000a',
  vpcId: 'vpc-1',
  subnetId: 'subnet-1',
  address: '10.0.0.9',
  bound: false,
  tags: { k: 'v' },
}

test('describeReservations() finds the subnet of a reservation that does not name it', async () => {
  // As in the examples of the API's own pages.
  const raw = reservation({ SubnetId: undefined })
  const { cloud, clock } = cloudWith({ ...listed(raw), ...reservedAs(raw) })
  assert.deepEqual(await clock.runUntil(byTag(cloud)), [theReservation])
  assert.deepEqual(await clock.runUntil(reserve(cloud)), theReservation)
  const query = { addresses: [ip('10.0.0.9')], subnetId: 'subnet-2' }
  assert.deepEqual(await clock.runUntil(cloud.describeReservations(query, 'collect')), [])
})

test('describeReservations() leaves out what it was not asked for', async () => {
  const other = reservation({ ReserveIpId: 'rsvip-0000000b', ReserveIpAddress: '10.0.0.99', TagSet: null })
  const { cloud, clock } = cloudWith(listed(reservation(), other))
  const asked = [
    { ids: ['rsvip-0000000a'] },
    { tags: { k: 'v' } },
    { addresses: [ip('10.0.0.9')], subnetId: 'subnet-1' },
  ]
  for (const query of asked)
    assert.deepEqual(await clock.runUntil(cloud.describeReservations(query, 'collect')), [theReservation])
})

const eip = (change: Json = {}): Json => ({
  AddressId: 'eip-0000000a',
  AddressName: 'web-0',
  AddressStatus: 'BIND',
  AddressIp: '203.0.113.7',
  InstanceId: 'ins-0000000a',
  NetworkInterfaceId: id,
  PrivateAddressIp: '10.0.0.6',
  IsArrears: false,
  IsBlocked: false,
  InternetServiceProvider: 'BGP',
  Bandwidth: 100,
  InternetChargeType: 'TRAFFIC_POSTPAID_BY_HOUR',
  TagSet: [{ Key: 'k', Value: 'v' }],
  AddedLater: 10n,
  ...change,
})
const eipsAre = (...items: unknown[]) => ({
  DescribeAddresses: { AddressSet: items, TotalCount: items.length },
})
const eipsByTag = (cloud: Cloud) => cloud.describeEips({ tags: { k: 'v' } }, 'collect')
const wantedEip = { bandwidth: 1, chargeType: 'c', isp: 'BGP', name: 'n', tags: {}, raw: {} } as const
const allocate = (cloud: Cloud) => cloud.allocateEip({ ...wantedEip, clientToken: 't' }, 'waiting-pod')
const quotasAre = (...ids: string[]) => ({
  DescribeAddressQuota: {
    QuotaSet: ids.map((QuotaId) => ({ QuotaId, QuotaCurrent: 1, QuotaLimit: 20, QuotaGroup: 'g' })),
  },
})

const theEip = {
  id: 'eip-0000000a',
  address: '203.0.113.7',
  state: 'bound',
  eniId: id,
  privateIp: '10.0.0.6',
  instanceId: 'ins-0000000a',
  bandwidth: 100,
  chargeType: 'TRAFFIC_POSTPAID_BY_HOUR',
  isp: 'BGP',
  arrears: false,
  blocked: false,
  name: 'web-0',
  tags: { k: 'v' },
}

test('describeEips() reads what is there, what is null, and leaves out what it was not asked for', async () => {
  const other = eip({ AddressId: 'eip-0000000b', NetworkInterfaceId: null, TagSet: null })
  const { cloud, clock } = cloudWith(eipsAre(eip(), other))
  const find = (query: EipQuery) => clock.runUntil(cloud.describeEips(query, 'collect'))
  for (const query of [{ ids: ['eip-0000000a'] }, { tags: { k: 'v' } }, { eni: id }])
    assert.deepEqual(await find(query), [theEip])
  const nothing = { Bandwidth: null, InternetChargeType: null, InstanceId: null, PrivateAddressIp: null }
  const bare = cloudWith(eipsAre(eip({ ...nothing, AddressStatus: 'CREATING', AddressIp: '' })))
  const [read] = await bare.clock.runUntil(eipsByTag(bare.cloud))
  const { bandwidth, chargeType, instanceId, privateIp, address, state } = read ?? {}
  assert.deepEqual(
    [bandwidth, chargeType, instanceId, privateIp, address, state],
    [undefined, undefined, undefined, undefined, undefined, 'creating'],
  )
})

test('describeEips() lets only those suffer who asked for the malformed EIP', async () => {
  const bad = eip({ AddressId: 'eip-0000000b', AddressStatus: 'x' })
  const { cloud, clock } = cloudWith(eipsAre(bad, eip()))
  const ask = (one: string) => cloud.describeEips({ ids: [one] }, 'collect')
  const [good, failed] = await clock.runUntil(Promise.allSettled([ask('eip-0000000a'), ask('eip-0000000b')]))
  assert.deepEqual([good?.status, failed?.status], ['fulfilled', 'rejected'])
})

test('describeEipQuota() leaves out lines that the region does not have', async () => {
  const { cloud, clock } = cloudWith(quotasAre('TOTAL_EIP_QUOTA', 'DAILY_EIP_APPLY', 'NEW_QUOTA'))
  const quota = { used: 1, limit: 20 }
  assert.deepEqual(await clock.runUntil(cloud.describeEipQuota('collect')), {
    total: quota,
    daily: quota,
    singleLineTotal: undefined,
    singleLineDaily: undefined,
  })
})

const others: [
  does: string,
  answers: Json,
  ask: (cloud: Cloud) => Promise<unknown>,
  code: string,
  says: RegExp,
][] = [
  [
    'describeEnis() names a list that is none',
    { DescribeNetworkInterfaces: { NetworkInterfaceSet: 'x' } },
    (cloud) => cloud.describeEnis({ ids: [id] }, 'collect'),
    'cloud_fault',
    /field NetworkInterfaceSet is "x"/,
  ],
  [
    'describeEnis() names a missing total',
    { DescribeNetworkInterfaces: { NetworkInterfaceSet: [] } },
    (cloud) => cloud.describeEnis({ tags: { k: 'v' } }, 'collect'),
    'cloud_fault',
    /list ENIs with tags "k=v".*field TotalCount is missing/,
  ],
  [
    'describeEnis() takes an answer that is no object for none',
    { DescribeNetworkInterfaces: 'text' },
    (cloud) => cloud.describeEnis({ ids: [id] }, 'collect'),
    'cloud_fault',
    /malformed/,
  ],
  [
    'describeSubnets() names a block with host bits',
    { DescribeSubnets: { SubnetSet: [{ ...subnet, CidrBlock: '10.0.0.1/24', AvailableIpAddressCount: 1 }] } },
    (cloud) => cloud.describeSubnets(['subnet-1'], 'collect'),
    'cloud_fault',
    /field SubnetSet\[0\].CidrBlock is "10.0.0.1\/24"/,
  ],
  [
    'describeSubnets() names a count that is negative',
    { DescribeSubnets: { SubnetSet: [{ ...subnet, AvailableIpAddressCount: -1 }] } },
    (cloud) => cloud.describeSubnets(['subnet-1'], 'collect'),
    'cloud_fault',
    /AvailableIpAddressCount is -1/,
  ],
  [
    'describeInstances() names a missing zone',
    { DescribeInstances: { InstanceSet: [{ InstanceId: 'ins-1', Placement: {} }] } },
    (cloud) => cloud.describeInstances(['ins-1'], 'collect'),
    'cloud_fault',
    /InstanceSet\[0\].Placement.Zone is missing/,
  ],
  [
    'describeEniQuota() names a quota that is no number',
    { DescribeNetworkInterfaceLimit: { EniQuantity: 1.5 } },
    (cloud) => cloud.describeEniQuota('ins-1', 'collect'),
    'cloud_fault',
    /EniQuantity is 1.5/,
  ],
  [
    'createEni() does not know what became of an ENI that it cannot read',
    {
      DescribeSubnets: { SubnetSet: [{ ...subnet, AvailableIpAddressCount: '5' }] },
      CreateNetworkInterface: { NetworkInterface: eni({ NetworkInterfaceId: null }) },
    },
    create,
    'unknown_outcome',
    /NetworkInterface.NetworkInterfaceId is null/,
  ],
  [
    // It was stored, and then no call could ask what became of it.
    '[R6] createEni() does not take any text for the id of an ENI',
    {
      DescribeSubnets: { SubnetSet: [{ ...subnet, AvailableIpAddressCount: '5' }] },
      CreateNetworkInterface: { NetworkInterface: eni({ NetworkInterfaceId: '5' }) },
    },
    create,
    'unknown_outcome',
    /NetworkInterface.NetworkInterfaceId is "5" where the id of an ENI is needed/,
  ],
  [
    'createEni() refuses a subnet that is not there',
    { DescribeSubnets: { SubnetSet: null } },
    create,
    'not_found',
    /subnet "subnet-1": there is no such subnet/,
  ],
  [
    'assignIps() does not know what became of too few addresses',
    { AssignPrivateIpAddresses: { PrivateIpAddressSet: [address('10.0.0.7')] } },
    assign,
    'unknown_outcome',
    /where 2 addresses is needed/,
  ],
  [
    'assignIps() does not take one address for two',
    { AssignPrivateIpAddresses: { PrivateIpAddressSet: [address('10.0.0.7'), address('10.0.0.7')] } },
    assign,
    'unknown_outcome',
    /where 2 addresses is needed/,
  ],
  [
    'assignIps() does not take another address for the named one',
    { AssignPrivateIpAddresses: { PrivateIpAddressSet: [address('10.0.0.7')] } },
    (cloud) => assignExactly(cloud, 1, '10.0.0.9'),
    'unknown_outcome',
    /assign "10.0.0.9" to ENI.* where "10.0.0.9" is needed/,
  ],
  [
    'assignIps() refuses a count that is not that of the addresses',
    {},
    (cloud) => assignExactly(cloud, 2, '10.0.0.9'),
    'bad_input',
    /these are not 2 addresses/,
  ],
  [
    'assignIps() refuses an address twice',
    {},
    (cloud) => assignExactly(cloud, 2, '10.0.0.9', '10.0.0.9'),
    'bad_input',
    /these are not 2 addresses/,
  ],
  ['assignIps() refuses no address', {}, (cloud) => assignExactly(cloud, 0), 'bad_input', /no address/],
  [
    'assignIps() refuses more addresses than a call takes',
    {},
    (cloud) => assignExactly(cloud, 11, ...Array(11).fill('10.0.0.7')),
    'bad_input',
    /at most 10/,
  ],
  [
    'reserveIp() does not take another address for the named one',
    reservedAs(reservation({ ReserveIpAddress: '10.0.0.10' })),
    reserve,
    'unknown_outcome',
    /where one reservation of 10.0.0.9 in subnet "subnet-1" is needed/,
  ],
  [
    'reserveIp() does not take another subnet for the named one',
    reservedAs(reservation({ SubnetId: 'subnet-2' })),
    reserve,
    'unknown_outcome',
    /where one reservation/,
  ],
  [
    'reserveIp() does not take two for one',
    reservedAs(reservation(), reservation()),
    reserve,
    'unknown_outcome',
    /where one reservation/,
  ],
  [
    'reserveIp() does not know what became of a reservation that it cannot read',
    reservedAs(reservation({ ReserveIpId: 'eni-0000000a' })),
    reserve,
    'unknown_outcome',
    /ReserveIpAddressSet\[0\].ReserveIpId is "eni-0000000a" where the id of a reservation is needed/,
  ],
  [
    'reserveIp() refuses a subnet that is not there',
    { DescribeSubnets: { SubnetSet: [] } },
    reserve,
    'not_found',
    /reserve 10.0.0.9 of subnet "subnet-1" for "n": there is no such subnet/,
  ],
  [
    'describeReservations() names an unknown state',
    listed(reservation({ State: 'BIND' })),
    byTag,
    'cloud_fault',
    /list reservations with tags "k=v".*ReserveIpAddressSet\[0\].State is "BIND"/,
  ],
  [
    'describeReservations() names an address that is none',
    listed(reservation({ ReserveIpAddress: '10.0.0.256' })),
    byTag,
    'cloud_fault',
    /ReserveIpAddress is "10.0.0.256"/,
  ],
  [
    'describeReservations() refuses an address that no subnet has',
    listed(reservation({ SubnetId: '', ReserveIpAddress: '10.9.9.9' })),
    byTag,
    'cloud_fault',
    /find the subnet of reservation "rsvip-0000000a": no subnet of VPC "vpc-1" has 10.9.9.9/,
  ],
  [
    'describeReservations() refuses to list those of the whole account',
    {},
    (cloud) => cloud.describeReservations({ tags: {} }, 'collect'),
    'bad_input',
    /no tag is given/,
  ],
  [
    'describeReservations() refuses an id that would spoil the call for others',
    {},
    (cloud) => cloud.describeReservations({ ids: ['rsvip-1'] }, 'collect'),
    'bad_input',
    /"rsvip-1" is no id of a reservation/,
  ],
  [
    'allocateEip() does not take two for one',
    { AllocateAddresses: { AddressSet: ['eip-0000000a', 'eip-0000000b'], TaskId: '1' } },
    allocate,
    'unknown_outcome',
    /allocate an EIP for "n".*AddressSet is .* where the id of one EIP is needed/,
  ],
  [
    'allocateEip() does not take something else for an EIP',
    { AllocateAddresses: { AddressSet: ['eni-0000000a'], TaskId: '1' } },
    allocate,
    'unknown_outcome',
    /where the id of one EIP/,
  ],
  [
    'allocateEip() does not know what became of what it cannot read',
    { AllocateAddresses: { TaskId: '1' } },
    allocate,
    'unknown_outcome',
    /AddressSet is missing/,
  ],
  [
    'describeEips() names an unknown state',
    eipsAre(eip({ AddressStatus: 'BOUND' })),
    eipsByTag,
    'cloud_fault',
    /list EIPs with tags "k=v".*AddressSet\[0\].AddressStatus is "BOUND"/,
  ],
  [
    'describeEips() names an EIP without a public address',
    eipsAre(eip({ AddressIp: '' })),
    eipsByTag,
    'cloud_fault',
    /AddressSet\[0\].AddressIp is .* where an IPv4 address is needed/,
  ],
  [
    'describeEips() names a private address that is none',
    eipsAre(eip({ PrivateAddressIp: '10.0.0.256' })),
    eipsByTag,
    'cloud_fault',
    /AddressSet\[0\].PrivateAddressIp is "10.0.0.256"/,
  ],
  [
    'describeEips() names a flag that is none',
    eipsAre(eip({ IsArrears: 'FALSE' })),
    eipsByTag,
    'cloud_fault',
    /AddressSet\[0\].IsArrears is "FALSE"/,
  ],
  [
    'describeEips() names an id that is none',
    eipsAre(eip({ AddressId: 'eip' })),
    eipsByTag,
    'cloud_fault',
    /AddressSet\[0\].AddressId is "eip"/,
  ],
  [
    'describeEips() refuses to list those of the whole account',
    {},
    (cloud) => cloud.describeEips({ tags: {} }, 'collect'),
    'bad_input',
    /no tag is given/,
  ],
  [
    'describeEips() refuses an id that would spoil the call for others',
    {},
    (cloud) => cloud.describeEips({ ids: ['eip-1'] }, 'collect'),
    'bad_input',
    /"eip-1" is no id of an EIP/,
  ],
  [
    'describeEipQuota() names a quota that is not told',
    quotasAre('TOTAL_EIP_QUOTA'),
    (cloud) => cloud.describeEipQuota('collect'),
    'cloud_fault',
    /QuotaSet is \["TOTAL_EIP_QUOTA"\] where quota DAILY_EIP_APPLY is needed/,
  ],
  [
    'unassignIps() refuses more addresses than a call takes',
    {},
    (cloud) => cloud.unassignIps({ eni: id, addresses: Array(11).fill('10.0.0.7') }, 'release'),
    'bad_input',
    /at most 10/,
  ],
]
for (const [does, answers, ask, code, says] of others) {
  test(does, async () => {
    const { cloud, clock } = cloudWith(answers)
    await assert.rejects(clock.runUntil(ask(cloud)), { code, message: says })
  })
}

test('[R6] describeEnis() tells of a field of very many levels in short', async () => {
  // Writing the fault down ended with "Maximum call stack size exceeded".
  const levels: unknown = JSON.parse('['.repeat(50_000) + ']'.repeat(50_000))
  const { cloud, clock } = cloudWith({ DescribeNetworkInterfaces: described(eni({ SubnetId: levels })) })
  await assert.rejects(clock.runUntil(cloud.describeEnis({ ids: [id] }, 'collect')), {
    code: 'cloud_fault',
    message: /SubnetId is nested very deep where text is needed$/,
  })
})

test('[R6] describeSubnets() leaves out what nobody asked for, and what comes twice', async () => {
  const SubnetSet = ['subnet-1', 'subnet-2', 'subnet-1'].map((SubnetId) => ({
    ...subnet,
    SubnetId,
    AvailableIpAddressCount: 5,
  }))
  const { cloud, clock } = cloudWith({ DescribeSubnets: { SubnetSet } })
  const found = await clock.runUntil(cloud.describeSubnets(['subnet-1'], 'collect'))
  assert.deepEqual(
    found.map((one) => one.id),
    ['subnet-1'],
  )
})
