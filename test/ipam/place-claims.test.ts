// Where the addresses of static claims go on a node.
import assert from 'node:assert/strict'
import { test } from 'node:test'
import { type ClaimDemand, placeClaims, type UnreservedDemand } from '../../internal/ipam/place-claims.ts'
import { planNode } from '../../internal/ipam/plan-node.ts'
import type { NodePool } from '../../internal/ipam/pool.ts'
import { ip } from '../given.ts'
import { addressOf, type PoolShort, poolOf, subnet, zone } from './pools.ts'
import { tellAction } from './tell-action.ts'

const claimed = (n: number, more: Partial<ClaimDemand> = {}): ClaimDemand => ({
  ...{ namespace: 'shop', name: `web-${n}`, address: ip(`10.0.9.${n}`), subnetId: 'subnet-a' },
  ...{ wanted: true, here: false, elsewhere: false, renews: false, mayGo: false, reserved: true },
  ...more,
})
/** Without an address, and none can be reserved. */
const bare = (key: number, more: Partial<UnreservedDemand> = {}): UnreservedDemand => ({
  ...{ namespace: 'shop', name: `bare-${key}`, key, address: undefined, subnetIds: ['subnet-a'] },
  ...more,
})
const parked = (n: number, free: boolean) => claimed(n, { elsewhere: true, parkedOn: { eni: 900 + n, free } })
/** On an ENI of the node itself, and no reservation keeps it. */
const parkedHere = (slot: number, free = true) => ({
  reserved: false,
  parkedOn: { eni: slot * 100, free },
})
/** On the first ENI of the node, as its second address, and so on. */
const onEni = (n: number, more: Partial<ClaimDemand> = {}) =>
  claimed(n, { address: addressOf(1, n), here: true, ...more })

/** The pool, with the addresses of `claims` marked as theirs. */
function withClaims(pool: PoolShort, claims: readonly ClaimDemand[]): NodePool {
  const { enis, ...rest } = poolOf(pool)
  const owner = new Map(claims.map(({ address, name, namespace }) => [address, { name, namespace }]))
  const marked = enis.map((eni) => ({
    ...eni,
    ips: eni.ips.map((one) => {
      const claim = owner.get(one.address)
      return claim === undefined ? one : { ...one, claim }
    }),
  }))
  return { ...rest, enis: marked }
}

interface Row {
  readonly does: string
  readonly pool: PoolShort
  readonly claims: readonly ClaimDemand[]
  readonly unreserved?: readonly UnreservedDemand[]
  readonly returned?: readonly string[]
  readonly free?: number
  /** Of subnet-b; undefined: there is none. */
  readonly freeOfB?: number
  readonly unlinked?: readonly string[]
  readonly want: readonly string[]
  readonly stuck?: readonly string[]
}

