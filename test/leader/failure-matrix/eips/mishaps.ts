// What can go wrong with a call about a public address: with the call itself, with leaders, with pods, and by the hands of people.
import assert from 'node:assert/strict'
import { known } from '../../../given.ts'
import type { EipWorld } from '../../eips/eip-world.ts'
import { deaths, forTenMinutes, lateDeath, lostLedgers, ofEach, once, troubles } from '../any-call.ts'
import { minute, second } from '../cell.ts'
import type { Treatment } from '../treatment.ts'
import { comes, eipActs, goes, ownEip, subject } from './acts.ts'
import type { EipMishap } from './eip-cell.ts'
import type { EipKind } from './kinds.ts'

/** The words for it, and how it is brought about; undefined: it cannot happen to this call, or goes as with another one. */
export interface EipMishapKind {
  readonly words: string
  readonly of: (kind: EipKind) => EipMishap | undefined
}

/** One of each action, to which everything happens. */
const every: readonly EipKind[] = ['allocate', 'bind', 'leave', 'release']
/** The same actions where something else is at stake. */
const alike: readonly EipKind[] = ['bind-own', 'arrive', 'follow', 'rest', 'unbind-own']
const calling = [...every, ...alike]
const ofAlike: readonly string[] = ['die-after', 'time-out-undone', 'time-out-done']
const ofReading: readonly string[] = ['time-out-undone', 'time-outs', 'throttled', 'answer-garbled']
/** Of what comes after ten minutes only that unbinds: everything else is refused, or done already. */
const ofUnbinding: readonly string[] = ['time-outs-late']

/** Of the other actions no answer is read. */
const answered: readonly EipKind[] = ['allocate', 'find', 'pick', 'quota']

function concerns(kind: EipKind, id: string): boolean {
  if (id === 'nothing') return true
  if (id === 'answer-garbled' && !answered.includes(kind)) return false
  if (ofUnbinding.includes(id)) return kind === 'leave'
  if (!calling.includes(kind)) return ofReading.includes(id)
  return every.includes(kind) || ofAlike.includes(id)
}

/** Nothing says of which binding a request to unbind is: one that comes after ten minutes undoes the next. */
function undoesLate(kind: EipKind, id: string): boolean {
  return kind === 'leave' && ofUnbinding.includes(id)
}

const only = (kinds: readonly EipKind[], mishap: EipMishap) => (kind: EipKind) =>
  kinds.includes(kind) ? mishap : undefined

const midway =
  (kinds: readonly EipKind[], happens: (world: EipWorld, kind: EipKind) => void, more = {}) =>
  (kind: EipKind): EipMishap | undefined => {
    if (!kinds.includes(kind)) return undefined
    const treatment: Treatment<EipWorld> = { kind: 'meanwhile', happens: (world) => happens(world, kind) }
    return { ...once(treatment), ...more }
  }

/** What the lost ledger had asked for, and nobody knows of, may be made a second time, and may unbind what was bound again. */
const withoutLedger =
  (treatment: Treatment) =>
  (kind: EipKind): EipMishap | undefined => {
    if (!every.includes(kind)) return undefined
    const isLate = treatment.kind === 'die-and-arrive'
    const what = { doubles: isLate && kind === 'allocate', vanishes: isLate && kind === 'leave' }
    return { ...once(treatment), ledgerGoes: true, lastly: minute, ...what }
  }

