// docs/failure-matrix.md, the part of public addresses, printed from the table that the tests hold true.

import type { Fate } from '../fate.ts'
import { codeList, fateTable, row, table } from '../page.ts'
import { eipActs } from './acts.ts'
import { eipRefusalsOf, type RefusedEipKind, refusedEipKinds } from './codes.ts'
import { type EipKind, eipKinds } from './kinds.ts'
import { eipCells } from './matrix.ts'
import { eipMishaps } from './mishaps.ts'
import { eipRefused, remedyFor } from './refusals.ts'

const abouts: Readonly<Record<EipKind, string>> = {
  allocate:
    'A pod asks for an EIP to be made. Names itself by its ClientToken, which is in the row of the claim before the call, and in a tag of the EIP, as the name of the pod is. Looked up by that tag.',
  bind: 'The EIP that was made is bound to the address of its pod. Has no token, as none of the calls that follow: the place is in the row before the call, and while it is there nothing takes that address off its ENI. Looked up by the id of the EIP.',
  'bind-own': "The same with an EIP of the pod's list, which is its user's.",
  leave: 'A pod whose EIP is kept comes again on another node: the EIP is taken off the address before.',
  arrive: 'Then it is bound to the address of the new pod.',
  follow:
    'The same where the address of the pod is static, and goes to the other node as well: the EIP leaves it first.',
  rest: 'A pod whose EIP is kept has ended.',
  'unbind-own': "A pod with an EIP of its list has ended: that is its user's again, and never released.",
  release: 'A pod has ended, and its EIP was made for it alone.',
  find: 'The EIPs of the cluster are looked at, while a pod waits for one.',
  pick: 'The EIPs of a list are looked at.',
  quota:
    'The account may have no more EIPs, for a minute: its figures are asked for, so that the pod can be told.',
}

export function eipPage(): string {
  return eipKinds.map(section).join('\n')
}

function section(kind: EipKind): string {
  const refused = refusedEipKinds.find((one) => one === kind)
  const refusals = refused === undefined ? '' : `\n${refusalTable(refused)}`
  return `### ${kind}: ${eipActs[kind].api}\n\n${abouts[kind]}\n\n${mishapTable(kind)}${refusals}`
}

const fates: Readonly<Record<Fate, string>> = { same: 'the same', another: 'another', none: 'released' }

function mishapTable(kind: EipKind): string {
  const cells = eipCells()
    .filter((cell) => cell.kind === kind)
    .map(({ id, outcome }) => ({ words: eipMishaps[id].words, outcome }))
  return fateTable({ cells, fates, hasCall: true, head: 'EIP' })
}

function refusalTable(kind: RefusedEipKind): string {
  const rows = [...eipRefusalsOf(kind)].flatMap(([meaning, codes]) => {
    const { reason, words } = eipRefused(kind, meaning)
    const byRemedy = Map.groupBy(codes, (code) => remedyFor(kind, code) || '–')
    return [...byRemedy].map(([remedy, its]) => row(codeList(its), `\`${meaning}\``, words, reason, remedy))
  })
  const heads = ['refused with', 'our word', 'what happens', 'claim and event, once told', 'what they advise']
  return table(heads, rows)
}
