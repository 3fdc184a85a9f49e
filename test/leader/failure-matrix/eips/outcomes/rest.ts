// What comes of each mishap with unbinding an EIP that is kept.
import type { EipOutcomes } from './outcomes.ts'

const usual = ['Bound', 'Retained']

export const outcomesOfRest: EipOutcomes = {
  nothing: { calls: 1, within: 10, shows: usual },
  'die-after': { calls: 1, within: 10, shows: usual },
  'time-out-undone': { calls: 2, within: 49, shows: usual },
  'time-out-done': { calls: 1, within: 38, shows: usual },
  'die-late': { calls: 2, within: 46, shows: usual },
  undone: {
    calls: 2,
    within: 16,
    shows: ['Bound', 'Retained', 'Retained (FailedDisassociateEIP)', 'Retained'],
  },
  'pod-back': { calls: 1, within: 15, shows: ['Bound', 'Retained', 'Attaching', 'Bound'] },
  'eip-gone': {
    calls: 1,
    within: 29,
    shows: ['Bound', 'Retained', 'Releasing (EipLost)', 'no claim'],
    address: 'none',
  },
  'eip-unbound': { calls: 1, within: 10, shows: usual },
}
