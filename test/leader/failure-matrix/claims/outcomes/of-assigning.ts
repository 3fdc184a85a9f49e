// What comes of mishaps with putting a reserved address on an ENI of its pod's node.
import { ofIntent } from './of-intent.ts'
import type { ClaimOutcomes, Course } from './outcomes.ts'

const foundOnEni =
  "The new ledger finds the address on the ENI and the claim in the tags of the reservation: it is the claim's, and no pool's. Nothing is sent again."
const lost = ['Bound (ReservationLost)', 'Bound (Parked)']

export function ofAssigning(course: Course): ClaimOutcomes {
  const { anew, refused, usual } = course
  return {
    ...ofIntent({
      ...course,
      named: true,
      undone: 'there is no trace of it',
      again: 'it is planned anew, and the address stays reserved meanwhile',
    }),
    'ledger-before': {
      calls: 2,
      within: 10,
      shows: anew,
      what: 'The new ledger makes the claim from the tags of the reservation; the pod takes it, and the address is bound.',
    },
    'ledger-after': { calls: 1, within: 15, shows: anew, what: foundOnEni },
    'ledger-late': {
      calls: 2,
      within: 10,
      shows: anew,
      what: 'The new ledger makes the claim from the tags of the reservation, and the address is bound; the late one is refused, for an ENI has it.',
    },
    'ledger-stored': { calls: 1, within: 15, shows: anew, what: foundOnEni },
    undone: {
      calls: 2,
      within: 50,
      shows: refused,
      what: 'When the address has not come within 30 s of being accepted, and two looks agree, it fails, is told, and is planned anew.',
    },
    'undone-again': {
      atMost: 15,
      within: 720,
      shows: refused,
      what: 'One after the other is missed for half a minute, and planned anew with growing pauses. The address stays reserved meanwhile.',
    },
    'pod-elsewhere': {
      calls: 2,
      within: 15,
      shows: [...usual.slice(0, -1), 'Attaching (StaticIPInUse)', 'Attaching', 'Bound'],
      what: 'What is under way ends first; the address goes on to the node of the new pod when the agent has given it back.',
    },
    'eni-gone': {
      calls: 2,
      within: 80,
      shows: refused,
      what: 'Not shown for a minute, the ENI is forgotten, and another one made; the address is still reserved, and bound to that.',
    },
    'reservation-gone': {
      calls: 1,
      within: 300,
      shows: [...usual, ...lost],
      what: 'It is bound all the same. When two views of a survey agree, the claim says that nothing but its ENI keeps its address: it stays parked there.',
    },
    'address-taken': {
      atMost: 10,
      within: 240,
      shows: refused,
      what: 'Refused, looked for, sent again ever more seldom, and told, until the address is free again. The pod gets no other.',
    },
    'address-stolen': {
      atMost: 10,
      within: 600,
      shows: [...refused, ...lost],
      what: 'Refused, looked for, sent again ever more seldom, and told, until the address is free again; then it is parked on its ENI, for nothing else keeps it.',
    },
  }
}
