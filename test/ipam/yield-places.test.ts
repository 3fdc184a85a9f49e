// Which ENIs of a full node make room for static pods that wait, and that nothing else takes the room.
import assert from 'node:assert/strict'
import { test } from 'node:test'
import type { ClaimDemand, UnreservedDemand } from '../../internal/ipam/place-claims.ts'
import { planNode } from '../../internal/ipam/plan-node.ts'
import { ip } from '../given.ts'
import { addressOf, type PoolShort, poolOf, subnet, zone } from './pools.ts'
import { byText, tellAction } from './tell-action.ts'

interface Row {
  readonly does: string
  readonly pool: PoolShort
  /** Subnets of claims that wait. */
  readonly waiting: readonly string[]
  /** Each without an address, which may be of any of these subnets. */
  readonly unreserved?: readonly (readonly string[])[]
  readonly pods?: number
  readonly shown?: readonly string[]
  readonly returned?: readonly string[]
  readonly free?: number
  /** "slot most" */
  readonly want: readonly string[]
  readonly actions?: readonly string[]
}

const full = { slot: 1, bound: 5 }

const rows: readonly Row[] = [
  {
    does: 'has nothing make room that has some',
    pool: { maxEnis: 1, enis: [{ slot: 1, bound: 4 }], minWarm: 5 },
    waiting: ['subnet-a'],
    want: [],
    actions: ['assign 1 +1'],
  },
  {
    does: 'has nothing make room while another ENI can be made',
    pool: { enis: [full] },
    waiting: ['subnet-a'],
    want: [],
    actions: ['create 2 subnet-a 0'],
  },
  {
    does: 'has a full ENI keep one less for each claim that waits',
    pool: { maxEnis: 1, enis: [full] },
    waiting: ['subnet-a', 'subnet-a'],
    want: ['1 3'],
  },
  {
    does: '[P12] has those make room first that pods use most',
    pool: { maxEnis: 2, enis: [full, { slot: 2, bound: 5 }] },
    shown: ['1.1', '2.1', '2.2'],
    waiting: ['subnet-a'],
    want: ['2 4'],
  },
  {
    does: 'goes from one ENI on to the next',
    pool: { maxEnis: 2, enis: [full, { slot: 2, bound: 5 }] },
    shown: ['1.1', '1.2', '1.3', '1.4', '2.1', '2.2', '2.3', '2.4'],
    waiting: ['subnet-a', 'subnet-a', 'subnet-a'],
    want: ['1 4', '2 4'],
  },
  {
    does: 'says the same while what it asked for is on its way',
    pool: { maxEnis: 2, enis: [full, { slot: 2, bound: 4, unassigning: 1 }] },
    shown: ['2.1', '2.2', '2.3', '2.4'],
    waiting: ['subnet-a'],
    want: ['2 4'],
  },
  {
    does: 'and while it is returned, which the leader unassigns',
    pool: { maxEnis: 2, enis: [full, { slot: 2, bound: 5 }] },
    shown: ['2.1', '2.2', '2.3', '2.4'],
    returned: ['2.5'],
    waiting: ['subnet-a'],
    want: ['2 4'],
    actions: ['unassign 2 10.0.2.5'],
  },
  {
    does: 'takes nothing that pods show',
    pool: { maxEnis: 1, enis: [full] },
    shown: ['1.1', '1.2', '1.3', '1.4', '1.5'],
    pods: 5,
    waiting: ['subnet-a'],
    want: [],
  },
  {
    does: 'empties an ENI of another subnet that no pod uses, and grows it no more',
    pool: {
      maxEnis: 2,
      minWarm: 9,
      enis: [
        { slot: 1, bound: 2, subnetId: 'subnet-b' },
        { ...full, slot: 2, subnetId: 'subnet-b' },
      ],
    },
    shown: ['2.1'],
    waiting: ['subnet-a'],
    want: ['1 0'],
  },
  {
    does: 'takes an ENI off that has been emptied, though its pool wants more',
    pool: { maxEnis: 1, minWarm: 1, enis: [{ slot: 1, subnetId: 'subnet-b' }] },
    waiting: ['subnet-a'],
    want: ['1 0'],
    actions: ['detach 1'],
  },
  {
    does: 'has the place of one that goes already',
    pool: {
      maxEnis: 2,
      enis: [
        { slot: 1, goal: 'delete', state: 'detaching', busy: true, subnetId: 'subnet-b' },
        { ...full, slot: 2, subnetId: 'subnet-b' },
      ],
    },
    waiting: ['subnet-a'],
    want: [],
  },
  {
    does: 'empties an exclusive ENI that no pod has rather than a shared one',
    pool: {
      instanceEnis: 2,
      exclusive: { maxEnis: 2, minWarm: 1, maxWarm: 1 },
      enis: [
        { slot: 1, bound: 1, subnetId: 'subnet-b' },
        { slot: 2, bound: 1, mode: 'exclusive' },
      ],
    },
    waiting: ['subnet-a'],
    want: ['2 0'],
  },
  {
    does: 'leaves exclusive ENIs where no more shared ones may be',
    pool: {
      maxEnis: 1,
      instanceEnis: 3,
      exclusive: { maxEnis: 2 },
      enis: [
        { ...full, subnetId: 'subnet-b' },
        { slot: 2, bound: 1, mode: 'exclusive' },
      ],
    },
    shown: ['1.1', '2.1'],
    waiting: ['subnet-a'],
    want: [],
  },
  {
    does: 'makes room in any subnet that would do',
    pool: { maxEnis: 1, enis: [{ ...full, subnetId: 'subnet-b' }] },
    waiting: [],
    unreserved: [['subnet-a', 'subnet-b']],
    want: ['1 4'],
  },
  {
    does: 'has a full ENI make room where its subnet has no address for another ENI',
    pool: { enis: [full] },
    waiting: ['subnet-a'],
    unreserved: [['subnet-a']],
    free: 0,
    want: ['1 3'],
  },
  {
    does: 'has no ENI of another subnet make room for what a subnet is too full for',
    pool: { enis: [{ ...full, subnetId: 'subnet-b' }] },
    waiting: ['subnet-a'],
    free: 0,
    want: [],
  },
  {
    does: 'has what was given back make room before another ENI can be made',
    pool: { maxEnis: 2, minWarm: 5, enis: [{ slot: 1, bound: 4 }] },
    waiting: ['subnet-a'],
    free: 1,
    want: [],
    actions: ['assign 1 +1'],
  },
]

