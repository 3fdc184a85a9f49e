// What comes of each mishap with unbinding its user's EIP.
import type { EipOutcomes } from './outcomes.ts'

const usual = ['Bound', 'Releasing (PodGone)', 'no claim']
const anew = ['Bound', 'Releasing (PodGone)', 'no claim']

export const outcomesOfUnbindOwn: EipOutcomes = {
  nothing: { calls: 1, within: 10, shows: usual },
  'die-after': { calls: 1, within: 46, shows: anew },
  'time-out-undone': { calls: 2, within: 48, shows: usual },
  'time-out-done': { calls: 1, within: 43, shows: anew },
  'die-late': { calls: 2, within: 52, shows: usual },
  outage: {
    calls: 1,
    within: 210,
    shows: ['Bound', 'Releasing (PodGone)', 'Releasing (FailedDisassociateEIP)', 'no claim'],
  },
  undone: {
    calls: 2,
    within: 16,
    shows: ['Bound', 'Releasing (PodGone)', 'Releasing (FailedDisassociateEIP)', 'no claim'],
  },
  'pod-back': {
    calls: 1,
    within: 15,
    shows: ['Bound', 'Releasing (PodGone)', 'no claim', 'Pending', 'Attaching', 'Bound'],
  },
  'eip-unbound': { calls: 1, within: 10, shows: anew },
  'eip-used': { calls: 0, within: 190, shows: anew },
}
