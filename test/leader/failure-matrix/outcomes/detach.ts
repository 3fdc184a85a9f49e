// What comes of each mishap with detaching an ENI from an instance.
import { type Outcomes, refused, served } from './outcomes.ts'

export const outcomesOfDetach: Outcomes = {
  nothing: {
    calls: 1,
    within: 20,
    shows: served,
    what: 'Sent once; done when a look from after the call shows it on no instance.',
  },
  'die-before': {
    calls: 2,
    within: 25,
    shows: served,
    what: 'The next leader sees no trace of it for 5 s, and sends it again with the same token.',
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
    within: 50,
    shows: served,
    what: 'After the time-out (30 s) and 5 s without a trace it is sent again with the same token.',
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
    what: 'It is sent again with the same token: whichever comes second brings the first answer and changes nothing.',
  },
  'time-out-denied': {
    calls: 2,
    within: 60,
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
    within: 720,
    shows: refused,
    what: 'Given up and planned anew; the late one is refused, for the ENI is gone.',
  },
  'error-undone': {
    calls: 2,
    within: 20,
    shows: served,
    what: 'It may have happened: looked for. Without a trace for 5 s it is sent again with the same token.',
  },
  'error-done': {
    calls: 1,
    within: 20,
    shows: served,
    what: 'It may have happened: looked for, and found done. Nothing is sent again.',
  },
  throttled: {
    atMost: 10,
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
    what: 'The token makes the second bring the first answer.',
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
    what: 'What was so before the call is not taken for its outcome: absence counts in a look from 5 s after the call, or when it had been there for 5 s before.',
  },
  undone: {
    calls: 2,
    within: 80,
    shows: served,
    what: 'Nothing happens for a minute after it was accepted: sent again with a new token.',
  },
  'undone-again': {
    atMost: 14,
    within: 660,
    shows: refused,
    what: 'Sent again every minute with a new token. After five it fails, once two reads agree that nothing of it has happened, and is planned anew.',
  },
  'token-spent': {
    atMost: 9,
    within: 240,
    shows: refused,
    what: 'An earlier sending may be the one that used it: looked for, and sent again as after a time-out. After five it fails and is planned anew, with a new token.',
  },
  'eni-gone': {
    calls: 1,
    within: 15,
    shows: served,
    what: 'Not shown by two looks 5 s apart: done, and nothing is left to delete.',
  },
  'instance-gone': {
    atMost: 3,
    within: 180,
    shows: served,
    what: 'The cloud has set the ENI free: found detached, and deleted.',
  },
  elsewhere: {
    atMost: 3,
    within: 300,
    shows: refused,
    what: 'It is off this node: done. It is not deleted while it is on another instance.',
  },
}
