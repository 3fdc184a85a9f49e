// The log of changes of claims: where it begins, how it is cut, and what is read from the past.
import assert from 'node:assert/strict'
import { test } from 'node:test'
import { beginChanges, claimFeed, pruneChanges } from '../../internal/store/leader/claim-feed.ts'
import { bound, deleteClaim, insertClaim, t0, updateClaim } from '../apiserver/claims/claim-rows.ts'
import { openLeader } from './open-ledgers.ts'

test('beginChanges() numbers the changes of a new ledger from the time on, once', (t) => {
  const { clock, db } = openLeader(t)
  beginChanges(db, t0)
  insertClaim(db, bound('a', '10.0.0.1'))
  const feed = claimFeed(db, clock)
  assert.deepEqual([feed.oldest(), feed.version()], [t0, t0 + 1])
  beginChanges(db, t0 + 5000)
  assert.equal(feed.version(), t0 + 1)
  assert.equal(feed.claim({ namespace: 'default', name: 'a' })?.version, t0 + 1)
})

test('changes() gives each change with the claim before and after, and goes on after a restart', (t) => {
  const store = openLeader(t)
  beginChanges(store.db, t0)
  insertClaim(store.db, bound('a', '10.0.0.1'))
  updateClaim(store.db, 'a', { node: 'node-2' })
  store.restart()
  deleteClaim(store.db, 'a')
  const changes = claimFeed(store.db, store.clock).changes(t0, 10)
  assert.deepEqual(
    changes.map(({ version, before, after }) => [version - t0, before?.node, after?.node, after?.version]),
    [
      [1, undefined, 'node-1', t0 + 1],
      [2, 'node-1', 'node-2', t0 + 2],
      [3, 'node-2', undefined, undefined],
    ],
  )
  assert.equal(claimFeed(store.db, store.clock).changes(t0 + 1, 1).length, 1)
})

test('claims() and claimsWithAddress() give any state that is kept, in order and in pages', (t) => {
  const { clock, db } = openLeader(t)
  beginChanges(db, t0)
  const feed = claimFeed(db, clock)
  const model = new Map<number, readonly string[]>()
  const remember = () =>
    model.set(
      feed.version(),
      feed.claims({}).map(({ name, node }) => `${name} ${node}`),
    )
  remember()
  for (let i = 0; i < 40; i++) {
    const name = `pod-${(i * 7) % 10}`
    if (feed.claim({ namespace: 'default', name }) === undefined) insertClaim(db, bound(name, `10.0.0.${i}`))
    else if (i % 3 === 0) deleteClaim(db, name)
    else updateClaim(db, name, { node: `node-${i}` })
    remember()
  }
  for (const [at, wanted] of model) {
    assert.deepEqual(
      feed.claims({ at }).map(({ name, node }) => `${name} ${node}`),
      wanted,
    )
    assert.equal(feed.countClaims({ at }), wanted.length)
    assert.equal(feed.countClaimsWithAddress({ at }), wanted.length)
    const [first, second] = feed.claims({ at, limit: 2 })
    if (first !== undefined)
      assert.deepEqual(feed.claims({ at, limit: 1, after: first })[0]?.name, second?.name)
    const [head, ...others] = feed.claims({ at, namespace: 'default' })
    if (head !== undefined) {
      assert.deepEqual(feed.claims({ at, namespace: 'default', after: head }), others)
      assert.equal(feed.countClaims({ at, namespace: 'default', after: head }), others.length)
      assert.deepEqual(feed.claims({ at, namespace: 'default', after: { namespace: 'a', name: 'z' } }), [
        head,
        ...others,
      ])
    }
    const addresses = feed.claimsWithAddress({ at }).map(({ address }) => address ?? '')
    assert.deepEqual(
      addresses,
      addresses.toSorted((a, b) => (a < b ? -1 : 1)),
    )
  }
})

test('pruneChanges() keeps the last ones and the young ones, whichever are more, and never too many', (t) => {
  const { clock, db } = openLeader(t)
  beginChanges(db, t0)
  const feed = claimFeed(db, clock)
  for (let i = 0; i < 10; i++) insertClaim(db, bound(`p-${i}`, `10.0.0.${i}`, { changed_at: t0 + i * 1000 }))
  assert.equal(pruneChanges(db, { atLeast: 8, since: t0 + 5000 }), 2)
  assert.equal(feed.oldest(), t0 + 2)
  assert.equal(pruneChanges(db, { atLeast: 2, since: t0 + 5000 }), 3)
  assert.equal(pruneChanges(db, { atLeast: 2, since: t0 + 5000 }), 0)
  assert.equal(pruneChanges(db, { atLeast: 2, since: t0, atMost: 5 }), 0)
  assert.equal(pruneChanges(db, { atLeast: 2, since: t0, atMost: 4 }), 1)
  assert.equal(pruneChanges(db, { atLeast: 0, since: t0 + 60_000 }, 3), 3)
  assert.equal(pruneChanges(db, { atLeast: 0, since: t0 + 60_000 }, 3), 1)
  assert.equal(pruneChanges(db, { atLeast: 0, since: t0 + 60_000 }), 0)
  assert.deepEqual([feed.oldest(), feed.version()], [t0 + 10, t0 + 10])
  insertClaim(db, bound('next', '10.0.1.1'))
  assert.equal(feed.version(), t0 + 11)
})
