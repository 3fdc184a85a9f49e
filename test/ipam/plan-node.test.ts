// What the leader does next for one node: rows that a reader can extend, and a naive second model for what must always hold.
import assert from 'node:assert/strict'
import { test } from 'node:test'
import fc from 'fast-check'
import { type Action, type NodePlan, planNode } from '../../internal/ipam/plan-node.ts'
import { maxBindable } from '../../internal/ipam/pool.ts'
import type { CloudSubnet } from '../../internal/ipam/types.ts'
import type { Ipv4 } from '../../internal/value/ipv4.ts'
import { addressOf, type EniShort, type PoolShort, poolOf, subnet, zone } from './pools.ts'

interface Row extends PoolShort {
  readonly does: string
  readonly pods?: number
  readonly subnets?: readonly CloudSubnet[]
  /** "slot.n" of addresses the agent gave up. */
  readonly returned?: readonly string[]
  readonly want: readonly string[]
  readonly unmet?: number
  readonly obstacle?: NodePlan['obstacle']
}

const wide = [subnet('subnet-a', 1000)]

const rows: readonly Row[] = [
  // growth
  { does: '[P2] binds the warm minimum on a fresh node', minWarm: 3, want: ['create 1 subnet-a 3'] },
  { does: '[P2] binds pods + minWarm at once', pods: 2, minWarm: 3, want: ['create 1 subnet-a 5'] },
  { does: '[P10] binds nothing without pods and without warm targets', want: [] },
  { does: '[P10] binds on demand with targets of 0', pods: 2, want: ['create 1 subnet-a 2'] },
  {
    does: '[P2] does nothing inside the bounds',
    pods: 2,
    minWarm: 2,
    maxWarm: 4,
    enis: [{ slot: 1, bound: 5 }],
    want: [],
  },
  {
    does: '[P3] leaves surplus to the agent, who alone knows what is idle',
    enis: [{ slot: 1, bound: 5 }],
    want: [],
  },
  {
    does: '[P12] fills the ENI with most addresses first',
    pods: 6,
    enis: [
      { slot: 1, bound: 1 },
      { slot: 2, bound: 3 },
    ],
    want: ['assign 2 +2'],
  },
  {
    does: '[P12] goes on to the next ENI when the fullest has no room for all',
    pods: 8,
    enis: [
      { slot: 1, bound: 1 },
      { slot: 2, bound: 3 },
    ],
    want: ['assign 1 +2', 'assign 2 +2'],
  },
  {
    does: '[P12] takes the lower slot among equals',
    pods: 5,
    enis: [
      { slot: 2, bound: 2 },
      { slot: 1, bound: 2 },
    ],
    want: ['assign 1 +1'],
  },
  {
    does: '[P12] makes another ENI only when those there are full',
    pods: 12,
    enis: [
      { slot: 1, bound: 5 },
      { slot: 2, bound: 3 },
    ],
    want: ['assign 2 +2', 'create 3 subnet-a 2'],
  },
  {
    does: '[P12] makes as many ENIs as it takes',
    pods: 12,
    want: ['create 1 subnet-a 5', 'create 2 subnet-a 5', 'create 3 subnet-a 2'],
  },
  {
    does: '[P12] waits for the room of a busy ENI instead of making another one',
    pods: 4,
    enis: [{ slot: 1, bound: 2, busy: true }],
    want: [],
  },
  {
    does: '[P12] waits for the room of an ENI that is on its way',
    pods: 4,
    enis: [{ slot: 1, state: 'creating', expected: 2 }],
    want: [],
  },
  { does: 'counts what is announced', pods: 4, enis: [{ slot: 1, bound: 2, assigning: 2 }], want: [] },
  {
    does: 'does not count what is on its way out',
    pods: 3,
    enis: [{ slot: 1, bound: 2, unassigning: 2, busy: false }],
    want: ['assign 1 +1'],
  },
  {
    does: '[P14] stops at max ENIs × IPs per ENI',
    pods: 20,
    maxEnis: 1,
    want: ['create 1 subnet-a 5'],
    unmet: 15,
    obstacle: 'node-full',
  },
  {
    does: '[P14] counts addresses on their way out as room taken',
    pods: 5,
    maxEnis: 1,
    enis: [{ slot: 1, bound: 3, unassigning: 2, busy: false }],
    want: [],
    unmet: 2,
    obstacle: 'node-full',
  },
  {
    does: '[P14] an instance without room for ENIs gets none',
    pods: 2,
    maxEnis: 0,
    want: [],
    unmet: 2,
    obstacle: 'node-full',
  },
  {
    does: '[P12] takes the first free place',
    pods: 6,
    enis: [{ slot: 2, bound: 5 }],
    want: ['create 1 subnet-a 1'],
  },
  {
    does: '[P12] keeps the place of an ENI that is being deleted',
    pods: 6,
    maxEnis: 2,
    enis: [
      { slot: 1, bound: 5 },
      { slot: 2, state: 'deleting', goal: 'delete', busy: true },
    ],
    want: [],
    unmet: 1,
    obstacle: 'node-full',
  },
  {
    does: '[R4] keeps the place of an ENI that the next view claims',
    pods: 12,
    unclaimed: 1,
    want: ['create 1 subnet-a 5', 'create 2 subnet-a 5'],
  },
  {
    does: '[R4] says what an ENI that the next view claims cannot carry',
    pods: 7,
    maxEnis: 1,
    unclaimed: 1,
    want: [],
    unmet: 2,
    obstacle: 'node-full',
  },
  // subnets
  {
    does: '[P15] takes the subnet with most free addresses',
    pods: 1,
    subnets: [subnet('subnet-a', 10), subnet('subnet-b', 20), subnet('subnet-c', 15)],
    want: ['create 1 subnet-b 1'],
  },
  {
    does: '[P15] spreads over subnets as they fill',
    pods: 12,
    subnets: [subnet('subnet-a', 8), subnet('subnet-b', 7)],
    want: ['create 1 subnet-a 5', 'create 2 subnet-b 5', 'create 3 subnet-a 1'],
    unmet: 1,
    obstacle: 'node-full',
  },
  {
    does: '[P15] binds as many as the subnet can give',
    pods: 4,
    subnets: [subnet('subnet-a', 3)],
    want: ['create 1 subnet-a 2'],
    unmet: 2,
    obstacle: 'subnets-full',
  },
  {
    does: '[P15] makes no ENI that could not carry a pod',
    pods: 1,
    subnets: [subnet('subnet-a', 1)],
    want: [],
    unmet: 1,
    obstacle: 'subnets-full',
  },
  {
    does: '[P15] says that no subnet is in the zone',
    pods: 1,
    subnets: [subnet('subnet-a', 100, 'elsewhere')],
    want: [],
    unmet: 1,
    obstacle: 'no-subnet-in-zone',
  },
  {
    does: '[P12] makes a new ENI in another subnet when that of the bound ENIs is full',
    pods: 4,
    enis: [{ slot: 1, bound: 2 }],
    subnets: [subnet('subnet-a', 0), subnet('subnet-b', 50)],
    want: ['create 2 subnet-b 2'],
  },
  {
    does: 'no longer grows an ENI whose subnet was taken off the settings',
    pods: 4,
    enis: [{ slot: 1, bound: 2, subnetId: 'subnet-old' }],
    want: ['create 2 subnet-a 2'],
  },
  // on the way in and out
  {
    does: 'attaches what was created',
    pods: 2,
    enis: [{ slot: 1, bound: 2, state: 'available' }],
    want: ['attach 1'],
  },
  {
    does: 'deletes what is detached and not wanted',
    enis: [{ slot: 1, state: 'available', goal: 'delete' }],
    want: ['delete 1'],
  },
  {
    does: 'detaches again what a failed deletion left attached',
    enis: [{ slot: 1, goal: 'delete' }],
    want: ['detach 1'],
  },
  { does: 'leaves a busy ENI alone', enis: [{ slot: 1, goal: 'delete', busy: true }], want: [] },
  {
    does: '[P12] detaches an ENI without addresses when none are wanted',
    enis: [{ slot: 1 }],
    want: ['detach 1'],
  },
  {
    does: '[P12] keeps an ENI without addresses while some are wanted',
    pods: 1,
    enis: [{ slot: 1 }],
    want: ['assign 1 +1'],
  },
  {
    does: '[P12] keeps an ENI with one address',
    enis: [{ slot: 1, bound: 1 }],
    want: [],
  },
  {
    does: 'deletes what there is no place for, the newest first',
    maxEnis: 1,
    enis: [
      { slot: 1, bound: 1 },
      { slot: 2, state: 'available', bound: 1 },
    ],
    pods: 1,
    want: ['delete 2'],
  },
  {
    does: '[R7] puts back an ENI that pods may use, be there a place for it or not',
    maxEnis: 1,
    enis: [
      { slot: 1, bound: 1 },
      { slot: 2, state: 'available', served: true, bound: 1 },
    ],
    pods: 2,
    want: ['attach 2'],
  },
  // returns
  {
    does: '[P3] unassigns what the agent gave up',
    pods: 2,
    enis: [{ slot: 1, bound: 4 }],
    returned: ['1.3', '1.4'],
    want: ['unassign 1 10.0.1.3 10.0.1.4'],
  },
  {
    does: '[P3] unassigns on every ENI at a time, ten addresses a call',
    ipsPerEni: 20,
    enis: [
      { slot: 1, bound: 14 },
      { slot: 2, bound: 1 },
    ],
    returned: [...Array.from({ length: 12 }, (_, i) => `1.${i + 1}`), '2.1'],
    want: ['unassign 1 ×10', 'unassign 2 10.0.2.1'],
  },
  {
    does: '[P2] replaces what was given up and is wanted again, growth before release',
    pods: 3,
    enis: [{ slot: 1, bound: 3 }],
    returned: ['1.3'],
    want: ['assign 1 +1'],
  },
  {
    does: 'ignores a return of what is on its way out already',
    enis: [{ slot: 1, unassigning: 2 }],
    returned: ['1.1'],
    want: [],
  },
  // leaving
  {
    does: '[P12] gives everything back when the node is gone',
    phase: 'leaving',
    pods: 9,
    enis: [
      { slot: 1, bound: 3 },
      { slot: 2, state: 'available' },
      { slot: 3, bound: 1, busy: true },
      { slot: 4, state: 'creating', busy: true },
    ],
    want: ['detach 1', 'delete 2'],
  },
]

