import assert from 'node:assert/strict'
import { test } from 'node:test'
import fc from 'fast-check'
import type {
  NecPublication,
  NodeOverrides,
  NodeReport,
  PoolBounds,
  PublishedEni,
  WarmTargets,
} from '../../internal/ipam/types.ts'
import { parseCidr } from '../../internal/value/cidr.ts'
import { ipv4FromNumber, parseIpv4 } from '../../internal/value/ipv4.ts'
import { parseMac } from '../../internal/value/mac.ts'
import { decodeNec, encodePublication, encodeReport } from '../../internal/wire/nec.ts'

test('decodeNec() undoes encodePublication() and encodeReport()', () => {
  fc.assert(
    fc.property(publications, reports, (publication, report) => {
      const nec = decodeNec(overTheWire(publication, report))
      assert.deepEqual(nec, {
        name: 'node-1',
        uid: 'u1',
        annotations: {},
        publication,
        report,
        fault: undefined,
      })
    }),
    { numRuns: 200 },
  )
})

test('[R10] decodeNec() ignores fields it does not know, at every depth', () => {
  fc.assert(
    fc.property(publications, reports, (publication, report) => {
      const json = overTheWire(publication, report)
      assert.deepEqual(decodeNec(withUnknownFields(json)), decodeNec(json))
    }),
    { numRuns: 50 },
  )
})

test('[R6] decodeNec() takes any JSON without throwing, and names what it refuses', () => {
  const part = fc.jsonValue()
  fc.assert(
    fc.property(part, part, part, part, (spec, eniInfos, conditions, node) => {
      const nec = decodeNec({ metadata: { name: 'n' }, spec, status: { eniInfos, conditions, node } })
      assert.ok(nec)
      if (spec !== null && nec.publication === undefined && eniInfos !== null) assert.ok(nec.fault)
      if (node !== null && nec.report === undefined) assert.match(String(nec.fault), /status\.node/)
    }),
  )
  fc.assert(fc.property(part, (json) => void decodeNec(json)))
})

test('[R6] decodeNec() names a fault in short, however deep or long it is', () => {
  // Writing the fault down ended with "Maximum call stack size exceeded", and with it the watch of every NEC.
  const { spec, status } = sample()
  for (const eniInfos of [JSON.parse('['.repeat(50_000) + ']'.repeat(50_000)), 'x'.repeat(100_000)]) {
    const nec = decodeNec({ metadata: { name: 'n' }, spec, status: { ...status, eniInfos } })
    assert.ok((nec?.fault ?? '').startsWith('status.eniInfos'), nec?.fault)
    assert.ok((nec?.fault ?? '').length < 200)
  }
})

test('decodeNec() waits for both halves of a publication', () => {
  const { spec, status } = sample()
  for (const json of [{ spec }, { status }, { spec, status: { node: null } }, {}]) {
    const nec = decodeNec({ metadata: { name: 'n' }, ...json })
    assert.ok(nec) // a NEC whose spec somebody removed was once not seen at all, and so never put right
    assert.equal(nec.publication, undefined)
    assert.equal(nec.fault, undefined)
  }
  const empty = decodeNec({ metadata: { name: 'n' }, spec, status: { eniInfos: [], directENIInfos: [] } })
  assert.deepEqual(empty?.publication?.enis, [])
})

test('decodeNec() keeps the good half beside a faulty one', () => {
  const { spec, status } = sample()
  const nec = decodeNec({ metadata: { name: 'n' }, spec, status: { ...status, node: { returned: 'all' } } })
  assert.equal(nec?.publication?.enis.length, 1)
  assert.equal(nec?.fault, 'status.node.returned: "all" is not a list')
})

