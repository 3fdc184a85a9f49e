// docs/failure-matrix.md, the part of static addresses, printed from the table that the tests hold true.

import type { Fate } from '../fate.ts'
import { codeList, fateTable, row, table } from '../page.ts'
import { claimActs } from './acts.ts'
import { claimRefusalsOf, type RefusedKind, refusedKinds } from './codes.ts'
import { type ClaimKind, claimKinds } from './kinds.ts'
import { claimCells } from './matrix.ts'
import { claimMishaps } from './mishaps.ts'
import { claimRefusal } from './refusals.ts'

const abouts: Readonly<Record<ClaimKind, string>> = {
  reserve:
    'A static pod has come to a node. Names itself by its ClientToken, which is in the row of the claim before the call; it is also in a tag of the reservation, as the name of the pod is. Looked up by that tag.',
  bind: 'The reserved address is put on an ENI of the node, exactly that one. Names itself by its ClientToken. Looked up by the ENI: is the address there?',
  rebind:
    'The pod comes back to its node while an ENI of that has its address. Nothing is asked of the cloud.',
  leave:
    'The pod comes to another node: the address is taken off the ENI of the node before, once the agent there has given it back. Looked up by the ENI: is it still there?',
  arrive: 'The address, kept by its reservation, is put on an ENI of the node that its pod is on.',
  migrate:
    'The same where the role may not reserve: the address goes from ENI to ENI in one step. Has no ClientToken. Looked up by both ENIs: which of them has it?',
  rest: 'There is no pod any more: after two minutes (here: at once) the address is taken off its ENI, and kept by its reservation alone.',
  find: 'Somebody has deleted the claim: the reservation is looked up before it is released.',
  release:
    'The reservation is released. Has no ClientToken. Looked up by its id, and when that is not known by its token.',
  expire:
    'Nobody has had the address for as long as its claim says (here: a minute). What goes wrong with the call goes as with `release`.',
  cascade: 'The topmost workload of the pod is gone. What goes wrong with the call goes as with `release`.',
}

export function claimPage(): string {
  return claimKinds.map(section).join('\n')
}

function section(kind: ClaimKind): string {
  const { api } = claimActs[kind]
  const title = api === undefined ? kind : `${kind}: ${api}`
  const refused = refusedKinds.find((one) => one === kind)
  const refusals = refused === undefined ? '' : `\n${refusalTable(refused)}`
  return `### ${title}\n\n${abouts[kind]}\n\n${mishapTable(kind)}${refusals}`
}

const fates: Readonly<Record<Fate, string>> = { same: 'the same', another: 'another', none: 'released' }

function mishapTable(kind: ClaimKind): string {
  const cells = claimCells()
    .filter((cell) => cell.kind === kind)
    .map(({ id, outcome }) => ({ words: claimMishaps[id].words, outcome }))
  return fateTable({ cells, fates, hasCall: claimActs[kind].api !== undefined, head: 'address' })
}

function refusalTable(kind: RefusedKind): string {
  const rows = [...claimRefusalsOf(kind)].map(([meaning, codes]) => {
    const { reason, words } = claimRefusal(kind, meaning)
    return row(codeList(codes), `\`${meaning}\``, words, reason || '–')
  })
  return table(['refused with', 'our word', 'what happens', 'the claim shows, once told'], rows)
}
