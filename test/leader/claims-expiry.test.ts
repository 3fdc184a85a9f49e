// `--claim-expired-duration` comes, goes and changes while addresses are kept.
import assert from 'node:assert/strict'
import { test } from 'node:test'
import { ClaimWorld, minute } from './claim-world.ts'

test('[S5] addresses that are kept already follow the setting when it comes and goes while the leader runs', async (t) => {
  const world = await ClaimWorld.start(t)
  const uid = world.put('node-1', 'web-0')
  const address = await world.untilBound('web-0', 'node-1')
  await world.end(uid)
  await world.clock.advance(60 * minute)
  world.reload({ claimExpiry: 10 * minute })
  await world.clock.advance(9 * minute)
  assert.equal(world.stateOf('web-0'), `Retained ${address}`, 'the hour before counts for nothing')
  world.reload({ claimExpiry: undefined })
  await world.clock.advance(30 * minute)
  assert.equal(world.stateOf('web-0'), `Retained ${address}`)
  world.reload({ claimExpiry: 10 * minute })
  await world.clock.advance(9 * minute)
  assert.equal(world.stateOf('web-0'), `Retained ${address}`)
  await world.until(() => world.claim('web-0') === undefined, 4 * minute)
  assert.deepEqual([world.stateOf('web-0'), world.reserved()], ['none', []])
})

test('[S5][R7] the address of a pod that the list of pods lacks does not expire', async (t) => {
  const world = await ClaimWorld.start(t, { claimExpiry: 10 * minute })
  const uid = world.put('node-1', 'web-0')
  const address = await world.untilBound('web-0', 'node-1')
  world.hidePod(uid)
  await world.clock.advance(30 * minute)
  assert.equal(world.stateOf('web-0'), `Retained ${address}`)
  world.kube.breakWatches()
  await world.until(() => world.claim('web-0')?.phase === 'Bound')
  assert.equal(world.stateOf('web-0'), `Bound ${address}`)
})
