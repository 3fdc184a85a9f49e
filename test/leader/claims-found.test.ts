// What simulated worlds found in static claims (test/sim/past-failures.txt), each told in a few steps.
import assert from 'node:assert/strict'
import { test } from 'node:test'
import { known, warm } from '../given.ts'
import { ClaimWorld, minute, second } from './claim-world.ts'
import { podOn } from './leader-world.ts'

test("[S5] a claim's time begins when its pod ends, however long no leader ran before", async (t) => {
  const world = await ClaimWorld.start(t, { claimExpiry: 20 * minute })
  const first = world.put('node-1', 'web-0')
  const later = world.put('node-1', 'web-1')
  await world.untilBound('web-0', 'node-1')
  await world.untilBound('web-1', 'node-1')
  await world.end(first)
  await world.clock.advance(2 * minute)
  world.crash()
  await world.clock.advance(15 * minute)
  world.kube.pods.remove(later)
  world.start()
  await world.clock.advance(5 * minute)
  assert.notEqual(world.claim('web-0')?.phase, 'Retained', 'its twenty minutes are over')
  assert.equal(world.claim('web-1')?.phase, 'Retained')
  await world.clock.advance(14 * minute)
  assert.equal(world.claim('web-1')?.phase, 'Retained', 'after nineteen of twenty minutes')
  await world.clock.advance(2 * minute)
  assert.notEqual(world.claim('web-1')?.phase, 'Retained')
})

test('[S5] nor does what passed since the clock was last stored count', async (t) => {
  const world = await ClaimWorld.start(t, { claimExpiry: 5 * minute, reconcileEvery: 4 * minute })
  const uids = ['web-0', 'web-1'].map((name) => world.put('node-1', name))
  await world.untilBound('web-0', 'node-1')
  await world.untilBound('web-1', 'node-1')
  world.kube.pods.remove(known(uids[0]))
  await world.clock.advance(7 * minute)
  world.kube.pods.remove(known(uids[1]))
  await world.clock.advance(4 * minute + 50 * second)
  assert.equal(world.claim('web-1')?.phase, 'Retained')
})

test('[S4][R2] a reservation that is found by its token is one of its zone, be it the first thing a leader does', async (t) => {
  const world = await ClaimWorld.start(t)
  world.cloud.setFaults({ loseNextAnswers: { CreateReserveIpAddresses: 1 } })
  world.put('node-1', 'web-0')
  await world.until(() => world.reserved().length === 1)
  world.crash()
  world.cloud.setFaults({ answerDelayMs: 0, throttle: { DescribeSubnets: 1 } })
  world.start()
  await world.clock.advance(3 * second)
  world.cloud.setFaults({ throttle: {} })
  const address = await world.untilBound('web-0', 'node-1')
  assert.deepEqual(world.reserved(), [address])
})

test('[P1] a static pod that got an address of the pool counts for the pool', async (t) => {
  const world = await ClaimWorld.start(t, { defaults: warm(2, 2) })
  const uid = world.put('node-1', 'web-0')
  const own = await world.untilBound('web-0', 'node-1')
  await world.until(() => world.addresses('node-1').length === 3)
  const ofPool = () =>
    world.published('node-1').flatMap(({ ips }) => ips.filter(({ claim }) => claim === undefined))
  // Nobody could tell the agent that it keeps its address.
  world.show(uid, known(ofPool()[0]).address)
  await world.clock.advance(30 * second)
  assert.equal(ofPool().length, 3, 'one pod, and two warm ones')
  assert.deepEqual(
    world.publishedFor('node-1', 'web-0').map(({ address }) => address),
    [own],
  )
})

