// What comes of each code with which the API may refuse a call about a public address: first once, then for three minutes.
import type { EipAct } from '../../../../internal/ipam/eip-claim.ts'
import { eipFailure, judgeEipRefusal } from '../../../../internal/ipam/eip-refusal.ts'
import type { ErrorCode } from '../../../../internal/ipam/errors.ts'
import { fromTencent } from '../../../../internal/vpc/errors.ts'
import { TencentError } from '../../../../internal/vpc/transport.ts'
import { callOf } from '../codes.ts'
import type { Refused } from '../refused.ts'
import { eipActs } from './acts.ts'
import type { RefusedEipKind } from './codes.ts'

type Class = 'again' | 'unknown' | 'state' | 'anew' | 'later' | 'unseen' | 'figures'

const acts: Readonly<Record<RefusedEipKind, EipAct>> = {
  allocate: 'allocate',
  bind: 'associate',
  leave: 'disassociate',
  release: 'release',
  find: 'allocate',
  quota: 'allocate',
}

export function eipRefused(kind: RefusedEipKind, meaning: ErrorCode): Refused {
  const its = classOf(kind, meaning)
  const { once, words, ...classes } = ofClass[its]
  const long = lasting.has(`${kind} ${meaning}`) ? (classes.long ?? usualLong) : undefined
  const { reason } = eipFailure(acts[kind], '')
  const calls = kind === 'find' ? 4 : 2
  return { once: { calls, ...once, ...particular[`${kind} ${meaning}`] }, long, reason, words }
}

/** What the pod is told to do about it. */
export function remedyFor(kind: RefusedEipKind, answer: string): string {
  const { code, hint = '' } = fromTencent(
    callOf(eipActs[kind].api),
    new TencentError({ message: '', code: answer }),
  )
  if (kind === 'quota') return ''
  if (kind === 'find') return hint
  return judgeEipRefusal(acts[kind], { code, hint, message: '' })?.message.replace(/^; /, '') ?? ''
}

function classOf(kind: RefusedEipKind, meaning: ErrorCode): Class {
  if (kind === 'quota') return 'figures'
  switch (meaning) {
    case 'throttled':
    case 'unavailable':
    case 'in_progress':
      return 'again'
    case 'unknown_outcome':
    case 'token_used':
      return 'unknown'
    case 'invalid_state':
    case 'not_found':
      return 'state'
    default:
      if (kind === 'find') return 'unseen'
      return kind === 'allocate' && meaning === 'cloud_fault' ? 'anew' : 'later'
  }
}

interface OfClass {
  readonly once: Omit<Refused['once'], 'calls'>
  readonly long?: NonNullable<Refused['long']>
  readonly words: string
}

const usualLong = { atMost: 12, within: 250, told: true }

const ofClass: Readonly<Record<Class, OfClass>> = {
  again: {
    once: { within: 20, told: false },
    long: { atMost: 60, within: 230, told: true },
    words:
      'The client sends it again itself, ever more slowly, eight times; then it counts as refused. Told the third time.',
  },
  unknown: {
    once: { within: 65, told: false },
    words:
      'It may have happened: looks find out, and it is sent again when it cannot happen any more; from the second time on ever more slowly, and told.',
  },
  state: {
    once: { within: 25, told: false },
    words:
      'It may come from an old view, or the same request may have come twice: what is so is looked at 5 s later, and it is sent again if it is still to be done. Told the third time.',
  },
  anew: {
    once: { within: 20, told: true },
    words: 'Nothing has happened, and its ClientToken may make none any more: sent again with another one.',
  },
  later: {
    once: { within: 55, told: true },
    words: 'Nothing has happened: it is told, and tried again every half a minute, or more slowly.',
  },
  unseen: {
    once: { within: 20, told: false },
    long: { atMost: 35, within: 230, told: true },
    words: 'Looked again after 1 s, 2 s, 4 s and so on, up to a minute. Told when two in a row failed.',
  },
  figures: {
    once: { within: 80, told: true },
    words: 'That the quota is used up is told without its figures.',
  },
}

const particular: Readonly<Record<string, Partial<Refused['once']>>> = {
  'bind conflict': { within: 55, told: true },
  'find denied': { told: true },
  'quota throttled': { calls: 3 },
  'quota unavailable': { calls: 3 },
}

/** One of each class of each action: others last as these do. */
const lasting: ReadonlySet<string> = new Set([
  ...['cloud_fault', 'eip_quota', 'throttled', 'token_used', 'unknown_outcome'].map(
    (one) => `allocate ${one}`,
  ),
  ...['conflict', 'denied', 'in_progress', 'invalid_state', 'unknown_outcome'].map((one) => `bind ${one}`),
  ...['bad_input', 'invalid_state', 'unknown_outcome'].map((one) => `leave ${one}`),
  ...['arrears', 'not_found', 'unknown_outcome'].map((one) => `release ${one}`),
  ...['denied', 'bad_input'].map((one) => `find ${one}`),
])
