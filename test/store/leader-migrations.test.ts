// What becomes of a ledger that an earlier version has made.
import assert from 'node:assert/strict'
import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { type TestContext, test } from 'node:test'
import { systemClock } from '../../internal/base/clock.ts'
import { openDatabase } from '../../internal/sqlite/database.ts'
import { beginChanges, claimFeed } from '../../internal/store/leader/claim-feed.ts'
import { leaderLedger } from '../../internal/store/leader/ledger.ts'
import { leaderMigrations } from '../../migrations/index.ts'
import { bound, insertClaim, t0, updateClaim } from '../apiserver/claims/claim-rows.ts'

/** A new ledger as the version with so many migrations made it. */
function ledgerOf(t: TestContext, migrations: number) {
  const folder = mkdtempSync(join(tmpdir(), 'leader-migrations-'))
  t.after(() => rmSync(folder, { recursive: true }))
  const path = join(folder, 'leader.db')
  const earlier = openDatabase({ path, kind: 'leader', migrations: leaderMigrations.slice(0, migrations) })
  return { earlier, path }
}

test('[P9] [R10] nodes of a ledger from before there were two pools keep their targets', (t) => {
  // They once had none of their own, and followed the flags of the leader from then on.
  const { earlier, path } = ledgerOf(t, 2)
  earlier.run(
    `INSERT INTO node (name, uid, instance_id, zone, phase, max_enis, ips_per_eni, min_warm, max_warm, added_at)
     VALUES ('n1', 'uid-n1', 'ins-1', 'zone-a', 'active', 3, 9, 2, 7, 0)`,
  )
  earlier.close()
  const db = openDatabase({ path, kind: 'leader', migrations: leaderMigrations })
  t.after(() => db.close())
  const node = leaderLedger(db, systemClock).node('n1')
  assert.deepEqual(node?.defaults, {
    shared: { minWarm: 2, maxWarm: 7 },
    exclusive: { minWarm: 1, maxWarm: 1 },
  })
  assert.deepEqual(node.quota, { instanceType: '', enis: 3, ipsPerEni: 9, eips: 0 })
})

test('[R10] watches resume over changes of a ledger from before there were EIPs', (t) => {
  const { earlier, path } = ledgerOf(t, 5)
  beginChanges(earlier, t0)
  insertClaim(earlier, bound('a', '10.0.0.1'))
  updateClaim(earlier, 'a', { node: 'node-2' })
  earlier.close()
  const db = openDatabase({ path, kind: 'leader', migrations: leaderMigrations })
  t.after(() => db.close())
  updateClaim(db, 'a', { node: 'node-3' })
  const feed = claimFeed(db, systemClock)
  const told = feed.changes(t0, 9).map(({ after, eip, version }) => [version - t0, after?.node, eip])
  assert.deepEqual(told, [
    [1, 'node-1', undefined],
    [2, 'node-2', undefined],
    [3, 'node-3', undefined],
  ])
  assert.deepEqual(
    feed.claims({ at: t0 + 1 }).map(({ node }) => node),
    ['node-1'],
  )
})
