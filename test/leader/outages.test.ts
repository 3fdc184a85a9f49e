// An hour without Kubernetes, without the cloud, or with a cloud that throttles nearly everything: few calls while it lasts,
// and soon well again, with nothing lost.
import assert from 'node:assert/strict'
import { type TestContext, test } from 'node:test'
import { type Faults, noFaults } from '../../internal/sim/vpc/settings.ts'
import { LeaderWorld } from './leader-world.ts'

const second = 1000
const minute = 60 * second
const nodes = Array.from({ length: 10 }, (_, i) => `n${i}`)

/** A leader with ten nodes, their pools filled. */
async function fleet(t: TestContext): Promise<LeaderWorld> {
  const world = new LeaderWorld(t, {}, '10.0.0.0/21')
  world.start()
  for (const node of nodes) world.addNode(node)
  await world.clock.advance(2 * minute)
  assert.equal(serving(world), nodes.length * 2)
  return world
}

const serving = (world: LeaderWorld) => nodes.reduce((sum, node) => sum + world.addresses(node).length, 0)

const calls = (world: LeaderWorld) =>
  Object.values(world.cloud.stats()).reduce((sum, one) => sum + one.calls, 0)

/** Lets an hour pass, with two more pods on every node after a minute; most calls to the cloud and most refusals in any one minute. */
async function anHour(world: LeaderWorld) {
  const most = { calls: 0, failures: 0 }
  for (let i = 0; i < 60; i++) {
    if (i === 1) for (const node of nodes) world.addPods(node, `${node}-a`, `${node}-b`)
    const before = calls(world)
    const failed = world.log.count('node reconcile failed')
    await world.clock.advance(minute)
    most.calls = Math.max(most.calls, calls(world) - before)
    most.failures = Math.max(most.failures, world.log.count('node reconcile failed') - failed)
  }
  return most
}

/** Seconds until every pod can have its address, ledger and cloud agree and the NECs say so. */
async function recovery(world: LeaderWorld): Promise<number> {
  const well = () => serving(world) === nodes.length * 4 && world.differences().length === 0
  for (let passed = 0; passed < 600; passed++) {
    if (well()) return passed
    await world.clock.advance(second)
  }
  assert.deepEqual(world.differences(), [])
  return assert.fail(`after ten minutes ${serving(world)} of ${nodes.length * 4} addresses serve`)
}

for (const { what, faults, calls: mostCalls, within } of [
  { what: 'refuses connections', faults: { outage: 'reset' }, calls: 80, within: 120 },
  { what: 'answers that it is not available', faults: { outage: 'unavailable' }, calls: 250, within: 120 },
  { what: 'never answers', faults: { outage: 'hang' }, calls: 80, within: 180 },
  { what: 'throttles nine calls of ten', faults: { throttle: { '*': 0.9 } }, calls: 150, within: 180 },
] satisfies readonly { what: string; faults: Partial<Faults>; calls: number; within: number }[])
  test(`[R5] [R6] the cloud ${what} for an hour`, async (t) => {
    const world = await fleet(t)
    world.cloud.setFaults(faults)
    const most = await anHour(world)
    world.cloud.setFaults(noFaults)
    const took = await recovery(world)
    t.diagnostic(`at most ${most.calls} calls to the cloud in a minute, well after ${took} s`)
    assert.ok(most.calls <= mostCalls, `${most.calls} calls in a minute`)
    assert.ok(took <= within, `${took} s`)
    assert.equal(world.cloudEnis().length, nodes.length)
  })

test('[R5] [R6] Kubernetes is away for an hour', async (t) => {
  const world = await fleet(t)
  world.kube.setOutage(true)
  const most = await anHour(world)
  assert.equal(world.cloudEnis().length, nodes.length, 'nothing is taken away')
  world.kube.setOutage(false)
  const took = await recovery(world)
  t.diagnostic(
    `at most ${most.calls} calls to the cloud and ${most.failures} failed looks in a minute, well after ${took} s`,
  )
  assert.ok(most.calls <= 10 && most.failures <= 2 * nodes.length)
  assert.ok(took <= 60, `${took} s`)
})

test('[R6] [R7] a node is deleted while its ENI is made and attached: it is given back', async (t) => {
  const world = new LeaderWorld(t, { leaveAfter: 5 * second })
  world.start()
  for (const wait of [500, 1500, 2500, 4000]) {
    const node = `n${wait}`
    world.addNode(node)
    await world.clock.advance(wait)
    world.kube.nodes.remove(node)
    await world.clock.advance(3 * minute)
    assert.deepEqual(world.differences(), [])
    assert.equal(world.cloudEnis().length, 0, `deleted after ${wait} ms`)
    assert.equal(world.ledger.node(node), undefined)
  }
})
