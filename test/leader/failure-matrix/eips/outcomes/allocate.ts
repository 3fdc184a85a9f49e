// What comes of each mishap with making an EIP.
import type { EipOutcomes } from './outcomes.ts'

const usual = ['no claim', 'Pending', 'Attaching', 'Bound']
const refused = ['no claim', 'Pending', 'Pending (FailedAllocateEIP)', 'Attaching', 'Bound']
const refused2 = [
  'no claim',
  'Pending',
  'Attaching',
  'Releasing (FailedAllocateEIP)',
  'no claim',
  'Pending',
  'Pending (FailedAllocateEIP)',
  'Attaching',
  'Bound',
]

export const outcomesOfAllocate: EipOutcomes = {
  nothing: { calls: 1, within: 15, shows: usual },
  'die-before': { calls: 2, within: 20, shows: usual },
  'die-after': { calls: 1, within: 15, shows: usual },
  'time-out-undone': { calls: 2, within: 46, shows: usual },
  'time-out-done': { calls: 1, within: 41, shows: usual },
  'time-out-late': { calls: 2, within: 46, shows: usual },
  'time-out-denied': {
    calls: 2,
    within: 56,
    shows: refused,
  },
  'time-outs': { atMost: 15, within: 660, shows: refused },
  'error-undone': { calls: 2, within: 20, shows: usual },
  'error-done': { calls: 1, within: 15, shows: usual },
  throttled: { atMost: 15, within: 43, shows: usual },
  'answer-garbled': { calls: 1, within: 15, shows: usual },
  'request-twice': { calls: 1, within: 15, shows: usual },
  'events-twice': { calls: 1, within: 15, shows: usual },
  stale: { calls: 1, within: 15, shows: usual },
  'die-late': { calls: 2, within: 20, shows: usual },
  'ledger-before': { calls: 2, within: 17, shows: usual },
  'ledger-after': { calls: 1, within: 19, shows: ['no claim', 'Pending', 'no claim', 'Attaching', 'Bound'] },
  'ledger-late': { calls: 2, within: 90, shows: usual },
  outage: { calls: 1, within: 210, shows: refused },
  unavailable: { calls: 1, within: 210, shows: refused },
  undone: {
    calls: 2,
    within: 40,
    shows: refused2,
    address: 'another',
  },
  'undone-again': {
    atMost: 15,
    within: 960,
    shows: refused2,
    address: 'another',
  },
  'pod-goes': {
    calls: 1,
    within: 22,
    shows: ['no claim', 'Pending', 'Attaching', 'Releasing (PodGone)', 'no claim'],
    address: 'none',
  },
  'pod-anew': {
    calls: 2,
    within: 33,
    shows: [
      'no claim',
      'Pending',
      'Attaching',
      'Releasing (PodGone)',
      'no claim',
      'Pending',
      'Attaching',
      'Bound',
    ],
    address: 'another',
  },
}
