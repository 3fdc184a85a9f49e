// What comes of each mishap with deleting an ENI.
import { type Outcomes, refused, served } from './outcomes.ts'

export const outcomesOfDelete: Outcomes = {
  nothing: {
    calls: 1,
    within: 20,
    shows: served,
    what: 'Sent once; forgotten when two looks, 5 s apart, do not show it.',
  },
  'die-before': {
    calls: 2,
    within: 25,
    shows: served,
    what: 'The next leader sees the ENI still there after 5 s, and sends it again.',
  },
  'die-after': {
    calls: 1,
    within: 20,
    shows: served,
    what: 'The next leader looks, and finds it done. Nothing is sent again.',
  },
  'die-accepted': {
    calls: 1,
    within: 20,
    shows: served,
    what: 'The next leader looks until it is done. Nothing is sent again.',
  },
  'time-out-undone': {
    calls: 2,
    within: 60,
    shows: served,
    what: 'After the time-out (30 s) the ENI is still there for 5 s: it is sent again.',
  },
  'time-out-done': {
    calls: 1,
    within: 50,
    shows: served,
    what: 'After the time-out (30 s) a look finds it done. Nothing is sent again.',
  },
  'time-out-late': {
    calls: 2,
    within: 60,
    shows: served,
    what: 'It is sent again; the late one is refused, for the ENI is gone, and nobody hears of it.',
  },
  'time-out-denied': {
    calls: 2,
    within: 70,
    shows: served,
    what: 'The denial says nothing of the first sending: it stays open, is looked for, and is found done when that arrives.',
  },
  'time-outs': {
    atMost: 15,
    within: 720,
    shows: refused,
    what: 'Sent again after 5 s, 10 s, 20 s, then every minute; told when it was sent again twice. After five it fails, once two reads agree that the ENI is there, and is planned anew.',
  },
  'time-outs-late': {
    atMost: 15,
    within: 720,
    shows: refused,
    what: 'Given up and planned anew; the late one is refused, for the ENI is gone.',
  },
  'error-undone': {
    calls: 2,
    within: 25,
    shows: served,
    what: 'It may have happened: looked for. The ENI is there after 5 s: sent again.',
  },
  'error-done': {
    calls: 1,
    within: 20,
    shows: served,
    what: 'It may have happened: looked for, and found done. Nothing is sent again.',
  },
  throttled: {
    atMost: 11,
    within: 40,
    shows: refused,
    what: 'The client sends it again itself, ever more slowly, eight times; then it has failed for good, is told, and planned anew.',
  },
  'answer-garbled': {
    calls: 1,
    within: 20,
    shows: served,
    what: 'It has happened, and what came of it is looked for.',
  },
  'request-twice': {
    calls: 1,
    within: 20,
    shows: served,
    what: 'The second is refused for the state of the ENI. That says nothing: looked for, found done.',
  },
  'events-twice': {
    calls: 1,
    within: 20,
    shows: served,
    what: 'Nothing: what is wanted is counted from what there is, not from events; an ENI with an open intent is left alone.',
  },
  stale: {
    calls: 1,
    within: 25,
    shows: served,
    what: 'What was so before the call is not taken for its outcome: absence counts only in a look from 5 s after the call.',
  },
  undone: {
    calls: 2,
    within: 90,
    shows: served,
    what: 'The ENI is there, and nothing happens to it for a minute: sent again.',
  },
  'undone-again': {
    atMost: 14,
    within: 660,
    shows: refused,
    what: 'Sent again every minute. After five it fails, once two reads agree that the ENI is there, and is planned anew.',
  },
  'eni-gone': { calls: 1, within: 20, shows: served, what: 'Not shown by two looks 5 s apart: done.' },
  elsewhere: {
    atMost: 13,
    within: 240,
    shows: refused,
    what: 'It is not deleted while it is on another instance: the intent fails with its name, and is planned anew with growing pauses.',
  },
}
