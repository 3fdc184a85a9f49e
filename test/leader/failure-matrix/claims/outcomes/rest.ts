// What comes of each mishap with taking an address off its ENI, to be kept by its reservation alone.
import { ofUnassigning } from './of-unassigning.ts'
import type { ClaimOutcomes } from './outcomes.ts'

const usual = ['Bound', 'Retained']
const back = ['Bound', 'Retained', 'Attaching', 'Bound']
const lost = ['Bound', 'Retained', 'Retained (ReservationLost)', 'Retained']

export const outcomesOfRest: ClaimOutcomes = {
  ...ofUnassigning({ usual, refused: usual, anew: ['Bound', 'Retained', 'no claim', 'Retained'] }),
  nothing: {
    calls: 1,
    within: 10,
    shows: usual,
    what: 'Sent once the agent has given it back and the claim has rested for a while. Done when a look from 5 s after the call does not show it any more.',
  },
  'pod-back': {
    calls: 1,
    within: 10,
    shows: back,
    what: 'What is under way ends first; then the address is bound to that node again.',
  },
  'pod-back-elsewhere': {
    calls: 1,
    within: 10,
    shows: back,
    what: 'What is under way ends first; then the address is bound to the other node.',
  },
  'node-lost': {
    calls: 1,
    within: 130,
    shows: usual,
    what: 'Its reservation keeps the address; the ENI goes when the node is known to be gone.',
  },
  'node-silent': {
    calls: 1,
    within: 310,
    shows: usual,
    what: 'Nothing is taken that a pod may have: it stays until the agent gives it back.',
  },
  'reservation-gone': {
    calls: 1,
    within: 300,
    shows: lost,
    what: 'When two views of a survey agree, the claim says so, and the address is reserved again.',
  },
  'address-taken': {
    calls: 1,
    within: 240,
    shows: usual,
    what: 'It stays reserved for the claim; a pod that came would wait, and be told.',
  },
  'address-stolen': {
    calls: 1,
    within: 300,
    shows: lost,
    what: 'When two views of a survey agree that the reservation is gone, the claim says so, and the address is reserved again as soon as it is free.',
  },
}
