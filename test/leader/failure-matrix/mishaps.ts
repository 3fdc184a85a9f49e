// What can go wrong with any action: the columns of the failure matrix.

import { known } from '../../given.ts'
import type { LeaderWorld } from '../leader-world.ts'
import { type Mishap, minute, second } from './cell.ts'
import type { MatrixKind } from './kinds.ts'
import type { Treat, Treatment } from './treatment.ts'

const once = (treatment: Treatment): Mishap => ({ treat: (n) => (n === 1 ? treatment : undefined) })
const forTenMinutes = (treatment: Treatment): Mishap => ({ treat: () => treatment, until: 10 * minute })

const lateAndDenied: Readonly<Record<number, Treatment>> = {
  1: { kind: 'arrive-late', afterMs: 42 * second },
  2: { kind: 'refuse', code: 'UnauthorizedOperation' },
}

/** The words for it, and how it is brought about; undefined: it cannot happen to this action. */
export interface MishapKind {
  readonly words: string
  readonly of: (kind: MatrixKind) => Mishap | undefined
}

const withAddresses = (mishap: Mishap) => (kind: MatrixKind) =>
  kind === 'create' || kind === 'assign' || kind === 'unassign' ? mishap : undefined
const only =
  (kinds: readonly MatrixKind[], mishap: Mishap) =>
  (kind: MatrixKind): Mishap | undefined =>
    kinds.includes(kind) ? mishap : undefined

export const mishaps = {
  nothing: { words: 'nothing goes wrong', of: () => ({}) },
  'die-before': {
    words: 'the leader dies before the call leaves',
    of: () => once({ kind: 'die-before' }),
  },
  'die-after': {
    words: 'the leader dies after the call, before its answer is stored',
    of: () => once({ kind: 'die-after' }),
  },
  'die-accepted': {
    words: 'the leader dies after the answer is stored',
    of: (kind) => ({ dieWhen: (world) => isAccepted(world, kind) }),
  },
  'time-out-undone': { words: 'time-out, without effect', of: () => once({ kind: 'lose-request' }) },
  'time-out-done': { words: 'time-out, with effect', of: () => once({ kind: 'lose-answer' }) },
  'time-out-late': {
    words: 'time-out, and the request arrives after it was sent again',
    of: () => once({ kind: 'arrive-late', afterMs: 42 * second }),
  },
  'time-out-denied': {
    words: 'time-out; sent again it is denied; then the first request arrives',
    of: () => ({ treat: (n) => lateAndDenied[n], lastly: minute }),
  },
  'time-outs': { words: 'time-outs for ten minutes', of: () => forTenMinutes({ kind: 'lose-request' }) },
  'time-outs-late': {
    words: 'time-outs for ten minutes, and the first request arrives after twelve',
    of: () => ({
      treat: (n) => (n === 1 ? { kind: 'arrive-late', afterMs: 12 * minute } : { kind: 'lose-request' }),
      until: 10 * minute,
      lastly: 12 * minute,
    }),
  },
  'error-undone': {
    words: 'server error, without effect',
    of: () => once({ kind: 'refuse', code: 'InternalError' }),
  },
  'error-done': {
    words: 'server error, with effect',
    of: () => once({ kind: 'do-and-refuse', code: 'InternalError' }),
  },
  throttled: {
    words: 'throttled for 20 s',
    of: () => ({ treat: () => ({ kind: 'refuse', code: 'RequestLimitExceeded' }), until: 20 * second }),
  },
  'answer-garbled': { words: 'an answer that cannot be read', of: () => once({ kind: 'garble-answer' }) },
  'request-twice': {
    words: 'the request arrives twice, and the second answer is heard',
    of: () => once({ kind: 'double' }),
  },
  'events-twice': {
    words: 'every event of Kubernetes comes twice, and the watches break',
    of: () => ({ besides: repeatEvents }),
  },
  stale: { words: 'describes lag by 4 s', of: () => ({ faults: { staleDescribeMs: 4 * second } }) },
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

function repeatEvents(world: LeaderWorld): void {
  for (let at = 0; at < 10 * second; at += 150) {
    world.clock.after(at, () => {
      const { nodes, pods, necs } = world.kube
      for (const collection of [nodes, pods, necs]) {
        for (const [key, item] of collection.items) collection.put(key, item as never)
      }
      if (at % 900 === 0) world.kube.breakWatches()
    })
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