for (const { actions = [], does, free = 100, pool, pods = 0, waiting, want, ...more } of rows) {
  test(`[S4][X3] planNode() ${does}`, () => {
    const { returned = [], shown = [], unreserved = [] } = more
    const set = (shorts: readonly string[]) => new Set(shorts.map((short) => ip(`10.0.${short}`)))
    const claims = waiting.map(
      (subnetId, i): ClaimDemand => ({
        ...{ namespace: 'shop', name: `web-${i}`, address: addressOf(9, i + 1), subnetId },
        ...{ wanted: true, here: false, elsewhere: false, renews: false, mayGo: false, reserved: true },
      }),
    )
    const bare = unreserved.map(
      (subnetIds, i): UnreservedDemand => ({
        ...{ namespace: 'shop', name: `bare-${i}`, key: i, address: undefined, subnetIds },
      }),
    )
    const plan = planNode(poolOf(pool), {
      ...{ pods: { shared: pods, exclusive: 0 }, zone, claims, unreserved: bare },
      ...{ returned: set(returned), shown: set(shown) },
      subnets: [subnet('subnet-a', free), subnet('subnet-b', free)],
    })
    assert.deepEqual([...plan.yields].map(([key, most]) => `${key / 100} ${most}`).toSorted(byText), want)
    assert.deepEqual(plan.actions.map(tellAction), actions)
  })
}
