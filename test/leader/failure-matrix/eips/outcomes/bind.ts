// What comes of each mishap with binding an EIP that was made to the address of its pod.
import type { EipOutcomes } from './outcomes.ts'

const usual = ['no claim', 'Pending', 'Attaching', 'Bound']
const refused = ['no claim', 'Pending', 'Attaching', 'Attaching (FailedAssociateEIP)', 'Bound']
const anew = ['no claim', 'Pending', 'Attaching', 'no claim', 'Attaching', 'Bound']

export const outcomesOfBind: EipOutcomes = {
  nothing: { calls: 1, within: 15, shows: usual },
  'die-before': { calls: 2, within: 57, shows: usual },
  'die-after': { calls: 1, within: 15, shows: usual },
  'time-out-undone': { calls: 2, within: 52, shows: usual },
  'time-out-done': { calls: 1, within: 41, shows: usual },
  'time-out-late': { calls: 2, within: 52, shows: usual },
  'time-out-denied': {
    calls: 2,
    within: 90,
    shows: refused,
  },
  'time-outs': {
    atMost: 15,
    within: 680,
    shows: refused,
  },
  'error-undone': { calls: 2, within: 52, shows: usual },
  'error-done': { calls: 1, within: 15, shows: usual },
  throttled: { calls: 8, within: 36, shows: usual },
  'request-twice': { atMost: 4, within: 16, shows: usual },
  'events-twice': { calls: 1, within: 15, shows: usual },
  stale: { calls: 1, within: 15, shows: usual },
  'die-late': { calls: 2, within: 57, shows: usual },
  'ledger-before': { calls: 2, within: 17, shows: anew },
  'ledger-after': { calls: 1, within: 12, shows: anew },
  'ledger-late': { calls: 2, within: 17, shows: anew },
  outage: {
    calls: 1,
    within: 210,
    shows: ['no claim', 'Pending', 'Pending (FailedAllocateEIP)', 'Attaching', 'Bound'],
  },
  undone: {
    calls: 2,
    within: 21,
    shows: refused,
  },
  'undone-again': {
    atMost: 20,
    within: 700,
    shows: refused,
  },
  'pod-goes': {
    calls: 1,
    within: 33,
    shows: ['no claim', 'Pending', 'Attaching', 'Releasing (PodGone)', 'no claim'],
    address: 'none',
  },
  'pod-anew': {
    calls: 2,
    within: 43,
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
  'eip-gone': {
    calls: 2,
    within: 45,
    shows: [
      'no claim',
      'Pending',
      'Attaching',
      'Releasing (EipLost)',
      'no claim',
      'Pending',
      'Attaching',
      'Bound',
    ],
    address: 'another',
  },
  'address-used': {
    calls: 7,
    within: 210,
    shows: refused,
  },
}
