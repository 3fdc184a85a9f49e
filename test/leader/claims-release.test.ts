// `kubectl delete vipc`: an address is given back at somebody's wish, and never from under a pod, unless that is forced.
import assert from 'node:assert/strict'
import { test } from 'node:test'
import { noFaults } from '../../internal/sim/vpc/settings.ts'
import { known } from '../given.ts'
import { ClaimWorld, minute, second } from './claim-world.ts'
import { releaseNow } from './release.ts'

async function release(world: ClaimWorld, name: string, options = {}) {
  const outcome = releaseNow(known(world.leader).claims, world.claim(name), options)
  await world.clock.advance(second)
  return outcome
}

/** The claim of web-0 is released, and node-1 has not given `its` address back yet. */
async function releasedUnheard(world: ClaimWorld) {
  const uid = world.put('node-1', 'web-0')
  const address = await world.untilBound('web-0', 'node-1')
  const its = world.publishedFor('node-1', 'web-0')
  const before = known(world.claim('web-0'))
  world.kube.pods.remove(uid)
  await world.clock.advance(second)
  assert.deepEqual(await release(world, 'web-0'), 'releasing')
  return { address, before, its }
}

test('[S6] the claim of a pod that runs is not released; without its pod it is, step by step', async (t) => {
  const world = await ClaimWorld.start(t)
  const uid = world.put('node-1', 'web-0')
  const address = await world.untilBound('web-0', 'node-1')
  assert.deepEqual(await release(world, 'web-0'), {
    refused:
      'its pod is there on node "node-1" and would lose its network; delete the pod first, or wait until it has ended',
    forceHelps: true,
  })
  assert.equal(world.stateOf('web-0'), `Bound ${address}`)
  await world.end(uid)
  assert.deepEqual(await release(world, 'web-0'), 'releasing')
  await world.until(() => world.claim('web-0') === undefined)
  assert.deepEqual([world.stateOf('web-0'), world.reserved()], ['none', []])
  assert.deepEqual(await release(world, 'web-0'), 'gone')
  await world.clock.advance(minute)
  assert.deepEqual(world.cloudEnis(), [])
})

test('[S6][R7] a pod that the list of pods lacks is there all the same', async (t) => {
  const world = await ClaimWorld.start(t)
  const uid = world.put('node-1', 'web-0')
  const address = await world.untilBound('web-0', 'node-1')
  world.hidePod(uid)
  await world.until(() => world.claim('web-0')?.phase === 'Retained')
  assert.deepEqual(await release(world, 'web-0'), {
    refused:
      'its pod is there on node "node-1" and would lose its network; delete the pod first, or wait until it has ended',
    forceHelps: true,
  })
  assert.equal(world.stateOf('web-0'), `Retained ${address}`)
})

test('[S6][R7] nothing is released while the API server cannot say whether the pod is there', async (t) => {
  const world = await ClaimWorld.start(t)
  const uid = world.put('node-1', 'web-0')
  const address = await world.untilBound('web-0', 'node-1')
  world.hidePod(uid)
  await world.until(() => world.claim('web-0')?.phase === 'Retained')
  world.kube.setOutage(true)
  const refused = await release(world, 'web-0')
  assert.match(
    typeof refused === 'object' ? refused.refused : '',
    /^the leader cannot see whether its pod is there: /,
  )
  assert.equal(world.stateOf('web-0'), `Retained ${address}`)
})

test('[S6][R7] what the node has not given back yet stays until it has', async (t) => {
  const world = await ClaimWorld.start(t)
  const { address, its } = await releasedUnheard(world)
  await world.clock.advance(5 * minute)
  assert.equal(world.stateOf('web-0'), `Releasing ${address}`)
  assert.deepEqual(world.addresses('node-1'), [address])
  world.giveBack('node-1', its)
  await world.until(() => world.claim('web-0') === undefined)
  assert.deepEqual([world.stateOf('web-0'), world.reserved()], ['none', []])
})

