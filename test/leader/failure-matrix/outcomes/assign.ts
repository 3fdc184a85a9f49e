// What comes of each mishap with assigning addresses to an ENI.
import { type Outcomes, refusedAtOnce, served } from './outcomes.ts'

export const outcomesOfAssign: Outcomes = {
  nothing: {
    calls: 1,
    within: 5,
    shows: served,
    what: 'Sent once; looked at until the addresses are available. Only then are they published.',
  },
  'die-before': {
    calls: 2,
    within: 10,
    shows: served,
    what: 'The next leader sees no trace of it for 5 s, and sends it again with the same token.',
  },
  'die-after': {
    calls: 1,
    within: 10,
    shows: served,
    what: 'The next leader finds addresses on the ENI that the ledger does not know: they are those. Nothing is sent again.',
  },
  'die-accepted': {
    calls: 1,
    within: 5,
    shows: served,
    what: 'The next leader looks until it is done. Nothing is sent again.',
  },
  'time-out-undone': {
    calls: 2,
    within: 40,
    shows: served,
    what: 'After the time-out (30 s) and 5 s without a trace it is sent again with the same token.',
  },
  'time-out-done': {
    calls: 1,
    within: 40,
    shows: served,
    what: 'After the time-out (30 s) the addresses that the ledger does not know are found on the ENI and bound.',
  },
  'time-out-late': {
    calls: 2,
    within: 40,
    shows: served,
    what: 'It is sent again with the same token: whichever comes second brings the first answer and changes nothing.',
  },
  'time-out-denied': {
    calls: 2,
    within: 50,
    shows: served,
    what: 'The denial says nothing of the first sending: it stays open, is looked for, and is found done when that arrives.',
  },
  'time-outs': {
    atMost: 15,
    within: 720,
    shows: refusedAtOnce,
    what: 'Sent again after 5 s, 10 s, 20 s, then every minute, with the same token; told when it was sent again twice. After five it fails, once two reads agree that nothing of it has happened, and is planned anew.',
  },
  'time-outs-late': {
    atMost: 15,
    within: 720,
    shows: refusedAtOnce,
    what: 'Given up and planned anew; the late one is refused, for the ENI is full. (Where there is room, the survey finds the addresses and adopts them.)',
  },
  'error-undone': {
    calls: 2,
    within: 10,
    shows: served,
    what: 'It may have happened: looked for. Without a trace for 5 s it is sent again with the same token.',
  },
  'error-done': {
    calls: 1,
    within: 10,
    shows: served,
    what: 'It may have happened: looked for, and found done. Nothing is sent again.',
  },
  throttled: {
    atMost: 13,
    within: 30,
    shows: refusedAtOnce,
    what: 'The client sends it again itself, ever more slowly, eight times; then it has failed for good, is told, and planned anew.',
  },
  'answer-garbled': {
    calls: 1,
    within: 10,
    shows: served,
    what: 'It has happened, and what came of it is looked for.',
  },
  'request-twice': {
    calls: 1,
    within: 5,
    shows: served,
    what: 'The token makes the second bring the first answer.',
  },
  'events-twice': {
    calls: 1,
    within: 5,
    shows: served,
    what: 'Nothing: what is wanted is counted from what there is, not from events; an ENI with an open intent is left alone.',
  },
  stale: {
    calls: 1,
    within: 10,
    shows: served,
    what: 'What was so before the call is not taken for its outcome: absence counts only in a look from 5 s after the call.',
  },
  'part-told': {
    calls: 2,
    within: 15,
    shows: served,
    what: 'The answer is not believed but looked into: what is on the ENI is bound when two looks agree that no more comes; the rest is asked for anew.',
  },
  'part-lost': {
    calls: 2,
    within: 50,
    shows: served,
    what: 'What is on the ENI is bound when two looks agree that no more comes; the rest is asked for anew.',
  },
  'part-broken': {
    calls: 2,
    within: 50,
    shows: served,
    what: 'What came is bound when after half a minute two looks, 5 s apart, show nothing of the other and nothing on its way; the rest is asked for anew. One that is on its way is waited for, however long.',
  },
  undone: {
    calls: 2,
    within: 50,
    shows: refusedAtOnce,
    what: 'After half a minute two looks, 5 s apart, show none of the addresses: it has failed, is told, and is asked for anew.',
  },
  'undone-again': {
    atMost: 19,
    within: 660,
    shows: refusedAtOnce,
    what: 'Each fails after two looks, and is asked for anew, with growing pauses.',
  },
  'token-spent': {
    atMost: 9,
    within: 240,
    shows: refusedAtOnce,
    what: 'An earlier sending may be the one that used it: looked for, and sent again as after a time-out. After five it fails and is planned anew, with a new token.',
  },
  'eni-gone': {
    calls: 1,
    within: 70,
    shows: refusedAtOnce,
    what: 'Not shown for a minute, it is forgotten with its addresses, leaves the NEC, and another one is made. Pods on it have lost their network, as they had before.',
  },
}
