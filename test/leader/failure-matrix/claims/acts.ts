// Each step of a static address's life, brought about with the pod web-0. On node-1 and node-2 other static pods run all the time.

import type { OwnerRef } from '../../../../internal/ipam/types.ts'
import type { LeaderSettings } from '../../../../internal/leader/settings.ts'
import { workloadKey } from '../../../sim/world/kube-twin.ts'
import { returnUnused, showAddresses } from '../../claim-agents.ts'
import type { ClaimWorld } from '../../claim-world.ts'
import { releaseNow } from '../../release.ts'
import { type Act, minute, second } from '../cell.ts'
import type { ClaimKind } from './kinds.ts'

/** The pod that all is about. */
export const subject = 'web-0'

export interface ClaimAct extends Act<ClaimWorld> {
  readonly settings: Partial<LeaderSettings>
  /** The leader has stored what came of the call. */
  readonly stored?: (world: ClaimWorld) => boolean
  /** Its address, when there is no pod. */
  readonly afterPod: 'kept' | 'released'
  /** It is on no ENI in the end, if no pod has it and a reservation keeps it. */
  readonly rests?: boolean
}

/** No agent answers of these. */
export const silent = new WeakMap<ClaimWorld, Set<string>>()

function tend(world: ClaimWorld): void {
  for (const node of world.kube.nodes.items.keys())
    if (!silent.get(world)?.has(node)) returnUnused(world, node)
  showAddresses(world)
}

async function others(world: ClaimWorld): Promise<void> {
  world.addNode('node-3', 'S5.MEDIUM4')
  world.put('node-1', 'web-1')
  world.put('node-2', 'web-2')
  await world.untilServed('web-1')
  await world.untilServed('web-2')
  tend(world)
  await world.clock.advance(10 * second)
}

async function bound(world: ClaimWorld, owner?: OwnerRef): Promise<void> {
  await others(world)
  world.put('node-1', subject, 1, owner && { claim: { owner } })
  await world.untilServed(subject)
  tend(world)
  await world.clock.advance(10 * second)
}

/** Its pod has ended, and nobody has it on its node. */
async function left(world: ClaimWorld, owner?: OwnerRef): Promise<void> {
  await bound(world, owner)
  goes(world)
  tend(world)
  await world.clock.advance(5 * second)
}

/** The `nth` pod of that name comes. */
export function comes(world: ClaimWorld, node: string, nth: number, owner?: OwnerRef): void {
  world.put(node, subject, nth, owner && { claim: { owner } })
}

export function goes(world: ClaimWorld): void {
  const its = [...world.kube.pods.items.values()].filter(({ name }) => name === subject)
  for (const { uid } of its) world.kube.pods.remove(uid)
}

function moves(world: ClaimWorld): void {
  goes(world)
  comes(world, 'node-2', 2)
}

function release(world: ClaimWorld): void {
  if (world.leader !== undefined) void releaseNow(world.leader.claims, world.claim(subject))
}

const accepted = (kind: string) => (world: ClaimWorld) =>
  world.ledger.openIntents().some((intent) => intent.kind === kind && intent.state === 'accepted')

const set: OwnerRef = { apiVersion: 'apps/v1', kind: 'StatefulSet', name: 'web', uid: 'uid-web' }

async function owned(world: ClaimWorld): Promise<void> {
  world.kube.workloads.put(workloadKey(set, 'default'), {
    ...set,
    namespace: 'default',
    controller: undefined,
  })
  await left(world, set)
}

async function parked(world: ClaimWorld): Promise<void> {
  world.cloud.setFaults({ deny: { CreateReserveIpAddresses: 1 } })
  await bound(world)
}

const isReleased = (world: ClaimWorld) => world.claim(subject) === undefined
const moved = {
  settings: {},
  prepare: (world: ClaimWorld) => bound(world),
  trigger: moves,
  agent: tend,
  afterPod: 'kept',
} as const
const removed = {
  prepare: (world: ClaimWorld) => left(world),
  agent: tend,
  afterPod: 'released',
  rests: true,
} as const
const first = {
  settings: {},
  prepare: others,
  agent: tend,
  afterPod: 'kept',
  trigger: (world: ClaimWorld) => comes(world, 'node-1', 1),
} as const

export const claimActs: Readonly<Record<ClaimKind, ClaimAct>> = {
  reserve: {
    ...first,
    api: 'CreateReserveIpAddresses',
    stored: (world) => world.claim(subject)?.reservation !== undefined,
  },
  bind: { ...first, api: 'AssignPrivateIpAddresses', stored: accepted('assign') },
  rebind: {
    settings: {},
    prepare: (world) => left(world),
    trigger: (world) => comes(world, 'node-1', 2),
    agent: tend,
    stored: (world) => world.claim(subject)?.phase === 'Attaching',
    afterPod: 'kept',
  },
  leave: { ...moved, api: 'UnassignPrivateIpAddresses', stored: accepted('unassign') },
  arrive: { ...moved, api: 'AssignPrivateIpAddresses', stored: accepted('assign') },
  migrate: { ...moved, api: 'MigratePrivateIpAddress', prepare: parked, stored: accepted('migrate') },
  rest: {
    api: 'UnassignPrivateIpAddresses',
    settings: { claimRest: 0 },
    prepare: bound,
    trigger: goes,
    agent: tend,
    stored: accepted('unassign'),
    afterPod: 'kept',
    rests: true,
  },
  find: { ...removed, settings: {}, api: 'DescribeReserveIpAddresses', trigger: release },
  release: {
    ...removed,
    settings: {},
    api: 'DeleteReserveIpAddresses',
    trigger: release,
    stored: isReleased,
  },
  expire: {
    ...removed,
    settings: { claimExpiry: minute },
    api: 'DeleteReserveIpAddresses',
    prepare: bound,
    trigger: goes,
    stored: isReleased,
  },
  cascade: {
    ...removed,
    settings: { cascadeOwners: true },
    api: 'DeleteReserveIpAddresses',
    prepare: owned,
    trigger: (world) => void world.kube.workloads.remove(workloadKey(set, 'default')),
    stored: isReleased,
  },
}
