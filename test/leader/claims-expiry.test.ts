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

test('[S5][R7] its time begins when the pod has ended that the list of pods lacks', async (t) => {
  // It began with the list, and was over when that pod was just gone.
  const world = await ClaimWorld.start(t, { claimExpiry: 10 * minute })
  const uid = world.put('node-1', 'web-0')
  const address = await world.untilBound('web-0', 'node-1')
  world.hidePod(uid)
  await world.clock.advance(20 * minute)
  world.kube.pods.remove(uid)
  await world.clock.advance(9 * minute)
  assert.equal(world.stateOf('web-0'), `Retained ${address}`)
  await world.until(() => world.claim('web-0')?.phase !== 'Retained', 2 * minute)
  assert.equal(world.claim('web-0')?.reason, 'Expired')
})

test('[S5][R7] its time ends when the next pod comes that no list shows', async (t) => {
  const world = await ClaimWorld.start(t, { claimExpiry: 10 * minute })
  const uid = world.put('node-1', 'web-0')
  const address = await world.untilBound('web-0', 'node-1')
  await world.end(uid)
  await world.clock.advance(9 * minute)
  const next = world.put('node-1', 'web-0', 2)
  world.hidePod(next)
  await world.clock.advance(5 * minute)
  world.kube.pods.remove(next)
  await world.clock.advance(9 * minute)
  assert.equal(world.stateOf('web-0'), `Retained ${address}`)
})
