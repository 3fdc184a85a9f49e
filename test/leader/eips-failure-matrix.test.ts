// The failure matrix of public addresses: each call about them × each thing that can go wrong with it. In the end claims, ledger, cloud, NECs and
// pods agree, no EIP is left over, none is made twice, and its user's is never released.
import assert from 'node:assert/strict'
import { test } from 'node:test'
import { eipActs } from './failure-matrix/eips/acts.ts'
import { eipRefusalsToTry, refusedEipKinds } from './failure-matrix/eips/codes.ts'
import { runEipCell } from './failure-matrix/eips/eip-cell.ts'
import type { EipKind } from './failure-matrix/eips/kinds.ts'
import { eipCells } from './failure-matrix/eips/matrix.ts'
import { eipMishaps } from './failure-matrix/eips/mishaps.ts'
import { eipRefused } from './failure-matrix/eips/refusals.ts'
import { fateHoldsTo } from './failure-matrix/fate.ts'
import { testRefusals } from './failure-matrix/refused.ts'

const shows: Readonly<Record<EipKind, string>> = {
  allocate: '[E1]',
  bind: '[E1]',
  'bind-own': '[E4]',
  leave: '[E2]',
  arrive: '[E2]',
  follow: '[E2][E7]',
  rest: '[E2]',
  'unbind-own': '[E4]',
  release: '[E3]',
  find: '[E1]',
  pick: '[E4]',
  quota: '[E11]',
}

for (const { kind, id, mishap, outcome } of eipCells())
  test(`[R1][R2]${shows[kind]} ${kind}: ${eipMishaps[id].words}`, async (t) => {
    assert.ok(outcome, 'the table has no outcome for it')
    fateHoldsTo(await runEipCell(t, eipActs[kind], mishap), outcome)
  })

for (const kind of refusedEipKinds)
  testRefusals({
    ...{ kind, tags: shows[kind], refusals: eipRefusalsToTry(kind) },
    refused: (meaning) => eipRefused(kind, meaning),
    address: kind === 'release' ? 'none' : 'same',
    run: (t, mishap) => runEipCell(t, eipActs[kind], mishap),
  })
