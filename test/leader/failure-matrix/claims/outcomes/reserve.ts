// What comes of each mishap with reserving an address for a pod.
import { type ClaimOutcomes, eventsTwice, nodeKeepsIt, onToTheNext, stillThrottled } from './outcomes.ts'

const usual = ['no claim', 'Pending', 'Attaching', 'Bound']
const refused = ['no claim', 'Pending', 'Pending (CloudRefused)', 'Attaching', 'Bound']
const found = ['no claim', 'Pending', 'no claim', 'Retained', 'Attaching', 'Bound']
const anew = ['no claim', 'Pending', 'no claim', 'Pending', 'Attaching', 'Bound']
const sameToken =
  'sent again with the same token: whichever comes second brings the first answer and changes nothing'
const byTags = 'The new ledger makes the claim from the tags of the reservation; the pod takes it.'
const byToken = 'It may have happened: looked for by its token'

export const outcomesOfReserve: ClaimOutcomes = {
  nothing: {
    calls: 1,
    within: 5,
    shows: usual,
    what: 'Sent once; the answer says which address it is. Then that is bound.',
  },
  'die-before': {
    calls: 2,
    within: 5,
    shows: usual,
    what: 'The next leader finds no reservation with the token in its tag, or does not look for one of a claim that is younger than a second, and sends it again with the same token.',
  },
  'die-after': {
    calls: 2,
    within: 5,
    shows: usual,
    what: 'The next leader finds it by the token in its tag, or sends it again with the same token, which brings the same reservation.',
  },
  'die-late': { calls: 2, within: 5, shows: usual, what: `By the next leader it is ${sameToken}.` },
  'die-stored': {
    calls: 1,
    within: 5,
    shows: usual,
    what: 'The next leader goes on to bind the address.',
  },
  'time-out-undone': {
    calls: 2,
    within: 35,
    shows: usual,
    what: 'After the time-out (30 s) and a look that finds no reservation with the token in its tag it is sent again with the same token.',
  },
  'time-out-done': {
    calls: 1,
    within: 35,
    shows: usual,
    what: 'After the time-out (30 s) the reservation is found by the token in its tag. Nothing is sent again.',
  },
  'time-out-late': { calls: 2, within: 35, shows: usual, what: `It is ${sameToken}.` },
  'time-out-denied': {
    calls: 2,
    within: 300,
    shows: ['no claim', 'Pending', 'Pending (ReservationUnanswered)', 'Attaching', 'Bound (Parked)'],
    what: 'Who may not reserve parks: the address is made on an ENI of the node, and stays there. What the late request reserves is of no claim; the survey releases it when a second view agrees.',
  },
  'time-outs': {
    atMost: 15,
    within: 660,
    shows: refused,
    what: 'Looked for, and sent again with the same token, after pauses that grow up to a minute; told when it failed twice.',
  },
  'time-outs-late': {
    atMost: 15,
    within: 660,
    shows: refused,
    what: `Looked for after pauses that grow up to a minute, and ${sameToken}.`,
  },
  'error-undone': {
    calls: 2,
    within: 5,
    shows: usual,
    what: `${byToken}, and sent again with the same.`,
  },
  'error-done': {
    calls: 1,
    within: 5,
    shows: usual,
    what: `${byToken}, and found. Nothing is sent again.`,
  },
  throttled: { atMost: 10, within: 25, shows: usual, what: stillThrottled },
  'answer-garbled': {
    calls: 1,
    within: 5,
    shows: usual,
    what: 'It has happened, and is found by the token in its tag. Nothing is sent again.',
  },
  'request-twice': {
    calls: 1,
    within: 5,
    shows: usual,
    what: 'The token makes the second bring the first answer.',
  },
  'ledger-before': {
    calls: 2,
    within: 5,
    shows: anew,
    what: 'The new ledger opens a claim for the pod, with a token of its own.',
  },
  'ledger-after': { calls: 1, within: 5, shows: found, what: byTags },
  'ledger-late': {
    calls: 2,
    within: 360,
    shows: anew,
    what: 'The new ledger opens a claim for the pod, with a token of its own. What the late request reserves is of no claim: the survey releases it when a second view agrees.',
  },
  'ledger-stored': { calls: 1, within: 5, shows: found, what: byTags },
  'events-twice': { calls: 1, within: 5, shows: usual, what: eventsTwice },
  stale: {
    calls: 1,
    within: 10,
    shows: usual,
    what: 'The reservation is in the answer; until the ENI shows the address is waited.',
  },
  'pod-goes': {
    calls: 1,
    within: 5,
    shows: ['no claim', 'Pending', 'Attaching', 'Retained'],
    what: 'The address was reserved before the end of the pod was heard: it is kept for the next one.',
  },
  'pod-anew': {
    calls: 1,
    within: 5,
    shows: usual,
    what: 'The new pod takes the claim over, with what was reserved for the one before.',
  },
  'pod-elsewhere': { calls: 1, within: 10, shows: usual, what: onToTheNext },
  'node-lost': {
    calls: 1,
    within: 110,
    shows: [...usual, 'Attaching', 'Attaching (StaticIPInUse)', 'Attaching', 'Bound'],
    what: nodeKeepsIt,
  },
}
