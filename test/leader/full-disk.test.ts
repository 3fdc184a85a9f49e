// The leader on a full disk: it asks nothing of the cloud that it could not remember, says so, and goes on by itself.
import assert from 'node:assert/strict'
import { type TestContext, test } from 'node:test'
import { known } from '../given.ts'
import { LeaderWorld, podOn } from './leader-world.ts'

const second = 1000

async function filled(t: TestContext) {
  const world = new LeaderWorld(t)
  const leader = world.start()
  world.addNode('n1')
  await world.clock.advance(20 * second)
  return { world, leader }
}

const mutations = (world: LeaderWorld) => world.cloud.admin.audit(world.clock.now()).ips.length

test('[R6] [K3] on a full disk no cloud call is sent; node and health say why; it goes on when there is room', async (t) => {
  const { world, leader } = await filled(t)
  const before = mutations(world)
  world.disk.full = true
  world.addPods('n1', 'a', 'b', 'c')
  await world.clock.advance(120 * second)
  assert.equal(mutations(world), before)
  assert.deepEqual(world.ledger.openIntents(), [])
  assert.match(known(leader.obstacle()), /^nothing can be stored in ".*leader\.db": the disk is full$/)
  assert.equal(world.condition('n1'), 'LedgerNotWritable')
  const notice = known(world.kube.notices.find(({ reason }) => reason === 'LedgerNotWritable'))
  assert.match(
    notice.message,
    /^Cannot change the pool: on the leader, nothing can be stored in ".*": the disk is full$/,
  )
  assert.equal(
    world.reasons('n1').filter((each) => each.includes('LedgerNotWritable')).length,
    1,
    'told once',
  )

  world.disk.full = false
  await world.clock.advance(90 * second)
  assert.equal(leader.obstacle(), undefined)
  assert.equal(world.addresses('n1').length, 5)
  assert.equal(world.condition('n1'), 'PoolServed')
  assert.deepEqual(world.differences(), [])
})

test('[R2] [R6] what the cloud did while nothing could be stored is found out later', async (t) => {
  const { world } = await filled(t)
  world.addPods('n1', 'a', 'b', 'c')
  while (world.ledger.openIntents().length === 0) await world.clock.step()
  world.disk.full = true
  await world.clock.advance(300 * second)
  assert.notDeepEqual(world.ledger.openIntents(), [], 'it stays open')
  world.disk.full = false
  await world.clock.advance(60 * second)
  assert.equal(world.addresses('n1').length, 5)
  assert.deepEqual(world.differences(), [])
})

test('[R6] which pod has which address is noted when there is room again', async (t) => {
  const { world } = await filled(t)
  const address = known(world.addresses('n1')[0])
  world.disk.full = true
  world.kube.pods.put('uid-a', podOn('n1', 'a', { ip: address }))
  await world.clock.advance(30 * second)
  world.disk.full = false
  await world.clock.advance(5 * second)
  assert.equal(world.ledger.podAddresses().get(address), 'uid-a')
})
