// Each call about the public address of the pod web-0, brought about. On node-1 another pod has its EIP all the time.

import type { LeaderSettings } from '../../../../internal/leader/settings.ts'
import { warm } from '../../../given.ts'
import { returnUnused, showAddresses } from '../../claim-agents.ts'
import type { Asked, EipWorld } from '../../eips/eip-world.ts'
import { type Act, minute, second } from '../cell.ts'
import type { EipKind } from './kinds.ts'

/** The pod that all is about. */
export const subject = 'web-0'
/** The EIP of its user. */
export const ownEip = 'eip-0000user'

export interface EipAct extends Act<EipWorld> {
  readonly api: string
  readonly settings: Partial<LeaderSettings>
  /** What its pod asks for. */
  readonly asked: Asked
  /** Its claim, when there is no pod. */
  readonly afterPod: 'kept' | 'over'
  /** The pod's address is static, and moves with it. */
  readonly isStatic?: boolean
}

const once: Asked = { attributes: '' }
const kept: Asked = { attributes: '', policy: 'Never' }
const own: Asked = { ids: ownEip }

/** Its agents and pods, where addresses are static. */
function tend(world: EipWorld): void {
  for (const node of world.kube.nodes.items.keys()) returnUnused(world, node)
  showAddresses(world)
}

/** Pools are filled, and the other pod comes. */
async function otherComes(world: EipWorld): Promise<string> {
  world.cloud.admin.createEip({ id: ownEip }, world.clock.now())
  await world.until(() => world.addresses('node-1').length > 1 && world.addresses('node-2').length > 1)
  return world.run('node-1', 'other')
}

async function others(world: EipWorld): Promise<void> {
  await world.untilEip(await otherComes(world))
}

async function bound(world: EipWorld, asked: Asked): Promise<void> {
  const other = await otherComes(world)
  await world.untilEip(comes(world, 'node-1', asked))
  await world.untilEip(other)
  // What was seen until then is too old to decide by.
  await world.clock.advance(10 * second)
}

async function boundStatic(world: EipWorld): Promise<void> {
  world.cloud.admin.createEip({ id: ownEip }, world.clock.now())
  world.runStatic('node-1', 'other', once)
  world.runStatic('node-1', subject, kept)
  const are = () => world.ledger.eips.where('Bound').length === 2
  for (let waited = 0; waited < minute && !are(); waited += second) {
    await world.clock.advance(second)
    tend(world)
  }
}

/** Another pod of that name comes, with an address of its node. */
export function comes(world: EipWorld, node: string, asked: Asked): string {
  return world.run(node, subject, asked)
}

export function goes(world: EipWorld): void {
  const its = [...world.kube.pods.items.values()].filter(({ name }) => name === subject)
  for (const { uid } of its) world.stop(uid)
}

function first(asked: Asked) {
  return {
    settings: {},
    asked,
    prepare: others,
    trigger: (world: EipWorld) => void comes(world, 'node-1', asked),
    afterPod: asked === kept ? 'kept' : 'over',
  } as const
}

const moved = {
  settings: {},
  asked: kept,
  prepare: (world: EipWorld) => bound(world, kept),
  trigger(world: EipWorld) {
    goes(world)
    comes(world, 'node-2', kept)
  },
  afterPod: 'kept',
} as const

function ended(asked: Asked) {
  return {
    settings: {},
    asked,
    prepare: (world: EipWorld) => bound(world, asked),
    trigger: goes,
    afterPod: asked === kept ? 'kept' : 'over',
  } as const
}

export const eipActs: Readonly<Record<EipKind, EipAct>> = {
  allocate: { ...first(once), api: 'AllocateAddresses' },
  bind: { ...first(once), api: 'AssociateAddress' },
  'bind-own': { ...first(own), api: 'AssociateAddress' },
  leave: { ...moved, api: 'DisassociateAddress' },
  arrive: { ...moved, api: 'AssociateAddress' },
  follow: {
    ...moved,
    api: 'DisassociateAddress',
    settings: { defaults: warm(0, 0) },
    prepare: boundStatic,
    trigger(world) {
      goes(world)
      world.runStatic('node-2', subject, kept)
    },
    agent: tend,
    isStatic: true,
  },
  rest: { ...ended(kept), api: 'DisassociateAddress' },
  'unbind-own': { ...ended(own), api: 'DisassociateAddress' },
  release: { ...ended(once), api: 'ReleaseAddresses' },
  find: { ...first(once), api: 'DescribeAddresses' },
  pick: { ...first(own), api: 'DescribeAddresses' },
  quota: {
    ...first(once),
    api: 'DescribeAddressQuota',
    /** There may be no more for a minute. */
    trigger(world) {
      world.cloud.setLimits({ eips: 2 })
      world.clock.after(minute, () => world.cloud.setLimits({ eips: 20 }))
      comes(world, 'node-1', once)
    },
  },
}