for (const row of rows) {
  test(`${row.does.replace(/^((?:\[\w+\])?) ?/, '$1 planNode() ').trim()}`, () => {
    const plan = planNode(poolOf(row), {
      pods: row.pods ?? 0,
      returned: returnedOf(row.returned ?? []),
      zone,
      subnets: row.subnets ?? wide,
    })
    assert.deepEqual(plan.actions.map(tell).toSorted(byText), [...row.want].toSorted(byText))
    assert.equal(plan.unmet, row.unmet ?? 0)
    assert.equal(plan.obstacle, row.obstacle)
    for (const { reason } of plan.actions) assert.ok(reason.length > 0)
  })
}

function tell(action: Action): string {
  switch (action.kind) {
    case 'create':
      return `create ${action.slot} ${action.subnetId} ${action.ips}`
    case 'assign':
      return `assign ${action.eni / 100} +${action.count}`
    case 'unassign': {
      const { eni, addresses } = action
      return `unassign ${eni / 100} ${addresses.length < 10 ? addresses.join(' ') : `×${addresses.length}`}`
    }
    default:
      return `${action.kind} ${action.eni / 100}`
  }
}

function byText(a: string, b: string): number {
  return a < b ? -1 : 1
}

function returnedOf(places: readonly string[]): ReadonlySet<Ipv4> {
  return new Set(
    places.map((place) => {
      const [slot, n] = place.split('.').map(Number)
      return addressOf(slot ?? 0, n ?? 0)
    }),
  )
}

