// Watches of claims over a log that has changes of EIPs, too.
import assert from 'node:assert/strict'
import { test } from 'node:test'
import { claimGroup } from '../../../internal/apiserver/claims/claim-objects.ts'
import { claimResource } from '../../../internal/apiserver/claims/claim-resources.ts'
import { claimStorage } from '../../../internal/apiserver/claims/claim-storage.ts'
import { beginChanges, claimFeed } from '../../../internal/store/leader/claim-feed.ts'
import { addEipClaim, changeEipClaim } from '../../../internal/store/leader/eip-claims.ts'
import { markRestored } from '../../../internal/store/mark-restored.ts'
import { openLeader } from '../../store/open-ledgers.ts'
import { bound, deleteClaim, insertClaim, t0 } from './claim-rows.ts'

const collection = { group: claimGroup, resource: claimResource.resource, namespace: undefined }

test('watch() of claims passes over changes of EIPs, and comes to rest behind the last', async (t) => {
  const { clock, db } = openLeader(t)
  beginChanges(db, t0)
  const storage = claimStorage(claimFeed(db, clock), clock)
  t.after(() => storage.close())
  const seen: string[] = []
  const { position } = storage.watch(collection, t0, ({ object, type }) =>
    seen.push(`${type} ${object.metadata.name}`),
  )
  const claim = addEipClaim(db, t0, {
    ...{ namespace: 'default', name: 'a', uid: 'u', podUid: 'p', node: 'n', owner: undefined },
    wish: { source: 'specified', ids: ['eip-a'], ordinal: 0, policy: 'Immediate', expireAfter: undefined },
  })
  insertClaim(db, bound('a', '10.0.0.1'))
  changeEipClaim(db, t0, claim, { eipId: 'eip-a', phase: 'Attaching' })
  storage.changed()
  await clock.advance(1000)
  assert.deepEqual(seen, ['ADDED a'])
  assert.deepEqual([position(), storage.revision()], [t0 + 3, t0 + 3])
})

// Changes of the rebuild had numbers that the lost ledger had given as well: a watch from one of these missed what came before it.
test('[R4] after a backup was put in place every watch begins anew, whatever was lost with the ledger', (t) => {
  const { clock, db } = openLeader(t)
  beginChanges(db, t0)
  for (const name of ['a', 'b', 'c']) insertClaim(db, bound(name, `10.0.0.${name.charCodeAt(0)}`))
  const feed = claimFeed(db, clock)
  const backedUp = feed.version()
  markRestored(db, 'leader', 'now')
  beginChanges(db, t0 + 60_000)
  for (const name of ['a', 'b', 'c']) deleteClaim(db, name)
  for (const name of ['a', 'b']) insertClaim(db, bound(name, `10.0.0.${name.charCodeAt(0)}`))
  const storage = claimStorage(feed, clock)
  t.after(() => storage.close())
  for (const lost of [0, 1, 2, 5, 1000])
    assert.throws(() => storage.watch(collection, backedUp + lost, () => {}), { code: 410 })
  assert.deepEqual(
    storage.list(collection).items.map(({ metadata }) => metadata.name),
    ['a', 'b'],
  )
  assert.deepEqual([feed.oldest(), feed.version()], [t0 + 60_000, t0 + 60_005])
})
