// Databases moved aside and in, copied while they are written; and what an interruption leaves.
import assert from 'node:assert/strict'
import { copyFileSync, existsSync, renameSync, statSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { test } from 'node:test'
import { backUp, moveAside, moveIn } from '../../internal/sqlite/backup.ts'
import { openDatabase } from '../../internal/sqlite/database.ts'
import { inspectDatabase } from '../../internal/sqlite/inspect.ts'
import { newDirectory } from './files.ts'

const migrations = [{ name: '0001_init', sql: 'CREATE TABLE t (a INTEGER PRIMARY KEY) STRICT;' }]
const open = (path: string) => openDatabase({ path, kind: 'test', migrations })

test('moveAside() takes the log along, so that nothing committed is lost', () => {
  const directory = newDirectory()
  const path = join(directory, 'a.db')
  const db = open(path)
  db.run('INSERT INTO t VALUES (1)')
  const killed = join(directory, 'killed.db') // as a process leaves it that was killed: with its log
  for (const end of ['', '-wal', '-shm']) copyFileSync(path + end, killed + end)
  db.close()
  moveAside(killed, join(directory, 'aside.db'))
  assert.ok(!existsSync(killed) && !existsSync(`${killed}-wal`))
  const aside = open(join(directory, 'aside.db'))
  assert.deepEqual(aside.all('SELECT a FROM t'), [{ a: 1 }])
  aside.close()
})

test('moveAside() writes over nothing: a second one of the same second gets a name of its own', () => {
  const directory = newDirectory()
  const path = join(directory, 'a.db')
  const wanted = join(directory, 'aside.db')
  const names = [1, 2, 3].map((value) => {
    const db = open(path)
    db.run('INSERT INTO t VALUES (?)', value)
    db.close()
    return moveAside(path, wanted)
  })
  assert.deepEqual(names, [wanted, `${wanted}-2`, `${wanted}-3`])
  const first = open(wanted)
  assert.deepEqual(first.all('SELECT a FROM t'), [{ a: 1 }])
  first.close()
})

test('[R1] moveAside() interrupted after the file leaves a new database, never one without its log', () => {
  // The other way round the file came back without its last commits, and nobody noticed.
  const directory = newDirectory()
  const path = join(directory, 'a.db')
  const db = open(path)
  db.run('INSERT INTO t VALUES (1)')
  copyFileSync(`${path}-wal`, join(directory, 'wal'))
  db.close()
  copyFileSync(join(directory, 'wal'), `${path}-wal`)
  renameSync(path, join(directory, 'aside.db'))
  const fresh = open(path)
  assert.deepEqual(fresh.all('SELECT a FROM t'), [])
  fresh.close()
})

test('moveIn() leaves no log of another database beside the one it puts in place', () => {
  const directory = newDirectory()
  const path = join(directory, 'a.db')
  open(join(directory, 'copy.db')).close()
  writeFileSync(join(directory, 'copy.db-wal'), '')
  moveIn(join(directory, 'copy.db'), path)
  assert.ok(!existsSync(`${path}-wal`) && existsSync(path))
})

test('backUp() copies one moment, in pages of its own, for the owner alone', (t) => {
  const directory = newDirectory()
  const db = open(join(directory, 'a.db'))
  t.after(() => db.close())
  db.transaction(() => {
    for (let i = 0; i < 1000; i++) db.run('INSERT INTO t VALUES (?)', i)
  })
  const file = join(directory, 'copy.db')
  backUp(db, file)
  db.run('DELETE FROM t')
  assert.equal(statSync(file).mode & 0o777, 0o600)
  const copy = open(file)
  t.after(() => copy.close())
  assert.deepEqual(copy.get('SELECT count(*) AS n FROM t'), { n: 1000 })
  const findings = inspectDatabase(copy, { kind: 'test', migrations, rules: [] })
  assert.deepEqual(
    findings.flatMap(({ found }) => found),
    [],
  )
  assert.throws(() => backUp(db, file), { code: 'bad_input' })
})