test('[R7] an address that the ledger has elsewhere is shown for no pod before ledger and cloud agree', async (t) => {
  const world = await ClaimWorld.start(t, { defaults: warm(2, 2) })
  await world.until(() => world.addresses('node-1').length === 2)
  const [address] = world.addresses('node-1')
  const eni = world.published('node-1').find(({ ips }) => ips.some((ip) => ip.address === address))
  world.console.unassign(known(eni).id, known(address))
  world.put('node-1', 'web-0', 1, { claim: { nominatedIp: known(address) } })
  await world.clock.advance(2 * second)
  const isBound = () => world.cloud.admin.audit(world.clock.now()).ips.some((ip) => ip.address === address)
  assert.ok(world.publishedFor('node-1', 'web-0').length === 0 || isBound(), 'not where it is not')
  assert.equal(await world.untilBound('web-0', 'node-1'), address)
  assert.ok(isBound())
})

test('of two pods that have shown an address the one that shows it now has it', async (t) => {
  const world = await ClaimWorld.start(t, { defaults: warm(1, 1) })
  const show = (name: string, ip?: string) =>
    world.kube.pods.put(`uid-${name}`, podOn('node-1', name, { ip: ip as never }))
  show('job-1')
  show('job-2')
  await world.until(() => world.addresses('node-1').length >= 2)
  const [address] = world.addresses('node-1')
  show('job-2', address)
  await world.clock.advance(second)
  show('job-1', address) // from before the node was started anew
  await world.clock.advance(second)
  show('job-1')
  await world.clock.advance(second)
  assert.deepEqual([world.stateOf('job-1'), world.stateOf('job-2')], ['Pending -', `Bound ${address}`])
})

test('[S5] while the API server does not answer nothing expires, and a clock that is corrected takes nobody anything', async (t) => {
  const world = await ClaimWorld.start(t, { claimExpiry: 10 * minute })
  const uid = world.put('node-1', 'web-0')
  await world.untilBound('web-0', 'node-1')
  await world.end(uid)
  await world.clock.advance(minute)
  world.machine.skewMs += 3 * minute // as a clock that was set ahead, and goes on too fast until it is right again
  await world.clock.advance(8 * minute)
  assert.equal(world.claim('web-0')?.phase, 'Retained', 'after nine of ten minutes')
  world.kube.setOutage(true)
  await world.clock.advance(5 * minute)
  assert.equal(world.claim('web-0')?.phase, 'Retained', 'its pod may be back')
  world.kube.setOutage(false)
  await world.clock.advance(minute)
  assert.notEqual(world.claim('web-0')?.phase, 'Retained')
})

test('[S13] an address whose reservation was released is not given to another pod that reserves it', async (t) => {
  const world = await ClaimWorld.start(t)
  const uid = world.put('node-1', 'web-0')
  const address = await world.untilBound('web-0', 'node-1')
  await world.end(uid)
  await world.until(() => world.addresses('node-1').length === 0, 10 * minute)
  const { reservations } = world.cloud.admin.audit(world.clock.now())
  for (const { id } of reservations) world.cloud.admin.releaseReservation(id, world.clock.now())
  world.put('node-1', 'web-1', 1, { claim: { nominatedIp: address } })
  await world.clock.advance(10 * second)
  assert.equal(world.stateOf('web-0'), `Retained ${address}`)
  assert.equal(world.claim('web-1')?.address, undefined)
})

test('[S4] a static pod that had an address of the pool gets its own when it has lost that', async (t) => {
  const world = await ClaimWorld.start(t, { defaults: warm(1, 1) })
  await world.until(() => world.addresses('node-1').length === 1)
  const [address] = world.addresses('node-1')
  const uid = world.put('node-1', 'web-0', 1, { ip: known(address) })
  await world.until(() => world.stateOf('web-0') === `Bound ${address}`)
  assert.equal(world.claim('web-0')?.policy, 'Immediate')
  const pod = known(world.kube.pods.items.get(uid))
  world.kube.pods.put(uid, { ...pod, ip: undefined }) // as after a reboot
  await world.until(() => world.claim('web-0')?.policy === 'Never')
  const own = await world.untilBound('web-0', 'node-1')
  assert.deepEqual([world.claim('web-0')?.policy, world.reserved()], ['Never', [own]])
})
