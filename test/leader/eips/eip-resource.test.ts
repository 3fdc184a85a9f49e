// How many EIPs pods of a node can have: what its instance takes, but one.
import assert from 'node:assert/strict'
import { test } from 'node:test'
import { EipWorld, minute, second } from './eip-world.ts'

test('[E5] a NEC says how many EIPs pods of the node can have: one less than its instance takes', async (t) => {
  const world = EipWorld.of(t)
  world.addNode('node-3', 'S5.4XLARGE32')
  world.start()
  await world.clock.advance(10 * second)
  const eipsOf = (node: string) => world.kube.necs.items.get(node)?.publication?.eips
  assert.deepEqual([eipsOf('node-1'), eipsOf('node-3')], [1, 3])
})

test('[E5] [R10] a ledger from before learns it, and a rebuilt one has it from the NECs', async (t) => {
  const world = await EipWorld.start(t)
  world.crash()
  world.db.run('UPDATE node SET quota_eips = 0')
  world.start()
  await world.until(() => world.ledger.node('node-1')?.quota.eips === 1)
  assert.equal(world.ledger.node('node-1')?.quota.eips, 1)
  world.loseLedger()
  world.start()
  await world.clock.advance(minute)
  assert.equal(world.ledger.node('node-1')?.quota.eips, 1)
})
