// What comes of each mishap with moving a parked address from ENI to ENI.
import { ofIntent } from './of-intent.ts'
import { type ClaimOutcomes, nodeKeepsIt, onToTheNext, waitsForAgent } from './outcomes.ts'

const parked = 'Bound (Parked)'
const usual = [parked, 'Attaching', parked]
const refused = [parked, 'Attaching', 'Attaching (CloudRefused)', parked]
const anew = [parked, 'Attaching', 'no claim', 'Retained', 'Attaching', parked]
const inUse = ['Attaching', 'Attaching (StaticIPInUse)', 'Attaching', parked]
const where =
  'The new ledger has the claim from the NEC, and its address where the cloud has it: on the ENI that it came to. Nothing is sent again.'
const nowhere =
  "It is on neither of the two: when reads have said so for a minute, it fails and is told. It is assigned by its name to an ENI of the pod's node, if nobody has taken it."

export const outcomesOfMigrate: ClaimOutcomes = {
  ...ofIntent({
    ...{ usual, refused, anew, named: false },
    undone: 'it is where it was',
    again: 'it is bound anew there, given back again, and moved anew',
  }),
  nothing: {
    calls: 1,
    within: 5,
    shows: usual,
    what: 'Sent once the agent of the node has given it back; done when one ENI shows it and the other does not.',
  },
  'ledger-before': {
    calls: 2,
    within: 5,
    shows: anew,
    what: 'The new ledger has the claim and its address from the NEC; it moves as by the old one.',
  },
  'ledger-after': { calls: 1, within: 10, shows: anew, what: where },
  'ledger-late': {
    calls: 2,
    within: 5,
    shows: anew,
    what: 'The new ledger moves it as the old one would have; the late one is refused.',
  },
  'ledger-stored': { calls: 1, within: 10, shows: anew, what: where },
  undone: {
    calls: 2,
    within: 70,
    shows: usual,
    what: 'It is where it was, and nothing happens to it for a minute: sent again.',
  },
  'undone-again': {
    atMost: 15,
    within: 660,
    shows: refused,
    what: 'Sent again every minute. After five it fails, once two reads agree that it is where it was, and is moved anew.',
  },
  'pod-goes': {
    calls: 1,
    within: 5,
    shows: [parked, 'Attaching', 'Retained', 'Retained (Parked)'],
    what: 'What is under way ends; the address stays on the ENI that it came to.',
  },
  'pod-anew': { calls: 1, within: 5, shows: usual, what: onToTheNext },
  'pod-elsewhere': {
    calls: 2,
    within: 5,
    shows: [parked, ...inUse],
    what: 'What is under way ends first; then it moves on to the node of the new pod.',
  },
  'pod-back': {
    calls: 2,
    within: 10,
    shows: usual,
    what: 'What is under way ends first; then it moves back.',
  },
  'pod-back-late': {
    calls: 3,
    within: 15,
    shows: [...anew, 'Attaching', parked],
    what: 'The new ledger moves it to the other node and back; the late one is refused, or moves it once more, and it comes back.',
  },
  'node-lost': {
    calls: 2,
    within: 110,
    shows: usual,
    what: 'It moves all the same: the cloud sets the ENI free with its addresses. Others that are parked on it are moved to ENIs of other nodes before it is deleted.',
  },
  'target-lost': { calls: 3, within: 110, shows: [...usual, ...inUse], what: nodeKeepsIt },
  'node-silent': { calls: 1, within: 310, shows: [parked, ...inUse], what: waitsForAgent },
  'eni-gone': { calls: 1, within: 420, shows: refused, what: nowhere },
  'taken-off': { calls: 1, within: 70, shows: refused, what: nowhere },
}
