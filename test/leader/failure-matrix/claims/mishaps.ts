// What can go wrong with a step of a static address's life: with its call, with leaders, with pods, with nodes, and by other hands.

import type { ClaimWorld } from '../../claim-world.ts'
import { deaths, forTenMinutes, lateDeath, lostLedgers, ofEach, once, troubles } from '../any-call.ts'
import { minute, second } from '../cell.ts'
import type { Treatment } from '../treatment.ts'
import { claimActs, goes } from './acts.ts'
import type { ClaimMishap } from './claim-cell.ts'
import { deleteEni, freeReservation, hush, later, lose, renew, steal, takeAddress, takeOff } from './deeds.ts'
import type { ClaimKind } from './kinds.ts'

/** The words for it, and how it is brought about; undefined: it cannot happen to this step. */
export interface ClaimMishapKind {
  readonly words: string
  readonly of: (kind: ClaimKind) => ClaimMishap | undefined
}

type Choose = ClaimMishapKind['of']

/** Steps with a call of their own that changes something. */
const calling: readonly ClaimKind[] = ['reserve', 'bind', 'leave', 'arrive', 'migrate', 'rest', 'release']
/** They end as a release does: what is particular about them is who begins it. */
const ending: readonly ClaimKind[] = ['expire', 'cascade']
const ofEnding: readonly string[] = ['die-before', 'die-after']
const ofReading: readonly string[] = [
  'time-out-undone',
  'time-outs',
  'error-undone',
  'throttled',
  'answer-garbled',
]

function concerns(kind: ClaimKind, id: string): boolean {
  if (kind === 'find') return ofReading.includes(id)
  return calling.includes(kind) || (ending.includes(kind) && ofEnding.includes(id))
}

const only =
  (kinds: readonly ClaimKind[], mishap: ClaimMishap): Choose =>
  (kind) =>
    kinds.includes(kind) ? mishap : undefined
/** At the moment of the first call, or at once where there is none. */
const midway =
  (kinds: readonly ClaimKind[], happens: (world: ClaimWorld) => void, more: ClaimMishap = {}): Choose =>
  (kind) => {
    if (!kinds.includes(kind)) return undefined
    if (claimActs[kind].api === undefined) return { besides: happens, ...more }
    const treatment: Treatment<ClaimWorld> = { kind: 'meanwhile', happens }
    return { ...once(treatment), ...more }
  }

/** As midway; to one that rests it happens when it does. */
const byOthers =
  (kinds: readonly ClaimKind[], happens: (world: ClaimWorld) => void, lastly = 0): Choose =>
  (kind) =>
    kind === 'rest'
      ? { besides: (world) => later(world, 30 * second, happens), lastly: lastly + 30 * second }
      : midway(kinds, happens, { lastly })(kind)

/** That somebody wanted it released is known to the lost ledger alone. */
const forgets: readonly ClaimKind[] = ['release', 'cascade']
const withoutLedger =
  (treatment: Treatment): Choose =>
  (kind) => {
    if (!calling.includes(kind) && !ending.includes(kind)) return undefined
    const keeps = forgets.includes(kind) && treatment.kind !== 'die-after'
    return { ...once(treatment), ledgerGoes: true, lastly: minute, ...(keeps && { keeps }) }
  }

const tasks = ['bind', 'leave', 'arrive', 'migrate', 'rest'] as const
const withPod = ['reserve', 'bind', 'rebind', 'leave', 'arrive', 'migrate'] as const
const withoutPod = ['rest', 'release', 'expire', 'cascade'] as const
const moving = ['leave', 'arrive', 'migrate'] as const
const onItsEni = ['rebind', 'leave', 'migrate', 'rest'] as const
const onNone = ['bind', 'arrive'] as const

const ofCalls = { ...deaths, ...troubles }
const { 'events-twice': eventsTwice, stale, nothing, ...calls } = ofCalls

