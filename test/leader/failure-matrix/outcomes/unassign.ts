// What comes of each mishap with unassigning addresses from an ENI.
import { type Outcomes, refused, served } from './outcomes.ts'

export const outcomesOfUnassign: Outcomes = {
  nothing: {
    calls: 1,
    within: 10,
    shows: served,
    what: 'Sent once; done when no address is shown any more by a look from after the call.',
  },
  'die-before': {
    calls: 2,
    within: 10,
    shows: served,
    what: 'The next leader sees the addresses still there after 5 s, and sends it again.',
  },
  'die-after': {
    calls: 1,
    within: 10,
    shows: served,
    what: 'The next leader looks, and finds it done. Nothing is sent again.',
  },
  'die-accepted': {
    calls: 1,
    within: 10,
    shows: served,
    what: 'The next leader looks until it is done. Nothing is sent again.',
  },
  'time-out-undone': {
    calls: 2,
    within: 40,
    shows: served,
    what: 'After the time-out (30 s) the addresses are still there for 5 s: it is sent again.',
  },
  'time-out-done': {
    calls: 1,
    within: 40,
    shows: served,
    what: 'After the time-out (30 s) a look finds it done. Nothing is sent again.',
  },
  'time-out-late': {
    calls: 2,
    within: 40,
    shows: served,
    what: 'It is sent again; the late one is refused, for the addresses are gone, and nobody hears of it.',
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
    what: 'Sent again after 5 s, 10 s, 20 s, then every minute; told when it was sent again twice. After five it fails, once two reads agree that the addresses are there: they are bound anew, and the node may use them or return them again.',
  },
  'time-outs-late': {
    atMost: 15,
    within: 720,
    shows: refused,
    what: 'Given up, bound and returned anew; the late one is refused, for the addresses are gone. (Were they in use again, the survey would find them missing: they leave the NEC, and their pods are told.)',
  },
  'error-undone': {
    calls: 2,
    within: 10,
    shows: served,
    what: 'It may have happened: looked for. The addresses are there after 5 s: sent again.',
  },
  'error-done': {
    calls: 1,
    within: 10,
    shows: served,
    what: 'It may have happened: looked for, and found done. Nothing is sent again.',
  },
  throttled: {
    atMost: 13,
    within: 25,
    shows: refused,
    what: 'The client sends it again itself, ever more slowly, eight times; then it has failed for good: the addresses are bound anew, and returned again.',
  },
  'answer-garbled': {
    calls: 1,
    within: 10,
    shows: served,
    what: 'It has happened, and what came of it is looked for.',
  },
  'request-twice': {
    calls: 2,
    within: 10,
    shows: served,
    what: 'The second is refused, because the first runs: sent again, refused because the addresses are gone, looked for, found done.',
  },
  'events-twice': {
    calls: 1,
    within: 10,
    shows: served,
    what: 'Nothing: what is wanted is counted from what there is, not from events; an ENI with an open intent is left alone.',
  },
  stale: {
    calls: 1,
    within: 10,
    shows: served,
    what: 'What was so before the call is not taken for its outcome: absence counts in a look from 5 s after the call, or when it had been there for 5 s before.',
  },
  'part-told': {
    calls: 2,
    within: 70,
    shows: served,
    what: 'Those that are gone are forgotten; after a minute the others are sent again, alone: together with one that is gone they would be refused.',
  },
  'part-lost': {
    calls: 2,
    within: 40,
    shows: served,
    what: 'Those that are gone are forgotten; the others are sent again, alone: together with one that is gone they would be refused.',
  },
  undone: {
    calls: 2,
    within: 70,
    shows: served,
    what: 'The addresses are there, and nothing happens to them for a minute: sent again.',
  },
  'undone-again': {
    atMost: 14,
    within: 660,
    shows: refused,
    what: 'Sent again every minute. After five it fails, once two reads agree that the addresses are there: they are bound anew, and returned again.',
  },
  'eni-gone': {
    atMost: 3,
    within: 420,
    shows: refused,
    what: 'Not shown for a minute, it is forgotten with its addresses, leaves the NEC, and another one is made.',
  },
}
