// What comes of each mishap with binding a reserved address to the node of its pod.
import { ofAssigning } from './of-assigning.ts'
import { type ClaimOutcomes, nodeKeepsIt } from './outcomes.ts'

const usual = ['no claim', 'Pending', 'Attaching', 'Bound']
const refused = ['no claim', 'Pending', 'Attaching', 'Attaching (CloudRefused)', 'Bound']
const anew = ['no claim', 'Pending', 'Attaching', 'no claim', 'Retained', 'Attaching', 'Bound']

export const outcomesOfBind: ClaimOutcomes = {
  ...ofAssigning({ usual, refused, anew }),
  nothing: {
    calls: 1,
    within: 5,
    shows: usual,
    what: 'Sent once, for exactly the reserved address; looked at until the ENI shows it as available.',
  },
  'pod-goes': {
    calls: 1,
    within: 5,
    shows: ['no claim', 'Pending', 'Attaching', 'Retained'],
    what: 'The address is bound and published, and is kept without a pod: for a while there, then by its reservation alone.',
  },
  'pod-anew': {
    calls: 1,
    within: 5,
    shows: usual,
    what: 'The new pod takes the claim over; the address is the same, and is on its node already.',
  },
  'node-lost': {
    calls: 2,
    within: 110,
    shows: [...usual, 'Attaching', 'Attaching (StaticIPInUse)', 'Attaching', 'Bound'],
    what: nodeKeepsIt,
  },
}