export const claimMishaps = {
  nothing,
  ...ofEach(calls, ({ of, words }, id) => ({
    words,
    of: (kind: ClaimKind) => (concerns(kind, id) ? of() : undefined),
  })),
  'die-late': { words: lateDeath.words, of: only(calling, lateDeath.of()) },
  'die-stored': {
    words: 'the leader dies after the answer is stored',
    of: (kind) => {
      const { stored } = claimActs[kind]
      return stored && { dieWhen: stored }
    },
  },
  ...ofEach(lostLedgers, ({ treatment, words }) => ({ words, of: withoutLedger(treatment) })),
  'ledger-stored': {
    words: 'the leader dies after the answer is stored, and another one takes over without its ledger',
    of: (kind) => {
      const { stored } = claimActs[kind]
      return stored && { dieWhen: stored, ledgerGoes: true }
    },
  },
  'events-twice': {
    words: eventsTwice.words,
    of: (kind) => (kind === 'find' ? undefined : eventsTwice.of()),
  },
  stale,
  undone: { words: 'accepted, then undone by the cloud', of: only(tasks, once({ kind: 'undo' })) },
  'undone-again': {
    words: 'accepted, then undone by the cloud, for ten minutes',
    of: only(tasks, forTenMinutes({ kind: 'undo' })),
  },
  'pod-goes': { words: 'its pod goes in the middle', of: midway(withPod, goes) },
  'pod-anew': {
    words: 'its pod is deleted in the middle, and made anew on the same node',
    of: (kind) => midway(withPod, (world) => renew(world, isMove(kind) ? 'node-2' : 'node-1'))(kind),
  },
  'pod-elsewhere': {
    words: 'its pod is deleted in the middle, and made anew on a third node',
    of: midway(withPod, (world) => renew(world, 'node-3')),
  },
  'pod-back': {
    words: 'its pod comes back in the middle, to the node that it came from',
    of: midway([...moving, ...withoutPod], (world) => renew(world, 'node-1')),
  },
  'pod-back-elsewhere': {
    words: 'its pod comes back in the middle, to another node',
    of: midway(withoutPod, (world) => renew(world, 'node-2')),
  },
  'pod-back-late': {
    words:
      'the leader dies, another one takes over without its ledger, the pod comes back to the node that it came from, and then the call arrives',
    of: only(['leave', 'migrate'], {
      ...once({ kind: 'die-and-arrive', afterMs: 42 * second }),
      ...{ ledgerGoes: true, vanishes: true, lastly: minute },
      besides: (world) => later(world, 10 * second, (it) => renew(it, 'node-1')),
    }),
  },
  'node-lost': {
    words: 'the node of its address is lost in the middle; its Node goes a minute later',
    of: midway(['reserve', 'bind', 'rebind', 'leave', 'migrate', ...withoutPod], lose('node-1'), {
      vanishes: true,
      lastly: 2 * minute,
    }),
  },
  'target-lost': {
    words: 'the node that it moves to is lost in the middle; its Node goes a minute later',
    of: midway(moving, lose('node-2'), { vanishes: true, lastly: 2 * minute }),
  },
  'node-silent': {
    words: 'the agent of the node that it leaves does not answer for five minutes',
    of: only([...moving, 'rest', 'expire'], { besides: hush('node-1'), lastly: 5 * minute }),
  },
  'eni-gone': {
    words: 'its ENI is deleted in the console',
    of: (kind) =>
      midway([...onItsEni, ...onNone], deleteEni(kind === 'arrive' ? 'node-2' : 'node-1'), {
        vanishes: true,
      })(kind),
  },
  'taken-off': {
    words: 'its address is taken off its ENI in the console',
    of: midway(onItsEni, takeOff, { vanishes: true }),
  },
  'reservation-gone': {
    words: 'its reservation is released in the console',
    of: byOthers([...onNone, 'rest', 'find', 'release'], freeReservation),
  },
  'address-taken': {
    words:
      'somebody puts its address on an ENI of theirs in the console, and takes it off three minutes later',
    of: byOthers([...onNone, 'rest', 'release'], takeAddress, 4 * minute),
  },
  'address-stolen': {
    words:
      'somebody releases its reservation in the console and puts its address on an ENI of theirs, for three minutes',
    of: byOthers([...onNone, 'rest', 'release'], steal, 4 * minute),
  },
} satisfies Readonly<Record<string, ClaimMishapKind>>

export type ClaimMishapId = keyof typeof claimMishaps

function isMove(kind: ClaimKind): boolean {
  return moving.some((one) => one === kind)
}
