// The ledger is lost with static claims in it: reservations and NECs bring them back.
import assert from 'node:assert/strict'
import { test } from 'node:test'
import { known } from '../given.ts'
import { ClaimWorld, minute, second } from './claim-world.ts'

test('[R4] claims of running pods, and those without a pod, are there again with their addresses', async (t) => {
  const world = await ClaimWorld.start(t, { claimExpiry: 30 * minute })
  const uids = ['web-0', 'web-1', 'web-2'].map((name) => world.put('node-1', name))
  const addresses = []
  for (const name of ['web-0', 'web-1', 'web-2']) addresses.push(await world.untilBound(name, 'node-1'))
  world.show(known(uids[0]), known(addresses[0]))
  await world.end(known(uids[1])) // stays on its ENI
  await world.end(known(uids[2]))
  await world.clock.advance(5 * minute) // leaves it
  assert.equal(world.publishedFor('node-1', 'web-2').length, 0)
  await world.clock.advance(20 * minute)
  world.loseLedger()
  const { writes } = world.kube
  world.start()
  await world.clock.advance(20 * second)
  assert.equal(world.kube.writes, writes, 'no NEC says anything else')
  assert.deepEqual(
    ['web-0', 'web-1', 'web-2'].map((name) => world.stateOf(name)),
    [`Bound ${addresses[0]}`, `Retained ${addresses[1]}`, `Retained ${addresses[2]}`],
  )
  assert.equal(world.claim('web-0')?.podUid, uids[0])
  await world.clock.advance(28 * minute)
  assert.equal(world.stateOf('web-2'), `Retained ${addresses[2]}`, 'its time began anew')
  world.put('node-2', 'web-2', 2)
  assert.equal(await world.untilBound('web-2', 'node-2'), addresses[2])
  await world.clock.advance(5 * minute)
  assert.equal(world.stateOf('web-1'), 'none', 'its time is over')
  assert.deepEqual(new Set(world.reserved()), new Set([addresses[0], addresses[2]]))
  assert.deepEqual(world.differences(), [])
})

test('[R4] an address that was put on its ENI last, and is in no NEC yet, comes to its pod and to no pool', async (t) => {
  const world = await ClaimWorld.start(t)
  world.put('node-1', 'web-0')
  await world.untilBound('web-0', 'node-1')
  world.put('node-1', 'web-1')
  const isThere = () =>
    world.cloud.admin
      .audit(world.clock.now())
      .ips.filter(({ primary, state }) => !primary && state === 'AVAILABLE').length === 2
  for (let i = 0; i < 400 && !isThere(); i++) await world.clock.advance(50)
  assert.equal(isThere(), true)
  world.loseLedger()
  assert.deepEqual(world.publishedFor('node-1', 'web-1'), [])
  world.start()
  await world.untilBound('web-1', 'node-1')
  await world.clock.advance(3 * minute)
  assert.equal(world.reserved().length, 2, 'nothing was reserved in its place')
  assert.deepEqual(world.differences(), [])
  assert.deepEqual(world.suspects(), [])
})

test('[R4] what the pod says of its address, and which workload it goes with, outlives the ledger', async (t) => {
  const world = await ClaimWorld.start(t)
  const uid = world.put('node-1', 'web-0', 1, { claim: { expireAfter: 60 * minute } })
  await world.untilBound('web-0', 'node-1')
  await world.end(uid)
  world.loseLedger()
  world.start()
  await world.clock.advance(20 * second)
  assert.equal(world.claim('web-0')?.expireAfter, 60 * minute)
})
