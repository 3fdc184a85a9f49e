// A node's quarantine: what comes in, what stays, and what two looks apart let out.
import assert from 'node:assert/strict'
import { test } from 'node:test'
import { planQuarantine, type Quarantined, type Suspect } from '../../internal/ipam/plan-quarantine.ts'
import { nth } from '../given.ts'

const now = 100_000
const goneAfter = 10_000
const suspect = (subject: string, kind: Suspect['kind'] = 'pod-link'): Suspect => ({
  kind,
  subject,
  address: nth(1),
  reason: 'why',
  remedy: 'how',
})
const entry = (subject: string, more: Partial<Quarantined> = {}): Quarantined => ({
  ...suspect(subject),
  firstSeen: 1000,
  lastSeen: 2000,
  reads: 3,
  missingSince: undefined,
  ...more,
})

interface Row {
  readonly does: string
  readonly before?: readonly Quarantined[]
  readonly seen?: readonly Suspect[]
  readonly keep?: readonly Partial<Quarantined>[]
  readonly fresh?: readonly string[]
  readonly settled?: readonly string[]
}

const rows: readonly Row[] = [
  { does: 'has nothing to do when nothing is seen' },
  {
    does: 'takes in what is new',
    seen: [suspect('a')],
    keep: [{ subject: 'a', firstSeen: now, lastSeen: now, reads: 1 }],
    fresh: ['a'],
  },
  {
    does: 'counts what is seen again',
    before: [entry('a')],
    seen: [suspect('a')],
    keep: [{ subject: 'a', firstSeen: 1000, lastSeen: now, reads: 4 }],
  },
  {
    does: 'keeps a link that one look misses',
    before: [entry('a')],
    keep: [{ subject: 'a', missingSince: now }],
  },
  {
    does: 'keeps a link that two looks miss too soon after each other',
    before: [entry('a', { missingSince: now - goneAfter + 1 })],
    keep: [{ subject: 'a', missingSince: now - goneAfter + 1 }],
  },
  {
    does: 'lets a link go that two looks apart miss',
    before: [entry('a', { missingSince: now - goneAfter })],
    settled: ['a'],
  },
  {
    does: 'begins anew with a link that came back',
    before: [entry('a', { missingSince: now - 5000 })],
    seen: [suspect('a')],
    keep: [{ subject: 'a', missingSince: undefined }],
  },
  {
    does: 'lets an address go as soon as it is no longer disputed',
    before: [entry('10.0.1.1', { kind: 'address' })],
    settled: ['10.0.1.1'],
  },
  {
    does: 'is not kept waiting by a clock that was set back',
    before: [
      entry('a', { firstSeen: 2 * now, lastSeen: 2 * now, missingSince: 2 * now }),
      entry('b', { firstSeen: 2 * now }),
    ],
    seen: [suspect('b')],
    keep: [
      { subject: 'b', firstSeen: now, lastSeen: now },
      { subject: 'a', missingSince: now },
    ],
  },
]

for (const { does, before = [], seen = [], keep = [], fresh = [], settled = [] } of rows) {
  test(`[R7] planQuarantine() ${does}`, () => {
    const plan = planQuarantine(before, seen, now, goneAfter)
    assert.equal(plan.keep.length, keep.length)
    for (const [i, wanted] of keep.entries()) {
      assert.deepEqual({ ...plan.keep[i], ...wanted }, plan.keep[i])
    }
    assert.deepEqual(
      plan.fresh.map(({ subject }) => subject),
      fresh,
    )
    assert.deepEqual(
      plan.settled.map(({ subject }) => subject),
      settled,
    )
  })
}
