// Where the role may not reserve addresses: they stay on ENIs, and move from one to another in one step.

import assert from 'node:assert/strict'
import { type TestContext, test } from 'node:test'
import { noFaults } from '../../internal/sim/vpc/settings.ts'
import { known } from '../given.ts'
import { ClaimWorld, minute, second } from './claim-world.ts'
import { releaseNow } from './release.ts'

/** As TKE's own role. */
const noPermission = {
  ...noFaults,
  deny: { CreateReserveIpAddresses: 1, DescribeReserveIpAddresses: 1, DeleteReserveIpAddresses: 1 },
}

async function parkedWorld(t: TestContext, settings = {}): Promise<ClaimWorld> {
  const world = await ClaimWorld.start(t, settings)
  world.cloud.setFaults(noPermission)
  return world
}

async function untilParked(world: ClaimWorld, name: string, node: string) {
  await world.until(() => world.claim(name)?.phase === 'Bound' && world.claim(name)?.node === node)
  const claim = known(world.claim(name))
  assert.deepEqual([claim.phase, claim.node, claim.reason], ['Bound', node, 'Parked'])
  await world.until(() => world.publishedFor(node, name).length > 0)
  assert.deepEqual(
    world.publishedFor(node, name).map(({ address }) => address),
    [claim.address],
  )
  return known(claim.address)
}

/** The ENI in the cloud that has it. */
const eniOf = (world: ClaimWorld, address: string) =>
  world.cloud.admin.audit(world.clock.now()).ips.find((ip) => ip.address === address)?.eniId

/** How often a move was begun. */
const moves = (world: ClaimWorld) => world.db.all(`SELECT id FROM intent WHERE kind = 'migrate'`).length

test('[S13] a static pod gets an address of an ENI, that is never one of the pool', async (t) => {
  const world = await parkedWorld(t)
  let inPool = 0
  world.kube.necs.witness = (nec) => {
    for (const { ips } of nec.publication?.enis ?? [])
      inPool += ips.filter(({ claim }) => claim === undefined).length
  }
  world.put('node-1', 'web-0')
  world.put('node-1', 'web-1')
  const addresses = [await untilParked(world, 'web-0', 'node-1'), await untilParked(world, 'web-1', 'node-1')]
  assert.equal(new Set(addresses).size, 2)
  assert.equal(world.cloudEnis().length, 1)
  assert.deepEqual([inPool, world.reserved()], [0, []])
  await world.clock.advance(3 * minute)
  assert.deepEqual(world.differences(), [])
  assert.deepEqual(world.suspects(), [])
})

test('[S13] after its pod it stays on its ENI, however long, and is there for the next one', async (t) => {
  const world = await parkedWorld(t)
  const uid = world.put('node-1', 'web-0')
  const address = await untilParked(world, 'web-0', 'node-1')
  await world.end(uid)
  await world.clock.advance(30 * minute)
  assert.equal(world.stateOf('web-0'), `Retained ${address}`)
  assert.equal(world.claim('web-0')?.reason, 'Parked')
  assert.equal(world.cloudEnis().length, 1)
  world.put('node-1', 'web-0', 2)
  assert.equal(await untilParked(world, 'web-0', 'node-1'), address)
})

test('[S13][R7] it moves to the node of its pod in one step, once the node before has given it back', async (t) => {
  const world = await parkedWorld(t)
  const uid = world.put('node-1', 'web-0')
  const address = await untilParked(world, 'web-0', 'node-1')
  const its = world.publishedFor('node-1', 'web-0')
  world.kube.pods.remove(uid)
  world.put('node-2', 'web-0', 2)
  await world.clock.advance(2 * minute)
  assert.equal(world.claim('web-0')?.reason, 'StaticIPInUse')
  const before = eniOf(world, address)
  let nowhere = 0
  world.giveBack('node-1', its)
  for (let i = 0; i < 600 && world.claim('web-0')?.phase !== 'Bound'; i++) {
    await world.clock.advance(100)
    if (eniOf(world, address) === undefined) nowhere++
  }
  assert.equal(await untilParked(world, 'web-0', 'node-2'), address)
  assert.notEqual(eniOf(world, address), before)
  assert.equal(nowhere, 0, 'nobody else could have taken it')
  await world.clock.advance(3 * minute)
  assert.equal(world.cloudEnis().length, 1, 'the ENI that it left has nothing to carry')
  assert.deepEqual(world.differences(), [])
})

