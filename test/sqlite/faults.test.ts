// What faults of the disk do to writes and to the process: a full disk refuses in words and is asked again, anything that leaves
// open what is stored ends it all.
import assert from 'node:assert/strict'
import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { closeSync, openSync, renameSync, rmSync, statSync, truncateSync } from 'node:fs'
import { join } from 'node:path'
import { test } from 'node:test'
import type { IpamError } from '../../internal/ipam/errors.ts'
import { openDatabase } from '../../internal/sqlite/database.ts'
import { groupCommit } from '../../internal/sqlite/group-commit.ts'
import { VirtualClock } from '../fake/virtual-clock.ts'
import { migrations, newDirectory } from './files.ts'

/** A database that hears of faults, with no room for more than it has and a page or two. */
function setUp({ full }: { full: boolean }) {
  const path = join(newDirectory(), 'test.db')
  const heard: IpamError[] = []
  const db = openDatabase({ path, kind: 'test', migrations, broken: (fault) => void heard.push(fault) })
  const clock = new VirtualClock()
  const setRoom = (pages: number) => db.get(`PRAGMA max_page_count = ${pages}`)
  if (full) setRoom(db.get<{ page_count: number }>('PRAGMA page_count')?.page_count ?? 0)
  const add = (name: string) => () => db.run(`INSERT INTO thing (name) VALUES (?)`, name)
  const names = () => db.all<{ name: string }>(`SELECT name FROM thing ORDER BY id`).map(({ name }) => name)
  return { path, heard, db, clock, setRoom, add, names, commits: groupCommit(db, clock) }
}

const big = 'x'.repeat(100_000)

test('[R6] a write that finds the disk full fails in words, and those of its turn with it', async () => {
  const { path, heard, clock, setRoom, add, names, commits } = setUp({ full: true })
  const turn = [commits.write(add('before')), commits.write(add(big)), commits.write(add('after'))]
  const outcomes = Promise.allSettled(turn)
  await clock.advance(0)
  for (const outcome of await outcomes) {
    assert.ok(outcome.status === 'rejected')
    const { code, message, hint } = outcome.reason as IpamError
    assert.equal(code, 'storage')
    assert.equal(message, `Cannot use "${path}": the disk is full`)
    assert.match(hint ?? '', /^make room on the file system of ".*"; a daemon goes on without help then$/)
  }
  assert.deepEqual(names(), [], 'nothing of it is stored')
  assert.equal(commits.obstacle(), `nothing can be stored in "${path}": the disk is full`)
  assert.deepEqual(heard, [], 'a full disk is no reason to end')

  setRoom(1000)
  const again = commits.write(add(big))
  await clock.advance(0)
  assert.equal(await again, 1)
  await clock.advance(1000)
  assert.equal(commits.obstacle(), undefined)
  assert.throws(() => statSync(`${path}-room`), /ENOENT/, 'what looked for room is gone')
})

test('[R6] what still fits is stored while the disk is full', async () => {
  const { clock, add, names, commits } = setUp({ full: true })
  const refused = commits.write(add(big))
  refused.catch(() => {})
  await clock.advance(0)
  assert.notEqual(commits.obstacle(), undefined)
  const little = commits.write(add('little'))
  await clock.advance(0)
  assert.equal(await little, 1)
  assert.deepEqual(names(), ['little'])
})

test('[R6] a database that another program keeps locked refuses in words, until it is let go', async () => {
  const { path, heard, db, clock, add, names, commits } = setUp({ full: false })
  const other = openDatabase({ path, kind: 'test', migrations })
  other.script('BEGIN IMMEDIATE')
  db.get('PRAGMA busy_timeout = 1')
  const refused = assert.rejects(commits.write(add('a')), {
    code: 'storage',
    message: `Cannot use "${path}": another program keeps it locked`,
    hint: /a forgotten "begin"/,
  })
  await clock.advance(0)
  await refused
  assert.match(commits.obstacle() ?? '', /^nothing can be stored in ".*": another program keeps it locked$/)
  other.close()
  const taken = commits.write(add('b'))
  await clock.advance(1000)
  await taken
  assert.equal(commits.obstacle(), undefined)
  assert.deepEqual([names(), heard], [['b'], []])
})

