// docs/failure-matrix.md, the part of the node, printed from the table that the tests hold true.
import { row, rule } from '../../leader/failure-matrix/page.ts'
import { type ActId, acts } from './acts.ts'
import { nodeCells } from './matrix.ts'
import { type MishapId, mishaps, type Step } from './mishaps.ts'

export const stepWords: Readonly<Partial<Record<Step, string>>> = {
  'ledger.attach': 'the address is stored as taken',
  'ledger.detach': 'the address is stored as free',
  'ledger.sync': 'the NEC is stored',
  'ledger.giveBack': 'it is stored as given back',
  'linux.connectPod': 'link, routes and rules are made',
  'linux.disconnectPod': 'link, routes and rules are taken away',
  'linux.apply': 'link, table and rules of the ENI are set up',
  'kube.report': 'the NEC is told',
}

const heardWords = { success: 'success', error: 'an error', silence: '' } as const

export function nodePage(): string {
  return (Object.keys(acts) as readonly ActId[]).map(table).join('\n')
}

function table(id: ActId): string {
  const { words } = acts[id]
  const rows = nodeCells()
    .filter((cell) => cell.id === id)
    .map(({ step, mishap, outcome }) =>
      row(stepWords[step] ?? step, mishaps[mishap as MishapId], outcome.what, heardWords[outcome.heard]),
    )
  const head = row('step', 'what goes wrong', 'what happens', 'heard')
  return [`### ${words}`, '', head, rule(4), ...rows, ''].join('\n')
}
