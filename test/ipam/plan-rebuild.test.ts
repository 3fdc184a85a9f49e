// A ledger made anew from NECs and the cloud.
import assert from 'node:assert/strict'
import { test } from 'node:test'
import { tagsOf } from '../../internal/ipam/eni-tags.ts'
import { planRebuild, type RebuildView } from '../../internal/ipam/plan-rebuild.ts'
import type { CloudEni, Nec, NecPublication, PublishedEni } from '../../internal/ipam/types.ts'
import type { Ipv4 } from '../../internal/value/ipv4.ts'
import { cidr, ips, known, ledgerBounds, mac, nodeBounds, nodeReport, nth } from '../given.ts'

const block = cidr('10.0.1.0/24')
const bounds = { minWarm: 1, maxWarm: 3, maxEnis: 2, ipsPerEni: 5 }

/** ENI n in slot 1, with addresses "n:grant". */
function published(n: number, ...addresses: readonly string[]): PublishedEni {
  return {
    id: `eni-${n}`,
    mac: mac(`20:90:6f:00:00:0${n}`),
    primaryIp: nth(200 + n),
    subnetId: 'subnet-a',
    subnetCidr: block,
    gateway: nth(1),
    slot: 1,
    mode: 'shared',
    ips: addresses.map((short) => {
      const [address, grant] = short.split(':')
      return { address: nth(Number(address)), grant: Number(grant) }
    }),
  }
}

function nec(name: string, instanceId: string, enis: readonly PublishedEni[], more: Partial<Nec> = {}): Nec {
  const publication: NecPublication = {
    epoch: 1,
    instanceId,
    zone: 'zone-a',
    staticIps: false,
    eips: 1,
    ...nodeBounds(bounds),
    enis,
    conditions: [],
  }
  return {
    name,
    uid: `nec-${name}`,
    annotations: {},
    publication,
    report: undefined,
    fault: undefined,
    ...more,
  }
}

function cloudEni(n: number, node: string, instanceId: string, ...addresses: readonly number[]): CloudEni {
  const { id, mac: itsMac, primaryIp, subnetId } = published(n)
  return {
    id,
    name: id,
    subnetId,
    mac: itsMac,
    state: 'available',
    primary: false,
    instanceId,
    primaryIp,
    ips: addresses.map((address) => ({ address: nth(address), state: 'available' })),
    tags: tagsOf({ clusterId: 'cls-1', node, instanceId, slot: n, mode: 'shared', token: `token-${n}` }),
  }
}

const view = (change: Partial<RebuildView>): RebuildView => ({
  clusterId: 'cls-1',
  nodes: [{ name: 'n1', uid: 'uid-n1', instanceId: 'ins-1', maxPods: undefined, unavailable: false }],
  necs: [],
  cloud: [],
  cidrs: new Map([['subnet-a', block]]),
  sure: new Set<Ipv4>(),
  unclaimed: new Set<Ipv4>(),
  ...change,
})

const enisOf = (change: Partial<RebuildView>) =>
  planRebuild(view(change)).enis.map(
    ({ id, node, slot, ips: all }) =>
      `${id} ${node}/${slot} ${all.map(({ address, grant }) => `${address.split('.')[3]}:${grant ?? 'new'}`).join(' ')}`,
  )

test('[R4][P9] planRebuild() takes nodes, ENIs and addresses as the NEC says: limits, targets, slots, grants', () => {
  const plan = planRebuild(
    view({
      necs: [nec('n1', 'ins-1', [published(1, '5:7', '6:9')])],
      cloud: [cloudEni(1, 'n1', 'ins-1', 5, 6)],
    }),
  )
  assert.deepEqual(plan.nodes, [
    {
      name: 'n1',
      uid: 'uid-n1',
      instanceId: 'ins-1',
      zone: 'zone-a',
      phase: 'active',
      ...ledgerBounds(bounds),
      quota: { instanceType: '', enis: 2, ipsPerEni: 5, eips: 1 },
    },
  ])
  assert.deepEqual(plan.enis, [{ ...published(1, '5:7', '6:9'), node: 'n1' }])
  assert.deepEqual([plan.missing, plan.foreign, plan.unshown], [[], [], []])
})