test('[S6] by force it goes from under its pod, which is told', async (t) => {
  const world = await ClaimWorld.start(t)
  const uid = world.put('node-1', 'web-0')
  const address = await world.untilBound('web-0', 'node-1')
  world.show(uid, address)
  await world.clock.advance(second)
  assert.deepEqual(await release(world, 'web-0', { force: true }), 'releasing')
  assert.ok(world.podReasons('web-0').includes('ForceReleased'))
  await world.until(() => !world.reserved().includes(address))
  assert.equal(world.reserved().includes(address), false)
  assert.equal(world.addresses('node-1').includes(address), false)
})

test('[S6] while the pod runs on nothing is reserved for it in its place; when it has lost its address it gets one', async (t) => {
  const world = await ClaimWorld.start(t)
  const uid = world.put('node-1', 'web-0')
  const address = await world.untilBound('web-0', 'node-1')
  world.show(uid, address)
  await world.clock.advance(second)
  await release(world, 'web-0', { force: true })
  await world.clock.advance(5 * minute)
  assert.deepEqual([world.claim('web-0')?.policy, world.claim('web-0')?.address], ['Immediate', undefined])
  assert.deepEqual([world.reserved(), world.publishedFor('node-1', 'web-0')], [[], []])
  const pod = known(world.kube.pods.items.get(uid))
  world.kube.pods.put(uid, { ...pod, ip: undefined })
  await world.until(() => world.claim('web-0')?.policy === 'Never')
  await world.untilBound('web-0', 'node-1')
})

test('[S6] what is on its way to a pod when it is released by force is not shown to its node', async (t) => {
  const world = await ClaimWorld.start(t)
  world.put('node-1', 'web-1')
  await world.untilBound('web-1', 'node-1')
  world.cloud.setFaults({ taskDelayMs: 5 * second })
  world.put('node-1', 'web-0')
  await world.until(() => world.ledger.openIntents().some(({ kind }) => kind === 'assign'))
  const its = known(world.claim('web-0'))
  assert.deepEqual(await release(world, 'web-0', { force: true }), 'releasing')
  for (let waited = 0; waited < minute && world.claim('web-0')?.uid === its.uid; waited += 100) {
    assert.deepEqual(world.publishedFor('node-1', 'web-0'), [])
    await world.clock.advance(100)
  }
  assert.notEqual(world.claim('web-0')?.uid, its.uid)
})

test('[S6] what a node has not given back is for no pod of its name that comes there, which gets a new claim', async (t) => {
  const world = await ClaimWorld.start(t)
  const { address, before, its } = await releasedUnheard(world)
  world.put('node-1', 'web-0', 2)
  await world.clock.advance(minute)
  assert.equal(world.stateOf('web-0'), `Releasing ${address}`)
  assert.deepEqual(
    world.published('node-1').flatMap(({ ips }) => ips.map(({ claim }) => claim?.name)),
    ['web-0 (released)'],
  )
  world.giveBack('node-1', its)
  await world.until(() => world.claim('web-0')?.uid !== before.uid)
  await world.untilBound('web-0', 'node-1')
  assert.equal(world.reserved().length, 1)
})

test('[S6] a pod whose node gave it the address before it heard that it was given up is told', async (t) => {
  const world = await ClaimWorld.start(t)
  const { address, its } = await releasedUnheard(world)
  const next = world.put('node-1', 'web-0', 2)
  world.show(next, address)
  await world.clock.advance(5 * minute)
  assert.equal(world.stateOf('web-0'), `Releasing ${address}`)
  assert.deepEqual(
    world.kube.notices.filter(({ reason }) => reason === 'StaticIPRefused').map(({ message }) => message),
    [
      `Cannot keep ${address}, which the pod has as long as it runs: it was given up before (somebody has deleted it); delete the pod to have one kept`,
    ],
  )
  world.kube.pods.remove(next)
  world.giveBack('node-1', its)
  world.put('node-1', 'web-0', 3)
  await world.untilBound('web-0', 'node-1')
  assert.equal(world.podReasons('web-0').filter((reason) => reason === 'StaticIPRefused').length, 1)
})

