// The node agent on a full disk: it refuses in words what it cannot store, and goes on by itself.
import assert from 'node:assert/strict'
import { type TestContext, test } from 'node:test'
import { VirtualClock } from '../fake/virtual-clock.ts'
import { known } from '../given.ts'
import { publishedEni } from '../ipam/pools.ts'
import { NodeWorld } from './node-world.ts'

const second = 1000

async function started(t: TestContext) {
  const clock = new VirtualClock()
  const world = new NodeWorld(t, clock)
  world.publish([publishedEni(1, '1', '2', '3')])
  const agent = await clock.runUntil(world.start())
  await clock.advance(second)
  return { clock, world, agent }
}

test('[R6] [K3] ADD on a full disk fails in words, on the pod as well, and gives no address away', async (t) => {
  const { clock, world, agent } = await started(t)
  world.disk.full = true
  await assert.rejects(clock.runUntil(agent.add(world.sandbox('a'), undefined)), {
    code: 'storage',
    message: `Cannot use "${world.folder}/node.db": the disk is full`,
    hint: `make room on the file system of "${world.folder}"; a daemon goes on without help then`,
  })
  assert.deepEqual(world.ledger.attachments(), [])
  assert.match(known(agent.obstacle()), /^nothing can be stored in ".*node\.db": the disk is full$/)
  const told = known(world.notices.find(({ reason }) => reason === 'FailedAllocateAddress'))
  assert.match(told.message, /the disk is full; make room on/)

  await clock.advance(60 * second)
  assert.notEqual(agent.obstacle(), undefined, 'as long as it is full')
  world.disk.full = false
  await clock.advance(2 * second)
  assert.equal(agent.obstacle(), undefined)
  await clock.runUntil(agent.add(world.sandbox('a'), undefined))
  assert.equal(world.ledger.attachments().length, 1)
})

test('[R6] DEL on a full disk fails after the teardown, may be repeated, and the address has one owner all along', async (t) => {
  const { clock, world, agent } = await started(t)
  const a = world.sandbox('a')
  const { attachment } = await clock.runUntil(agent.add(a, undefined))
  world.disk.full = true
  world.kernel.namespaces.delete(a.netns)
  for (let i = 0; i < 3; i++)
    await assert.rejects(clock.runUntil(agent.remove(a)), { code: 'storage', message: /the disk is full/ })
  await clock.advance(60 * second)
  assert.deepEqual(
    world.ledger.attachments().map(({ address }) => address),
    [attachment.address],
    'nobody else can get it',
  )
  world.disk.full = false
  await clock.runUntil(agent.remove(a))
  assert.deepEqual(world.ledger.attachments(), [])
})

test('[R6] what the leader publishes to a full disk is followed once there is room', async (t) => {
  const { clock, world, agent } = await started(t)
  world.disk.full = true
  world.publish([publishedEni(1, '1', '2', '3', '4')])
  await clock.advance(60 * second)
  assert.equal(world.ledger.ips().length, 3)
  assert.match(known(agent.obstacle()), /the disk is full/)
  world.disk.full = false
  await clock.advance(3 * second)
  assert.equal(world.ledger.ips().length, 4)
  assert.ok(world.log.count('NEC not stored') < 70)
})
