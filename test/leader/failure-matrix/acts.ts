// Each action of the leader in the cloud, brought about on node n1.

import { known, warm } from '../../given.ts'
import type { LeaderWorld } from '../leader-world.ts'
import { second } from './cell.ts'
import type { MatrixKind } from './kinds.ts'
import type { PoolAct } from './pool-cell.ts'

async function filled(world: LeaderWorld): Promise<void> {
  world.addNode('n1')
  await world.clock.advance(20 * second)
}

/** One pod more than the pool needs, which has just gone: its address is idle. */
async function idle(world: LeaderWorld, ...pods: readonly string[]): Promise<void> {
  await filled(world)
  world.addPods('n1', ...pods)
  await world.clock.advance(20 * second)
  for (const pod of pods) world.kube.pods.remove(`uid-${pod}`)
  await world.clock.advance(second)
}

function giveBack(world: LeaderWorld, count: number): void {
  world.giveBack('n1', known(world.published('n1')[0]).ips.slice(0, count))
}

const some = { defaults: warm(2, 5) }
const none = { defaults: warm(0, 1) }
const removal = {
  settings: none,
  prepare: (world: LeaderWorld) => idle(world, 'a'),
  trigger: (world: LeaderWorld) => giveBack(world, 1),
  enis: 0,
  addresses: 0,
}
const arrival = {
  settings: some,
  prepare: async () => {},
  trigger: (world: LeaderWorld) => void world.addNode('n1'),
  enis: 1,
  addresses: 2,
}

export const acts: Readonly<Record<MatrixKind, PoolAct>> = {
  create: { ...arrival, api: 'CreateNetworkInterface' },
  attach: { ...arrival, api: 'AttachNetworkInterface' },
  assign: {
    api: 'AssignPrivateIpAddresses',
    settings: some,
    prepare: filled,
    trigger: (world) => world.addPods('n1', 'a', 'b', 'c'),
    enis: 1,
    addresses: 5,
  },
  unassign: {
    api: 'UnassignPrivateIpAddresses',
    settings: some,
    prepare: (world) => idle(world, 'a', 'b'),
    trigger: (world) => giveBack(world, 2),
    agent(world) {
      // What is bound again under a new grant is surplus again.
      const grants = new Set(world.published('n1').flatMap(({ ips }) => ips.map(({ grant }) => grant)))
      const returned = world.kube.necs.items.get('n1')?.report?.returned ?? []
      if (grants.size > 2 && !returned.some(({ grant }) => grants.has(grant)))
        giveBack(world, grants.size - 2)
    },
    enis: 1,
    addresses: 2,
  },
  detach: { ...removal, api: 'DetachNetworkInterface' },
  delete: { ...removal, api: 'DeleteNetworkInterface' },
}