// ---- what must hold for every pool ------------------------------------------------------------

const anyEni = (slot: number, most: number): fc.Arbitrary<EniShort> =>
  fc
    .record({
      bound: fc.nat(most),
      moving: fc.nat(2),
      kind: fc.constantFrom(
        'calm',
        'assigning',
        'unassigning',
        'available',
        'doomed',
        'deleting',
        'creating',
      ),
      subnetId: fc.constantFrom('subnet-a', 'subnet-b'),
    })
    .map(({ bound, moving, kind, subnetId }): EniShort => {
      const room = Math.max(0, Math.min(moving, most - bound))
      switch (kind) {
        case 'assigning':
          return { slot, subnetId, bound, assigning: room }
        case 'unassigning':
          return { slot, subnetId, bound, unassigning: room }
        case 'available':
          return { slot, subnetId, bound, state: 'available' }
        case 'doomed':
          return { slot, subnetId, goal: 'delete' }
        case 'deleting':
          return { slot, subnetId, goal: 'delete', state: 'deleting', busy: true }
        case 'creating':
          return { slot, subnetId, state: 'creating', expected: Math.max(1, bound), busy: true }
        default:
          return { slot, subnetId, bound }
      }
    })

const anyCase = fc
  .record({ maxEnis: fc.integer({ min: 0, max: 4 }), ipsPerEni: fc.integer({ min: 0, max: 6 }) })
  .chain(({ maxEnis, ipsPerEni }) =>
    fc.record({
      maxEnis: fc.constant(maxEnis),
      ipsPerEni: fc.constant(ipsPerEni),
      slots: fc
        .subarray(Array.from({ length: maxEnis }, (_, i) => i + 1))
        .chain((slots) => fc.tuple(...slots.map((slot) => anyEni(slot, ipsPerEni)))),
      pods: fc.nat(30),
      minWarm: fc.nat(5),
      availableA: fc.nat(12),
      availableB: fc.nat(12),
      zoneOfB: fc.constantFrom(zone, 'elsewhere'),
      returns: fc.array(fc.tuple(fc.integer({ min: 1, max: 4 }), fc.integer({ min: 1, max: 6 })), {
        maxLength: 4,
      }),
    }),
  )

