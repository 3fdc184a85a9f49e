// What comes of each mishap with releasing an address that somebody has deleted.
import { goneInTwoLooks, ofEnding } from './of-ending.ts'
import { type ClaimOutcomes, stillThrottled } from './outcomes.ts'

const usual = ['Retained', 'Releasing (Deleted)', 'no claim']
const gone = { shows: usual, address: 'none' } as const
const refused = {
  shows: ['Retained', 'Releasing (Deleted)', 'Releasing (CloudRefused)', 'no claim'],
  address: 'none',
} as const
const kept = [...usual, 'Retained']
const lateOne = 'the late one is refused, for it is gone, and nobody hears of it'
const asWanted = 'Refused, because it is gone: that is what was wanted.'

export const outcomesOfRelease: ClaimOutcomes = {
  ...ofEnding(usual),
  nothing: {
    ...gone,
    calls: 1,
    within: 10,
    what: 'The address is taken off its ENI; then the reservation is looked up and released, and the claim goes.',
  },
  'die-late': { ...gone, calls: 2, within: 10, what: `The next leader releases it; ${lateOne}.` },
  'ledger-before': {
    calls: 1,
    within: 10,
    shows: kept,
    what: 'That somebody wanted it released is lost with the ledger: the reservation keeps the address, and the claim is there again. It has to be deleted again.',
  },
  'ledger-late': {
    calls: 1,
    within: 360,
    shows: [...kept, 'Retained (ReservationLost)', 'Retained'],
    what: 'The claim is there again, and the late request releases its reservation: when two views of a survey agree, the address is reserved again. The claim has to be deleted again.',
  },
  'time-out-undone': {
    ...gone,
    calls: 2,
    within: 40,
    what: 'After the time-out (30 s) the reservation is looked up, and it is sent again.',
  },
  'time-out-done': { ...gone, calls: 1, within: 45, what: goneInTwoLooks },
  'time-out-late': { ...gone, calls: 2, within: 40, what: `It is sent again; ${lateOne}.` },
  'time-out-denied': {
    calls: 3,
    within: 40,
    shows: ['Retained', 'Releasing (Deleted)', 'Releasing (PermissionDenied)', 'no claim'],
    address: 'none',
    what: 'Looked up and sent again ever more seldom; told when it failed twice.',
  },
  'time-outs': {
    ...refused,
    atMost: 15,
    within: 720,
    what: 'Looked up and sent again after pauses that grow up to a minute; told when it failed twice.',
  },
  'time-outs-late': {
    ...refused,
    atMost: 15,
    within: 720,
    what: `Looked up and sent again after pauses that grow up to a minute; ${lateOne}.`,
  },
  'error-undone': { ...gone, calls: 2, within: 10, what: 'Looked up, and sent again.' },
  'error-done': { ...gone, calls: 1, within: 15, what: goneInTwoLooks },
  throttled: { ...gone, atMost: 10, within: 25, what: stillThrottled },
  'answer-garbled': {
    ...gone,
    calls: 1,
    within: 10,
    what: 'The answer says nothing else than that it is done.',
  },
  'request-twice': { ...gone, calls: 1, within: 10, what: asWanted },
  'reservation-gone': { ...gone, calls: 1, within: 10, what: asWanted },
  'address-taken': {
    ...refused,
    atMost: 15,
    within: 240,
    what: 'Refused, because an ENI has it: looked up and sent again ever more seldom, and told, until that has let it go.',
  },
  'address-stolen': {
    ...gone,
    calls: 1,
    within: 10,
    what: 'There is nothing to release: the claim goes.',
  },
}