for (const { what, outage } of [
  { what: 'refuses connections', outage: 'reset' },
  { what: 'never answers', outage: 'hang' },
] as const)
  test(`[S6] a leader that begins while the cloud ${what} tells the node all the same that a claim is released`, async (t) => {
    const world = await ClaimWorld.start(t)
    const uid = world.put('node-1', 'web-0')
    const address = await world.untilBound('web-0', 'node-1')
    const its = world.publishedFor('node-1', 'web-0')
    world.kube.pods.remove(uid)
    await world.clock.advance(second)
    const conditions = world.kube.necs.items.get('node-1')?.publication?.conditions
    world.crash()
    world.cloud.setFaults({ outage })
    world.start()
    await world.clock.advance(5 * second)
    assert.deepEqual(await release(world, 'web-0'), 'releasing')
    assert.deepEqual(
      world.published('node-1').flatMap(({ ips }) => ips.map(({ claim }) => claim?.name)),
      ['web-0 (released)'],
      'the next pod of that name must not get it',
    )
    assert.deepEqual(world.kube.necs.items.get('node-1')?.publication?.conditions, conditions)
    await world.clock.advance(10 * minute)
    assert.equal(world.stateOf('web-0'), `Releasing ${address}`)
    world.cloud.setFaults(noFaults)
    world.giveBack('node-1', its)
    await world.until(() => world.claim('web-0') === undefined)
    assert.deepEqual([world.stateOf('web-0'), world.reserved()], ['none', []])
  })

test('[S6] a pod that comes while its claim is released gets a new one', async (t) => {
  const world = await ClaimWorld.start(t)
  const uid = world.put('node-1', 'web-0')
  await world.untilBound('web-0', 'node-1')
  await world.end(uid)
  const before = known(world.claim('web-0'))
  assert.deepEqual(await release(world, 'web-0'), 'releasing')
  world.put('node-2', 'web-0', 2)
  await world.until(() => world.claim('web-0')?.uid !== before.uid)
  await world.untilBound('web-0', 'node-2')
  assert.notEqual(world.claim('web-0')?.uid, before.uid)
  assert.equal(world.reserved().length, 1)
})

test('[S6] of the claim that is meant, and of none that a later pod has taken', async (t) => {
  const world = await ClaimWorld.start(t)
  const uid = world.put('node-1', 'web-0')
  await world.untilBound('web-0', 'node-1')
  await world.end(uid)
  const { generation, key, version } = known(world.claim('web-0'))
  const { claims } = known(world.leader)
  const pod = { namespace: 'default', name: 'web-0' }
  const changed = { refused: 'it has changed meanwhile; look at it again', forceHelps: false }
  const asked = (more: object) => world.clock.runUntil(claims.release({ pod, key, generation, ...more }))
  assert.deepEqual(await asked({ generation: generation + 1 }), changed)
  assert.deepEqual(await asked({ version: version - 1 }), changed)
  assert.equal(await asked({ dryRun: true }), 'releasing')
  assert.equal(world.claim('web-0')?.phase, 'Retained')
  assert.equal(await asked({ version }), 'releasing')
  await world.until(() => world.claim('web-0') === undefined)
  assert.equal(world.stateOf('web-0'), 'none')
})

test('[S6] the claim of a pool pod goes with its pod alone', async (t) => {
  const world = await ClaimWorld.start(t)
  world.addPods('node-1', 'job')
  await world.clock.advance(20 * second)
  const refused = 'its pod is there on node "node-1", and the claim ends with it; delete the pod'
  assert.deepEqual(await release(world, 'job', { force: true }), { refused, forceHelps: false })
})
