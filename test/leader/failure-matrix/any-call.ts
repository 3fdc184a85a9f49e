// What can go wrong with a call of the cloud, whichever it is.

import type { LeaderWorld } from '../leader-world.ts'
import { type Mishap, minute, second } from './cell.ts'
import type { Treatment } from './treatment.ts'

export const once = <World extends LeaderWorld>(treatment: Treatment<World>): Mishap<World> => ({
  treat: (n) => (n === 1 ? treatment : undefined),
})
export const forTenMinutes = (treatment: Treatment): Mishap => ({
  treat: () => treatment,
  until: 10 * minute,
})

const lateAndDenied: Readonly<Record<number, Treatment>> = {
  1: { kind: 'arrive-late', afterMs: 42 * second },
  2: { kind: 'refuse', code: 'UnauthorizedOperation' },
}

export const deaths = {
  nothing: { words: 'nothing goes wrong', of: () => ({}) },
  'die-before': {
    words: 'the leader dies before the call leaves',
    of: () => once({ kind: 'die-before' }),
  },
  'die-after': {
    words: 'the leader dies after the call, before its answer is stored',
    of: () => once({ kind: 'die-after' }),
  },
} satisfies Readonly<Record<string, AnyMishap>>

export const troubles = {
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
} satisfies Readonly<Record<string, AnyMishap>>

/** The leader dies, and what it has asked for happens later. */
export const lateDeath = {
  words: 'the leader dies, and the call arrives 42 s later',
  of: () => ({ ...once({ kind: 'die-and-arrive', afterMs: 42 * second }), lastly: minute }),
} satisfies AnyMishap

/** The leader dies, and another one takes over without its ledger. */
export const lostLedgers = {
  'ledger-before': {
    words: 'the leader dies before the call leaves, and another one takes over without its ledger',
    treatment: { kind: 'die-before' },
  },
  'ledger-after': {
    words: 'the leader dies after the call, and another one takes over without its ledger',
    treatment: { kind: 'die-after' },
  },
  'ledger-late': {
    words: 'the leader dies, another one takes over without its ledger, and then the call arrives',
    treatment: { kind: 'die-and-arrive', afterMs: 42 * second },
  },
} satisfies Readonly<Record<string, { readonly words: string; readonly treatment: Treatment }>>

/** `make` of each, under the same name. */
export function ofEach<From, To>(
  all: From,
  make: (one: From[keyof From], id: keyof From) => To,
): { readonly [Id in keyof From]: To } {
  const made = Object.entries(all as object).map(([id, one]) => [id, make(one, id as keyof From)])
  return Object.fromEntries(made)
}

/** The words for it, and how it is brought about. */
interface AnyMishap {
  readonly words: string
  readonly of: () => Mishap
}

export function repeatEvents(world: LeaderWorld): void {
  for (let at = 0; at < 10 * second; at += 150) {
    world.clock.after(at, () => {
      const { nodes, pods, necs, workloads } = world.kube
      for (const collection of [nodes, pods, necs, workloads]) {
        for (const [key, item] of collection.items) collection.put(key, item as never)
      }
      if (at % 900 === 0) world.kube.breakWatches()
    })
  }
}