for (const { does, faults } of [
  { does: 'its answer is lost', faults: { loseNextAnswers: { MigratePrivateIpAddress: 1 } } },
  { does: 'the request is lost', faults: { lostRequests: { MigratePrivateIpAddress: 1 } } },
  { does: 'the task fails', faults: { failTasks: { MigratePrivateIpAddress: 1 } } },
]) {
  test(`[S13][R2] a move ends well when ${does}`, async (t) => {
    const world = await parkedWorld(t)
    const uid = world.put('node-1', 'web-0')
    const address = await untilParked(world, 'web-0', 'node-1')
    await world.end(uid)
    world.cloud.setFaults({ ...noPermission, ...faults })
    world.put('node-2', 'web-0', 2)
    await world.until(() => world.ledger.openIntents().some(({ kind }) => kind === 'migrate'))
    await world.clock.advance(3 * second)
    world.cloud.setFaults(noPermission)
    assert.equal(await untilParked(world, 'web-0', 'node-2'), address)
    assert.ok(moves(world) >= 1)
    await world.clock.advance(3 * minute)
    assert.deepEqual(world.differences(), [])
  })
}

test('[S13][R2] a leader that dies in the middle of a move finds out what became of it', async (t) => {
  for (let at = 50; at <= 1500; at += 290) {
    await t.test(`${at} ms in`, async (tt) => {
      const world = await parkedWorld(tt)
      const uid = world.put('node-1', 'web-0')
      const address = await untilParked(world, 'web-0', 'node-1')
      await world.end(uid)
      world.put('node-2', 'web-0', 2)
      await world.until(() => world.ledger.openIntents().some(({ kind }) => kind === 'migrate'))
      await world.clock.advance(at)
      world.crash()
      world.start()
      assert.equal(await untilParked(world, 'web-0', 'node-2'), address)
      assert.equal(moves(world), 1)
      await world.clock.advance(3 * minute)
      assert.deepEqual(world.differences(), [])
    })
  }
})

test('[S13][S9] when its node leaves it goes to an ENI of another node first', async (t) => {
  const world = await parkedWorld(t)
  const uid = world.put('node-1', 'web-0')
  world.put('node-2', 'web-1')
  const address = await untilParked(world, 'web-0', 'node-1')
  await untilParked(world, 'web-1', 'node-2')
  world.kube.pods.remove(uid)
  world.kube.nodes.remove('node-1')
  await world.until(() => world.ledger.node('node-1') === undefined, 5 * minute)
  assert.equal(world.stateOf('web-0'), `Retained ${address}`)
  assert.equal(world.ledger.nodeOf(address), 'node-2')
  const holder = world.ledger.pool('node-2')?.enis.find(({ ips }) => ips.some((ip) => ip.address === address))
  assert.equal(world.claim('web-0')?.eniId, holder?.id)
  assert.equal(world.ledger.node('node-1'), undefined)
  assert.deepEqual(world.differences(), [])
})

// Incident: an ENI was full of addresses that the ledger did not know, and a parked one was to move to it many times a second, for ever. No survey
// judges what is worked on: it never learned of them, and the node never left.
test('[S13][R5] an ENI that refuses it is tried seldom enough for surveys to see why', async (t) => {
  const world = await parkedWorld(t)
  const uid = world.put('node-1', 'web-0')
  world.put('node-2', 'web-1')
  const address = await untilParked(world, 'web-0', 'node-1')
  const full = known(eniOf(world, await untilParked(world, 'web-1', 'node-2')))
  world.kube.pods.remove(uid)
  world.kube.nodes.remove('node-1')
  await world.clock.advance(20 * second)
  assert.ok(world.console.assign(full, 8))
  await world.clock.advance(5 * minute)
  assert.ok(moves(world) < 10, `${moves(world)} moves`)
  assert.deepEqual(world.differences(), [])
  assert.equal(eniOf(world, address), undefined, 'there is no place for it')
})

// Incident: an ENI was taken off its node, and the instance made smaller meanwhile. It was attached in vain every minute, for ever, beside one with room.
for (const ended of [false, true])
  test(`[S13] it leaves an ENI that its node has no place for any more${ended ? ', also without a pod' : ''}`, async (t) => {
    const world = await parkedWorld(t)
    const pods = Array.from({ length: 9 }, (_, i) => `pod-${i}`)
    world.addPods('node-1', ...pods)
    await world.until(() => world.published('node-1').some(({ ips }) => ips.length === 9))
    const [first] = world.published('node-1')
    const uid = world.put('node-1', 'web-0')
    const address = await untilParked(world, 'web-0', 'node-1')
    const before = known(eniOf(world, address))
    assert.notEqual(before, known(first).id)
    if (ended) await world.end(uid)
    for (const name of pods.slice(1)) world.kube.pods.remove(`uid-${name}`)
    await world.clock.advance(second)
    const its = world.kube.necs.items.get('node-1')?.report?.returned ?? []
    world.giveBack('node-1', [...its, ...known(first).ips.slice(1)])
    await world.until(() =>
      world.published('node-1').some(({ ips, id }) => id === first?.id && ips.length === 1),
    )
    const { instanceId } = known(world.ledger.node('node-1'))
    world.console.detach(before, instanceId)
    world.cloud.admin.resizeInstance(instanceId, 'SA2.SMALL1')
    let nowhere = 0
    await world.until(() => {
      if (eniOf(world, address) === undefined) nowhere++
      return world.cloudEnis().length === 1
    }, 15 * minute)
    assert.deepEqual([eniOf(world, address), nowhere, moves(world)], [first?.id, 0, 1])
    assert.equal(world.stateOf('web-0'), `${ended ? 'Retained' : 'Bound'} ${address}`)
    await world.clock.advance(3 * minute)
    assert.deepEqual(world.differences(), [])
  })