const rows: readonly Row[] = [
  {
    does: '[S1] puts it on the fullest ENI of its subnet that has room',
    pool: {
      enis: [
        { slot: 1, bound: 5 },
        { slot: 2, bound: 3 },
        { slot: 3, bound: 1 },
      ],
    },
    claims: [claimed(1)],
    want: ['assign 200 10.0.9.1'],
  },
  {
    does: '[S1] makes an ENI where none has room',
    pool: { enis: [{ slot: 1, bound: 5 }] },
    claims: [claimed(1), claimed(2)],
    want: ['create 2 subnet-a'],
  },
  {
    does: 'makes one in its own subnet, whatever room there is elsewhere',
    pool: { enis: [{ slot: 1, bound: 1, subnetId: 'subnet-b' }] },
    claims: [claimed(1)],
    want: ['create 2 subnet-a'],
  },
  {
    does: 'waits for an ENI that is on its way',
    pool: { enis: [{ slot: 1, state: 'attaching', busy: true }] },
    claims: [claimed(1)],
    want: [],
  },
  {
    does: 'fills one, then the next',
    pool: {
      enis: [
        { slot: 1, bound: 4 },
        { slot: 2, bound: 3 },
      ],
    },
    claims: [claimed(1), claimed(2), claimed(3), claimed(4)],
    want: ['assign 100 10.0.9.1', 'assign 200 10.0.9.2 10.0.9.3', 'create 3 subnet-a'],
  },
  {
    does: '[R7] does not put it here while another node has it, but has an ENI ready',
    pool: {},
    claims: [claimed(1, { elsewhere: true })],
    want: ['create 1 subnet-a'],
  },
  {
    does: '[R7] takes away only what the node has returned',
    pool: { enis: [{ slot: 1, bound: 3 }] },
    claims: [onEni(1, { wanted: false, mayGo: true }), onEni(2, { wanted: false, mayGo: true })],
    returned: ['10.0.1.2'],
    want: ['unassign 100 10.0.1.2'],
  },
  {
    // Two nodes waited for each other, each with an address that the other wanted.
    does: '[R7] lets one go while another is waited for on the same ENI',
    pool: { enis: [{ slot: 1, bound: 3 }] },
    claims: [onEni(1, { wanted: false, mayGo: true }), claimed(2, { elsewhere: true })],
    returned: ['10.0.1.1'],
    want: ['unassign 100 10.0.1.1'],
  },
  {
    does: 'leaves what is returned where it may stay',
    pool: { enis: [{ slot: 1, bound: 3 }] },
    claims: [onEni(1, { wanted: false })],
    returned: ['10.0.1.1'],
    want: [],
  },
  {
    // Pods waited two minutes for places that addresses at rest had.
    does: '[S4] lets the longest at rest go where the node has no place for one that has a pod',
    pool: { enis: [{ slot: 1, bound: 5 }], maxEnis: 1 },
    claims: [
      onEni(1, { wanted: false, restsSince: 20 }),
      onEni(2, { wanted: false, restsSince: 10 }),
      onEni(3, { wanted: false, restsSince: 5 }),
      claimed(7),
    ],
    returned: ['10.0.1.1', '10.0.1.2'],
    want: ['unassign 100 10.0.1.2'],
  },
  {
    does: '[S4] and where its subnet has no address for another ENI',
    pool: { enis: [{ slot: 1, bound: 5 }] },
    claims: [onEni(1, { wanted: false, restsSince: 20 }), claimed(7)],
    returned: ['10.0.1.1'],
    free: 0,
    want: ['unassign 100 10.0.1.1'],
  },
  {
    does: '[S13] and leaves them for one that wants an address of its own: they keep theirs',
    pool: { enis: [{ slot: 1, bound: 5 }] },
    claims: [onEni(1, { wanted: false, restsSince: 20 })],
    unreserved: [bare(7)],
    returned: ['10.0.1.1'],
    free: 0,
    want: [],
    stuck: ['bare-7 subnets-full'],
  },
  {
    does: '[S4] leaves those at rest where another ENI can be made',
    pool: { enis: [{ slot: 1, bound: 5 }] },
    claims: [onEni(1, { wanted: false, restsSince: 20 }), claimed(7)],
    returned: ['10.0.1.1'],
    want: ['create 2 subnet-a'],
  },
  {
    does: 'tells what finds no place',
    pool: { enis: [{ slot: 1, bound: 5 }], maxEnis: 1 },
    claims: [claimed(1)],
    want: [],
    stuck: ['web-1 node-full'],
  },
  {
    does: '[S11] and what a subnet without one address for the ENI itself cannot carry',
    pool: {},
    claims: [claimed(1)],
    free: 0,
    want: [],
    stuck: ['web-1 subnets-full'],
  },
  {
    does: '[S13] moves a parked one in one step, and only when it may leave where it is',
    pool: { enis: [{ slot: 1, bound: 1 }] },
    claims: [parked(1, false), parked(2, true), parked(3, true)],
    want: ['migrate 10.0.9.2 from 902 to 100'],
  },
  {
    does: '[S13] makes an ENI ready for a parked one that has no place',
    pool: {},
    claims: [parked(1, true)],
    want: ['create 1 subnet-a'],
  },
  {
    does: '[S13] has an address made for one, one after the other on an ENI',
    pool: { enis: [{ slot: 1, bound: 1 }] },
    claims: [],
    unreserved: [bare(7), bare(8)],
    want: ['assign 100 for claim 7'],
  },
  {
    does: '[S13] has it made with the ENI where none has room',
    pool: {},
    claims: [],
    unreserved: [bare(7)],
    want: ['create 1 subnet-a claim 7'],
  },
  {
    // The fullest ENI was tried for ever.
    does: '[S13] has it made on an ENI whose subnet has one left, be it not the fullest',
    pool: {
      enis: [
        { slot: 1, bound: 3 },
        { slot: 2, bound: 1, subnetId: 'subnet-b' },
      ],
    },
    claims: [],
    unreserved: [bare(7, { subnetIds: ['subnet-a', 'subnet-b'] })],
    free: 0,
    freeOfB: 1,
    want: ['assign 200 for claim 7'],
  },
  {
    does: '[S13] tells that the subnet of an ENI with room has none left',
    pool: { enis: [{ slot: 1, bound: 3 }] },
    claims: [],
    unreserved: [bare(7)],
    free: 0,
    want: [],
    stuck: ['bare-7 subnets-full'],
  },
  {
    does: '[P12] puts none on an ENI that its node has no link of',
    pool: {
      enis: [
        { slot: 1, bound: 3 },
        { slot: 2, bound: 1 },
      ],
    },
    claims: [claimed(1)],
    unlinked: ['eni-1'],
    want: ['assign 200 10.0.9.1'],
  },
  {
    does: '[S12][S13] assigns the one that its pod wants',
    pool: { enis: [{ slot: 1, bound: 1 }] },
    claims: [],
    unreserved: [bare(7, { address: ip('10.0.1.99') })],
    want: ['assign 100 10.0.1.99'],
  },
  {
    does: '[S13] tells that no subnet has room for the ENI and an address',
    pool: {},
    claims: [],
    unreserved: [bare(7)],
    free: 1,
    want: [],
    stuck: ['bare-7 subnets-full'],
  },
]

