// What comes of each mishap with an EIP whose address moves with its pod.
import type { EipOutcomes } from './outcomes.ts'

const usual = ['Bound', 'Attaching', 'Attaching (NoPodAddress)', 'Bound']

export const outcomesOfFollow: EipOutcomes = {
  nothing: { calls: 1, within: 17, shows: usual },
  'die-after': { calls: 1, within: 17, shows: usual },
  'time-out-undone': {
    calls: 2,
    within: 54,
    shows: usual,
  },
  'time-out-done': {
    calls: 1,
    within: 43,
    shows: usual,
  },
  'die-late': { calls: 2, within: 58, shows: usual },
  outage: {
    calls: 2,
    within: 210,
    shows: ['Bound', 'Attaching', 'Attaching (FailedAssociateEIP)', 'Attaching (NoPodAddress)', 'Bound'],
  },
  undone: {
    calls: 2,
    within: 23,
    shows: ['Bound', 'Attaching', 'Attaching (FailedDisassociateEIP)', 'Attaching (NoPodAddress)', 'Bound'],
  },
}
