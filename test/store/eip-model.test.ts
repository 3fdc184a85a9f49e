// Everything that plan-eip.ts leads to in its small world is stored by a real ledger: the schema refuses none of it.
import assert from 'node:assert/strict'
import { test } from 'node:test'
import type { EipClaim } from '../../internal/ipam/eip-claim.ts'
import { podText } from '../../internal/ipam/pod-need.ts'
import { leaderInvariants } from '../../internal/store/invariants/leader.ts'
import {
  addEipClaim,
  changeEipClaim,
  findEipClaim,
  removeEipClaim,
} from '../../internal/store/leader/eip-claims.ts'
import { EipModel } from '../ipam/eip-model.ts'
import { openLeader } from './open-ledgers.ts'

const none = { podUid: undefined, node: undefined } as const

/** What the world and the ledger must have alike. */
function alike(row: EipClaim | undefined) {
  if (row === undefined) return undefined
  const { acted, actedAt, answered, address, allocateToken, eipId, eniId, phase, podUid, privateIp } = row
  return { acted, actedAt, answered, address, allocateToken, eipId, eniId, phase, podUid, privateIp }
}

for (const seed of [1, 2, 3, 4])
  test(`[R1] [R2] the ledger stores what becomes of EIPs, seed ${seed}`, (t) => {
    const { clock, db } = openLeader(t)
    const model = new EipModel(seed)
    let changes = 0
    model.stored = (before, after) => {
      const now = clock.now()
      const stored = before && findEipClaim(db, before)
      changes++
      if (stored === undefined) {
        const {
          name,
          namespace,
          node = '',
          owner,
          podUid = '',
          uid,
          wish,
        } = after ?? assert.fail('it was never there')
        addEipClaim(db, now, { namespace, name, node, owner, podUid, uid, wish })
      } else if (after !== undefined) {
        const { key, version, createdAt, changedAt, ...change } = after
        changeEipClaim(db, now, stored, change)
      } else removeEipClaim(db, now, changeEipClaim(db, now, stored, { ...none, phase: 'Releasing' }))
      const row = after ?? before
      assert.deepEqual(alike(row && findEipClaim(db, row)), alike(after), row && podText(row))
    }
    for (let i = 0; i < 800; i++) model.step()
    assert.ok(changes > 100)
    for (const { name, sql } of leaderInvariants) assert.deepEqual(db.all(sql), [], name)
  })
