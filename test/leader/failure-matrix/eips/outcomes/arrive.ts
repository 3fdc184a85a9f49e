// What comes of each mishap with binding a kept EIP to the address of its next pod.
import type { EipOutcomes } from './outcomes.ts'

const usual = ['Bound', 'Attaching', 'Bound']
const refused = ['Bound', 'Attaching', 'Attaching (FailedAssociateEIP)', 'Bound']

export const outcomesOfArrive: EipOutcomes = {
  nothing: { calls: 1, within: 15, shows: usual },
  'die-after': { calls: 1, within: 15, shows: usual },
  'time-out-undone': { calls: 2, within: 52, shows: usual },
  'time-out-done': { calls: 1, within: 41, shows: usual },
  'die-late': { calls: 2, within: 57, shows: usual },
  undone: { calls: 2, within: 21, shows: refused },
  'pod-goes': { calls: 1, within: 20, shows: ['Bound', 'Attaching', 'Retained'] },
  'pod-away': { calls: 2, within: 26, shows: usual },
  'eip-gone': {
    calls: 2,
    within: 45,
    shows: ['Bound', 'Attaching', 'Releasing (EipLost)', 'no claim', 'Pending', 'Attaching', 'Bound'],
    address: 'another',
  },
  'address-used': {
    calls: 7,
    within: 210,
    shows: refused,
  },
}