type Edit = (eni: Record<string, unknown>, spec: Record<string, unknown>, status: Status) => void
interface Status extends Record<string, unknown> {
  eniInfos: Record<string, unknown>[]
  directENIInfos: Record<string, unknown>[]
}
const exclusiveEni = {
  eniID: 'eni-9',
  mac: '20:90:6F:00:00:09',
  primaryIP: '10.0.1.90',
  subnetID: 'subnet-1',
  subnetCIDR: '10.0.1.0/24',
  gateway: '10.0.1.1',
  index: 9,
  grant: 7,
}
const faults: readonly { does: string; edit: Edit; fault: string }[] = [
  {
    does: 'a MAC',
    edit: (eni) => {
      eni['mac'] = 'zz'
    },
    fault: 'status.eniInfos[0].mac: "zz" is not a MAC address',
  },
  {
    does: 'a missing address',
    edit: (eni) => {
      delete eni['primaryIP']
    },
    fault: 'status.eniInfos[0].primaryIP: missing',
  },
  {
    does: 'a block with host bits',
    edit: (eni) => {
      eni['subnetCIDR'] = '10.0.1.1/24'
    },
    fault: 'status.eniInfos[0].subnetCIDR: "10.0.1.1/24" is not an IPv4 block',
  },
  {
    does: 'a grant with a fraction',
    edit: (eni) => {
      eni['ips'] = [{ ip: '10.0.1.7', grant: 1.5 }]
    },
    fault: 'status.eniInfos[0].ips[0].grant: 1.5 is not a whole number',
  },
  {
    does: 'a slot of 0',
    edit: (eni) => {
      eni['index'] = 0
    },
    fault: 'status.eniInfos[0].index: 0 is below 1',
  },
  {
    does: 'an address on two ENIs',
    edit: (eni, _spec, status) => {
      status.eniInfos.push({
        ...eni,
        eniID: 'eni-2',
        mac: '20:90:6f:00:00:02',
        primaryIP: '10.0.1.9',
        index: 2,
      })
    },
    fault: 'status.eniInfos[1].ips[0].ip: "10.0.1.6" is there twice',
  },
  {
    does: "an address that is an exclusive ENI's own",
    edit: (_eni, _spec, status) => {
      status.directENIInfos = [{ ...exclusiveEni, primaryIP: '10.0.1.7' }]
    },
    fault: 'status.directENIInfos[0].primaryIP: "10.0.1.7" is there twice',
  },
  {
    does: 'an address that is both claimed and not',
    edit: (eni) => {
      eni['claimedIPs'] = [{ ip: '10.0.1.7', grant: 3, claim: { namespace: 'shop', name: 'web-0' } }]
    },
    fault: 'status.eniInfos[0].claimedIPs[0].ip: "10.0.1.7" is there twice',
  },
  {
    does: 'a claim without a name',
    edit: (eni) => {
      eni['claimedIPs'] = [{ ip: '10.0.1.9', grant: 3, claim: { namespace: 'shop' } }]
    },
    fault: 'status.eniInfos[0].claimedIPs[0].claim.name: missing',
  },
  {
    does: 'static addresses that are neither on nor off',
    edit: (_, spec) => {
      spec['enableStaticIP'] = 'yes'
    },
    fault: 'spec.enableStaticIP: "yes" is not true or false',
  },
  {
    does: 'one slot for a shared and an exclusive ENI',
    edit: (_eni, _spec, status) => {
      status.directENIInfos = [{ ...exclusiveEni, index: 1 }]
    },
    fault: 'status.directENIInfos[0].index: "1" is there twice',
  },
  {
    does: 'an exclusive ENI without a grant',
    edit: (_eni, _spec, status) => {
      const { grant: _, ...rest } = exclusiveEni
      status.directENIInfos = [rest]
    },
    fault: 'status.directENIInfos[0].grant: missing',
  },
  {
    does: 'exclusive ENIs that are no list',
    edit: (_eni, _spec, status) => {
      Reflect.set(status, 'directENIInfos', 'none')
    },
    fault: 'status.directENIInfos: "none" is not a list',
  },
  {
    does: 'targets of exclusive ENIs that cross',
    edit: (_eni, spec) => {
      Object.assign(spec, { directENIMinWarmTarget: 2, directENIMaxWarmTarget: 1 })
    },
    fault: 'spec.directENIMinWarmTarget: 2 is above directENIMaxWarmTarget',
  },
  {
    does: 'defaults that cross',
    edit: (_eni, spec) => {
      spec['defaults'] = { ...warm, routeENIIPMinWarmTarget: 7 }
    },
    fault: 'spec.defaults.routeENIIPMinWarmTarget: 7 is above routeENIIPMaxWarmTarget',
  },
  {
    does: 'a negative override',
    edit: (_eni, spec) => {
      spec['overrides'] = { maxIPPerENI: -1 }
    },
    fault: 'spec.overrides.maxIPPerENI: -1 is negative',
  },
  {
    does: 'missing defaults',
    edit: (_eni, spec) => {
      delete spec['defaults']
    },
    fault: 'spec.defaults: missing',
  },
  {
    does: 'a negative room for pods',
    edit: (_eni, spec) => {
      spec['maxPods'] = -1
    },
    fault: 'spec.maxPods: -1 is negative',
  },
  {
    does: 'targets that cross',
    edit: (_eni, spec) => {
      spec['routeENIIPMinWarmTarget'] = 6
    },
    fault: 'spec.routeENIIPMinWarmTarget: 6 is above routeENIIPMaxWarmTarget',
  },
  {
    does: 'a negative maximum',
    edit: (_eni, spec) => {
      spec['maxRouteENI'] = -1
    },
    fault: 'spec.maxRouteENI: -1 is negative',
  },
  {
    does: 'an ENI that is no object',
    edit: (_eni, _spec, status) => {
      Reflect.set(status, 'eniInfos', ['eni-1'])
    },
    fault: 'status.eniInfos[0]: "eni-1" is not an object',
  },
]
for (const { does, edit, fault } of faults)
  test(`[R6] decodeNec() names ${does}`, () => {
    const { spec, status } = sample()
    const [eni] = status.eniInfos
    assert.ok(eni)
    edit(eni, spec, status)
    const nec = decodeNec({ metadata: { name: 'n', annotations: { a: 'b' } }, spec, status })
    assert.equal(nec?.fault, fault)
    assert.equal(nec?.publication, undefined)
    assert.deepEqual(nec?.annotations, { a: 'b' })
  })