test('[P1][P2][P12][P14][P15] planNode() agrees with a naive second model on every pool', () => {
  fc.assert(
    fc.property(anyCase, (given) => {
      const { maxEnis, ipsPerEni, minWarm, pods, slots } = given
      const pool = poolOf({ maxEnis, ipsPerEni, minWarm, enis: slots })
      const subnets = [
        subnet('subnet-a', given.availableA),
        subnet('subnet-b', given.availableB, given.zoneOfB),
      ]
      const returned = new Set(given.returns.map(([slot, n]) => addressOf(slot, n)))
      const { actions, unmet, obstacle } = planNode(pool, { pods, returned, zone, subnets })

      // One thing at a time for each ENI, and nothing for a busy one.
      const touched = actions.flatMap((action) => ('eni' in action ? [action.eni] : []))
      assert.equal(new Set(touched).size, touched.length)
      const busy = new Set(pool.enis.filter((eni) => eni.busy).map(({ key }) => key))
      assert.ok(touched.every((key) => !busy.has(key)))

      // Room: neither ENI nor node nor subnet ever gets more than it can hold.
      const held = pool.enis.map((eni) => ({ eni, ips: eni.ips.length + eni.expectedIps }))
      const added = (key: number) =>
        actions.reduce((sum, a) => sum + (a.kind === 'assign' && a.eni === key ? a.count : 0), 0)
      for (const { eni, ips } of held) assert.ok(added(eni.key) === 0 || ips + added(eni.key) <= ipsPerEni)
      const created = actions.filter((action) => action.kind === 'create')
      assert.ok(pool.enis.length + created.length <= maxEnis || created.length === 0)
      const places = [...pool.enis.map(({ slot }) => slot), ...created.map(({ slot }) => slot)]
      assert.equal(new Set(places).size, places.length)
      assert.ok(places.every((slot) => slot >= 1 && slot <= maxEnis))
      for (const { id, available, zone: at } of subnets) {
        const made = created.filter(({ subnetId }) => subnetId === id)
        assert.ok(made.length === 0 || at === zone)
        const taken =
          made.reduce((sum, { ips }) => sum + ips + 1, 0) +
          pool.enis.filter(({ subnetId }) => subnetId === id).reduce((sum, { key }) => sum + added(key), 0)
        assert.ok(taken <= available, `${taken} of ${available} taken in ${id}`)
      }

      // Growth: as far as it must, never further.
      const serves = (eni: (typeof pool.enis)[number]) =>
        eni.goal === 'delete'
          ? 0
          : eni.expectedIps +
            eni.ips.filter((i) => i.state !== 'unassigning' && !returned.has(i.address)).length
      const have = pool.enis.reduce((sum, eni) => sum + serves(eni), 0)
      const wanted = Math.min(pods + minWarm, maxBindable(pool.limits))
      const grown = actions.reduce(
        (sum, a) => sum + (a.kind === 'create' ? a.ips : a.kind === 'assign' ? a.count : 0),
        0,
      )
      assert.ok(grown <= Math.max(0, wanted - have))
      const later = pool.enis
        .filter((eni) => eni.goal === 'serve' && (eni.busy || eni.state !== 'attached'))
        .reduce((sum, eni) => sum + Math.max(0, ipsPerEni - eni.ips.length - eni.expectedIps), 0)
      if (have + grown + later < wanted) assert.ok(unmet > 0, 'what cannot be had is told')
      assert.equal(obstacle === undefined, unmet === 0)

      // Least ENIs: none is made while an attached one has room that its subnet can give.
      if (created.length > 0) {
        for (const { eni, ips } of held) {
          if (eni.goal === 'delete') continue
          const id = eni.subnetId
          const spent = pool.enis.filter((e) => e.subnetId === id).reduce((n, e) => n + added(e.key), 0)
          const claimed = pool.enis
            .filter((e) => e.subnetId === id && e.goal === 'serve' && (e.busy || e.state !== 'attached'))
            .reduce((n, e) => n + Math.max(0, ipsPerEni - e.ips.length - e.expectedIps), 0)
          const left = (subnets.find((s) => s.id === id)?.available ?? 0) - spent - claimed
          const calm = eni.state === 'attached' && !eni.busy
          assert.ok(!calm || ips + added(eni.key) === ipsPerEni || left <= 0)
        }
      }

      // Nothing that serves is taken away, and what is returned is never more than was given up.
      for (const action of actions) {
        if (action.kind === 'unassign') {
          assert.ok(action.addresses.length > 0 && action.addresses.length <= 10)
          assert.ok(action.addresses.every((address) => returned.has(address)))
        }
        if (action.kind === 'detach' || action.kind === 'delete') {
          const eni = pool.enis.find(({ key }) => key === action.eni)
          assert.ok(eni?.goal === 'delete' || eni?.ips.length === 0)
        }
      }
    }),
    { numRuns: 1500 },
  )
})

test('planNode() repeats itself, whatever the order of ENIs and subnets', () => {
  fc.assert(
    fc.property(anyCase, (given) => {
      const { slots } = given
      const subnets = [subnet('subnet-a', given.availableA), subnet('subnet-b', given.availableA)]
      const demand = { pods: given.pods, returned: new Set<Ipv4>(), zone }
      const one = planNode(poolOf({ ...given, enis: slots }), { ...demand, subnets })
      const other = planNode(poolOf({ ...given, enis: slots.toReversed() }), {
        ...demand,
        subnets: subnets.toReversed(),
      })
      assert.deepEqual(one.actions.map(tell).toSorted(byText), other.actions.map(tell).toSorted(byText))
    }),
    { numRuns: 300 },
  )
})