test('[R4][P9] planRebuild() takes for defaults what the node came with, not what annotations and switches made of it', () => {
  // A rebuild once took the targets in force: after it, an annotation that was removed stayed for ever.
  const said = known(nec('n1', 'ins-1', []).publication)
  const defaults = { shared: { minWarm: 5, maxWarm: 5 }, exclusive: { minWarm: 1, maxWarm: 2 } }
  const overrides = { sharedWarm: { minWarm: 1, maxWarm: 3 }, maxIpsPerEni: 5 }
  const publication = { ...said, defaults, overrides }
  const [node] = planRebuild(view({ necs: [nec('n1', 'ins-1', [], { publication })] })).nodes
  assert.deepEqual([node?.defaults, node?.overrides], [defaults, overrides])
  assert.deepEqual([node?.shared, node?.exclusive], [said.shared, said.exclusive])
})

test('[R7] planRebuild() keeps what a NEC shows and the cloud does not', () => {
  const change = { necs: [nec('n1', 'ins-1', [published(1, '5:7')])] }
  assert.deepEqual(enisOf(change), ['eni-1 n1/1 5:7'])
  assert.deepEqual(planRebuild(view(change)).missing, ['eni-1'])
})

test('[R4] planRebuild() forgets what its node has given up and the cloud does not show', () => {
  const report = nodeReport({ returned: [6, 7, 8].map((n) => ({ address: nth(n), grant: n === 8 ? 1 : n })) })
  const necs = [nec('n1', 'ins-1', [published(1, '5:5', '6:6', '7:7', '8:8')], { report })]
  // 8 was given up under an earlier grant: a pod may have it by now.
  assert.deepEqual(enisOf({ necs, cloud: [cloudEni(1, 'n1', 'ins-1', 7)] }), ['eni-1 n1/1 5:5 7:7 8:8'])
  assert.deepEqual(enisOf({ necs }), ['eni-1 n1/1 5:5 6:6 7:7 8:8'])
})

test('[R4] planRebuild() forgets what its node has given up and the cloud is taking off', () => {
  const report = nodeReport({ returned: [{ address: nth(6), grant: 6 }] })
  const necs = [nec('n1', 'ins-1', [published(1, '5:5', '6:6')], { report })]
  const eni = cloudEni(1, 'n1', 'ins-1', 5, 6)
  const going = { ...eni, ips: eni.ips.map((ip) => ({ ...ip, state: 'deleting' as const })) }
  assert.deepEqual(enisOf({ necs, cloud: [eni] }), ['eni-1 n1/1 5:5 6:6'])
  // What a pod may have stays, whatever the cloud says of it.
  assert.deepEqual(enisOf({ necs, cloud: [going] }), ['eni-1 n1/1 5:5'])
})

test('[R4] planRebuild() goes on above every grant, of returned addresses too', () => {
  const report = nodeReport({ returned: [{ address: nth(9), grant: 40 }] })
  const change = { necs: [nec('n1', 'ins-1', [published(1, '5:7')], { report })] }
  assert.ok(planRebuild(view(change)).lastGrant > 40)
  assert.equal(planRebuild(view({})).lastGrant, 0)
})

test('[R4] planRebuild() takes an ENI that is on its instance and in no NEC, in the slot of its tag', () => {
  const change = {
    necs: [nec('n1', 'ins-1', [published(1, '5:7')])],
    cloud: [cloudEni(1, 'n1', 'ins-1', 5), cloudEni(2, 'n1', 'ins-1', 8)],
  }
  assert.deepEqual(enisOf(change), ['eni-1 n1/1 5:7', 'eni-2 n1/2 '])
  assert.deepEqual(planRebuild(view(change)).unshown, ips('10.0.1.8'))
  assert.deepEqual(enisOf({ ...change, sure: new Set(ips('10.0.1.8')) }), [
    'eni-1 n1/1 5:7',
    'eni-2 n1/2 8:new',
  ])
})

test('[R4] planRebuild() enters no second ENI with the MAC or address of one that a NEC names under a wrong id', () => {
  const wrong = { ...published(1, '5:7'), id: 'eni-wrong' }
  const change = { necs: [nec('n1', 'ins-1', [wrong])], cloud: [cloudEni(1, 'n1', 'ins-1', 5)] }
  assert.deepEqual(enisOf(change), ['eni-wrong n1/1 5:7'])
  assert.deepEqual(
    planRebuild(view(change)).orphans.map(({ subject }) => subject),
    ['eni-1'],
  )
})

