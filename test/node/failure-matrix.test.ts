// The failure matrix of the node: each step of what an agent does to kernel, database and NEC × what can go wrong with
// it. In the end links, rules, rows and NEC agree, and every address has its one place.
import assert from 'node:assert/strict'
import { test } from 'node:test'
import { runNodeCell } from './failure-matrix/cell.ts'
import { nodeCells } from './failure-matrix/matrix.ts'
import { mishaps } from './failure-matrix/mishaps.ts'
import { stepWords } from './failure-matrix/page.ts'

for (const { act, step, mishap, outcome } of nodeCells()) {
  test(`[R1][R9] ${act.words}: ${stepWords[step]}: ${mishaps[mishap]}`, async (t) => {
    assert.equal(await runNodeCell(t, act, step, mishap), outcome.heard)
  })
}
