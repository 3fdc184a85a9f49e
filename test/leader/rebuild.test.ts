// The leader's database is lost while pods run: the new one says the same, and no node notices.
import assert from 'node:assert/strict'
import { type TestContext, test } from 'node:test'
import { noFaults } from '../../internal/sim/vpc/settings.ts'
import { known } from '../given.ts'
import { LeaderWorld, podOn } from './leader-world.ts'

const second = 1000
const minute = 60 * second

/** Two nodes, five pods that show their addresses. */
async function running(t: TestContext) {
  const world = new LeaderWorld(t, { surveyEvery: minute })
  world.start()
  world.addNode('n1', 'SA2.MEDIUM4')
  world.addNode('n2', 'SA2.MEDIUM4')
  world.addPods('n1', ...Array.from({ length: 12 }, (_, i) => `p${i}`))
  await world.clock.advance(minute)
  world
    .addresses('n1')
    .slice(0, 12)
    .forEach((ip, i) => {
      world.kube.pods.put(`uid-p${i}`, podOn('n1', `p${i}`, { ip }))
    })
  await world.clock.advance(minute)
  assert.equal(world.addresses('n1').length, 14)
  return world
}

test('[R4] a lost ledger is rebuilt row for row, and no NEC is written for it', async (t) => {
  const world = await running(t)
  const before = world.dump()
  world.loseLedger()
  const { writes } = world.kube
  const leader = world.start()
  assert.equal(leader.ready(), false)
  await world.clock.advance(minute)
  assert.equal(leader.ready(), true)
  assert.deepEqual(world.dump(), before)
  assert.equal(world.kube.writes, writes)
  assert.deepEqual(world.suspects(), [])
  assert.deepEqual(world.differences(), [])
})

test('[R4] grants go on above every grant that anybody knows', async (t) => {
  const world = await running(t)
  const returned = { address: known(world.addresses('n2')[0]), grant: 4711 }
  world.giveBack('n2', [returned])
  world.loseLedger()
  world.start()
  await world.clock.advance(10 * second)
  world.addPods('n2', 'one-more')
  await world.clock.advance(minute)
  const grants = world.published('n2').flatMap(({ ips }) => ips.map(({ grant }) => grant))
  assert.ok(Math.max(...grants) > 4711)
})

test('[R2][R4] whatever was under way when it was lost, ledger and cloud agree again', async (t) => {
  for (let at = 20; at <= 4000; at += 190) {
    await t.test(`${at} ms in`, async (tt) => {
      const world = new LeaderWorld(tt, { surveyEvery: minute })
      world.start()
      world.addNode('n1', 'SA2.MEDIUM4')
      await world.clock.advance(at)
      world.addPods('n1', 'a', 'b', 'c', 'd', 'e')
      await world.clock.advance(at)
      world.loseLedger()
      await world.clock.advance(100)
      world.start()
      await world.clock.advance(4 * minute)
      assert.deepEqual(world.differences(), [])
      assert.deepEqual(world.suspects(), [])
      assert.ok(world.addresses('n1').length >= 7, `${world.addresses('n1').length} addresses`)
    })
  }
})

test('[R4] addresses that were bound last, and are in no NEC yet, come into the pool at once, when two views agree', async (t) => {
  const world = await running(t)
  const inNec = new Set(world.addresses('n2'))
  world.addPods('n2', ...Array.from({ length: 6 }, (_, i) => `more${i}`))
  const bound = () =>
    world.cloud.admin
      .audit(world.clock.now())
      .ips.filter(({ primary, state }) => !primary && state === 'AVAILABLE').length
  const before = bound()
  while (bound() < before + 6) await world.clock.advance(50)
  world.loseLedger()
  await world.clock.advance(second)
  assert.deepEqual(new Set(world.addresses('n2')), inNec)
  world.start()
  await world.clock.advance(10 * second)
  assert.equal(world.addresses('n2').length, inNec.size + 6)
  assert.equal(bound(), before + 6, 'nothing was bound in their place')
  assert.deepEqual(world.differences(), [])
})

test('[R7] a list that lacks NECs takes no address from a node: the cloud names it, and its NEC is asked for', async (t) => {
  const world = await running(t)
  const before = world.addresses('n2')
  world.loseLedger()
  world.cloud.setFaults({ outage: 'unavailable' })
  world.start()
  await world.clock.advance(second)
  world.kube.nodes.breakWatches(() => true)
  world.kube.necs.breakWatches((name) => name === 'n2')
  await world.clock.advance(3 * minute)
  world.cloud.setFaults(noFaults)
  await world.clock.advance(minute)
  assert.equal(world.ledger.complete(), false)
  assert.deepEqual(world.addresses('n2'), before)
  world.kube.breakWatches()
  await world.clock.advance(5 * minute)
  assert.deepEqual(world.addresses('n2'), before)
  assert.deepEqual(world.differences(), [])
})

test('[R4] ENIs of a node that left meanwhile are given back, its NEC goes', async (t) => {
  const world = await running(t)
  world.loseLedger()
  world.kube.nodes.remove('n2')
  world.start()
  await world.clock.advance(5 * minute)
  assert.deepEqual(
    world.ledger.nodes().map(({ name }) => name),
    ['n1'],
  )
  assert.equal(world.kube.necs.items.get('n2'), undefined)
  assert.deepEqual(world.differences(), [])
})

test('[R4] a cluster identifier that is not the one of the NECs is refused, and nothing is changed', async (t) => {
  const world = await running(t)
  world.loseLedger()
  const { writes } = world.kube
  Object.assign(world.settings, { clusterId: 'cls-other' })
  const leader = world.start()
  await world.clock.advance(5 * minute)
  assert.equal(leader.ready(), false)
  assert.equal(world.kube.writes, writes)
  assert.match(known(leader.obstacle()), /has the tag of cluster "cls-test"; check --cluster-id$/)
})
