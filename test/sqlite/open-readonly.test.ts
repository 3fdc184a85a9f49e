// Looking into a database: beside its writer, after a crash, on a read-only medium, and in another version's hands.
import assert from 'node:assert/strict'
import { spawnSync } from 'node:child_process'
import { chmodSync, copyFileSync, mkdirSync, readdirSync, statSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { test } from 'node:test'
import { openDatabase } from '../../internal/sqlite/database.ts'
import type { Migration } from '../../internal/sqlite/migrate.ts'
import { openReadonly } from '../../internal/sqlite/open-readonly.ts'
import { contentOf, flipBytes, migrations, newDirectory } from './files.ts'

const [init] = migrations as [Migration, Migration]
const kinds = { test: migrations, other: [init] }

/** An open writer with one row; closed by the test. */
function startWriter(list = migrations, kind = 'test') {
  const directory = newDirectory()
  const path = join(directory, 'test.db')
  const db = openDatabase({ path, kind, migrations: list })
  db.run(`INSERT INTO thing (name) VALUES ('first')`)
  return { directory, path, db }
}

test('openReadonly() tells which kind it is, sees what a writer commits, and changes nothing', () => {
  const { path, db } = startWriter()
  const reader = openReadonly(path, kinds)
  assert.deepEqual([reader.kind, reader.copied], ['test', false])
  const version = () => reader.database.get<{ data_version: number }>('PRAGMA data_version')?.data_version
  const before = version()
  db.run(`INSERT INTO thing (name) VALUES ('second')`)
  assert.equal(reader.database.all(`SELECT name FROM thing`).length, 2)
  assert.notEqual(version(), before)
  assert.throws(() => reader.database.run(`DELETE FROM thing`), /it can only be read/)
  reader.close()
  db.close()
})

test('openReadonly() opens a database that nobody has open', () => {
  const { path, db } = startWriter([init], 'other')
  db.close()
  const reader = openReadonly(path, kinds)
  assert.equal(reader.kind, 'other')
  assert.equal(reader.database.all(`SELECT name FROM thing`).length, 1)
  reader.close()
})

for (const left of ['a crash', 'a clean end'])
  test(`openReadonly() reads what ${left} left in a directory it may not write to`, () => {
    const { directory, db } = startWriter()
    const medium = join(directory, 'medium')
    mkdirSync(medium)
    if (left === 'a clean end') db.close()
    for (const file of readdirSync(directory)) {
      if (/\.db(?:-wal)?$/.test(file)) copyFileSync(join(directory, file), join(medium, file))
    }
    if (left === 'a crash') db.close()
    for (const file of readdirSync(medium)) chmodSync(join(medium, file), 0o444)
    chmodSync(medium, 0o555)
    chmodSync(directory, 0o755)
    const path = join(medium, 'test.db')
    const content = contentOf(path)
    const temporary = newDirectory()
    chmodSync(temporary, 0o777)
    assert.deepEqual(readAsNobody(path, temporary), { kind: 'test', copied: true, names: ['first'] })
    assert.deepEqual(contentOf(path), content)
    assert.deepEqual(readdirSync(temporary), [])
    chmodSync(medium, 0o755)
  })

for (const refused of [
  {
    what: '[R10] a database of an older version',
    make: () => finished(startWriter([init])),
    says: /Cannot open test database ".*": it was written by an older version \(it lacks migration "0002_more" after "0001_init"\)/,
  },
  {
    what: '[R10] a database of a newer version',
    make: () => finished(startWriter(migrations, 'other')),
    says: /it was written by a newer version \(it has migration "0002_more"\)/,
  },
  {
    what: '[R6] a database of a kind it was not asked for',
    make: () => finished(startWriter(migrations, 'strange')),
    says: /Cannot open test or other database ".*": it is a strange database/,
  },
  { what: '[R6] an empty file', make: () => written(''), says: /it is empty/ },
  {
    what: '[R6] a text file',
    make: () => written('hello, this is text'),
    says: /it is not a SQLite database/,
  },
  { what: '[R6] a missing file', make: () => join(newDirectory(), 'no.db'), says: /there is no such file/ },
  { what: '[R6] a directory', make: () => newDirectory(), says: /it is a directory/ },
  {
    what: '[R6] a damaged database',
    make: () => {
      const path = finished(startWriter())
      flipBytes(path, statSync(path).size - 4096, 4096)
      return path
    },
    says: /it is damaged: /,
  },
])
  test(`openReadonly() refuses ${refused.what}`, () => {
    assert.throws(() => openReadonly(refused.make(), kinds), refused.says)
  })

test('[R6] openReadonly() says when the user may not read the file', {
  skip: process.getuid?.() !== 0,
}, () => {
  const { directory, path, db } = startWriter()
  db.close()
  chmodSync(directory, 0o755)
  assert.match(
    String(readAsNobody(path)),
    /Cannot open test or other database ".*": this user may not read it/,
  )
})

function finished({ path, db }: ReturnType<typeof startWriter>): string {
  db.close()
  return path
}

function written(text: string): string {
  const path = join(newDirectory(), 'test.db')
  writeFileSync(path, text)
  return path
}

/** What a process sees that is not root (whom no mode stops): as the user nobody where we are root. */
function readAsNobody(path: string, temporary = tmpdir()): unknown {
  const isRoot = process.getuid?.() === 0
  const program = `
    import { openReadonly } from ${JSON.stringify(new URL('../../internal/sqlite/open-readonly.ts', import.meta.url).href)}
    const migrations = ${JSON.stringify(migrations)}
    try {
      const { kind, copied, database, close } = openReadonly(${JSON.stringify(path)}, { test: migrations, other: migrations })
      const names = database.all('SELECT name FROM thing').map(({ name }) => name)
      close()
      console.log(JSON.stringify({ kind, copied, names }))
    } catch (error) {
      console.log(JSON.stringify(error.message))
    }`
  const { stdout, stderr } = spawnSync(process.execPath, ['--input-type=module', '--eval', program], {
    encoding: 'utf8',
    env: { TMPDIR: temporary },
    ...(isRoot ? { uid: 65534, gid: 65534 } : {}),
  })
  assert.notEqual(stdout, '', stderr)
  return JSON.parse(stdout)
}
