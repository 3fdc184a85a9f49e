// What comes of mishaps with a call that is an intent: as with addresses of a pool.
import { type ClaimOutcomes, type Course, eventsTwice } from './outcomes.ts'

interface IntentCourse extends Course {
  /** It names itself by a ClientToken. */
  readonly named: boolean
  /** What a look shows while it has had no effect. */
  readonly undone: string
  /** What is done when it has failed. */
  readonly again: string
}

export function ofIntent({ again, named, refused, undone, usual }: IntentCourse): ClaimOutcomes {
  const resent = named ? 'sent again with the same token' : 'sent again'
  const late = named
    ? 'whichever comes second brings the first answer and changes nothing'
    : 'the late one is refused, for the address is not there any more, and nobody hears of it'
  const doubled = named
    ? { calls: 1, what: 'The token makes the second bring the first answer.' }
    : {
        calls: 3,
        what: 'The second is refused, because the first runs: sent again, refused because the address has gone, looked for, found done.',
      }
  return {
    'die-before': {
      calls: 2,
      within: 15,
      shows: usual,
      what: `The next leader sees for 5 s that ${undone}, and it is ${resent}.`,
    },
    'die-after': {
      calls: 1,
      within: 15,
      shows: usual,
      what: 'The next leader looks, and finds it done. Nothing is sent again.',
    },
    'die-late': {
      calls: 2,
      within: 15,
      shows: usual,
      what: `By the next leader it is ${resent}; ${late}.`,
    },
    'die-stored': {
      calls: 1,
      within: 10,
      shows: usual,
      what: 'The next leader looks until it is done. Nothing is sent again.',
    },
    'time-out-undone': {
      calls: 2,
      within: 45,
      shows: usual,
      what: `After the time-out (30 s) looks show for 5 s that ${undone}: it is ${resent}.`,
    },
    'time-out-done': {
      calls: 1,
      within: 40,
      shows: usual,
      what: 'After the time-out (30 s) a look finds it done. Nothing is sent again.',
    },
    'time-out-late': { calls: 2, within: 45, shows: usual, what: `It is ${resent}; ${late}.` },
    'time-out-denied': {
      calls: 2,
      within: 50,
      shows: usual,
      what: 'The denial says nothing of the first sending: it stays open, is looked for, and is found done when that arrives.',
    },
    'time-outs': {
      atMost: 15,
      within: 720,
      shows: refused,
      what: `Sent again after 5 s, 10 s, 20 s, then every minute; told when it was sent again twice. After five it fails, once two reads agree that ${undone}: ${again}.`,
    },
    'time-outs-late': {
      atMost: 15,
      within: 720,
      shows: refused,
      what: `Sent again ever more seldom, given up, and begun anew; ${late}.`,
    },
    'error-undone': {
      calls: 2,
      within: 15,
      shows: usual,
      what: `It may have happened: looked for. When ${undone} for 5 s, it is ${resent}.`,
    },
    'error-done': {
      calls: 1,
      within: 15,
      shows: usual,
      what: 'It may have happened: looked for, and found done. Nothing is sent again.',
    },
    throttled: {
      atMost: 15,
      within: 30,
      shows: refused,
      what: `The client sends it again itself, ever more slowly, eight times; then it has failed for good, and is told: ${again}.`,
    },
    'answer-garbled': {
      calls: 1,
      within: 15,
      shows: usual,
      what: 'It has happened, and what came of it is looked for.',
    },
    'request-twice': { ...doubled, within: 10, shows: usual },
    'events-twice': { calls: 1, within: 10, shows: usual, what: eventsTwice },
    stale: {
      calls: 1,
      within: 15,
      shows: usual,
      what: 'What was so before the call is not taken for its outcome: absence counts only in a look from 5 s after the call.',
    },
  }
}