test('decodeNec() refuses what has no name', () => {
  for (const json of [undefined, null, 3, 'x', [], {}, { metadata: {} }, { metadata: { name: '' } }])
    assert.equal(decodeNec(json), undefined)
})

test('encodePublication() counts', () => {
  const nec = decodeNec({ metadata: { name: 'n' }, ...sample() })
  assert.ok(nec?.publication)
  const { status } = encodePublication(nec.publication)
  assert.equal(status['routeENICount'], 1)
  assert.equal(status['boundIPCount'], 2)
  assert.equal(status['directENICount'], 0)
})

test('[X2] encodePublication() counts exclusive ENIs apart, and tells of each the grant of its own address', () => {
  const { spec, status } = sample()
  const json = { spec, status: { ...status, directENIInfos: [exclusiveEni] } }
  const publication = decodeNec({ metadata: { name: 'n' }, ...json })?.publication
  assert.ok(publication)
  assert.deepEqual(publication.enis[1], {
    id: 'eni-9',
    mac: must(parseMac('20:90:6f:00:00:09')),
    primaryIp: must(parseIpv4('10.0.1.90')),
    subnetId: 'subnet-1',
    subnetCidr: must(parseCidr('10.0.1.0/24')),
    gateway: must(parseIpv4('10.0.1.1')),
    slot: 9,
    mode: 'exclusive',
    ips: [{ address: must(parseIpv4('10.0.1.90')), grant: 7 }],
  })
  const { status: again } = encodePublication(publication)
  assert.deepEqual([again['routeENICount'], again['boundIPCount'], again['directENICount']], [1, 2, 1])
  assert.deepEqual(again['directENIInfos'], [{ ...exclusiveEni, mac: '20:90:6f:00:00:09' }])
})

test('[R7] encodePublication() tells of no exclusive ENI whose address pods may not get', () => {
  const { spec, status } = sample()
  const json = { spec, status: { ...status, directENIInfos: [exclusiveEni] } }
  const publication = decodeNec({ metadata: { name: 'n' }, ...json })?.publication
  assert.ok(publication)
  const enis = publication.enis.map((eni) => (eni.mode === 'exclusive' ? { ...eni, ips: [] } : eni))
  assert.deepEqual(encodePublication({ ...publication, enis }).status['directENIInfos'], [])
})