test('[S13] with no place for it the claim says that nothing keeps it, and has it kept when that is allowed', async (t) => {
  const world = await parkedWorld(t)
  const uid = world.put('node-1', 'web-0')
  const address = await untilParked(world, 'web-0', 'node-1')
  world.kube.pods.remove(uid)
  world.kube.nodes.remove('node-1')
  await world.until(() => world.ledger.node('node-1') === undefined, 5 * minute)
  await world.clock.advance(minute)
  assert.equal(world.stateOf('web-0'), `Retained ${address}`)
  assert.equal(world.claim('web-0')?.reason, 'Unreserved')
  assert.ok(world.podReasons('web-0').includes('StaticIPUnreserved'))
  world.cloud.setFaults(noFaults)
  await world.clock.advance(7 * minute)
  assert.deepEqual([world.claim('web-0')?.reason, world.reserved()], ['', [address]])
})

test('[S13] when the permission comes, later claims are reserved', async (t) => {
  const world = await parkedWorld(t)
  world.put('node-1', 'web-0')
  await untilParked(world, 'web-0', 'node-1')
  world.cloud.setFaults(noFaults)
  await world.clock.advance(6 * minute)
  world.put('node-1', 'web-1')
  await world.untilBound('web-1', 'node-1')
  assert.equal(world.reserved().length, 1)
})

test('[R4] a parked address outlives the ledger by its NEC', async (t) => {
  const world = await parkedWorld(t)
  const uid = world.put('node-1', 'web-0')
  const address = await untilParked(world, 'web-0', 'node-1')
  await world.end(uid)
  world.loseLedger()
  world.start()
  await world.clock.advance(minute)
  assert.equal(world.stateOf('web-0'), `Retained ${address}`)
  world.put('node-2', 'web-0', 2)
  assert.equal(await untilParked(world, 'web-0', 'node-2'), address)
})

test('[S13][R4] one that moves while the ledger is lost is still kept for its pod', async (t) => {
  const world = await parkedWorld(t)
  const uid = world.put('node-1', 'web-0')
  const address = await untilParked(world, 'web-0', 'node-1')
  const its = world.publishedFor('node-1', 'web-0')
  world.kube.pods.remove(uid)
  world.put('node-2', 'web-0', 2)
  await world.clock.advance(minute)
  world.cloud.setFaults({ ...noPermission, taskDelayMs: 5 * second })
  world.giveBack('node-1', its)
  for (let i = 0; i < 600 && moves(world) === 0; i++) await world.clock.advance(100)
  world.addPods('node-1', 'job') // its NEC is written meanwhile
  await world.clock.advance(2 * second)
  world.loseLedger()
  world.start()
  assert.equal(await untilParked(world, 'web-0', 'node-2'), address)
  await world.clock.advance(3 * minute)
  assert.deepEqual(world.differences(), [])
})

test('[S13] a leader that does not know yet that it may not parks the address of a pod that waits already', async (t) => {
  const world = await parkedWorld(t)
  world.put('node-1', 'web-0')
  for (let i = 0; i < 100 && world.claim('web-0') === undefined; i++) await world.clock.advance(1)
  assert.equal(world.stateOf('web-0'), 'Pending -')
  world.crash()
  await world.clock.advance(2 * second)
  world.start()
  await untilParked(world, 'web-0', 'node-1')
})

test('[S13][S6] it is released although nobody may look at reservations', async (t) => {
  const world = await parkedWorld(t)
  const uid = world.put('node-1', 'web-0')
  const address = await untilParked(world, 'web-0', 'node-1')
  await world.end(uid)
  await world.clock.runUntil(releaseNow(known(world.leader).claims, world.claim('web-0')))
  await world.until(() => world.claim('web-0') === undefined, 5 * minute)
  assert.equal(world.stateOf('web-0'), 'none')
  assert.equal(eniOf(world, address), undefined)
})
