// What comes of each mishap with looking at the EIPs of a list.
import type { EipOutcomes } from './outcomes.ts'

const usual = ['no claim', 'Pending', 'Attaching', 'Bound']

export const outcomesOfPick: EipOutcomes = {
  nothing: { calls: 3, within: 10, shows: usual },
  'time-out-undone': { calls: 4, within: 26, shows: usual },
  'time-outs': {
    atMost: 115,
    within: 630,
    shows: ['no claim', 'Pending', 'Pending (FailedAllocateEIP)', 'Attaching', 'Bound'],
  },
  throttled: { atMost: 15, within: 34, shows: usual },
  'answer-garbled': { calls: 4, within: 11, shows: usual },
}