test('[R10] [S4] encodePublication() keeps claimed addresses where an agent that knows no claims does not look', () => {
  const address = must(parseIpv4('10.0.1.9'))
  const { spec, status } = sample()
  const nec = decodeNec({ metadata: { name: 'n' }, spec, status })
  const before = must(nec?.publication)
  const [eni] = before.enis
  const owner = { apiVersion: 'apps/v1', kind: 'StatefulSet', name: 'web', uid: 'uid-web' }
  const claim = { namespace: 'shop', name: 'web-0', expireAfter: 600_000, owner }
  const claiming = { ...must(eni), ips: [...must(eni).ips, { address, grant: 3, claim }] }
  const publication = { ...before, staticIps: true, enis: [claiming] }
  const json = encodePublication(publication)
  const [shown] = json.status['eniInfos'] as Readonly<Record<string, unknown>>[]
  assert.deepEqual(shown?.['ips'], (status['eniInfos'] as { ips: unknown }[])[0]?.ips)
  assert.deepEqual(shown?.['claimedIPs'], [
    { ip: '10.0.1.9', grant: 3, claim: { namespace: 'shop', name: 'web-0', expireAfterMs: 600_000, owner } },
  ])
  assert.equal(json.spec['enableStaticIP'], true)
  assert.equal(json.status['boundIPCount'], 3)
  assert.deepEqual(decodeNec({ metadata: { name: 'n' }, ...json })?.publication, publication)
})

for (const { does, expireAfterMs, expireAfter } of [
  { does: 'less than is allowed', expireAfterMs: 1000, expireAfter: undefined },
  { does: 'more than is allowed', expireAfterMs: 8.64e15, expireAfter: 4380 * 3_600_000 },
])
  test(`[R4] decodeNec() takes no claim that is kept for ${does} by its word`, () => {
    const { spec, status } = sample()
    const [eni] = status['eniInfos'] as readonly Readonly<Record<string, unknown>>[]
    const claim = { namespace: 'shop', name: 'web-0', expireAfterMs }
    const eniInfos = [{ ...eni, claimedIPs: [{ ip: '10.0.1.9', grant: 3, claim }] }]
    const nec = decodeNec({ metadata: { name: 'n' }, spec, status: { ...status, eniInfos } })
    const claims = must(nec?.publication).enis.flatMap(({ ips }) => ips.flatMap((ip) => ip.claim ?? []))
    const kept = expireAfter === undefined ? {} : { expireAfter }
    assert.deepEqual(claims, [{ namespace: 'shop', name: 'web-0', ...kept }])
  })

const warm = {
  routeENIIPMinWarmTarget: 5,
  routeENIIPMaxWarmTarget: 5,
  directENIMinWarmTarget: 1,
  directENIMaxWarmTarget: 1,
}

function sample(): { spec: Record<string, unknown>; status: Status } {
  return {
    spec: {
      instanceID: 'ins-1',
      zone: 'ap-chengdu-1',
      maxENI: 3,
      maxRouteENI: 3,
      maxIPPerENI: 9,
      maxDirectENI: 0,
      ...warm,
      defaults: { ...warm },
      overrides: {},
      enableStaticIP: false,
      maxEIP: 4,
      leaderEpoch: 1,
    },
    status: {
      eniInfos: [
        {
          eniID: 'eni-1',
          mac: '20:90:6F:00:00:01',
          primaryIP: '10.0.1.5',
          subnetID: 'subnet-1',
          subnetCIDR: '10.0.1.0/24',
          gateway: '10.0.1.1',
          index: 1,
          ips: [
            { ip: '10.0.1.6', grant: 1 },
            { ip: '10.0.1.7', grant: 2 },
          ],
        },
      ],
      directENIInfos: [],
    },
  }
}

/** Records as JSON gives them, with the usual prototype. */
function plain<T>(model: { [K in keyof T]: fc.Arbitrary<T[K]> }): fc.Arbitrary<T> {
  return fc.record<T>(model, { noNullPrototype: true })
}

const words = fc.string({ minLength: 1, maxLength: 12 })
const counts = fc.nat(300)
const macs = fc.nat(0xffffff).map((n) => {
  const tail = n.toString(16).padStart(6, '0')
  return must(parseMac(`20:90:6f:${tail.slice(0, 2)}:${tail.slice(2, 4)}:${tail.slice(4)}`))
})
const addresses = fc.nat(0xffff).map((n) => ipv4FromNumber(0x0a000000 + n))
const published = plain({ address: addresses, grant: fc.maxSafeNat() })
const claimed = plain({
  address: addresses,
  grant: fc.maxSafeNat(),
  claim: plain({ namespace: words, name: words }),
})

const enis: fc.Arbitrary<readonly PublishedEni[]> = fc
  .array(
    plain({
      id: words,
      mac: macs,
      subnetId: words,
      mode: fc.constantFrom('shared', 'exclusive'),
      ips: fc
        .tuple(fc.array(published, { minLength: 1, maxLength: 5 }), fc.array(claimed, { maxLength: 3 }))
        .map((lists) => lists.flat()),
      mostOfPool: fc.option(counts, { nil: undefined }),
    }).map(({ mostOfPool, ...eni }) => (mostOfPool === undefined ? eni : { ...eni, mostOfPool })),
    { maxLength: 6 },
  )
  .map((list) => [
    ...unique(list).filter(({ mode }) => mode === 'shared'),
    ...unique(list).filter(({ mode }) => mode === 'exclusive'),
  ])