for (const row of rows) {
  const { claims, does, free = 100, freeOfB, pool, returned = [], stuck = [], unlinked = [] } = row
  const { unreserved = [], want } = row
  test(does.replace(/^((?:\[\w+\])*) ?/, '$1 placeClaims() '), () => {
    const plan = placeClaims(withClaims(pool, claims), {
      ...{ claims, unreserved, returned: new Set(returned.map(ip)) },
      unlinked: new Set(unlinked),
      subnets: [subnet('subnet-a', free), ...(freeOfB === undefined ? [] : [subnet('subnet-b', freeOfB)])],
    })
    const said = plan.actions.map((action) => {
      if (action.kind === 'create')
        return `create ${action.slot} ${action.subnetId}${action.claim === undefined ? '' : ` claim ${action.claim}`}`
      if (action.kind === 'migrate') return `migrate ${action.address} from ${action.from} to ${action.eni}`
      if (action.kind === 'assign' && action.claim !== undefined && action.addresses === undefined)
        return `assign ${action.eni} for claim ${action.claim}`
      const addresses = 'addresses' in action ? (action.addresses ?? []) : []
      return [action.kind, action.eni, ...addresses].join(' ')
    })
    assert.deepEqual(said, want)
    assert.deepEqual(
      plan.stuck.map(({ claim, why }) => `${claim.name} ${why}`),
      stuck,
    )
  })
}

test('[S4] placeClaims() binds anew what was returned and is wanted again', () => {
  const claims = [onEni(1, { renews: true }), onEni(2)]
  const pool = withClaims({ enis: [{ slot: 1, bound: 3 }] }, claims)
  const plan = placeClaims(pool, {
    ...{ claims, subnets: [] },
    returned: new Set([addressOf(1, 1), addressOf(1, 2)]),
  })
  assert.deepEqual([plan.renew, plan.actions], [[addressOf(1, 1)], []])
})

test('[P1][S1] what claims have is no part of the pool, and takes up room on its ENIs', () => {
  const claims = [onEni(1), onEni(2)]
  const pool = withClaims({ minWarm: 2, ipsPerEni: 3, enis: [{ slot: 1, bound: 2 }] }, claims)
  const demand = {
    ...{ pods: { shared: 0, exclusive: 0 }, returned: new Set<never>(), zone, claims },
    subnets: [subnet('subnet-a', 100)],
  }
  const { actions } = planNode(pool, demand)
  assert.deepEqual(
    actions.map((action) => [
      action.kind,
      'count' in action ? action.count : 'ips' in action ? action.ips : 0,
    ]),
    [
      ['assign', 1],
      ['create', 1],
    ],
  )
})

test('[P5] planNode() binds no more for the pool than the ENIs carry beside claimed addresses', () => {
  const claims = [1, 2, 3, 4].map((n) => onEni(n))
  const enis = [
    { slot: 1, bound: 6 }, // its maximum was lowered
    { slot: 2, bound: 5 },
    { slot: 3, bound: 4 },
  ]
  const pool = withClaims({ enis, maxEnis: 3, ipsPerEni: 5, minWarm: 3, maxWarm: 7 }, claims)
  const demand = { pods: { shared: 12, exclusive: 0 }, zone, subnets: [subnet('subnet-a', 100)] }
  const { actions } = planNode(pool, { ...demand, returned: new Set(), claims })
  assert.deepEqual(actions, [])
})

test('[P8] planNode() grows no ENI that the agent drains: one without claims, whatever it serves', () => {
  // The agent gave back what the leader bound, for ever.
  const claims = [onEni(1), onEni(2)]
  const enis = [
    { slot: 1, bound: 2 },
    { slot: 2, bound: 1 },
  ]
  const pool = withClaims({ enis, maxEnis: 1, minWarm: 2 }, claims)
  const demand = { pods: { shared: 0, exclusive: 0 }, zone, subnets: [subnet('subnet-a', 100)], claims }
  const { actions } = planNode(pool, { ...demand, returned: new Set(), shown: new Set([addressOf(1, 1)]) })
  assert.deepEqual(actions.map(tellAction), ['assign 1 +1'])
})

