// What comes of each mishap with taking an address off the node that its pod has left.
import { ofUnassigning } from './of-unassigning.ts'
import { type ClaimOutcomes, nodeKeepsIt, onToTheNext, waitsForAgent } from './outcomes.ts'

const usual = ['Bound', 'Attaching', 'Bound']
const refused = ['Bound', 'Attaching', 'Attaching (CloudRefused)', 'Attaching', 'Bound']
const anew = ['Bound', 'Attaching', 'no claim', 'Retained', 'Attaching', 'Bound']
const inUse = ['Attaching', 'Attaching (StaticIPInUse)', 'Attaching', 'Bound']

export const outcomesOfLeave: ClaimOutcomes = {
  ...ofUnassigning({ usual, refused, anew }),
  nothing: {
    calls: 1,
    within: 10,
    shows: usual,
    what: 'Sent once the agent of the node has given it back; from then on it is in no NEC. Done when a look from 5 s after the call does not show it any more: then it is bound to the other node.',
  },
  'pod-goes': {
    calls: 1,
    within: 10,
    shows: ['Bound', 'Attaching', 'Retained'],
    what: 'What is under way ends; then the address is kept by its reservation.',
  },
  'pod-anew': { calls: 1, within: 10, shows: usual, what: onToTheNext },
  'pod-elsewhere': { calls: 1, within: 10, shows: usual, what: onToTheNext },
  'pod-back': {
    calls: 1,
    within: 10,
    shows: usual,
    what: 'What is under way ends first; then the address is bound to that node again.',
  },
  'pod-back-late': {
    calls: 3,
    within: 360,
    shows: [...anew, 'Attaching', 'Bound', 'Attaching', 'Bound'],
    what: 'The pod has its address again when the late one takes it off. The survey finds it missing when two views agree, and it is bound again; until then the pod has no network. Without the loss of the ledger the call would be open, and waited for.',
  },
  'node-lost': {
    calls: 1,
    within: 130,
    shows: usual,
    what: 'The ENI is set free by the cloud with its addresses; from there it is taken off as well.',
  },
  'target-lost': { calls: 1, within: 130, shows: [...usual, ...inUse], what: nodeKeepsIt },
  'node-silent': { calls: 1, within: 310, shows: ['Bound', ...inUse], what: waitsForAgent },
}
