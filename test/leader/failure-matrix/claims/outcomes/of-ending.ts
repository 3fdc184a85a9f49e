// What comes of mishaps with releasing an address, whoever wants it.
import { type ClaimOutcomes, eventsTwice } from './outcomes.ts'

export const goneInTwoLooks =
  'The reservation is looked up; not shown in two looks, 6 s apart, it is gone: the claim goes.'
const nothingLeft = 'Nothing of it is left.'
const anotherClaim = 'The claim is let go first; the pod gets a new one, with another address.'

/** `usual`: what the claim says; that begins `after` so many seconds. */
export function ofEnding(usual: readonly string[], after = 0): ClaimOutcomes {
  const gone = { address: 'none', shows: usual } as const
  const back = {
    calls: 1,
    within: after + 15,
    shows: [...usual, 'Pending', 'Attaching', 'Bound'],
    address: 'another',
    what: anotherClaim,
  } as const
  return {
    'die-before': {
      ...gone,
      calls: 2,
      within: after + 15,
      what: 'The next leader looks for the reservation, and releases it.',
    },
    'die-after': { ...gone, calls: 1, within: after + 20, what: goneInTwoLooks },
    'die-stored': { ...gone, calls: 1, within: after + 15, what: nothingLeft },
    'ledger-after': { ...gone, calls: 1, within: after + 15, what: nothingLeft },
    'ledger-stored': { ...gone, calls: 1, within: after + 15, what: nothingLeft },
    'events-twice': { ...gone, calls: 1, within: after + 40, what: eventsTwice },
    stale: {
      ...gone,
      calls: 1,
      within: after + 15,
      what: 'The reservation is looked up by its id; an old view shows it.',
    },
    'pod-back': back,
    'pod-back-elsewhere': back,
    'node-lost': {
      ...gone,
      calls: 1,
      within: after + 130,
      what: 'The reservation is released; the ENI goes when the node is known to be gone.',
    },
  }
}
