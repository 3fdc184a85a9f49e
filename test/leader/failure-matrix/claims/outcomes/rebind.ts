// What comes of each mishap with a pod that comes back to the ENI of its address.
import { type ClaimOutcomes, eventsTwice, nodeKeepsIt, onToTheNext } from './outcomes.ts'

const usual = ['Retained', 'Attaching', 'Bound']

export const outcomesOfRebind: ClaimOutcomes = {
  nothing: {
    within: 5,
    shows: usual,
    what: 'Nothing is sent: the address is bound under a new grant, and published.',
  },
  'die-stored': {
    within: 5,
    shows: usual,
    what: 'It dies when the pod has taken its claim over: the next leader goes on.',
  },
  'ledger-stored': {
    within: 5,
    shows: ['Retained', 'no claim', 'Retained', 'Attaching', 'Bound'],
    what: 'It dies when the pod has taken its claim over. The new ledger makes the claim from the tags of the reservation, and has the address where NEC and cloud have it; the pod takes it.',
  },
  'events-twice': { within: 5, shows: usual, what: eventsTwice },
  stale: { within: 5, shows: usual, what: 'Nothing is looked at.' },
  'pod-goes': { within: 5, shows: ['Retained'], what: 'It is kept as it was.' },
  'pod-anew': { within: 5, shows: usual, what: 'The new pod takes the claim over.' },
  'pod-elsewhere': { within: 10, shows: usual, what: onToTheNext },
  'node-lost': {
    within: 130,
    shows: [...usual, 'Attaching', 'Attaching (StaticIPInUse)', 'Attaching', 'Bound'],
    what: nodeKeepsIt,
  },
  'eni-gone': {
    within: 300,
    shows: [...usual, 'Attaching', 'Bound'],
    what: 'Nobody tells: the survey finds the ENI missing when two views agree; another one is made, and the address, still reserved, is bound to that.',
  },
  'taken-off': {
    within: 300,
    shows: [...usual, 'Attaching', 'Bound'],
    what: 'Nobody tells: the survey finds the address missing when two views agree; still reserved, it is bound again.',
  },
}
