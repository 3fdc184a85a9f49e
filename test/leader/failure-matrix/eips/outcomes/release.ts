// What comes of each mishap with releasing an EIP.
import type { EipOutcomes } from './outcomes.ts'

const usual = ['Bound', 'Releasing (PodGone)', 'no claim']
const refused = ['Bound', 'Releasing (PodGone)', 'Releasing (FailedReleaseEIP)', 'no claim']

export const outcomesOfRelease: EipOutcomes = {
  nothing: { calls: 1, within: 21, shows: usual, address: 'none' },
  'die-before': {
    calls: 2,
    within: 63,
    shows: usual,
    address: 'none',
  },
  'die-after': { calls: 1, within: 21, shows: usual, address: 'none' },
  'time-out-undone': {
    calls: 2,
    within: 58,
    shows: usual,
    address: 'none',
  },
  'time-out-done': {
    calls: 1,
    within: 47,
    shows: usual,
    address: 'none',
  },
  'time-out-late': {
    calls: 2,
    within: 58,
    shows: usual,
    address: 'none',
  },
  'time-out-denied': {
    calls: 2,
    within: 90,
    shows: refused,
    address: 'none',
  },
  'time-outs': {
    atMost: 15,
    within: 700,
    shows: refused,
    address: 'none',
  },
  'error-undone': {
    calls: 2,
    within: 58,
    shows: usual,
    address: 'none',
  },
  'error-done': {
    calls: 1,
    within: 21,
    shows: usual,
    address: 'none',
  },
  throttled: { calls: 8, within: 41, shows: usual, address: 'none' },
  'request-twice': {
    atMost: 4,
    within: 23,
    shows: usual,
    address: 'none',
  },
  'events-twice': {
    calls: 1,
    within: 21,
    shows: usual,
    address: 'none',
  },
  stale: { calls: 1, within: 21, shows: usual, address: 'none' },
  'die-late': { calls: 2, within: 63, shows: usual, address: 'none' },
  'ledger-before': {
    calls: 2,
    within: 53,
    shows: ['Bound', 'Releasing (PodGone)', 'no claim', 'Releasing', 'no claim'],
    address: 'none',
  },
  'ledger-after': {
    calls: 1,
    within: 12,
    shows: usual,
    address: 'none',
  },
  'ledger-late': {
    calls: 2,
    within: 53,
    shows: ['Bound', 'Releasing (PodGone)', 'no claim', 'Releasing', 'no claim'],
    address: 'none',
  },
  outage: {
    calls: 1,
    within: 220,
    shows: refused,
    address: 'none',
  },
  undone: {
    calls: 2,
    within: 28,
    shows: refused,
    address: 'none',
  },
  'undone-again': {
    atMost: 20,
    within: 700,
    shows: refused,
    address: 'none',
  },
  'pod-back': {
    calls: 1,
    within: 33,
    shows: ['Bound', 'Releasing (PodGone)', 'no claim', 'Pending', 'Attaching', 'Bound'],
    address: 'another',
  },
  'eip-gone': { calls: 1, within: 21, shows: usual, address: 'none' },
}
