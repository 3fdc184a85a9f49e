// The failure matrix of static addresses: each step of their lives × each thing that can go wrong with it. In the end each claim is as it
// must be, with the same address unless the table says otherwise; ledger, cloud and NECs agree; nothing is reserved for nobody.
import assert from 'node:assert/strict'
import { test } from 'node:test'
import { minute } from './failure-matrix/cell.ts'
import { claimActs } from './failure-matrix/claims/acts.ts'
import { claimHoldsTo, runClaimCell } from './failure-matrix/claims/claim-cell.ts'
import { claimRefusalsOf, refusedKinds } from './failure-matrix/claims/codes.ts'
import type { ClaimKind } from './failure-matrix/claims/kinds.ts'
import { claimCells } from './failure-matrix/claims/matrix.ts'
import { claimMishaps } from './failure-matrix/claims/mishaps.ts'
import { claimRefusal } from './failure-matrix/claims/refusals.ts'

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
    claimHoldsTo(await runClaimCell(t, claimActs[kind], mishap), outcome)
  })
}

for (const kind of refusedKinds) {
  const address = claimActs[kind].afterPod === 'kept' ? 'same' : 'none'
  for (const [meaning, codes] of claimRefusalsOf(kind)) {
    const { once, long, reason } = claimRefusal(kind, meaning)
    const isTold = (said: readonly string[]) => reason !== '' && said.some((one) => one.includes(reason))
    test(`[R2]${shows[kind]} ${kind}: refused as ${meaning}, once`, async (t) => {
      for (const code of codes) {
        const measured = await runClaimCell(t, claimActs[kind], {
          treat: (n) => (n === 1 ? { kind: 'refuse', code } : undefined),
        })
        claimHoldsTo(measured, { ...once, address, shows: measured.shows, what: '' })
        assert.equal(isTold(measured.shows), once.told, `${code}: ${measured.shows}`)
      }
    })
    test(`[R2][K3]${shows[kind]} ${kind}: refused as ${meaning}, for three minutes`, async (t) => {
      const [code = ''] = codes
      const measured = await runClaimCell(t, claimActs[kind], {
        treat: () => ({ kind: 'refuse', code }),
        until: 3 * minute,
      })
      claimHoldsTo(measured, { ...long, address, shows: measured.shows, what: '' })
      assert.equal(isTold(measured.shows), long.told, `it shows ${measured.shows}`)
    })
  }
}
