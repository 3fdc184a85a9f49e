// docs/failure-matrix.md, the part of the leader, printed from the table that the tests hold true.

import { acts } from './acts.ts'
import type { Outcome } from './cell.ts'
import { refusalsOf } from './codes.ts'
import type { Fate, FateOutcome } from './fate.ts'
import type { MatrixKind } from './kinds.ts'
import { cells, kinds } from './matrix.ts'
import { mishaps } from './mishaps.ts'
import { reasonOf, wordsFor } from './refusals.ts'

const abouts: Readonly<Record<MatrixKind, string>> = {
  create:
    'Names itself by its ClientToken, and by tags on the ENI: cluster, node, instance, slot, and the token. Looked up by the ENI id once that is known, before that by the tag with the token.',
  attach: 'Names itself by its ClientToken. Looked up by the ENI: is it on the instance?',
  assign:
    'Names itself by its ClientToken. Looked up by the ENI: the addresses that the answer named; without an answer, those that the ledger does not know.',
  unassign:
    'Has no ClientToken. Looked up by the ENI: is an address of it still there? From the moment it is recorded the addresses are in no NEC; one that may be gone never comes back into one.',
  detach:
    'Names itself by its ClientToken. Looked up by the ENI: is it still on the instance? From the moment it is recorded the ENI never serves again.',
  delete: 'Has no ClientToken. Looked up by the ENI: is it still there?',
}

export function leaderPage(): string {
  return kinds
    .map(
      (kind) =>
        `### ${kind}: ${acts[kind].api}\n\n${abouts[kind]}\n\n${mishapTable(kind)}\n${refusalTable(kind)}`,
    )
    .join('\n')
}

function mishapTable(kind: MatrixKind): string {
  const rows = cells()
    .filter((cell) => cell.kind === kind)
    .map(({ id, outcome }) => {
      if (outcome === undefined) throw new Error(`no outcome for ${kind}: ${id}`)
      const { what, within } = outcome
      return row(mishaps[id].words, what, sent(outcome), duration(within), shown(outcome))
    })
  return table(['what goes wrong', 'what happens', 'sent', 'well again in', 'NEC condition'], rows)
}

function refusalTable(kind: MatrixKind): string {
  const rows = [...refusalsOf(kind)].map(([meaning, codes]) =>
    row(codeList(codes), `\`${meaning}\``, wordsFor(kind, meaning), reasonOf(meaning)),
  )
  return table(['refused with', 'our word', 'what happens', 'NEC condition, once told'], rows)
}

/** Of something that a claim is to: what becomes of it. */
export interface FateTable {
  readonly cells: readonly { readonly words: string; readonly outcome: FateOutcome | undefined }[]
  readonly hasCall: boolean
  readonly head: string
  readonly fates: Readonly<Record<Fate, string>>
}

export function fateTable({ cells, fates, hasCall, head }: FateTable): string {
  const rows = cells.map(({ outcome, words }) => {
    if (outcome === undefined) throw new Error(`no outcome for ${words}`)
    const { address = 'same', shows, what, within } = outcome
    const calls = hasCall ? sent(outcome) : '–'
    return row(words, what, calls, duration(within), shows.join(', '), fates[address])
  })
  return table(['what goes wrong', 'what happens', 'sent', 'well again in', 'the claim shows', head], rows)
}

export function table(heads: readonly string[], rows: readonly string[]): string {
  return [row(...heads), rule(heads.length), ...rows, ''].join('\n')
}

function sent({ calls, atMost }: Outcome): string {
  if (calls === undefined) return `≤ ${atMost}×`
  return `${calls}×`
}

function duration(seconds: number): string {
  return seconds > 120 ? `${Math.ceil(seconds / 60)} min` : `${seconds} s`
}

function shown({ shows }: Outcome): string {
  return shows.every((one) => one === 'PoolServed') ? 'PoolServed' : shows.join(', ')
}

export function row(...columns: readonly string[]): string {
  return `| ${columns.join(' | ')} |`
}

export function rule(columns: number): string {
  return `|${'---|'.repeat(columns)}`
}

export function codeList(codes: readonly string[]): string {
  return codes.map((code) => `\`${code}\``).join(' ')
}
