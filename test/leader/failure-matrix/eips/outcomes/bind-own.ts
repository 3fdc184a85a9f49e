// What comes of each mishap with binding an EIP of the pod's list to its address.
import type { EipOutcomes } from './outcomes.ts'

const usual = ['no claim', 'Pending', 'Attaching', 'Bound']
const refused = ['no claim', 'Pending', 'Attaching', 'Attaching (FailedAssociateEIP)', 'Bound']

export const outcomesOfBindOwn: EipOutcomes = {
  nothing: { calls: 1, within: 10, shows: usual },
  'die-after': { calls: 1, within: 10, shows: usual },
  'time-out-undone': { calls: 2, within: 47, shows: usual },
  'time-out-done': { calls: 1, within: 36, shows: usual },
  'die-late': { calls: 2, within: 52, shows: usual },
  undone: {
    calls: 2,
    within: 16,
    shows: refused,
  },
  'pod-goes': {
    calls: 1,
    within: 15,
    shows: ['no claim', 'Pending', 'Attaching', 'Releasing (PodGone)', 'no claim'],
  },
  'pod-anew': {
    calls: 2,
    within: 21,
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
  },
  'eip-used': {
    calls: 2,
    within: 220,
    shows: ['no claim', 'Pending', 'Attaching', 'Attaching (EipInUse)', 'Bound'],
  },
  'address-used': {
    calls: 7,
    within: 200,
    shows: refused,
  },
}
