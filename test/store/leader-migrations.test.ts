// What becomes of a ledger that an earlier version has made.
import assert from 'node:assert/strict'
import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { test } from 'node:test'
import { systemClock } from '../../internal/base/clock.ts'
import { openDatabase } from '../../internal/sqlite/database.ts'
import { leaderLedger } from '../../internal/store/leader/ledger.ts'
import { leaderMigrations } from '../../migrations/index.ts'

test('[P9] [R10] nodes of a ledger from before there were two pools keep their targets', (t) => {
  // They once had none of their own, and followed the flags of the leader from then on.
  const folder = mkdtempSync(join(tmpdir(), 'leader-migrations-'))
  t.after(() => rmSync(folder, { recursive: true }))
  const path = join(folder, 'leader.db')
  const earlier = openDatabase({ path, kind: 'leader', migrations: leaderMigrations.slice(0, 2) })
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
  assert.deepEqual(node.quota, { instanceType: '', enis: 3, ipsPerEni: 9 })
})