for (const [what, lose] of [
  ['deleted', (path: string) => rmSync(path)],
  [
    'replaced',
    (path: string) => {
      renameSync(path, `${path}.old`)
      closeSync(openSync(path, 'w'))
    },
  ],
] as const)
  test(`[R6] a file that is ${what} while it is in use takes no more writes`, async () => {
    const { path, heard, clock, add, commits } = setUp({ full: false })
    lose(path)
    const refused = assert.rejects(commits.write(add('a')), {
      code: 'storage',
      message: `Cannot use "${path}": it was deleted or replaced while it was in use`,
    })
    await clock.advance(0)
    await refused
    assert.equal(heard.length, 1)
  })

test('[R6] after damage nothing is read or written any more, also where it would be sound', () => {
  const { path, heard, db } = setUp({ full: false })
  db.transaction(() => {
    for (let i = 0; i < 2000; i++) db.run(`INSERT INTO thing (name) VALUES (?)`, `thing number ${i}`)
  })
  db.get('PRAGMA wal_checkpoint(TRUNCATE)')
  db.run('PRAGMA shrink_memory')
  truncateSync(path, 8192)
  const damaged = { code: 'storage', message: /^Cannot use ".*test\.db": / }
  assert.throws(() => db.all(`SELECT * FROM thing`), damaged)
  assert.throws(() => db.get(`SELECT 1`), damaged)
  assert.throws(() => db.run(`INSERT INTO thing (name) VALUES ('more')`), damaged)
  assert.equal(heard.length, 1)
})

test('[R1] [R6] a commit that the disk fails is heard of at once, and no later one is tried', async () => {
  const path = join(newDirectory(), 'test.db')
  const from = (file: string) => JSON.stringify(new URL(`../../${file}`, import.meta.url).href)
  // The kernel refuses to let files of this process grow: writing fails with EFBIG, as it would with EIO.
  const program = `
    import { openDatabase } from ${from('internal/sqlite/database.ts')}
    const heard = []
    const db = openDatabase({ path: ${JSON.stringify(path)}, kind: 'test', migrations: ${JSON.stringify(migrations)},
      broken: (fault) => void heard.push(fault.message) })
    db.run("INSERT INTO thing (name) VALUES ('stored')")
    process.stdout.write('ready\\n')
    process.stdin.once('data', () => {
      const write = (name) => {
        try { db.transaction(() => db.run('INSERT INTO thing (name) VALUES (?)', name)); return 'stored' }
        catch (error) { return error.message }
      }
      const first = write('x'.repeat(50000))
      process.stdout.write(JSON.stringify({ first, second: write('small'), heard }))
      process.exit(0)
    })`
  const child = spawn(process.execPath, ['--input-type=module', '--eval', program], {
    stdio: ['pipe', 'pipe', 'inherit'],
  })
  await once(child.stdout, 'data')
  const limit = spawn('prlimit', [
    `--pid=${child.pid}`,
    `--fsize=${statSync(`${path}-wal`).size + 6000}:unlimited`,
  ])
  await once(limit, 'exit')
  child.stdin.end('go\n')
  const said = JSON.parse(String((await once(child.stdout, 'data'))[0])) as {
    first: string
    second: string
    heard: string[]
  }
  assert.match(
    said.first,
    /^Cannot use ".*": reading or writing it failed: disk I\/O error \(SQLITE_IOERR_WRITE\)$/,
  )
  assert.equal(said.second, said.first)
  assert.deepEqual(said.heard, [said.first])

  const again = openDatabase({ path, kind: 'test', migrations })
  assert.deepEqual(
    again.all(`SELECT name FROM thing`).map(({ name }) => name),
    ['stored'],
  )
  again.close()
})
