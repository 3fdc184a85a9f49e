// Many writes, one commit: who is answered when, and what a failure undoes.
import assert from 'node:assert/strict'
import { join } from 'node:path'
import { test } from 'node:test'
import { type Database, openDatabase } from '../../internal/sqlite/database.ts'
import { groupCommit } from '../../internal/sqlite/group-commit.ts'
import { VirtualClock } from '../fake/virtual-clock.ts'
import { migrations, newDirectory } from './files.ts'

/** The writer under test, and a second connection that sees what is committed only. */
function setUp() {
  const path = join(newDirectory(), 'test.db')
  const db = openDatabase({ path, kind: 'test', migrations })
  const other = openDatabase({ path, kind: 'test', migrations, readonly: true })
  const clock = new VirtualClock()
  const add = (name: string) => () => db.run(`INSERT INTO thing (name) VALUES (?)`, name)
  return { db, other, clock, add, commits: groupCommit(db, clock) }
}

const namesIn = (db: Database) =>
  db.all<{ name: string }>(`SELECT name FROM thing ORDER BY id`).map(({ name }) => name)
const commitsSeenBy = (db: Database) =>
  db.get<{ data_version: number }>('PRAGMA data_version')?.data_version ?? 0

test('groupCommit() puts the writes of one turn in one commit, in order', async () => {
  const { db, other, clock, add, commits } = setUp()
  const before = commitsSeenBy(other)
  const answers = Promise.all(['a', 'b', 'c'].map((name) => commits.write(add(name))))
  assert.deepEqual(namesIn(db), [])
  await clock.advance(0)
  assert.deepEqual(await answers, [1, 1, 1])
  assert.deepEqual(namesIn(other), ['a', 'b', 'c'])
  assert.equal(commitsSeenBy(other), before + 1)
})

test('[R1] groupCommit() answers only after the commit', async () => {
  const { other, clock, add, commits } = setUp()
  const seen = commits.write(add('a')).then(() => namesIn(other))
  await clock.advance(0)
  assert.deepEqual(await seen, ['a'])
})

test('groupCommit() undoes the changes of the write that threw, and no other', async () => {
  const { other, clock, add, commits } = setUp()
  const good = commits.write(add('a'))
  const bad = commits.write(() => {
    add('half')()
    throw new Error('changed my mind')
  })
  const late = commits.write(add('b'))
  const outcomes = Promise.allSettled([good, bad, late])
  await clock.advance(0)
  assert.deepEqual(
    (await outcomes).map(({ status }) => status),
    ['fulfilled', 'rejected', 'fulfilled'],
  )
  await assert.rejects(bad, /changed my mind/)
  assert.deepEqual(namesIn(other), ['a', 'b'])
})

test('groupCommit() rejects a write that breaks a constraint, and goes on', async () => {
  const { other, clock, add, commits } = setUp()
  const outcomes = Promise.allSettled([commits.write(add('a')), commits.write(add('a'))])
  await clock.advance(0)
  assert.deepEqual(
    (await outcomes).map(({ status }) => status),
    ['fulfilled', 'rejected'],
  )
  const next = commits.write(add('b'))
  await clock.advance(0)
  await next
  assert.deepEqual(namesIn(other), ['a', 'b'])
})

test('groupCommit() rejects every write of a commit that fails', async () => {
  const { db, other, clock, add, commits } = setUp()
  const writes = Promise.allSettled([commits.write(add('a')), commits.write(add('b'))])
  db.close()
  await clock.advance(0)
  assert.deepEqual(
    (await writes).map(({ status }) => status),
    ['rejected', 'rejected'],
  )
  assert.deepEqual(namesIn(other), [])
})

test('groupCommit().flush() commits at once, and the turn has nothing left to do', async () => {
  const { other, clock, add, commits } = setUp()
  const written = commits.write(add('a'))
  commits.flush()
  await written
  assert.deepEqual(namesIn(other), ['a'])
  const after = commitsSeenBy(other)
  await clock.advance(0)
  assert.equal(commitsSeenBy(other), after)
})
