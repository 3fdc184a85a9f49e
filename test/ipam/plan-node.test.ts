// What the leader does next for one node: rows that a reader can extend, and a naive second model for what must always hold.
import assert from 'node:assert/strict'
import { test } from 'node:test'
import fc from 'fast-check'
import type { Shortage } from '../../internal/ipam/plan-growth.ts'
import { type Action, planNode } from '../../internal/ipam/plan-node.ts'
import type { NodePool, PoolEni } from '../../internal/ipam/pool.ts'
import type { CloudSubnet, EniMode, PoolBounds } from '../../internal/ipam/types.ts'
import type { Ipv4 } from '../../internal/value/ipv4.ts'
import { addressOf, type EniShort, type PoolShort, poolOf, subnet, zone } from './pools.ts'

interface Row extends PoolShort {
  readonly does: string
  readonly pods?: number
  readonly subnets?: readonly CloudSubnet[]
  /** "slot.n" of addresses the agent gave up. */
  readonly returned?: readonly string[]
  /** Bound, and no pod can get them. */
  readonly withheld?: readonly [shared: number, exclusive: number]
  /** Slots of ENIs that the agent has no link of. */
  readonly unlinked?: readonly number[]
  readonly want: readonly string[]
  readonly unmet?: number
  readonly obstacle?: Shortage['why']
  /** Of the pool of exclusive ENIs; `unmet` and `obstacle` as for addresses. */
  readonly exclusive?: Partial<PoolBounds> & {
    readonly pods?: number
    readonly unmet?: number
    readonly obstacle?: Shortage['why']
  }
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
    // The pool was ready, below its warm minimum.
    does: '[P15][K3] says that the subnet of an ENI with room is full when there is no place for another',
    pods: 2,
    minWarm: 2,
    maxEnis: 1,
    enis: [{ slot: 1, bound: 3 }],
    subnets: [subnet('subnet-a', 0)],
    want: [],
    unmet: 1,
    obstacle: 'subnets-full',
  },
  {
    does: '[P15][K3] says so for what is left, too',
    pods: 4,
    maxEnis: 1,
    enis: [{ slot: 1, bound: 1 }],
    subnets: [subnet('subnet-a', 1)],
    want: ['assign 1 +1'],
    unmet: 2,
    obstacle: 'subnets-full',
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
  {
    does: 'deletes an ENI that was taken off once all its addresses are returned',
    maxEnis: 1,
    enis: [
      { slot: 1, bound: 1 },
      { slot: 2, state: 'available', served: true, bound: 2 },
    ],
    pods: 1,
    returned: ['2.1', '2.2'],
    want: ['delete 2'],
  },
  {
    does: 'puts it back while one of them is not',
    enis: [
      { slot: 1, bound: 1 },
      { slot: 2, state: 'available', served: true, bound: 2 },
    ],
    pods: 2,
    returned: ['2.1'],
    want: ['attach 2'],
  },
  {
    does: 'deletes an ENI without addresses that was taken off',
    enis: [
      { slot: 1, bound: 1 },
      { slot: 2, state: 'available', served: true },
    ],
    pods: 1,
    want: ['delete 2'],
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
  // exclusive ENIs
  {
    does: '[X2] makes the warm minimum of whole ENIs',
    exclusive: { minWarm: 2, maxEnis: 3 },
    want: ['create 1 subnet-a exclusive', 'create 2 subnet-a exclusive'],
  },
  {
    does: '[X2] makes ENIs for pods and for the warm minimum',
    exclusive: { pods: 1, minWarm: 1, maxEnis: 3 },
    want: ['create 1 subnet-a exclusive', 'create 2 subnet-a exclusive'],
  },
  {
    does: '[X2] makes none without pods and without warm targets',
    exclusive: { maxEnis: 3 },
    want: [],
  },
  {
    does: '[X2] counts the ENIs that are there, and those on their way',
    exclusive: { pods: 1, minWarm: 2, maxEnis: 3 },
    enis: [
      { slot: 1, mode: 'exclusive', bound: 1 },
      { slot: 2, mode: 'exclusive', state: 'creating', expected: 1 },
    ],
    want: ['create 3 subnet-a exclusive'],
  },
  {
    does: '[X3] counts neither kind for the other, and binds no address on an exclusive ENI',
    pods: 2,
    exclusive: { pods: 2, maxEnis: 3 },
    instanceEnis: 6,
    enis: [
      { slot: 1, mode: 'exclusive', bound: 1 },
      { slot: 2, bound: 1 },
    ],
    want: ['assign 2 +1', 'create 3 subnet-a exclusive'],
  },
  {
    does: '[X3] counts the maxima apart',
    pods: 7,
    maxEnis: 1,
    exclusive: { pods: 4, maxEnis: 2, unmet: 2, obstacle: 'node-full' },
    instanceEnis: 9,
    want: ['create 1 subnet-a 5', 'create 2 subnet-a exclusive', 'create 3 subnet-a exclusive'],
    unmet: 2,
    obstacle: 'node-full',
  },
  {
    does: '[X3] never makes more ENIs of both kinds together than the instance takes',
    pods: 12,
    maxEnis: 3,
    exclusive: { maxEnis: 3 },
    instanceEnis: 3,
    enis: [
      { slot: 1, mode: 'exclusive', bound: 1 },
      { slot: 2, mode: 'exclusive', bound: 1 },
    ],
    want: ['create 3 subnet-a 5'],
    unmet: 7,
    obstacle: 'node-full',
  },
  {
    does: '[X3] serves the pods of either kind before warm ones when places are few',
    pods: 1,
    minWarm: 8,
    maxEnis: 2,
    exclusive: { pods: 1, minWarm: 1, maxEnis: 2 },
    want: ['create 1 subnet-a 5', 'create 2 subnet-a exclusive'],
  },
  {
    does: '[X3] serves the pods that want addresses first',
    pods: 1,
    maxEnis: 1,
    exclusive: { pods: 1, maxEnis: 1, unmet: 1, obstacle: 'node-full' },
    want: ['create 1 subnet-a 1'],
  },
  {
    does: '[X3] serves the pods that want ENIs before warm addresses',
    minWarm: 3,
    maxEnis: 1,
    exclusive: { pods: 1, maxEnis: 1 },
    want: ['create 1 subnet-a exclusive'],
  },
  {
    does: '[X3] keeps warm addresses before warm ENIs',
    minWarm: 1,
    maxEnis: 1,
    exclusive: { minWarm: 1, maxEnis: 1 },
    want: ['create 1 subnet-a 1'],
  },
  {
    does: '[P14][X3] makes no more for either kind than pods can be on the node',
    minWarm: 9,
    maxPods: 4,
    exclusive: { minWarm: 9, maxEnis: 9 },
    instanceEnis: 9,
    want: ['create 1 subnet-a 4', ...['2', '3', '4', '5'].map((slot) => `create ${slot} subnet-a exclusive`)],
  },
  {
    does: '[R4][X3] keeps the place of an ENI that the next view claims, whatever its kind',
    pods: 1,
    exclusive: { pods: 2, maxEnis: 3 },
    unclaimed: 1,
    want: ['create 1 subnet-a 1', 'create 2 subnet-a exclusive'],
  },
  {
    does: '[P15][X2] makes an exclusive ENI of the last address of a subnet',
    exclusive: { pods: 2, maxEnis: 3, unmet: 1, obstacle: 'subnets-full' },
    subnets: [subnet('subnet-a', 1)],
    want: ['create 1 subnet-a exclusive'],
  },
  {
    does: '[P15][X2] spreads exclusive ENIs over subnets',
    exclusive: { pods: 3, maxEnis: 3 },
    subnets: [subnet('subnet-a', 6), subnet('subnet-b', 5)],
    want: ['create 1 subnet-a exclusive', 'create 2 subnet-a exclusive', 'create 3 subnet-b exclusive'],
  },
  {
    does: '[P15][X2] says that no subnet is in the zone, for either kind',
    pods: 1,
    exclusive: { pods: 2, maxEnis: 3, unmet: 2, obstacle: 'no-subnet-in-zone' },
    subnets: [subnet('subnet-a', 100, 'elsewhere')],
    want: [],
    unmet: 1,
    obstacle: 'no-subnet-in-zone',
  },
  {
    does: '[X2] attaches an exclusive ENI that was created',
    exclusive: { minWarm: 1, maxEnis: 1 },
    enis: [{ slot: 1, mode: 'exclusive', bound: 1, state: 'available' }],
    want: ['attach 1'],
  },
  {
    does: '[X2] detaches an exclusive ENI that the agent gave up, instead of unassigning its address',
    exclusive: { maxEnis: 1 },
    enis: [{ slot: 1, mode: 'exclusive', bound: 1 }],
    returned: ['1.1'],
    want: ['detach 1'],
  },
  {
    does: '[X2] makes another one for a pod when one was given up',
    exclusive: { pods: 1, maxEnis: 2 },
    enis: [{ slot: 1, mode: 'exclusive', bound: 1 }],
    returned: ['1.1'],
    want: ['create 2 subnet-a exclusive', 'detach 1'],
  },
  {
    does: '[X2] keeps an exclusive ENI until the agent gives it up',
    exclusive: { maxEnis: 0 },
    enis: [{ slot: 1, mode: 'exclusive', bound: 1 }],
    want: [],
  },
  {
    does: '[X3] deletes what there is no place for on the instance, the newest of either kind, and no more',
    maxEnis: 3,
    exclusive: { maxEnis: 3 },
    instanceEnis: 1,
    enis: [
      { slot: 1, bound: 1, state: 'available' },
      { slot: 2, mode: 'exclusive', bound: 1, state: 'available' },
    ],
    pods: 1,
    want: ['attach 1', 'delete 2'],
  },
  {
    // Nothing was done, for ever: the idle ENI stayed.
    does: '[X3] waits for an idle exclusive ENI to be given up when pods that want addresses need its place',
    pods: 12,
    exclusive: { minWarm: 1, maxEnis: 3 },
    enis: [
      { slot: 1, bound: 5 },
      { slot: 2, bound: 5 },
      { slot: 3, mode: 'exclusive', bound: 1 },
    ],
    want: [],
    unmet: 2,
    obstacle: 'node-full',
  },
  {
    does: '[X3] detaches it then, and makes no other one',
    pods: 12,
    exclusive: { minWarm: 1, maxEnis: 3 },
    enis: [
      { slot: 1, bound: 5 },
      { slot: 2, bound: 5 },
      { slot: 3, mode: 'exclusive', bound: 1 },
    ],
    returned: ['3.1'],
    want: ['detach 3'],
    unmet: 2,
    obstacle: 'node-full',
  },
  {
    does: '[X3] gives the place to the pods that it was freed for, not to warm ENIs',
    pods: 12,
    exclusive: { minWarm: 1, maxEnis: 3 },
    enis: [
      { slot: 1, bound: 5 },
      { slot: 2, bound: 5 },
    ],
    want: ['create 3 subnet-a 2'],
  },
  {
    does: '[X3] binds no more on a shared ENI that is to make room for a pod that wants an ENI',
    pods: 5,
    minWarm: 5,
    exclusive: { pods: 2, maxEnis: 3, unmet: 1, obstacle: 'node-full' },
    enis: [
      { slot: 1, bound: 5 },
      { slot: 2, bound: 3 },
      { slot: 3, mode: 'exclusive', bound: 1 },
    ],
    returned: ['2.1'],
    want: ['unassign 2 10.0.2.1'],
  },
  {
    does: '[X3] detaches it when it is empty, though warm addresses are wanted',
    pods: 5,
    minWarm: 5,
    exclusive: { pods: 2, maxEnis: 3, unmet: 1, obstacle: 'node-full' },
    enis: [{ slot: 1, bound: 5 }, { slot: 2 }, { slot: 3, mode: 'exclusive', bound: 1 }],
    want: ['detach 2'],
  },
  {
    does: '[X3] deletes a warm ENI that was never on the node when pods of the other kind want its place',
    pods: 1,
    exclusive: { pods: 2, minWarm: 1, maxEnis: 3, unmet: 1, obstacle: 'node-full' },
    enis: [
      { slot: 1, bound: 5 },
      { slot: 2, bound: 5, state: 'available' },
      { slot: 3, mode: 'exclusive', bound: 1 },
    ],
    want: ['delete 2'],
  },
  {
    // As warm ones they took the last five, and the pod was told that the subnets are full.
    does: '[P15][X3] leaves a waiting pod the last address of a subnet before warm ones take it',
    minWarm: 5,
    exclusive: { pods: 1, maxEnis: 3 },
    enis: [{ slot: 1 }],
    subnets: [subnet('subnet-a', 5)],
    want: ['assign 1 +4', 'create 2 subnet-a exclusive'],
    unmet: 1,
    obstacle: 'subnets-full',
  },
  {
    does: '[P15][X3] leaves it when the warm ones would be on new ENIs, too',
    pods: 2,
    minWarm: 3,
    exclusive: { pods: 1, maxEnis: 3 },
    subnets: [subnet('subnet-a', 5)],
    want: ['create 1 subnet-a 3', 'create 2 subnet-a exclusive'],
    unmet: 2,
    obstacle: 'subnets-full',
  },
  {
    // It held its place as long as pods waited.
    does: '[X2] detaches an exclusive ENI without its address, though pods wait for one',
    maxEnis: 1,
    exclusive: { pods: 1, maxEnis: 1, unmet: 1, obstacle: 'node-full' },
    enis: [{ slot: 1, mode: 'exclusive' }],
    want: ['detach 1'],
  },
  {
    does: '[X2] deletes one that was taken off and has lost its address',
    maxEnis: 1,
    exclusive: { pods: 1, maxEnis: 1, unmet: 1, obstacle: 'node-full' },
    enis: [{ slot: 1, mode: 'exclusive', state: 'available', served: true }],
    want: ['delete 1'],
  },
  // withheld
  {
    // It counted as there for the pod, which waited for ever.
    does: '[X2] makes another exclusive ENI for a pod that cannot get the one that is there',
    maxEnis: 0,
    exclusive: { pods: 1, maxEnis: 2 },
    enis: [{ slot: 1, mode: 'exclusive', bound: 1 }],
    withheld: [0, 1],
    want: ['create 2 subnet-a exclusive'],
  },
  {
    does: '[X2][K3] says that pods wait when an ENI that no pod can get has the last place',
    maxEnis: 0,
    exclusive: { pods: 1, maxEnis: 1, unmet: 1, obstacle: 'node-full' },
    enis: [{ slot: 1, mode: 'exclusive', bound: 1 }],
    withheld: [0, 1],
    want: [],
  },
  {
    does: '[P2] binds what no pod can get once more, however few pods the node runs',
    pods: 2,
    maxPods: 2,
    enis: [{ slot: 1, bound: 3 }],
    withheld: [2, 0],
    want: ['assign 1 +1'],
  },
  {
    // It bound more and more on the very ENI that no pod can use.
    does: '[P2] binds nothing more on an ENI whose link does not appear',
    pods: 1,
    enis: [{ slot: 1, bound: 2 }],
    withheld: [2, 0],
    unlinked: [1],
    want: ['create 2 subnet-a 1'],
  },
  {
    // Off its node by hand, where it was tried to be put back for ever.
    does: '[X3] deletes an exclusive ENI off its node that nobody has when there is no place for it',
    pods: 1,
    maxEnis: 1,
    exclusive: { pods: 1, maxEnis: 2 },
    instanceEnis: 2,
    enis: [
      { slot: 1, bound: 1 },
      { slot: 2, mode: 'exclusive', bound: 1 },
      { slot: 3, mode: 'exclusive', bound: 1, state: 'available', served: true },
    ],
    withheld: [0, 1],
    unlinked: [3],
    want: ['delete 3'],
  },
  {
    does: '[R7] puts back one that a pod may have, be there a place for it or not',
    pods: 1,
    maxEnis: 1,
    exclusive: { pods: 1, maxEnis: 2 },
    instanceEnis: 2,
    enis: [
      { slot: 1, bound: 1 },
      { slot: 2, mode: 'exclusive', bound: 1 },
      { slot: 3, mode: 'exclusive', bound: 1, state: 'available', served: true },
    ],
    want: ['attach 3'],
  },
  {
    does: '[P2] takes an agent that tells of more than there is for one that has not looked yet',
    pods: 2,
    enis: [{ slot: 1, bound: 2 }],
    withheld: [5, 0],
    want: ['assign 1 +2'],
  },
  // lowered maxima
  {
    does: '[P8] makes no ENI beyond a maximum that was lowered below what there is',
    maxEnis: 1,
    pods: 8,
    enis: [
      { slot: 1, bound: 3 },
      { slot: 2, bound: 1 },
    ],
    instanceEnis: 3,
    want: ['assign 1 +1'],
    unmet: 3,
    obstacle: 'node-full',
  },
  {
    does: '[P8] detaches an empty ENI beyond a lowered maximum, though more is wanted',
    maxEnis: 1,
    pods: 6,
    enis: [{ slot: 1, bound: 5 }, { slot: 2 }],
    instanceEnis: 3,
    want: ['detach 2'],
    unmet: 1,
    obstacle: 'node-full',
  },
  {
    // It went on with the ENI that the agent drained, as the one with most addresses, and both took turns forever.
    does: '[P8] grows the ENI that the agent keeps, not the one that it drains',
    maxEnis: 1,
    minWarm: 5,
    enis: [
      { slot: 1, bound: 3 },
      { slot: 2, bound: 4 },
    ],
    returned: ['2.1', '2.2', '2.3', '2.4'],
    instanceEnis: 3,
    want: ['assign 1 +2', 'unassign 2 10.0.2.1 10.0.2.2 10.0.2.3 10.0.2.4'],
  },
  {
    does: '[P8] binds no more on an ENI above a lowered maximum of addresses',
    ipsPerEni: 3,
    pods: 9,
    enis: [{ slot: 1, bound: 5 }],
    want: ['create 2 subnet-a 3', 'create 3 subnet-a 1'],
  },
  {
    does: '[P8][R7] puts back an ENI with more addresses than a lowered maximum: pods may use them',
    ipsPerEni: 3,
    quotaIpsPerEni: 5,
    enis: [{ slot: 1, bound: 5, state: 'available', served: true }],
    want: ['attach 1'],
  },
  {
    does: '[R7] unassigns the newest of what the instance cannot take, before it puts the ENI back',
    ipsPerEni: 3,
    enis: [{ slot: 1, bound: 5, state: 'available', served: true }],
    want: ['unassign 1 10.0.1.5 10.0.1.4'],
  },
  {
    does: '[P8] keeps exclusive ENIs beyond a lowered maximum until they are given up, and makes none',
    exclusive: { pods: 2, minWarm: 1, maxEnis: 1, unmet: 1, obstacle: 'node-full' },
    enis: [
      { slot: 1, mode: 'exclusive', bound: 1 },
      { slot: 2, mode: 'exclusive', bound: 1 },
    ],
    returned: ['2.1'],
    want: ['detach 2'],
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
      { slot: 5, mode: 'exclusive', bound: 1 },
      { slot: 6, mode: 'exclusive', bound: 1, state: 'available' },
    ],
    want: ['detach 1', 'delete 2', 'detach 5', 'delete 6'],
  },
]

