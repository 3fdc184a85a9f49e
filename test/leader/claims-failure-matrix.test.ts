// The failure matrix of static addresses: each step of their lives × each thing that can go wrong with it. In the end each claim is as it
// must be, with the same address unless the table says otherwise; ledger, cloud and NECs agree; nothing is reserved for nobody.
import assert from 'node:assert/strict'
import { test } from 'node:test'
import { claimActs } from './failure-matrix/claims/acts.ts'
import { runClaimCell } from './failure-matrix/claims/claim-cell.ts'
import { claimRefusalsOf, refusedKinds } from './failure-matrix/claims/codes.ts'
import type { ClaimKind } from './failure-matrix/claims/kinds.ts'
import { claimCells } from './failure-matrix/claims/matrix.ts'
import { claimMishaps } from './failure-matrix/claims/mishaps.ts'
import { claimRefusal } from './failure-matrix/claims/refusals.ts'
import { fateHoldsTo } from './failure-matrix/fate.ts'
import { testRefusals } from './failure-matrix/refused.ts'

const shows: Readonly<Record<ClaimKind, string>> = {
  reserve: '[S4][S13]',
  bind: '[S4][S13]',
  rebind: '[S4]',
  leave: '[S4][R7]',
  arrive: '[S4]',
  migrate: '[S13][R7]',
  rest: '[S13]',
  find: '[S6]',
  release: '[S6]',
  expire: '[S5]',
  cascade: '[S7]',
}

for (const { kind, id, mishap, outcome } of claimCells()) {
  const tags = id === 'node-lost' || id === 'target-lost' ? `${shows[kind]}[S9]` : shows[kind]
  test(`[R1][R2]${tags} ${kind}: ${claimMishaps[id].words}`, async (t) => {
    assert.ok(outcome, 'the table has no outcome for it')
    fateHoldsTo(await runClaimCell(t, claimActs[kind], mishap), outcome)
  })
}

for (const kind of refusedKinds)
  testRefusals({
    ...{ kind, tags: shows[kind], refusals: claimRefusalsOf(kind) },
    refused: (meaning) => claimRefusal(kind, meaning),
    address: claimActs[kind].afterPod === 'kept' ? 'same' : 'none',
    run: (t, mishap) => runClaimCell(t, claimActs[kind], mishap),
  })
