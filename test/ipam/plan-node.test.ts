// What the leader does next for one node: rows that a reader can extend, and a naive second model for what must always hold.
import assert from 'node:assert/strict'
import { test } from 'node:test'
import type { Shortage } from '../../internal/ipam/plan-growth.ts'
import { planNode } from '../../internal/ipam/plan-node.ts'
import type { CloudSubnet, EniMode, PoolBounds } from '../../internal/ipam/types.ts'
import type { Ipv4 } from '../../internal/value/ipv4.ts'
import { addressOf, type PoolShort, poolOf, subnet, zone } from './pools.ts'
import { byText, tellAction } from './tell-action.ts'

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
    assert.deepEqual(plan.actions.map(tellAction).toSorted(byText), [...row.want].toSorted(byText))
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

function returnedOf(places: readonly string[]): ReadonlySet<Ipv4> {
  return new Set(
    places.map((place) => {
      const [slot, n] = place.split('.').map(Number)
      return addressOf(slot ?? 0, n ?? 0)
    }),
  )
}

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