for (const row of rows) {
  test(`${row.does.replace(/^((?:\[\w+\])?) ?/, '$1 planNode() ').trim()}`, () => {
    const plan = planNode(poolOf(row), {
      pods: { shared: row.pods ?? 0, exclusive: row.exclusive?.pods ?? 0 },
      returned: returnedOf(row.returned ?? []),
      unlinked: new Set(row.unlinked?.map((slot) => `eni-${slot}`)),
      withheld: { shared: row.withheld?.[0] ?? 0, exclusive: row.withheld?.[1] ?? 0 },
      zone,
      subnets: row.subnets ?? wide,
    })
    assert.deepEqual(plan.actions.map(tell).toSorted(byText), [...row.want].toSorted(byText))
    assert.deepEqual(plan.shortages, [
      ...shortageOf('shared', row.unmet, row.obstacle),
      ...shortageOf('exclusive', row.exclusive?.unmet, row.exclusive?.obstacle),
    ])
    for (const { reason } of plan.actions) assert.ok(reason.length > 0)
  })
}

function shortageOf(mode: EniMode, count = 0, why?: Shortage['why']): Shortage[] {
  return why === undefined ? [] : [{ mode, count, why }]
}

function tell(action: Action): string {
  switch (action.kind) {
    case 'create':
      return `create ${action.slot} ${action.subnetId} ${action.mode === 'shared' ? action.ips : 'exclusive'}`
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

const modes = ['shared', 'exclusive'] as const

const anyEni = (slot: number, most: number): fc.Arbitrary<EniShort> =>
  fc
    .record({
      mode: fc.constantFrom('shared', 'shared', 'exclusive'),
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
    .map(({ mode, bound: some, moving, kind, subnetId }): EniShort => {
      const place = { slot, mode, subnetId } as const
      const bound = mode === 'exclusive' ? 1 : some
      const room = mode === 'exclusive' ? 0 : Math.max(0, Math.min(moving, most - bound))
      switch (kind) {
        case 'assigning':
          return { ...place, bound, assigning: room }
        case 'unassigning':
          return { ...place, bound, unassigning: room }
        case 'available':
          return { ...place, bound, state: 'available' }
        case 'doomed':
          return { ...place, goal: 'delete' }
        case 'deleting':
          return { ...place, goal: 'delete', state: 'deleting', busy: true }
        case 'creating':
          return { ...place, state: 'creating', expected: Math.max(1, bound), busy: true }
        default:
          return { ...place, bound }
      }
    })

/** Maxima that were lowered below what there is among them. */
const anyCase = fc
  .record({
    instanceEnis: fc.integer({ min: 0, max: 4 }),
    ipsPerEni: fc.integer({ min: 0, max: 6 }),
    // What somebody has lowered them by.
    lower: fc.record({ shared: fc.nat(2), exclusive: fc.nat(2), ips: fc.constantFrom(0, 0, 2) }),
  })
  .chain(({ instanceEnis, ipsPerEni: quotaIpsPerEni, lower }) =>
    fc.record({
      instanceEnis: fc.constant(instanceEnis),
      quotaIpsPerEni: fc.constant(quotaIpsPerEni),
      maxEnis: fc.constant(Math.max(0, instanceEnis - lower.shared)),
      maxExclusive: fc.constant(Math.max(0, instanceEnis - lower.exclusive)),
      ipsPerEni: fc.constant(Math.max(0, quotaIpsPerEni - lower.ips)),
      slots: fc
        .subarray(Array.from({ length: instanceEnis }, (_, i) => i + 1))
        .chain((slots) => fc.tuple(...slots.map((slot) => anyEni(slot, quotaIpsPerEni)))),
      pods: fc.nat(30),
      exclusivePods: fc.nat(5),
      minWarm: fc.nat(5),
      minWarmEnis: fc.nat(2),
      maxPods: fc.option(fc.nat(20), { nil: undefined }),
      availableA: fc.oneof(fc.nat(12), fc.constant(1000)),
      availableB: fc.oneof(fc.nat(12), fc.constant(1000)),
      zoneOfB: fc.constantFrom(zone, 'elsewhere'),
      returns: fc.array(fc.tuple(fc.integer({ min: 1, max: 4 }), fc.integer({ min: 1, max: 6 })), {
        maxLength: 4,
      }),
    }),
  )
type Case = typeof anyCase extends fc.Arbitrary<infer T> ? T : never

function givenPool(given: Case): NodePool {
  const { maxEnis, maxExclusive, ipsPerEni, quotaIpsPerEni, instanceEnis, minWarm, maxPods, slots } = given
  return poolOf({
    ...{ maxEnis, ipsPerEni, quotaIpsPerEni, instanceEnis, minWarm, enis: slots },
    ...(maxPods === undefined ? {} : { maxPods }),
    exclusive: { maxEnis: maxExclusive, minWarm: given.minWarmEnis, maxWarm: given.minWarmEnis },
  })
}

test('[P1][P2][P12][P14][P15][X2][X3] planNode() agrees with a naive second model on every pool', () => {
  fc.assert(
    fc.property(anyCase, (given) => {
      const { ipsPerEni, instanceEnis } = given
      const pool = givenPool(given)
      const pods = { shared: given.pods, exclusive: given.exclusivePods }
      const subnets = [
        subnet('subnet-a', given.availableA),
        subnet('subnet-b', given.availableB, given.zoneOfB),
      ]
      const returned = new Set(given.returns.map(([slot, n]) => addressOf(slot, n)))
      const { actions, shortages } = planNode(pool, { pods, returned, zone, subnets })
      const ofMode = (mode: EniMode) => pool.enis.filter((eni) => eni.mode === mode)

      // One thing at a time for each ENI, and nothing for a busy one.
      const touched = actions.flatMap((action) => ('eni' in action ? [action.eni] : []))
      assert.equal(new Set(touched).size, touched.length)
      const busy = new Set(pool.enis.filter((eni) => eni.busy).map(({ key }) => key))
      assert.ok(touched.every((key) => !busy.has(key)))

      // Room: neither ENI nor node nor subnet ever gets more than it can hold.
      const held = pool.enis.map((eni) => ({ eni, ips: eni.ips.length + eni.expectedIps }))
      const added = (key: number) =>
        actions.reduce((sum, a) => sum + (a.kind === 'assign' && a.eni === key ? a.count : 0), 0)
      for (const { eni, ips } of held)
        assert.ok(added(eni.key) === 0 || (eni.mode === 'shared' && ips + added(eni.key) <= ipsPerEni))
      const created = actions.filter((action) => action.kind === 'create')
      const createdOf = (mode: EniMode) => created.filter((action) => action.mode === mode)
      assert.ok(pool.enis.length + created.length <= instanceEnis || created.length === 0)
      for (const mode of modes) {
        const made = createdOf(mode).length
        assert.ok(made === 0 || ofMode(mode).length + made <= pool[mode].maxEnis)
      }
      assert.ok(createdOf('exclusive').every(({ ips }) => ips === 0))
      assert.ok(createdOf('shared').every(({ ips }) => ips > 0 && ips <= ipsPerEni))
      const places = [...pool.enis.map(({ slot }) => slot), ...created.map(({ slot }) => slot)]
      assert.equal(new Set(places).size, places.length)
      assert.ok(places.every((slot) => slot >= 1 && slot <= instanceEnis))
      const spentIn = (id: string) =>
        created.filter(({ subnetId }) => subnetId === id).reduce((sum, { ips }) => sum + ips + 1, 0) +
        pool.enis.filter(({ subnetId }) => subnetId === id).reduce((sum, { key }) => sum + added(key), 0)
      for (const { id, available, zone: at } of subnets) {
        assert.ok(!created.some(({ subnetId }) => subnetId === id) || at === zone)
        assert.ok(spentIn(id) <= available, `${spentIn(id)} of ${available} taken in ${id}`)
      }

      // Growth: as far as it must, never further.
      const serves = (eni: PoolEni) =>
        eni.goal === 'delete'
          ? 0
          : eni.expectedIps +
            eni.ips.filter((i) => i.state !== 'unassigning' && !returned.has(i.address)).length
      const within = naiveMaxima(pool, pods, serves)
      const surplus = new Set(modes.flatMap((mode) => naiveSurplus(ofMode(mode), within[mode], serves)))
      const laterOn = (eni: PoolEni) =>
        eni.mode === 'shared' &&
        eni.goal === 'serve' &&
        !surplus.has(eni) &&
        (eni.busy || eni.state !== 'attached')
          ? Math.max(0, ipsPerEni - eni.ips.length - eni.expectedIps)
          : 0
      for (const mode of modes) {
        const have = ofMode(mode).reduce((sum, eni) => sum + serves(eni), 0)
        const most = Math.min(pool[mode].maxEnis * pool[mode].ipsPerEni, given.maxPods ?? 1000)
        const wanted = Math.min(pods[mode] + pool[mode].minWarm, most)
        const grown =
          mode === 'exclusive'
            ? createdOf(mode).length
            : actions.reduce(
                (sum, a) => sum + (a.kind === 'create' ? a.ips : a.kind === 'assign' ? a.count : 0),
                0,
              )
        assert.ok(grown <= Math.max(0, wanted - have))
        const later = subnets.reduce((sum, { id, available }) => {
          const there = ofMode(mode).filter(({ subnetId }) => subnetId === id)
          const room = there.reduce((n, eni) => n + laterOn(eni), 0)
          return sum + Math.min(room, available - spentIn(id))
        }, 0)
        // A place that one kind waits for, with a subnet that is full, is not taken by the other.
        const isKept = shortages.some((each) => each.mode !== mode && each.why !== 'node-full')
        const hasPlace =
          !isKept &&
          ofMode(mode).length + createdOf(mode).length < within[mode] &&
          pool.enis.length + created.length < instanceEnis

        // Shortages: what pods cannot have, and what subnets cannot give, is told; that of warm ones for want of places is not.
        const shortage = shortages.filter((each) => each.mode === mode)
        assert.ok(shortage.length <= 1 && shortage.every(({ count }) => count > 0))
        const [told] = shortage
        const forPods = Math.min(pods[mode], most)
        const lacking = Math.max(0, forPods - have - grown - later) + Math.max(0, pods[mode] - most)
        assert.ok((told?.count ?? 0) >= lacking, 'what pods cannot have is told')
        const isStarved =
          mode === 'shared' &&
          subnets.some(({ id, available }) => {
            const there = ofMode(mode).filter((eni) => eni.subnetId === id && !surplus.has(eni))
            const taken = there.reduce((sum, { key }) => sum + added(key), 0)
            const roomOf = (eni: PoolEni) => ipsPerEni - eni.ips.length - eni.expectedIps - added(eni.key)
            const usable = there.filter(({ goal }) => goal === 'serve')
            return usable.reduce((sum, eni) => sum + Math.max(0, roomOf(eni)), 0) > available - taken
          })
        if (have + grown + later < wanted && (isStarved || (hasPlace && ipsPerEni > 0)))
          assert.ok(told !== undefined && told.why !== 'node-full', 'what subnets cannot give is told')
        if (told?.why === 'node-full') assert.equal(told.count, lacking)
        if (told?.why === 'no-subnet-in-zone') assert.ok(subnets.every(({ zone: at }) => at !== zone))
        if (told?.why === 'subnets-full') {
          const least = mode === 'shared' ? 2 : 1
          const zoned = subnets.filter(({ zone: at }) => at === zone)
          const claimed = (id: string) =>
            pool.enis.filter(({ subnetId }) => subnetId === id).reduce((sum, eni) => sum + laterOn(eni), 0)
          const isFull = zoned.every(({ id, available }) => available - spentIn(id) - claimed(id) < least)
          assert.ok(isFull || (isStarved && !hasPlace), 'a subnet could give one')
        }
      }

      // Least ENIs: none is made while an attached one has room that its subnet can give.
      if (createdOf('shared').length > 0) {
        for (const { eni, ips } of held) {
          if (eni.goal === 'delete' || eni.mode === 'exclusive' || surplus.has(eni)) continue
          const id = eni.subnetId
          const spent = pool.enis.filter((e) => e.subnetId === id).reduce((n, e) => n + added(e.key), 0)
          const claimed = pool.enis.filter((e) => e.subnetId === id).reduce((n, e) => n + laterOn(e), 0)
          const left = (subnets.find((s) => s.id === id)?.available ?? 0) - spent - claimed
          const calm = eni.state === 'attached' && !eni.busy
          assert.ok(!calm || ips + added(eni.key) >= ipsPerEni || left <= 0)
        }
      }

      // Where subnets have enough for all, places go one by one to whoever is served first.
      if (given.availableA === 1000 && given.availableB === 1000) {
        const grants = naivePlaces(pool, pods, serves)
        assert.deepEqual(
          { shared: createdOf('shared').length, exclusive: createdOf('exclusive').length },
          grants,
        )
      }

      // Nothing that serves is taken away, and what is returned is never more than was given up.
      for (const action of actions) {
        const eni = 'eni' in action ? pool.enis.find(({ key }) => key === action.eni) : undefined
        if (action.kind === 'unassign') {
          assert.equal(eni?.mode, 'shared')
          assert.ok(action.addresses.length > 0 && action.addresses.length <= 10)
          assert.ok(action.addresses.every((address) => returned.has(address)))
        }
        if (action.kind === 'detach' || action.kind === 'delete') {
          assert.ok(eni)
          const isReturned = eni.mode === 'exclusive' && eni.ips.every(({ address }) => returned.has(address))
          const isUnused = eni.state === 'available' && !eni.served
          const isBeyond = ofMode(eni.mode).length > within[eni.mode]
          assert.ok(
            eni.goal === 'delete' || eni.ips.length === 0 || isReturned || (isUnused && isBeyond),
            `${action.kind} ${eni.key}`,
          )
        }
      }
      for (const mode of modes) {
        const gone = actions.filter(
          (a) =>
            a.kind === 'delete' &&
            pool.enis.some(({ key, goal, mode: of }) => key === a.eni && of === mode && goal === 'serve'),
        )
        assert.ok(gone.length <= Math.max(0, ofMode(mode).length - within[mode]))
      }
    }),
    { numRuns: 3000 },
  )
})

/** ENIs beyond the maximum are those that serve with least, and of equals the last. */
function naiveSurplus(
  enis: readonly PoolEni[],
  most: number,
  serves: (eni: PoolEni) => number,
): readonly PoolEni[] {
  const left = enis.filter(({ goal }) => goal === 'serve')
  const surplus: PoolEni[] = []
  while (left.length > most) {
    const [worst] = left.toSorted((a, b) => serves(a) - serves(b) || b.slot - a.slot)
    if (worst === undefined) break
    surplus.push(worst)
    left.splice(left.indexOf(worst), 1)
  }
  return surplus
}

/** How many ENIs each kind may have: the instance's places are dealt out one by one, to pods with an ENI, pods that wait, warm ENIs. */
function naiveMaxima(
  pool: NodePool,
  pods: Readonly<Record<EniMode, number>>,
  serves: (eni: PoolEni) => number,
): Record<EniMode, number> {
  const there = (mode: EniMode) => pool.enis.filter((eni) => eni.mode === mode && eni.goal === 'serve')
  const needed = {
    shared: naiveNeed(there('shared').map(serves), pods.shared, pool.shared),
    exclusive: Math.min(pods.exclusive, pool.exclusive.maxEnis, pool.exclusive.maxPods ?? 1000),
  }
  const got = { shared: 0, exclusive: 0 }
  for (const mode of modes) got[mode] = Math.min(needed[mode], there(mode).length)
  const deal = (mode: EniMode, goal: number) => {
    while (got[mode] < goal && got.shared + got.exclusive < pool.instanceEnis) got[mode]++
  }
  for (const mode of modes) deal(mode, needed[mode])
  for (const mode of modes) deal(mode, Math.min(there(mode).length, pool[mode].maxEnis))
  const most = (mode: EniMode) =>
    there(mode).length > got[mode] ? Math.min(got[mode], pool[mode].maxEnis) : pool[mode].maxEnis
  return { shared: most('shared'), exclusive: most('exclusive') }
}

/** Seats the pods one by one, on the fullest ENI with a seat, else on a new one, as long as one more may be bound. */
function naiveNeed(
  sizes: readonly number[],
  pods: number,
  { ipsPerEni: perEni, maxEnis, maxPods = 1000 }: NodePool['shared'],
): number {
  const bound = sizes.reduce((sum, size) => sum + size, 0)
  const bindable = Math.min(maxEnis * perEni, maxPods)
  const seats = sizes.toSorted((a, b) => b - a).map((size) => Math.max(size, perEni))
  let enis = 0
  let free = 0
  for (let seated = 0; seated < pods && (seated < bound || seated < bindable); seated++) {
    while (free === 0 && enis < seats.length) free = seats[enis++] ?? 0
    if (free === 0 && enis < maxEnis && perEni > 0) {
      free = perEni
      enis++
    }
    if (free === 0) return enis
    free--
  }
  return enis
}

/** How many ENIs of each kind are made: one address after the other finds a place, pods first. */
function naivePlaces(
  pool: NodePool,
  pods: Readonly<Record<EniMode, number>>,
  serves: (eni: PoolEni) => number,
): Record<EniMode, number> {
  const made = { shared: 0, exclusive: 0 }
  const countOf = (mode: EniMode) => pool.enis.filter((eni) => eni.mode === mode).length
  const surplus = naiveSurplus(
    pool.enis.filter(({ mode }) => mode === 'shared'),
    naiveMaxima(pool, pods, serves).shared,
    serves,
  )
  let room = pool.enis
    .filter((eni) => eni.mode === 'shared' && eni.goal === 'serve' && !surplus.includes(eni))
    .reduce((sum, eni) => sum + Math.max(0, pool.shared.ipsPerEni - eni.ips.length - eni.expectedIps), 0)
  const have = (mode: EniMode) =>
    pool.enis.filter((eni) => eni.mode === mode).reduce((sum, eni) => sum + serves(eni), 0)
  const mostOf = (mode: EniMode) =>
    Math.min(pool[mode].maxEnis * pool[mode].ipsPerEni, pool[mode].maxPods ?? 1000)
  const one = (mode: EniMode): void => {
    if (mode === 'shared' && room > 0) {
      room--
      return
    }
    const isFree =
      pool.enis.length + made.shared + made.exclusive < pool.instanceEnis &&
      countOf(mode) + made[mode] < pool[mode].maxEnis
    if (!isFree) return
    made[mode]++
    if (mode === 'shared') room += pool.shared.ipsPerEni - 1
  }
  const got = { shared: have('shared'), exclusive: have('exclusive') }
  for (const warmToo of [false, true])
    for (const mode of modes) {
      const goal = Math.min(pods[mode] + (warmToo ? pool[mode].minWarm : 0), mostOf(mode))
      for (; got[mode] < goal; got[mode]++) one(mode)
    }
  return made
}

test('planNode() repeats itself, whatever the order of ENIs and subnets', () => {
  fc.assert(
    fc.property(anyCase, (given) => {
      const { slots } = given
      const subnets = [subnet('subnet-a', given.availableA), subnet('subnet-b', given.availableA)]
      const pods = { shared: given.pods, exclusive: given.exclusivePods }
      const demand = { pods, returned: new Set<Ipv4>(), zone }
      const one = planNode(givenPool(given), { ...demand, subnets })
      const other = planNode(givenPool({ ...given, slots: slots.toReversed() }), {
        ...demand,
        subnets: subnets.toReversed(),
      })
      assert.deepEqual(one.actions.map(tell).toSorted(byText), other.actions.map(tell).toSorted(byText))
      assert.deepEqual(one.shortages, other.shortages)
    }),
    { numRuns: 300 },
  )
})

test('[X3] planNode() gives the place of a small instance to what pods have, as the agent does', () => {
  // The shared ENI was off the node, with pods that waited for it; the agent gave its addresses back as often as they were bound.
  const pool = poolOf({
    enis: [
      { slot: 1, bound: 0 },
      { slot: 2, mode: 'exclusive', bound: 1 },
    ],
    ...{ minWarm: 4, instanceEnis: 1, exclusive: { maxEnis: 1, ipsPerEni: 1 } },
  })
  const demand = {
    ...{ pods: { shared: 2, exclusive: 1 }, returned: new Set<never>(), zone },
    ...{ subnets: [subnet('subnet-a', 100)], shown: new Set([addressOf(2, 1)]) },
  }
  const grows = planNode(pool, demand).actions.filter(({ kind }) => kind === 'assign' || kind === 'create')
  assert.deepEqual(grows, [])
})

test('[X3][P14] planNode() keeps no place for addresses that may not be bound', () => {
  // Pods had more addresses on one ENI than a lowered maximum allows; an exclusive ENI was made and deleted for ever.
  const pool = poolOf({
    enis: [{ slot: 1, bound: 3 }],
    ...{
      ipsPerEni: 1,
      maxEnis: 2,
      instanceEnis: 2,
      exclusive: { minWarm: 1, maxWarm: 1, maxEnis: 2, ipsPerEni: 1 },
    },
  })
  const made = poolOf({
    enis: [
      { slot: 1, bound: 3 },
      { slot: 2, mode: 'exclusive', bound: 1, state: 'available' },
    ],
    ...{
      ipsPerEni: 1,
      maxEnis: 2,
      instanceEnis: 2,
      exclusive: { minWarm: 1, maxWarm: 1, maxEnis: 2, ipsPerEni: 1 },
    },
  })
  const demand = {
    ...{ pods: { shared: 20, exclusive: 0 }, returned: new Set<never>(), zone },
    subnets: [subnet('subnet-a', 100)],
  }
  const kinds = (each: typeof pool) => planNode(each, demand).actions.map(({ kind }) => kind)
  assert.deepEqual([kinds(pool), kinds(made)], [['create'], ['attach']])
})
