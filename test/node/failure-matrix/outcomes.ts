// What comes of each mishap with each step of the agent: what is heard, and words for people.
import type { ActId } from './acts.ts'
import type { Heard } from './cell.ts'
import type { MishapId, Step } from './mishaps.ts'

export interface Outcome {
  readonly heard: Heard
  readonly what: string
}

const heard = (mishap: MishapId, asked: boolean): Heard =>
  mishap.startsWith('die') || !asked ? 'silence' : 'error'

type Words = Partial<Record<MishapId | 'die' | 'fail', string>>

const nothingStored = 'Nothing is stored, nothing is made.'
const takenBack = 'The address is taken back before the error is told: no link, no rule, no row is left.'
const failsIn = 'ADD fails in words, with nothing taken.'
const repaired =
  'It is in no row of its own: each look compares the kernel with the ledger, and makes what is missing.'
const asIfNever = 'as if it had never been asked for'

const words: Readonly<Record<ActId, Readonly<Partial<Record<Step, Words>>>>> = {
  add: {
    'ledger.attach': {
      'die-before': `${nothingStored} DEL of the first finds nothing and succeeds.`,
      'die-after': 'The row is there without a link: DEL of the first frees the address.',
      fail: failsIn,
    },
    'linux.connectPod': {
      die: 'The row is there, with as much of the network as was made; what is missing is made at the start of the agent, and DEL of the first takes all of it away.',
      fail: takenBack,
    },
  },
  'add-again': {
    'ledger.attach': {
      'die-before': `${nothingStored} The second ADD is ${asIfNever} before.`,
      'die-after': 'The second ADD finds the row: the same address, and its link is made.',
      fail: `${failsIn} The second is ${asIfNever} before.`,
    },
    'linux.connectPod': {
      die: 'The second ADD finds the row: the same address, and of the network what is missing is made.',
      fail: `${takenBack} The second ADD is ${asIfNever} before.`,
    },
  },
  'add-lost': {
    'ledger.attach': {
      'die-before': nothingStored,
      'die-after': 'A pod has one sandbox: the ADD of the newer one frees the address of the earlier.',
      fail: failsIn,
    },
    'linux.connectPod': {
      die: 'A pod has one sandbox: the ADD of the newer one takes the network of the earlier away, then frees its address.',
      fail: takenBack,
    },
  },
  del: {
    'linux.disconnectPod': {
      die: 'The row is there still: what is missing of the network is made again at the start, and the next DEL takes all of it away before the address is free.',
      fail: 'DEL fails in words, and the address stays taken: an address with rules of another pod is never handed out. The next DEL ends it.',
    },
    'ledger.detach': {
      'die-before': 'The network is gone, the row is there: the next DEL ends it.',
      'die-after': 'It is done. The next DEL finds nothing and succeeds.',
      fail: 'DEL fails in words. The network is gone, the address stays taken, until the next DEL.',
    },
  },
  'del-lost': {
    'linux.disconnectPod': {
      die: 'Twice in a row, 10 s apart, neither the namespace nor the pod is seen: it is collected as by a DEL.',
      fail: 'Twice in a row, 10 s apart, neither the namespace nor the pod is seen: it is collected as by a DEL.',
    },
    'ledger.detach': {
      'die-before':
        'Twice in a row, 10 s apart, neither the namespace nor the pod is seen: it is collected as by a DEL.',
      'die-after': 'It is done.',
      fail: 'Twice in a row, 10 s apart, neither the namespace nor the pod is seen: it is collected as by a DEL.',
    },
  },
  'take-over': {
    'ledger.sync': {
      'die-before': 'The NEC is read anew at the start.',
      'die-after': 'Its addresses are in the ledger, and are handed out once the ENI is set up.',
      fail: 'Tried again every second; until then the pool is as before.',
    },
    'linux.apply': {
      die: repaired,
      fail: `${repaired} Until that has been seen its addresses are not handed out.`,
    },
  },
  'give-back': {
    'ledger.giveBack': {
      'die-before': 'Nothing is given back; the next look decides anew.',
      'die-after': 'It is in the row: never handed out again, and told at the start.',
      fail: 'Nothing is given back; the next look decides anew.',
    },
    'kube.report': {
      'die-before': 'It is in the row: never handed out again, and told at the start.',
      'die-after': 'The NEC shows it, and it is found told.',
      fail: 'Told again, after a pause that doubles; it is not handed out meanwhile.',
    },
  },
}

/** Throws when the table has a gap. */
export function outcomeOf(act: ActId, step: Step, mishap: MishapId, asked: boolean): Outcome {
  const row = words[act][step]
  const [family] = mishap.split('-')
  const what = row?.[mishap] ?? (family === 'die' || family === 'fail' ? row?.[family] : undefined)
  if (what === undefined) throw new Error(`no words for ${act}, ${step}, ${mishap}`)
  return { heard: heard(mishap, asked), what }
}
