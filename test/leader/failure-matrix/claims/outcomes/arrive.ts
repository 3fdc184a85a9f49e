// What comes of each mishap with binding an address to the node that its pod has come to.
import { ofAssigning } from './of-assigning.ts'
import { type ClaimOutcomes, nodeKeepsIt, onToTheNext, waitsForAgent } from './outcomes.ts'

const usual = ['Bound', 'Attaching', 'Bound']
const refused = ['Bound', 'Attaching', 'Attaching (CloudRefused)', 'Bound']
const anew = ['Bound', 'Attaching', 'no claim', 'Retained', 'Attaching', 'Bound']
const inUse = ['Attaching', 'Attaching (StaticIPInUse)', 'Attaching', 'Bound']

export const outcomesOfArrive: ClaimOutcomes = {
  ...ofAssigning({ usual, refused, anew }),
  nothing: {
    calls: 1,
    within: 10,
    shows: usual,
    what: 'Sent once, when the other node has it no more; looked at until the ENI shows it as available.',
  },
  'pod-goes': {
    calls: 1,
    within: 10,
    shows: ['Bound', 'Attaching', 'Retained'],
    what: 'It is bound and published, and kept without a pod: for a while there, then by its reservation alone.',
  },
  'pod-anew': { calls: 1, within: 10, shows: usual, what: onToTheNext },
  'pod-back': {
    calls: 2,
    within: 15,
    shows: ['Bound', ...inUse],
    what: 'What is under way ends first; the address goes back when the agent has given it back.',
  },
  'target-lost': { calls: 2, within: 130, shows: [...usual, ...inUse], what: nodeKeepsIt },
  'node-silent': { calls: 1, within: 310, shows: ['Bound', ...inUse], what: waitsForAgent },
}
