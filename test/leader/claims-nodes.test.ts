// A node goes, and static addresses that were on its ENIs stay their pods'.
import assert from 'node:assert/strict'
import { test } from 'node:test'
import { known, warm } from '../given.ts'
import { ClaimWorld, minute, second } from './claim-world.ts'
import { podSubnet, vpcId, zone } from './leader-world.ts'

test('[S9] when a node is deleted its ENIs go, and claims keep their addresses by their reservations', async (t) => {
  const world = await ClaimWorld.start(t)
  const running = world.put('node-1', 'web-0')
  const resting = world.put('node-1', 'web-1')
  const addresses = [await world.untilBound('web-0', 'node-1'), await world.untilBound('web-1', 'node-1')]
  await world.end(resting)
  world.kube.pods.remove(running)
  world.kube.nodes.remove('node-1')
  await world.until(() => world.ledger.node('node-1') === undefined, 5 * minute)
  assert.deepEqual(world.cloudEnis(), [])
  assert.deepEqual(
    [world.stateOf('web-0'), world.stateOf('web-1')],
    addresses.map((one) => `Retained ${one}`),
  )
  assert.equal(world.reserved().length, 2)
  assert.deepEqual([world.claim('web-0')?.eniId, world.claim('web-1')?.eniId], [undefined, undefined])
  world.put('node-2', 'web-0', 2)
  world.put('node-2', 'web-1', 2)
  assert.equal(await world.untilBound('web-0', 'node-2'), addresses[0])
  assert.equal(await world.untilBound('web-1', 'node-2'), addresses[1])
  await world.clock.advance(3 * minute)
  assert.deepEqual([world.differences(), world.suspects()], [[], []])
})

test('[S9] a pod whose node was lost has its address elsewhere, once the node is given up', async (t) => {
  const world = await ClaimWorld.start(t)
  const uid = world.put('node-1', 'web-0')
  const address = await world.untilBound('web-0', 'node-1')
  world.kube.nodes.remove('node-1')
  world.kube.pods.remove(uid) // as the pod garbage collector does
  world.put('node-2', 'web-0', 2)
  await world.clock.advance(20 * second)
  assert.deepEqual(world.publishedFor('node-2', 'web-0'), [], 'the node may be alive')
  assert.equal(await world.untilBound('web-0', 'node-2'), address)
})

test('[S9] under the name of a node on another instance its pods have their addresses again', async (t) => {
  const world = await ClaimWorld.start(t)
  const uid = world.put('node-1', 'web-0')
  const address = await world.untilBound('web-0', 'node-1')
  world.show(uid, address)
  world.kube.pods.remove(uid)
  world.kube.nodes.remove('node-1')
  world.addNode('node-1', 'S5.MEDIUM4')
  world.put('node-1', 'web-0', 2)
  await world.until(() => world.claim('web-0')?.phase !== 'Bound')
  assert.equal(await world.untilBound('web-0', 'node-1'), address)
  await world.clock.advance(3 * minute)
  assert.deepEqual(world.differences(), [])
})

test('[S4] a static pod has an address of the subnet of the ENIs that its node has, when that takes no other', async (t) => {
  const larger = 'subnet-00larger'
  const world = ClaimWorld.of(t, { subnetIds: [podSubnet, larger] })
  world.cloud.admin.createSubnet({ id: larger, vpcId, cidr: '10.0.4.0/22', zone }, world.clock.now())
  world.addNode('node-3', 'SA2.SMALL1') // one ENI with five addresses
  world.start()
  const there = { claim: { nominatedSubnets: [podSubnet] } }
  const [first] = [0, 1, 2, 3, 4].map((n) => world.put('node-3', `web-${n}`, 1, there))
  for (const n of [0, 1, 2, 3, 4]) await world.untilBound(`web-${n}`, 'node-3')
  await world.end(known(first))
  world.put('node-3', 'web-9')
  await world.untilBound('web-9', 'node-3')
  assert.equal(world.claim('web-9')?.subnetId, podSubnet)
})

test('[S4][X3] a static pod comes before warm addresses on a full node: they are asked for, and it has the place of one', async (t) => {
  const world = await ClaimWorld.start(t, { defaults: warm(3, 4) })
  world.addNode('node-3', 'SA2.SMALL1')
  world.addPods('node-3', 'job-1', 'job-2')
  await world.until(() => world.addresses('node-3').length === 5)
  world.put('node-3', 'web-0')
  const most = () => world.published('node-3')[0]?.mostOfPool
  await world.until(() => most() !== undefined)
  assert.equal(most(), 4)
  await world.clock.advance(minute)
  assert.deepEqual([most(), world.addresses('node-3').length], [4, 5])
  world.giveBack(
    'node-3',
    world.published('node-3').flatMap(({ ips }) => ips.slice(0, 1)),
  )
  const address = await world.untilBound('web-0', 'node-3')
  await world.clock.advance(minute)
  assert.equal(world.addresses('node-3').length, 5)
  assert.ok(world.addresses('node-3').includes(address))
  assert.equal(most(), undefined)
})
