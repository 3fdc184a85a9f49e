// What comes of each mishap with looking for the reservation that is to be released.
import { goneInTwoLooks } from './of-ending.ts'
import type { ClaimOutcomes } from './outcomes.ts'

const gone = { shows: ['Retained', 'Releasing (Deleted)', 'no claim'], address: 'none' } as const
const askedAgain = 'Asked again by the client.'

export const outcomesOfFind: ClaimOutcomes = {
  nothing: { ...gone, calls: 1, within: 10, what: 'Looked up once; then the reservation is released.' },
  'time-out-undone': { ...gone, calls: 2, within: 25, what: askedAgain },
  'time-outs': {
    ...gone,
    atMost: 60,
    within: 660,
    shows: ['Retained', 'Releasing (Deleted)', 'Releasing (CloudRefused)', 'no claim'],
    what: 'Asked again by the client, ever more slowly, and by the claim after pauses that grow up to a minute; told when that failed twice. Nothing is released that was not seen.',
  },
  'error-undone': { ...gone, calls: 2, within: 10, what: askedAgain },
  throttled: {
    ...gone,
    atMost: 15,
    within: 30,
    what: 'The client sends it again itself, ever more slowly, eight times; then the claim is looked at again.',
  },
  'answer-garbled': { ...gone, calls: 2, within: 10, what: 'What cannot be read is asked for again.' },
  stale: { ...gone, calls: 1, within: 10, what: 'An old view shows the reservation: it is released.' },
  'reservation-gone': { ...gone, atMost: 5, within: 15, what: goneInTwoLooks },
}