for (const { does, maxEnis, reserved, shown, want } of [
  { does: 'deletes it', maxEnis: 1, reserved: true, shown: false, want: ['delete 1'] },
  {
    does: 'puts it back where it has its place',
    maxEnis: 2,
    reserved: true,
    shown: false,
    want: ['attach 1'],
  },
  {
    does: 'keeps it for what no reservation keeps, which leaves it for one with room',
    maxEnis: 1,
    reserved: false,
    shown: false,
    want: ['migrate 2'],
  },
  {
    does: 'also for a pod that shows what no reservation keeps',
    maxEnis: 1,
    reserved: false,
    shown: true,
    want: ['attach 1'],
  },
  {
    does: 'keeps it for a pod that has its address',
    maxEnis: 1,
    reserved: true,
    shown: true,
    want: ['attach 1'],
  },
])
  test(`[S4] planNode(), an ENI with claims was taken off its node: ${does}`, () => {
    // Its instance had been made smaller meanwhile: it was to be attached for ever, and its pods waited beside an ENI with room.
    const claims = [onEni(1, reserved ? {} : parkedHere(1))]
    const enis = [
      { slot: 1, bound: 1, state: 'available', served: true },
      { slot: 2, bound: 1 },
    ] as const
    const pool = withClaims({ enis, maxEnis }, claims)
    const demand = { pods: { shared: 1, exclusive: 0 }, zone, subnets: [subnet('subnet-a', 100)], claims }
    const seen = new Set([addressOf(2, 1), ...(shown ? [addressOf(1, 1)] : [])])
    const { actions } = planNode(pool, { ...demand, returned: new Set(), shown: seen })
    assert.deepEqual(actions.map(tellAction), want)
  })

const off = { slot: 1, bound: 1, state: 'available', served: true } as const
const full = { slot: 2, bound: 5 }

for (const { does, enis, claims, used = [], want, yields = [] } of [
  {
    does: 'stays while it may not leave',
    enis: [off, { slot: 2, bound: 1 }],
    claims: [onEni(1, parkedHere(1, false))],
    want: [],
  },
  {
    // Its ENI was attached for ever, and refused.
    does: 'stays where pods have all there is on the others, and nothing is tried',
    enis: [off, full],
    claims: [onEni(1, parkedHere(1))],
    used: [1, 2, 3, 4, 5],
    want: [],
  },
  {
    does: 'has what is idle make room',
    enis: [off, full],
    claims: [onEni(1, parkedHere(1))],
    used: [1, 2, 3, 4],
    want: [],
    yields: [[200, 4]],
  },
  {
    does: 'has what a reservation keeps make room',
    enis: [off, full],
    claims: [
      onEni(1, parkedHere(1)),
      claimed(2, { address: addressOf(2, 5), here: true, wanted: false, restsSince: 5 }),
    ],
    used: [1, 2, 3, 4],
    want: ['unassign 2 10.0.2.5'],
  },
  {
    does: 'goes where there is room when it has no pod',
    enis: [off, { slot: 2, bound: 1 }],
    claims: [onEni(1, { ...parkedHere(1), wanted: false })],
    want: ['migrate 2'],
  },
  {
    does: 'without a pod has nobody make room',
    enis: [off, full],
    claims: [onEni(1, { ...parkedHere(1), wanted: false })],
    used: [1, 2, 3, 4],
    want: [],
  },
  {
    does: 'takes no other place when it is released',
    enis: [off, { slot: 2, bound: 1 }],
    claims: [onEni(1, { ...parkedHere(1), wanted: false, mayGo: true })],
    used: [1],
    want: [],
  },
  {
    // Each would have waited for the other.
    does: 'waits for the one of two ENIs that has the place',
    enis: [off, { ...off, slot: 2 }],
    claims: [onEni(1, parkedHere(1)), claimed(2, { ...parkedHere(2), address: addressOf(2, 1), here: true })],
    want: ['attach 1'],
  },
] satisfies readonly {
  readonly does: string
  readonly enis: PoolShort['enis']
  readonly claims: readonly ClaimDemand[]
  readonly used?: readonly number[]
  readonly want: readonly string[]
  readonly yields?: readonly [number, number][]
}[])
  test(`[S13] planNode(), a parked address is on an ENI off the node that has no place there: it ${does}`, () => {
    const pool = withClaims({ enis, maxEnis: 1 }, claims)
    const shown = new Set(used.map((n) => addressOf(2, n)))
    const atRest = claims.filter(({ restsSince }) => restsSince !== undefined)
    const plan = planNode(pool, {
      ...{ pods: { shared: used.length, exclusive: 0 }, zone, subnets: [subnet('subnet-a', 100)] },
      ...{ claims, shown, returned: new Set(atRest.map(({ address }) => address)) },
    })
    assert.deepEqual(plan.actions.map(tellAction), want)
    assert.deepEqual([...plan.yields], yields)
  })
