// What comes of each mishap with releasing an address whose workload is gone.
import { ofEnding } from './of-ending.ts'
import type { ClaimOutcomes } from './outcomes.ts'

const usual = ['Retained', 'Releasing (OwnerGone)', 'no claim']
const kept = [...usual, 'Retained']

export const outcomesOfCascade: ClaimOutcomes = {
  ...ofEnding(usual),
  nothing: {
    calls: 1,
    within: 10,
    shows: usual,
    address: 'none',
    what: 'When the API server says that the topmost workload is gone, the address is released as if somebody had deleted its claim.',
  },
  'ledger-before': {
    calls: 1,
    within: 10,
    shows: kept,
    what: 'The new ledger cannot tell a workload that is gone from one that it never knew: the address is kept, and the claim has to be deleted.',
  },
  'ledger-late': {
    calls: 1,
    within: 360,
    shows: [...kept, 'Retained (ReservationLost)', 'Retained'],
    what: 'The address is kept, and the late request releases its reservation: when two views of a survey agree, it is reserved again. The claim has to be deleted.',
  },
}