test('[R4] planRebuild() enters an address once that the cloud shows on two ENIs, before and after it moved', () => {
  const change = {
    necs: [nec('n1', 'ins-1', [published(1), { ...published(2), slot: 2 }])],
    cloud: [cloudEni(1, 'n1', 'ins-1', 8), cloudEni(2, 'n1', 'ins-1', 8)],
    sure: new Set(ips('10.0.1.8')),
  }
  assert.deepEqual(enisOf(change), ['eni-1 n1/1 8:new', 'eni-2 n1/2 '])
})

test('[R4] planRebuild() holds back what is ours and has no place yet, for the next view to claim', () => {
  const late: CloudEni = { ...cloudEni(2, 'n1', 'ins-1'), instanceId: undefined }
  const foreign = { ...cloudEni(3, 'n1', 'ins-1'), tags: {} }
  const { orphans } = planRebuild(
    view({ necs: [nec('n1', 'ins-1', [published(1)])], cloud: [cloudEni(1, 'n1', 'ins-1'), late, foreign] }),
  )
  assert.deepEqual(
    orphans.map(({ kind, subject, node }) => `${kind} ${subject} of ${node}`),
    ['eni-orphan eni-2 of n1'],
  )
})

test('[R7] planRebuild() names the nodes that ENIs of ours are made for and no NEC speaks of', () => {
  const { nameless } = planRebuild(
    view({ necs: [nec('n1', 'ins-1', [])], cloud: [cloudEni(1, 'n1', 'ins-1'), cloudEni(2, 'n2', 'ins-2')] }),
  )
  assert.deepEqual(nameless, ['n2'])
})

for (const [what, eni] of [
  ['moved to its instance by somebody', cloudEni(2, 'n2', 'ins-2')],
  ['still being attached', { ...cloudEni(2, 'n1', 'ins-1'), state: 'attaching' as const }],
  ['beyond the slots of the node', cloudEni(2, 'n1', 'ins-1')],
] as const) {
  test(`[R7] planRebuild() leaves an ENI to the surveys that is ${what}`, () => {
    const moved = what.startsWith('moved') ? { ...eni, instanceId: 'ins-1' } : eni
    const full = [published(1, '5:7'), { ...published(3), slot: 2 }]
    const own = what.startsWith('beyond') ? full : [published(1, '5:7')]
    const found = enisOf({ necs: [nec('n1', 'ins-1', own)], cloud: [moved] })
    assert.ok(!found.some((line) => line.startsWith('eni-2')), found.join('\n'))
  })
}

test('planRebuild() names ENIs that are of another cluster', () => {
  const theirs = {
    ...cloudEni(1, 'n1', 'ins-1'),
    tags: tagsOf({
      clusterId: 'cls-2',
      node: 'n1',
      instanceId: 'ins-1',
      slot: 1,
      mode: 'shared',
      token: 't',
    }),
  }
  const { foreign } = planRebuild(view({ necs: [nec('n1', 'ins-1', [published(1)])], cloud: [theirs] }))
  assert.deepEqual(foreign, [{ id: 'eni-1', node: 'n1', cluster: 'cls-2' }])
})

test('[R1] planRebuild() gives an ENI, an address and a grant to one node, where two NECs name them', () => {
  const change = {
    nodes: [{ name: 'n2', uid: 'uid-n2', instanceId: 'ins-1', maxPods: undefined, unavailable: false }],
    necs: [
      nec('n1', 'ins-1', [published(1, '5:7')]),
      nec('n2', 'ins-1', [published(1, '5:7', '6:7', '8:8')]),
    ],
    cloud: [cloudEni(1, 'n2', 'ins-1', 5, 6, 8)],
  }
  const plan = planRebuild(view(change))
  assert.deepEqual(
    plan.nodes.map(({ name, phase }) => [name, phase]),
    [
      ['n2', 'active'],
      ['n1', 'leaving'],
    ],
  )
  assert.deepEqual(
    plan.enis.map(({ node }) => node),
    ['n2'],
  )
  const [eni] = plan.enis
  const grants = eni?.ips.map(({ grant }) => grant) ?? []
  assert.equal(new Set(grants).size, grants.length)
})
