// What can go wrong with any action: the columns of the failure matrix.

import { known } from '../../given.ts'
import type { LeaderWorld } from '../leader-world.ts'
import { deaths, forTenMinutes, once, troubles } from './any-call.ts'
import { minute, second } from './cell.ts'
import type { MatrixKind } from './kinds.ts'
import type { PoolMishap } from './pool-cell.ts'
import type { Treat } from './treatment.ts'

/** The words for it, and how it is brought about; undefined: it cannot happen to this action. */
export interface MishapKind {
  readonly words: string
  readonly of: (kind: MatrixKind) => PoolMishap | undefined
}

const withAddresses = (mishap: PoolMishap) => (kind: MatrixKind) =>
  kind === 'create' || kind === 'assign' || kind === 'unassign' ? mishap : undefined
const only =
  (kinds: readonly MatrixKind[], mishap: PoolMishap) =>
  (kind: MatrixKind): PoolMishap | undefined =>
    kinds.includes(kind) ? mishap : undefined

export const mishaps = {
  ...deaths,
  'die-accepted': {
    words: 'the leader dies after the answer is stored',
    of: (kind) => ({ dieWhen: (world) => isAccepted(world, kind) }),
  },
  ...troubles,
  'part-told': {
    words: 'done for one address less than asked, and the answer says so',
    of: withAddresses(once({ kind: 'do-in-part', answer: 'honest' })),
  },
  'part-lost': {
    words: 'done for one address less than asked, and no answer',
    of: withAddresses(once({ kind: 'do-in-part', answer: 'lost' })),
  },
  'part-broken': {
    words: 'accepted for all, and one address never comes',
    of: only(['assign'], once({ kind: 'do-in-part', answer: 'of all' })),
  },
  undone: { words: 'accepted, then undone by the cloud', of: () => once({ kind: 'undo' }) },
  'undone-again': {
    words: 'accepted, then undone by the cloud, for ten minutes',
    of: () => forTenMinutes({ kind: 'undo' }),
  },
  'token-spent': {
    words: 'its ClientToken is refused: it was used with other parameters',
    of: (kind) => (kind === 'unassign' || kind === 'delete' ? undefined : { treat: refuseFirstToken() }),
  },
  'eni-gone': {
    words: 'the ENI is deleted in the console',
    of: only(['attach', 'assign', 'unassign', 'detach', 'delete'], {
      ...once({ kind: 'meanwhile', happens: deleteByHand }),
      vanishes: true,
    }),
  },
  'instance-gone': {
    words: 'the instance is terminated; its Node goes two minutes later',
    of: only(['attach', 'detach'], {
      ...once({ kind: 'meanwhile', happens: terminate }),
      besides: (world) => void world.clock.after(2 * minute, () => world.kube.nodes.remove('n1')),
      vanishes: true,
      nodeGoes: true,
    }),
  },
  elsewhere: {
    words: 'the ENI is put on another instance in the console, and taken off three minutes later',
    of: only(['attach', 'detach', 'delete'], {
      ...once({ kind: 'meanwhile', happens: moveByHand }),
      vanishes: true,
    }),
  },
} satisfies Readonly<Record<string, MishapKind>>

export type MishapId = keyof typeof mishaps

function isAccepted(world: LeaderWorld, kind: MatrixKind): boolean {
  return world.ledger.openIntents().some((intent) => intent.kind === kind && intent.state === 'accepted')
}

function refuseFirstToken(): Treat {
  let first: string | undefined
  return (_, token) => {
    first ??= token
    return token === first
      ? { kind: 'refuse', code: 'UnsupportedOperation.IdempotentParameterMismatch' }
      : undefined
  }
}

/** A person's calls take effect at once: what they wait for passes in between. */
function byHand(world: LeaderWorld, action: string, params: object): void {
  const now = world.clock.now()
  world.cloud.handle(action, params, now, 'vpc')
  world.cloud.advance(now + 10 * second)
}

function instanceOf(world: LeaderWorld, eni: string): string | null {
  return known(world.cloudEnis().find(({ id }) => id === eni)).instanceId
}

function detachByHand(world: LeaderWorld, eni: string): void {
  const instance = instanceOf(world, eni)
  if (instance === null) return
  byHand(world, 'DetachNetworkInterface', { NetworkInterfaceId: eni, InstanceId: instance })
}

function deleteByHand(world: LeaderWorld, eni: string): void {
  detachByHand(world, eni)
  byHand(world, 'DeleteNetworkInterface', { NetworkInterfaceId: eni })
}

function terminate(world: LeaderWorld): void {
  world.cloud.admin.terminateInstance(known(world.ledger.node('n1')).instanceId, world.clock.now())
}

function moveByHand(world: LeaderWorld, eni: string): void {
  detachByHand(world, eni)
  const other = world.addInstance()
  byHand(world, 'AttachNetworkInterface', { NetworkInterfaceId: eni, InstanceId: other })
  world.clock.after(3 * minute, () => detachByHand(world, eni))
}
