// What comes of each mishap with creating an ENI.
import { type Outcomes, refused, served } from './outcomes.ts'

export const outcomesOfCreate: Outcomes = {
  nothing: {
    calls: 1,
    within: 5,
    shows: served,
    what: 'Sent once; looked at until ENI and addresses are available.',
  },
  'die-before': {
    calls: 2,
    within: 15,
    shows: served,
    what: 'The next leader finds no ENI with the token in its tag, in two looks 5 s apart, and sends it again with the same token.',
  },
  'die-after': {
    calls: 1,
    within: 5,
    shows: served,
    what: 'The next leader finds the ENI by the token in its tag. Nothing is sent again.',
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
    what: 'After the time-out (30 s) the ENI is found by the token in its tag. Nothing is sent again.',
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
    shows: refused,
    what: 'Sent again after 5 s, 10 s, 20 s, then every minute, with the same token; told when it was sent again twice. After five it fails, once two reads agree that nothing of it has happened, and is planned anew.',
  },
  'time-outs-late': {
    atMost: 15,
    within: 1200,
    shows: refused,
    what: 'Given up and made anew; the late one makes an ENI that no intent knows. The survey finds it by its cluster tag, adopts it in two reads, and gives it back.',
  },
  'error-undone': {
    calls: 2,
    within: 10,
    shows: served,
    what: 'It may have happened: looked for. Without a trace for 5 s it is sent again with the same token.',
  },
  'error-done': {
    calls: 1,
    within: 5,
    shows: served,
    what: 'It may have happened: looked for, and found done. Nothing is sent again.',
  },
  throttled: {
    atMost: 11,
    within: 30,
    shows: refused,
    what: 'The client sends it again itself, ever more slowly, eight times; then it has failed for good, is told, and planned anew.',
  },
  'answer-garbled': {
    calls: 1,
    within: 5,
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
    within: 20,
    shows: served,
    what: 'What was so before the call is not taken for its outcome: absence counts only in a look from 5 s after the call.',
  },
  'part-told': {
    calls: 1,
    within: 15,
    shows: served,
    what: 'The ENI comes with one address less. When two looks, 5 s apart, agree on that, it is served with what there is; the rest is wanted again.',
  },
  'part-lost': {
    calls: 1,
    within: 50,
    shows: served,
    what: 'The ENI comes with one address less. When two looks, 5 s apart, agree on that, it is served with what there is; the rest is wanted again.',
  },
  undone: {
    calls: 2,
    within: 70,
    shows: refused,
    what: 'The ENI is not shown for a minute: it is forgotten, and another one made.',
  },
  'undone-again': {
    atMost: 11,
    within: 660,
    shows: refused,
    what: 'One after the other is missed for a minute, forgotten and made anew, with growing pauses.',
  },
  'token-spent': {
    atMost: 9,
    within: 240,
    shows: refused,
    what: 'An earlier sending may be the one that used it: looked for, and sent again as after a time-out. After five it fails and is planned anew, with a new token.',
  },
}
