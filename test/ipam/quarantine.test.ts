// When views agree: two, further apart than an answer may lag.
import assert from 'node:assert/strict'
import { test } from 'node:test'
import { type Finding, isConfirmed, type Suspect, weigh } from '../../internal/ipam/quarantine.ts'

const staleFor = 5000
const finding: Finding = {
  kind: 'ip-missing',
  subject: '10.0.1.5',
  node: 'n1',
  reason: 'it is gone',
  remedy: 'none',
  holds: true,
}

/** What is known after views at these times. */
function after(...views: readonly (number | { at: number; reason: string })[]): Suspect | undefined {
  let suspect: Suspect | undefined
  for (const view of views) {
    const { at, reason } = typeof view === 'number' ? { at: view, reason: finding.reason } : view
    suspect = weigh({ ...finding, reason }, suspect, at, staleFor)
  }
  return suspect
}

for (const { does, views, want } of [
  { does: 'only suspects after one view', views: [1000], want: [1, 1000, 1000, false] },
  { does: 'does not count a view within the lag', views: [1000, 6000], want: [1, 1000, 1000, false] },
  { does: 'confirms with a view beyond the lag', views: [1000, 6001], want: [2, 1000, 6001, true] },
  {
    does: 'counts from the last view that counted, not from the last one',
    views: [1000, 4000, 7000],
    want: [2, 1000, 7000, true],
  },
  {
    does: 'begins anew when another thing is seen',
    views: [1000, { at: 7000, reason: 'it is elsewhere' }],
    want: [1, 7000, 7000, false],
  },
  {
    does: 'takes a clock that was set back for no time at all',
    views: [100_000, 50_000],
    want: [1, 50_000, 50_000, false],
  },
  {
    does: 'goes on from there',
    views: [100_000, 50_000, 56_000],
    want: [2, 50_000, 56_000, true],
  },
]) {
  test(`[R7] weigh() ${does}`, () => {
    const suspect = after(...views)
    assert.ok(suspect !== undefined)
    const { reads, firstSeen, lastSeen, held } = suspect
    assert.deepEqual([reads, firstSeen, lastSeen, held], want)
    assert.equal(isConfirmed(suspect), held)
  })
}