export const eipMishaps = {
  ...ofEach({ ...deaths, ...troubles }, ({ of, words }, id) => ({
    words,
    of: (kind: EipKind) => (concerns(kind, id) ? { ...of(), vanishes: undoesLate(kind, id) } : undefined),
  })),
  'die-late': { words: lateDeath.words, of: only(calling, lateDeath.of()) },
  ...ofEach(lostLedgers, ({ treatment, words }) => ({ words, of: withoutLedger(treatment) })),
  outage: {
    words: 'the cloud answers nothing at all for three minutes',
    of: only([...every, 'follow', 'unbind-own', 'find'], {
      faults: { outage: 'hang' },
      until: 3 * minute,
    }),
  },
  unavailable: {
    words: 'the cloud says of every call for three minutes that it is not available',
    of: only(['allocate', 'find'], { faults: { outage: 'unavailable' }, until: 3 * minute }),
  },
  undone: { words: 'accepted, then undone by the cloud', of: only(calling, once({ kind: 'undo' })) },
  'undone-again': {
    words: 'accepted, then undone by the cloud, for ten minutes',
    of: only(every, forTenMinutes({ kind: 'undo' })),
  },
  'pod-goes': {
    words: 'its pod goes in the middle',
    of: midway(['allocate', 'bind', 'bind-own', 'leave', 'arrive'], goes),
  },
  'pod-anew': {
    words: 'its pod is deleted in the middle, and made anew on the same node',
    of: midway(['allocate', 'bind', 'bind-own'], (world, kind) => renew(world, kind, 'node-1')),
  },
  'pod-back': {
    words: 'a pod of its name comes in the middle, to the other node',
    of: midway(['rest', 'unbind-own', 'release'], (world, kind) => renew(world, kind, 'node-2')),
  },
  'pod-away': {
    words: 'its pod is deleted in the middle, and made anew on the node that it came from',
    of: midway(['leave', 'arrive'], (world, kind) => renew(world, kind, 'node-1')),
  },
  'eip-gone': {
    words: 'its EIP is released in the console',
    of: midway(['bind', 'arrive', 'leave', 'rest', 'release'], releaseByHand, { vanishes: true }),
  },
  'eip-unbound': {
    words: 'its EIP is unbound in the console',
    of: midway(['leave', 'rest', 'unbind-own'], unbindByHand, { vanishes: true }),
  },
  'eip-used': {
    words: 'its user binds it to something else, and unbinds it three minutes later',
    of: (kind) => {
      const more = { vanishes: true, lastly: 4 * minute }
      // At the moment of the call nothing could keep that from undoing it.
      if (kind === 'unbind-own') return { besides: useElsewhere, ...more }
      return midway(['bind-own'], useElsewhere, more)(kind)
    },
  },
  'address-used': {
    words: 'somebody binds an EIP of theirs to its address, and unbinds it three minutes later',
    of: midway(['bind', 'bind-own', 'arrive'], useAddress, { vanishes: true, lastly: 4 * minute }),
  },
} satisfies Readonly<Record<string, EipMishapKind>>

export type EipMishapId = keyof typeof eipMishaps

function renew(world: EipWorld, kind: EipKind, node: string): void {
  goes(world)
  comes(world, node, eipActs[kind].asked)
}

/** As a person, who waits until it is done. */
function byHand(world: EipWorld, does: () => boolean): void {
  assert.ok(does(), 'the cloud refuses it')
  world.cloud.advance(world.clock.now() + 10 * second)
}

function itsEip(world: EipWorld): string {
  return known(world.eipClaim(subject)?.eipId)
}

function unbindByHand(world: EipWorld): void {
  byHand(world, () => world.console.unbindEip(itsEip(world)))
}

function releaseByHand(world: EipWorld): void {
  if (world.holderOf(itsEip(world)) !== undefined) unbindByHand(world)
  byHand(world, () => world.console.releaseEip(itsEip(world)))
}

/** On an instance that is none of the cluster's. */
function useElsewhere(world: EipWorld): void {
  const instance = world.addInstance('S5.MEDIUM4')
  if (world.holderOf(ownEip) !== undefined) unbindByHand(world)
  byHand(world, () => world.console.bindEip(ownEip, instance))
  world.clock.after(3 * minute, () => byHand(world, () => world.console.unbindEip(ownEip)))
}

function useAddress(world: EipWorld): void {
  const { eniId, privateIp } = known(world.eipClaim(subject))
  const { id } = world.cloud.admin.createEip({}, world.clock.now())
  byHand(world, () => world.console.bindEipTo(id, known(eniId), known(privateIp)))
  world.clock.after(3 * minute, () => byHand(world, () => world.console.unbindEip(id)))
}
