// A look at the ledger on disk, before anybody works with it.
import assert from 'node:assert/strict'
import { copyFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { test } from 'node:test'
import { openDatabase, openFile } from '../../internal/sqlite/database.ts'
import { peekLedger } from '../../internal/store/leader/peek.ts'
import { leaderMigrations } from '../../migrations/index.ts'
import { newDirectory } from '../sqlite/files.ts'

test('[R1] peekLedger() takes one for new whose maker was killed in the first moments', () => {
  // The leader never started again: it looked first, and who only looks may not take back what was half done.
  const directory = newDirectory()
  const [writer, killed] = [join(directory, 'writer.db'), join(directory, 'leader.db')]
  writeFileSync(writer, '')
  openFile({ path: writer, what: 'database', readonly: false }, (database, sqlite) => {
    sqlite.pragma('journal_mode = DELETE')
    sqlite.pragma('cache_size = 1')
    sqlite.exec('BEGIN; CREATE TABLE half (done BLOB); INSERT INTO half VALUES (zeroblob(100000))')
    copyFileSync(`${writer}-journal`, `${killed}-journal`)
    sqlite.exec('COMMIT') // all is written then, and the journal not yet gone
    copyFileSync(writer, killed)
    return database
  }).close()
  assert.throws(
    () => openDatabase({ path: killed, kind: 'leader', migrations: leaderMigrations, readonly: true }),
    {
      code: 'storage',
    },
  )
  assert.equal(peekLedger(killed, leaderMigrations), undefined)
  const db = openDatabase({ path: killed, kind: 'leader', migrations: leaderMigrations })
  assert.equal(db.get("SELECT 1 FROM sqlite_schema WHERE name = 'half'"), undefined)
  db.close()
  assert.equal(peekLedger(killed, leaderMigrations)?.complete, false)
})
