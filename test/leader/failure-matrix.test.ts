// The failure matrix: each action of the leader in the cloud × each thing that can go wrong with it, on the simulated
// VPC behind the real client, over a real ledger. In the end nothing is leaked, double or open, ledger and cloud are equal.
import assert from 'node:assert/strict'
import { test } from 'node:test'
import { acts } from './failure-matrix/acts.ts'
import { holdsTo, minute } from './failure-matrix/cell.ts'
import { refusalsOf } from './failure-matrix/codes.ts'
import { cells, kinds } from './failure-matrix/matrix.ts'
import { mishaps } from './failure-matrix/mishaps.ts'
import { runPoolCell } from './failure-matrix/pool-cell.ts'
import { afterMany, afterOne, isTold } from './failure-matrix/refusals.ts'

for (const { kind, id, mishap, outcome } of cells()) {
  test(`[R2][R7] ${kind}: ${mishaps[id].words}`, async (t) => {
    assert.ok(outcome, 'the table has no outcome for it')
    holdsTo(await runPoolCell(t, acts[kind], mishap), outcome)
  })
}

for (const kind of kinds) {
  for (const [meaning, codes] of refusalsOf(kind)) {
    test(`[R2][R5] ${kind}: refused as ${meaning}, once`, async (t) => {
      for (const code of codes) {
        const measured = await runPoolCell(t, acts[kind], {
          treat: (n) => (n === 1 ? { kind: 'refuse', code } : undefined),
        })
        const { told, ...rest } = afterOne(kind, meaning)
        holdsTo(measured, { ...rest, shows: measured.shows, what: '' })
        assert.equal(isTold(measured, meaning), told, `${code}: ${measured.shows}`)
      }
    })
    test(`[R2][R5][K3] ${kind}: refused as ${meaning}, for three minutes`, async (t) => {
      const [code = ''] = codes
      const measured = await runPoolCell(t, acts[kind], {
        treat: () => ({ kind: 'refuse', code }),
        until: 3 * minute,
      })
      holdsTo(measured, { ...afterMany(kind, meaning), shows: measured.shows, what: '' })
      assert.ok(isTold(measured, meaning), `it shows ${measured.shows}`)
    })
  }
}
