import assert from 'node:assert/strict'
import { type TestContext, test } from 'node:test'
import { createClaimRelease } from '../../../internal/leader/claims/release-claim.ts'
import type { ReleaseRequest } from '../../../internal/ports.ts'
import {
  bound,
  type ClaimValues,
  insertClaim,
  pending,
  retained,
  updateClaim,
} from '../../apiserver/claims/claim-rows.ts'
import { openLeader } from '../../store/open-ledgers.ts'
import { noPods } from '../release.ts'

const pod = { namespace: 'default', name: 'web-0' }

function given(t: TestContext, claim: ClaimValues) {
  const { clock, db, ledger } = openLeader(t)
  insertClaim(db, claim)
  const woken: string[] = []
  const { release } = createClaimRelease({
    ...noPods,
    ledger,
    wake: ({ name }) => void woken.push(name),
  })
  const now = () => ledger.claim(pod)
  const ask = (more: Partial<ReleaseRequest> = {}) => {
    const { key = 0, generation = 0 } = now() ?? {}
    return clock.runUntil(release({ pod, key, generation, ...more }))
  }
  return { db, now, ask, woken }
}

test('[S6] release() lets a claim without its pod go, and wakes its keeper', async (t) => {
  const { ask, now, woken } = given(t, retained('web-0', '10.0.0.5', { expires_at: 5 }))
  assert.equal(await ask({ dryRun: true }), 'releasing')
  assert.equal(now()?.phase, 'Retained')
  assert.equal(await ask({ version: now()?.version }), 'releasing')
  assert.partialDeepStrictEqual(now(), { phase: 'Releasing', reason: 'Deleted', address: '10.0.0.5' })
  assert.equal(await ask(), 'releasing')
  assert.deepEqual(woken, ['web-0'])
})

for (const { what, claim, more, refused, forceHelps = false } of [
  {
    what: 'a pod that runs',
    claim: bound('web-0', '10.0.0.5'),
    more: {},
    refused: /on node "node-1" and would lose/,
    forceHelps: true,
  },
  {
    what: 'a pod that waits',
    claim: pending('web-0'),
    more: {},
    refused: /would lose its network/,
    forceHelps: true,
  },
  {
    what: 'what goes with its pod',
    claim: bound('web-0', '10.0.0.5', { policy: 'Immediate' }),
    more: {},
    refused: /the claim ends with it/,
  },
  {
    what: 'what goes with its pod, by force',
    claim: bound('web-0', '10.0.0.5', { policy: 'Immediate' }),
    more: { force: true },
    refused: /the claim ends with it/,
  },
  {
    what: 'an earlier pod',
    claim: retained('web-0', '10.0.0.5'),
    more: { generation: 7 },
    refused: /changed meanwhile/,
  },
  {
    what: 'an earlier state',
    claim: retained('web-0', '10.0.0.5'),
    more: { version: 7 },
    refused: /changed meanwhile/,
  },
]) {
  test(`[S6] release() refuses ${what}`, async (t) => {
    const { ask, now } = given(t, claim)
    const outcome = await ask(more)
    assert.ok(typeof outcome === 'object')
    assert.match(outcome.refused, refused)
    assert.equal(outcome.forceHelps, forceHelps)
    assert.notEqual(now()?.phase, 'Releasing')
  })
}

test('[S6] release() takes the address of a pod that runs when it is forced', async (t) => {
  const { ask, now } = given(t, bound('web-0', '10.0.0.5'))
  assert.equal(await ask({ force: true }), 'releasing')
  assert.partialDeepStrictEqual(now(), { phase: 'Releasing', podUid: undefined })
})

test('release() leaves a claim alone that a new pod has made meanwhile', async (t) => {
  const { ask, db, now } = given(t, retained('web-0', '10.0.0.5'))
  const earlier = now()?.key ?? 0
  db.run('DELETE FROM claim')
  insertClaim(db, retained('web-0', '10.0.0.6'))
  updateClaim(db, 'web-0', { message: 'the next one' })
  assert.equal(await ask({ key: earlier }), 'releasing')
  assert.equal(now()?.phase, 'Retained')
})
