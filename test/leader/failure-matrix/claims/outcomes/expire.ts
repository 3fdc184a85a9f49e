// What comes of each mishap with releasing an address whose time is over.
import { ofEnding } from './of-ending.ts'
import type { ClaimOutcomes } from './outcomes.ts'

const usual = ['Bound', 'Retained', 'Releasing (Expired)', 'no claim']
const anew = [...usual, 'Retained', 'Releasing (Expired)', 'no claim']

export const outcomesOfExpire: ClaimOutcomes = {
  ...ofEnding(usual, 65),
  nothing: {
    calls: 1,
    within: 75,
    shows: usual,
    address: 'none',
    what: 'When its time is over, as far as two clocks agree, it is released as if somebody had deleted its claim.',
  },
  'ledger-before': {
    calls: 2,
    within: 210,
    shows: anew,
    address: 'none',
    what: 'How long it has been without a pod is lost with the ledger: the claim is there again, and its time begins anew.',
  },
  'ledger-late': {
    calls: 1,
    within: 210,
    shows: anew,
    address: 'none',
    what: 'The claim is there again, and its time begins anew. The late request releases its reservation; not shown in two looks when the time is over, it is gone.',
  },
  'node-silent': {
    calls: 1,
    within: 310,
    shows: usual,
    address: 'none',
    what: 'Its time is over, but nothing is taken that a pod may have: it is released when the agent has given it back.',
  },
}
