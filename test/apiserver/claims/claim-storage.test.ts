// Watches of claims over a log that has changes of EIPs, too.
import assert from 'node:assert/strict'
import { test } from 'node:test'
import { claimGroup } from '../../../internal/apiserver/claims/claim-objects.ts'
import { claimResource } from '../../../internal/apiserver/claims/claim-resources.ts'
import { claimStorage } from '../../../internal/apiserver/claims/claim-storage.ts'
import { beginChanges, claimFeed } from '../../../internal/store/leader/claim-feed.ts'
import { addEipClaim, changeEipClaim } from '../../../internal/store/leader/eip-claims.ts'
import { openLeader } from '../../store/open-ledgers.ts'
import { bound, insertClaim, t0 } from './claim-rows.ts'

test('watch() of claims passes over changes of EIPs, and comes to rest behind the last', async (t) => {
  const { clock, db } = openLeader(t)
  beginChanges(db, t0)
  const storage = claimStorage(claimFeed(db, clock), clock)
  t.after(() => storage.close())
  const collection = { group: claimGroup, resource: claimResource.resource, namespace: undefined }
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
