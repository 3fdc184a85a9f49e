// What comes of each mishap with taking a kept EIP off the address of a pod that has ended.
import type { EipOutcomes } from './outcomes.ts'

const usual = ['Bound', 'Attaching', 'Bound']
const refused = ['Bound', 'Attaching', 'Attaching (FailedDisassociateEIP)', 'Bound']
const anew = ['Bound', 'Attaching', 'no claim', 'Attaching', 'Bound']

export const outcomesOfLeave: EipOutcomes = {
  nothing: { calls: 1, within: 15, shows: usual },
  'die-before': { calls: 2, within: 57, shows: usual },
  'die-after': { calls: 1, within: 15, shows: usual },
  'time-out-undone': { calls: 2, within: 53, shows: usual },
  'time-out-done': { calls: 1, within: 41, shows: usual },
  'time-out-late': { calls: 2, within: 53, shows: usual },
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
  'time-outs-late': {
    atMost: 15,
    within: 800,
    shows: ['Bound', 'Attaching', 'Attaching (FailedDisassociateEIP)', 'Bound', 'Attaching', 'Bound'],
  },
  'error-undone': { calls: 2, within: 57, shows: usual },
  'error-done': { calls: 1, within: 15, shows: usual },
  throttled: { atMost: 15, within: 43, shows: usual },
  'request-twice': { atMost: 4, within: 15, shows: usual },
  'events-twice': { calls: 1, within: 15, shows: usual },
  stale: { calls: 1, within: 15, shows: usual },
  'die-late': { calls: 2, within: 57, shows: usual },
  'ledger-before': { calls: 2, within: 23, shows: anew },
  'ledger-after': { calls: 1, within: 18, shows: anew },
  'ledger-late': { calls: 2, within: 110, shows: anew },
  outage: {
    calls: 1,
    within: 210,
    shows: ['Bound', 'Attaching', 'Attaching (FailedAssociateEIP)', 'Bound'],
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
  'pod-goes': { calls: 1, within: 10, shows: ['Bound', 'Attaching', 'Retained'] },
  'pod-away': { calls: 1, within: 15, shows: usual },
  'eip-gone': {
    calls: 1,
    within: 40,
    shows: ['Bound', 'Attaching', 'Releasing (EipLost)', 'no claim', 'Pending', 'Attaching', 'Bound'],
    address: 'another',
  },
  'eip-unbound': { calls: 1, within: 15, shows: usual },
}
