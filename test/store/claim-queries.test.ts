// What is asked of claims again and again is found by an index: a leader may have very many.
import assert from 'node:assert/strict'
import { type TestContext, test } from 'node:test'
import type { LeaderLedger } from '../../internal/ports.ts'
import type { Database } from '../../internal/sqlite/database.ts'
import { claimFeed } from '../../internal/store/leader/claim-feed.ts'
import { leaderLedger } from '../../internal/store/leader/ledger.ts'
import { bound, insertClaim, retained } from '../apiserver/claims/claim-rows.ts'
import { ip } from '../given.ts'
import { openLeader } from './open-ledgers.ts'

interface Asked {
  readonly sql: string
  readonly plan: readonly string[]
}

/** The same database; `asked` has each statement that reads, with how SQLite goes about it. */
function watched(db: Database): { readonly db: Database; readonly asked: Asked[] } {
  const asked: Asked[] = []
  const note: Database['all'] = (sql, ...values) => {
    const rows = db.all<{ detail: string }>(`EXPLAIN QUERY PLAN ${sql}`, ...values)
    asked.push({ sql, plan: rows.map(({ detail }) => detail) })
    return []
  }
  return {
    asked,
    db: {
      ...db,
      get(sql, ...values) {
        note(sql, ...values)
        return db.get(sql, ...values)
      },
      all(sql, ...values) {
        note(sql, ...values)
        return db.all(sql, ...values)
      },
    },
  }
}

function open(t: TestContext) {
  const { clock, db } = openLeader(t)
  insertClaim(db, bound('web-0', '10.0.0.1'))
  insertClaim(db, retained('web-1', '10.0.0.2'))
  return { clock, ...watched(db) }
}

const questions: Readonly<Record<string, (ledger: LeaderLedger) => unknown>> = {
  claim: (ledger) => ledger.claim({ namespace: 'default', name: 'web-0' }),
  claimOf: (ledger) => ledger.claimOf(ip('10.0.0.1')),
  placedClaims: (ledger) => ledger.placedClaims('node-1'),
  waitingClaims: (ledger) => ledger.waitingClaims('node-1'),
  'claimNames of a phase': (ledger) => ledger.claimNames('Releasing'),
  untimedClaims: (ledger) => ledger.untimedClaims('own'),
  'claimsWhere of a phase': (ledger) => ledger.claimsWhere('Pending'),
  claimsOfOwner: (ledger) => ledger.claimsOfOwner('uid'),
  unreservedClaims: (ledger) => ledger.unreservedClaims(),
  hasStaticClaims: (ledger) => ledger.hasStaticClaims(),
  expiredClaims: (ledger) => ledger.expiredClaims(10),
  claimsExpire: (ledger) => ledger.claimsExpire(),
  'eips.claim': ({ eips }) => eips.claim({ namespace: 'default', name: 'web-0' }),
  'eips.ofEip': ({ eips }) => eips.ofEip('eip-a'),
  'eips.onAddress': ({ eips }) => eips.onAddress(ip('10.0.0.1')),
  'eips.where': ({ eips }) => eips.where('Pending'),
  'eips.names': ({ eips }) => eips.names('Releasing'),
  'eips.ofOwner': ({ eips }) => eips.ofOwner('uid'),
  'eips.expired': ({ eips }) => eips.expired(10),
}

for (const [name, ask] of Object.entries(questions))
  test(`${name} looks at few of many claims`, (t) => {
    const { asked, clock, db } = open(t)
    ask(leaderLedger(db, clock))
    assert.ok(asked.some(({ sql }) => sql.includes('claim')))
    for (const { plan, sql } of asked)
      assert.deepEqual(
        plan.filter((step) => isWhole(step)),
        [],
        `${sql}\n${plan.join('\n')}`,
      )
  })

test('a page of claims begins at its place in an index, and sorts nothing', (t) => {
  const { asked, clock, db } = open(t)
  const feed = claimFeed(db, clock)
  const after = { namespace: 'default', name: 'web-0' }
  feed.claims({ after, limit: 10 })
  feed.claims({ namespace: 'default', after, limit: 10 })
  feed.claimsWithAddress({ after: '10.0.0.1', limit: 10 })
  const pages = asked.filter(({ sql }) => sql.includes('FROM claim'))
  assert.equal(pages.length, 3)
  for (const { plan } of pages) {
    assert.equal(plan.length, 1, plan.join('\n'))
    assert.match(plan[0] ?? '', /^SEARCH claim USING INDEX .*(name|\(namespace,name\)|address)>/)
  }
})

/** Through all claims, or through all that no reservation keeps: every pod of the pool has one. */
function isWhole(step: string): boolean {
  return /^SCAN (?:eip_)?claim\b|\(reservation=\?\)/.test(step) && !step.includes('claim_static')
}
