// What comes of mishaps with taking an address off an ENI.
import { ofIntent } from './of-intent.ts'
import type { ClaimOutcomes, Course } from './outcomes.ts'

const nobodyHasIt =
  'The agent has given it back, and the cloud does not show it: the new ledger does not have it. Nothing is sent again.'

export function ofUnassigning(course: Course): ClaimOutcomes {
  const { anew, refused, usual } = course
  return {
    ...ofIntent({
      ...course,
      named: false,
      undone: 'the address is still there',
      again: 'it is bound anew there, given back again, and taken off anew',
    }),
    'ledger-before': {
      calls: 2,
      within: 15,
      shows: anew,
      what: 'The new ledger has the address where NEC and cloud have it, and the agent has given it back: it is taken off as by the old one.',
    },
    'ledger-after': { calls: 1, within: 15, shows: anew, what: nobodyHasIt },
    'ledger-late': {
      calls: 2,
      within: 15,
      shows: anew,
      what: 'The new ledger takes it off as the old one would have; the late one is refused, for the address is gone.',
    },
    'ledger-stored': { calls: 1, within: 15, shows: anew, what: nobodyHasIt },
    undone: {
      calls: 2,
      within: 70,
      shows: usual,
      what: 'The address is there, and nothing happens to it for a minute: sent again.',
    },
    'undone-again': {
      atMost: 15,
      within: 660,
      shows: refused,
      what: 'Sent again every minute. After five it fails, once two reads agree that the address is there: it is bound anew, given back again, and taken off anew.',
    },
    'eni-gone': {
      calls: 1,
      within: 420,
      shows: usual,
      what: 'Not shown for a minute, the ENI is forgotten with its addresses, and another one is made for the others. Its reservation keeps the address.',
    },
    'taken-off': { calls: 1, within: 10, shows: usual, what: 'Refused, looked for, and found done.' },
  }
}
