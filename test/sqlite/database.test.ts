// Opening a database: what is taken, what is refused, and that a refused file stays as it is.
import assert from 'node:assert/strict'
import { chmodSync, copyFileSync, statSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { test } from 'node:test'
import Sqlite from 'better-sqlite3'
import { errorCode } from '../../internal/ipam/errors.ts'
import { type Database, openDatabase } from '../../internal/sqlite/database.ts'
import type { Migration } from '../../internal/sqlite/migrate.ts'
import { contentOf, flipBytes, migrations, newDirectory } from './files.ts'

const [init] = migrations as [Migration, Migration]

function open(path: string, list: readonly Migration[] = migrations, kind = 'test'): Database {
  return openDatabase({ path, kind, migrations: list })
}

function makeDatabase(list?: readonly Migration[], rows = 3): string {
  const path = join(newDirectory(), 'test.db')
  const db = open(path, list)
  db.transaction(() => {
    for (let i = 0; i < rows; i++) db.run(`INSERT INTO thing (name) VALUES (?)`, `thing number ${i}`)
  })
  db.close()
  return path
}

test('openDatabase() makes a private file with every migration', () => {
  const path = join(newDirectory(), 'test.db')
  const db = open(path)
  assert.equal(statSync(path).mode & 0o777, 0o600)
  assert.deepEqual(
    db.all(`SELECT name, kind FROM migration`).map((row) => ({ ...row })),
    [
      { name: '0001_init', kind: 'test' },
      { name: '0002_more', kind: 'test' },
    ],
  )
  assert.equal(db.get<{ journal_mode: string }>('PRAGMA journal_mode')?.journal_mode, 'wal')
  db.run(`INSERT INTO thing (name) VALUES ('a')`)
  for (const file of [`${path}-wal`, `${path}-shm`]) assert.equal(statSync(file).mode & 0o777, 0o600, file)
  db.close()
})

test('openDatabase() takes an empty file for a new database, and makes it private', () => {
  const path = join(newDirectory(), 'test.db')
  writeFileSync(path, '', { mode: 0o644 })
  open(path).close()
  assert.equal(statSync(path).mode & 0o777, 0o600)
})

test('[R10] openDatabase() brings an older database forward and keeps what is in it', () => {
  const path = makeDatabase([init])
  const db = open(path)
  assert.equal(db.get<{ size: number }>(`SELECT sum(size) + count(*) AS size FROM thing`)?.size, 3)
  db.close()
})

test('[R10] openDatabase() applies each migration once', () => {
  const path = makeDatabase()
  open(path).close()
  const db = open(path)
  assert.equal(db.all(`SELECT name FROM migration`).length, 2)
  db.close()
})

test('openDatabase() leaves the file at the last good version when a migration fails', () => {
  const path = makeDatabase([init])
  const broken = [init, { name: '0002_more', sql: 'CREATE TABLE other (id INTEGER); SELECT nonsense;' }]
  assert.throws(() => open(path, broken), /no such column: nonsense/)
  const db = open(path, [init])
  assert.deepEqual(db.all(`SELECT name FROM sqlite_schema WHERE name = 'other'`), [])
  db.close()
})

for (const refused of [
  {
    what: '[R10] a database of a newer version',
    make: () => makeDatabase(),
    as: [init],
    says: /it was written by a newer version \(it has migration "0002_more"\)/,
  },
  {
    what: '[R10] a database with another past',
    make: () => makeDatabase([{ ...init, sql: `${init.sql} -- changed` }]),
    as: migrations,
    says: /its migration "0001_init" is not the one of this version/,
  },
  {
    what: '[R6] a database of another kind',
    make: () => {
      const path = join(newDirectory(), 'test.db')
      open(path, migrations, 'other').close()
      return path
    },
    as: migrations,
    says: /as a test database: it is a other database/,
  },
  {
    what: "[R6] another program's database",
    make: () => foreignDatabase('CREATE TABLE bookmark (url TEXT)'),
    as: migrations,
    says: /it belongs to another program/,
  },
  {
    what: "[R6] another program's database with a table of our name",
    make: () => foreignDatabase('CREATE TABLE migration (version INTEGER)'),
    as: migrations,
    says: /it belongs to another program/,
  },
  {
    what: '[R6] a file that is no database',
    make: () => {
      const path = join(newDirectory(), 'test.db')
      writeFileSync(path, 'min-warm: 5\n')
      return path
    },
    as: migrations,
    says: /it is not a SQLite database/,
  },
  {
    what: '[R6] a database with damaged pages',
    make: () => {
      const path = makeDatabase(migrations, 2000)
      flipBytes(path, statSync(path).size / 2, 4096)
      return path
    },
    as: migrations,
    says: /it is damaged: /,
  },
  {
    what: '[R6] a database whose first page is damaged',
    make: () => {
      const path = makeDatabase()
      flipBytes(path, 100, 40)
      return path
    },
    as: migrations,
    says: /it is damaged: /,
  },
  {
    what: '[R6] a database that was cut short',
    make: () => {
      const path = makeDatabase(migrations, 2000)
      writeFileSync(path, contentOf(path).bytes.slice(0, statSync(path).size / 2), 'latin1')
      return path
    },
    as: migrations,
    says: /it is damaged: /,
  },
])
  test(`openDatabase() refuses ${refused.what} and leaves it as it is`, () => {
    const path = refused.make()
    chmodSync(path, 0o640)
    const before = contentOf(path)
    assert.throws(
      () => open(path, refused.as),
      (error: Error) => {
        assert.match(error.message, refused.says)
        assert.match(error.message, new RegExp(`^Cannot open .*"${path}"`))
        assert.equal(errorCode(error), 'storage')
        return true
      },
    )
    assert.deepEqual(contentOf(path), before)
  })

test('[R6] openDatabase() leaves the log of a file that it refuses as it is, too', () => {
  // Only to say that the file was damaged, it had moved the log into it, and the log was gone.
  const whole = join(newDirectory(), 'test.db')
  open(whole).close()
  const db = open(whole)
  db.run(`INSERT INTO thing (name) VALUES ('in the log')`)
  const path = join(newDirectory(), 'test.db')
  for (const end of ['', '-wal']) copyFileSync(`${whole}${end}`, `${path}${end}`)
  db.close()
  flipBytes(path, 4096 * 2 + 8, 40)
  const before = [contentOf(path), contentOf(`${path}-wal`)]
  assert.throws(() => open(path), { code: 'storage' })
  assert.deepEqual([contentOf(path), contentOf(`${path}-wal`)], before)
})

test('[R6] openDatabase() says when it may not make the file', () => {
  assert.throws(
    () => open(join(newDirectory(), 'missing', 'test.db')),
    /^.*Cannot create database ".*": ENOENT/,
  )
})

function foreignDatabase(sql: string): string {
  const path = join(newDirectory(), 'test.db')
  const foreign = new Sqlite(path)
  foreign.exec(sql)
  foreign.close()
  return path
}

test('[R10] run(), get() and all() say that the file is damaged, when that comes to light in use', () => {
  const path = makeDatabase(undefined, 2000)
  const db = open(path)
  db.run('PRAGMA shrink_memory') // what is cached would still be sound
  flipBytes(path, 4096, statSync(path).size - 4096)
  const wanted = {
    code: 'storage',
    message: /^Cannot use ".*test\.db": it is damaged: /,
    hint: /db restore/,
  }
  assert.throws(() => db.all(`SELECT * FROM thing`), wanted)
  assert.throws(() => db.get(`SELECT sum(size) FROM thing`), wanted)
  assert.throws(() => db.run(`UPDATE thing SET size = 1`), wanted)
  db.close()
})

test('[R6] the log that grew while somebody kept reading is cut when that is over', () => {
  const path = makeDatabase()
  const db = open(path)
  const reader = openDatabase({ path, kind: 'test', migrations, readonly: true })
  const logSize = () => statSync(`${path}-wal`).size
  const rewrite = () => db.run(`UPDATE thing SET name = id || hex(randomblob(1000000))`)
  reader.script('BEGIN; SELECT count(*) FROM thing;')
  for (let i = 0; i < 4; i++) rewrite()
  const grown = logSize()
  assert.ok(grown > 20_000_000, `${grown}`)
  reader.script('COMMIT')
  for (let i = 0; i < 3; i++) rewrite()
  assert.ok(logSize() <= 16 * 1024 * 1024, `${logSize()}`)
  reader.close()
  db.close()
})

test('[R6] run(), get() and all() say that tables are not as they should be', () => {
  // One bit of the name of a table was another one, which no check of SQLite finds: "no such table", and a stack trace.
  const db = open(makeDatabase())
  for (const ask of [db.run, db.get, db.all])
    assert.throws(() => ask('SELECT name FROM thinh'), {
      code: 'storage',
      message: /^Cannot use ".*": its tables are not as this version makes them: no such table: thinh$/,
      hint: /db check/,
    })
  db.close()
})

test('a statement is compiled once, whatever values it is given', (t) => {
  const db = open(':memory:')
  t.after(() => db.close())
  for (const name of ['a', 'b']) db.run(`INSERT INTO thing (name) VALUES (?)`, name)
  const ordered = `SELECT rowid, name FROM thing WHERE name = ? ORDER BY rowid`
  const joined = `SELECT other.name FROM thing LEFT JOIN thing AS other ON other.rowid = thing.rowid WHERE thing.name IS ?`
  // Each compilation has better-sqlite3 make a function that makes its rows.
  const makeFunction = t.mock.method(globalThis, 'Function')
  for (let i = 0; i < 9; i++) {
    assert.equal(db.all(ordered, 'a').length, 1)
    assert.equal(db.all(joined, 'b').length, 1)
  }
  assert.equal(makeFunction.mock.callCount(), 2)
  assert.match(
    JSON.stringify(db.all(`EXPLAIN QUERY PLAN ${ordered}`, 'a')),
    /SEARCH thing USING .*\(name=\?\)/,
  )
})
