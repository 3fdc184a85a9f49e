// What comes of each code with which the API may refuse a call about a static address: first once, then for three minutes.
import type { ErrorCode } from '../../../../internal/ipam/errors.ts'
import { classOf, reasonOf, wordsFor } from '../refusals.ts'
import type { Refused } from '../refused.ts'
import type { RefusedKind } from './codes.ts'

export function claimRefusal(kind: RefusedKind, meaning: ErrorCode): Refused {
  return particular[`${kind} ${meaning}`] ?? usual(kind, meaning)
}

function usual(kind: RefusedKind, meaning: ErrorCode): Refused {
  const reason = reasonOf(meaning)
  const isAgain = classOf('assign', meaning) === 'again'
  if (kind !== 'bind' && kind !== 'migrate') {
    // A describe that the server has failed says no more than one that it has not begun.
    const clientsOwn = isAgain || (kind === 'find' && meaning === 'unavailable')
    return {
      once: { calls: 2, within: 10, told: false },
      long: { atMost: clientsOwn ? 60 : 15, within: 240, told: true },
      reason,
      words: clientsOwn ? byClient : byKeeper,
    }
  }
  return {
    once: { calls: 2, within: 10, told: classOf('assign', meaning) === 'final' },
    long: { atMost: isAgain ? 60 : 13, within: 240, told: true },
    reason,
    words: `${wordsFor('assign', meaning)} The address stays ${kind === 'bind' ? 'reserved' : 'where it is'} meanwhile.`,
  }
}

const byClient =
  'The client sends it again itself, ever more slowly, eight times; then the claim is looked at again after pauses that grow up to a minute. Told when that failed twice.'
const byKeeper =
  'What the call may have made or undone is looked for, and it is sent again after 1 s, 2 s, 4 s and so on, up to a minute. Told when it failed twice.'

const particular: Readonly<Record<string, Refused>> = {
  'reserve denied': {
    once: { calls: 1, within: 10, told: true },
    long: { atMost: 1, within: 10, told: true },
    reason: 'Parked',
    words:
      'Who may not reserve parks: the address is made on an ENI of the node, stays on ENIs, and moves from one to another in one step. Asked again after five minutes, for addresses to come.',
  },
  'reserve conflict': {
    once: { calls: 2, within: 25, told: true },
    long: { atMost: 10, within: 240, told: true },
    reason: 'AddressTaken',
    words:
      'Nothing has happened, and it is told; tried again every half a minute. A pod that asks for one address is given no other.',
  },
  'reserve token_used': {
    once: { calls: 2, within: 25, told: true },
    long: { atMost: 15, within: 240, told: true },
    reason: 'CloudRefused',
    words:
      'What the token has made is looked for. When two looks, 6 s apart, agree that there is nothing, it is sent again with another one.',
  },
  'reserve subnet_full': {
    once: { calls: 2, within: 90, told: true },
    long: { atMost: 10, within: 300, told: true },
    reason: 'SubnetExhausted',
    words:
      'Nothing has happened, and it is told. The subnet counts as full for a while: another one of the zone is taken.',
  },
  'find not_found': {
    once: { calls: 2, within: 20, told: false },
    long: { atMost: 10, within: 300, told: false },
    reason: '',
    words:
      'It may be gone: when two looks, 6 s apart, agree, the claim goes. One that is there all the same is of no claim then, and released by the survey.',
  },
  'release not_found': {
    once: { calls: 2, within: 300, told: false },
    long: { atMost: 10, within: 300, told: false },
    reason: '',
    words:
      'That is what was wanted: the claim goes. One that is there all the same is of no claim then, and released by the survey.',
  },
}