/** ENIs as the cloud makes them: nothing is there twice. */
function unique(
  list: readonly Pick<PublishedEni, 'id' | 'mac' | 'subnetId' | 'mode' | 'ips'>[],
): readonly PublishedEni[] {
  const seen = new Set<string>()
  const first = (key: string) => !seen.has(key) && seen.add(key) !== undefined
  return list
    .filter((eni) => first(`id ${eni.id}`) && first(`mac ${eni.mac}`))
    .map((eni, i) => ({ ...eni, primaryIp: ipv4FromNumber(0x0b000000 + i), slot: i + 1 }))
    .map((eni) => ({
      ...eni,
      subnetCidr: must(parseCidr('10.0.0.0/16')),
      gateway: must(parseIpv4('10.0.0.1')),
      ips:
        eni.mode === 'shared'
          ? eni.ips.filter((ip) => first(`ip ${ip.address}`))
          : eni.ips.slice(0, 1).map(({ grant }) => ({ address: eni.primaryIp, grant })),
    }))
}

const pools: fc.Arbitrary<PoolBounds> = plain({
  maxEnis: counts,
  ipsPerEni: counts,
  minWarm: counts,
  more: counts,
}).map(({ more, ...rest }) => ({ ...rest, maxWarm: rest.minWarm + more }))

const targets: fc.Arbitrary<WarmTargets> = plain({ minWarm: counts, more: counts }).map(
  ({ minWarm, more }) => ({ minWarm, maxWarm: minWarm + more }),
)

const overrides: fc.Arbitrary<NodeOverrides> = fc.record(
  {
    sharedWarm: targets,
    exclusiveWarm: targets,
    maxSharedEnis: counts,
    maxIpsPerEni: counts,
    maxExclusiveEnis: counts,
  },
  { requiredKeys: [], noNullPrototype: true },
)

const publications: fc.Arbitrary<NecPublication> = plain({
  epoch: counts,
  instanceId: words,
  zone: words,
  staticIps: fc.boolean(),
  eips: counts,
  instanceEnis: counts,
  shared: pools,
  exclusive: pools,
  defaults: plain({ shared: targets, exclusive: targets }),
  overrides,
  maxPods: fc.option(counts, { nil: undefined }),
  enis,
  conditions: fc.array(
    plain({
      type: words,
      status: fc.constantFrom('True', 'False', 'Unknown'),
      reason: words,
      message: fc.string(),
      lastTransitionTime: words,
    }),
    { maxLength: 2 },
  ),
}).map(({ maxPods, shared, exclusive, ...rest }) => {
  const podCap = maxPods === undefined ? {} : { maxPods }
  return {
    ...rest,
    shared: { ...shared, ...podCap },
    exclusive: { ...exclusive, ipsPerEni: 1, ...podCap },
  }
})

const reports: fc.Arbitrary<NodeReport> = plain({
  returned: fc.array(published, { maxLength: 5 }),
  inUse: counts,
  idle: counts,
  enisInUse: counts,
  mostInUse: counts,
  exclusiveInUse: counts,
  exclusiveIdle: counts,
  withheld: counts,
  exclusiveWithheld: counts,
  unlinked: fc.array(words, { maxLength: 2 }),
  databaseId: words,
  version: words,
})

function overTheWire(publication: NecPublication, report: NodeReport): unknown {
  const { spec, status } = encodePublication(publication)
  const json = {
    metadata: { name: 'node-1', uid: 'u1' },
    spec,
    status: { ...status, ...encodeReport(report).status },
  }
  return JSON.parse(JSON.stringify(json))
}

function withUnknownFields(json: unknown): unknown {
  if (Array.isArray(json)) return json.map(withUnknownFields)
  if (typeof json !== 'object' || json === null) return json
  const known = Object.entries(json).map(([key, value]) => [key, withUnknownFields(value)])
  return { ...Object.fromEntries(known), ofTheFuture: { deep: [1] } }
}

function must<T>(value: T | undefined): T {
  assert.ok(value !== undefined)
  return value
}
