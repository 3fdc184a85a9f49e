// What becomes of a kept address when the next pod of its name comes, and is not as the one before (R6).

import assert from 'node:assert/strict'
import { test } from 'node:test'
import { known } from '../given.ts'
import { ClaimWorld, minute, second } from './claim-world.ts'
import { podOn } from './leader-world.ts'
import { releaseNow } from './release.ts'

const typo = {
  keepsIp: false,
  claim: { fault: 'annotation "never": it is neither Never nor Immediate', unclear: ['policy'] as const },
}

const told = (world: ClaimWorld, name: string) =>
  world.kube.notices
    .filter(({ about, reason }) => about.name === name && reason === 'StaticIPRefused')
    .map(({ message }) => message)

test('[R6] a pod that comes back with a policy nobody can read has its address, and is told', async (t) => {
  const world = await ClaimWorld.start(t)
  const uid = world.put('node-1', 'web-0')
  const address = await world.untilBound('web-0', 'node-1')
  await world.end(uid)
  const next = world.put('node-2', 'web-0', 2, typo)
  assert.equal(await world.untilBound('web-0', 'node-2'), address)
  assert.deepEqual(told(world, 'web-0'), [
    `Cannot apply ${typo.claim.fault}; address ${address} stays kept for it as before`,
  ])
  assert.deepEqual(world.addresses('node-2'), [address], 'and none of the pool')
  await world.end(next)
  await world.clock.advance(5 * minute)
  assert.equal(world.stateOf('web-0'), `Retained ${address}`)
})

test('[R6] one that says that it keeps none gives it up', async (t) => {
  const world = await ClaimWorld.start(t)
  const uid = world.put('node-1', 'web-0')
  await world.untilBound('web-0', 'node-1')
  await world.end(uid)
  world.put('node-1', 'web-0', 2, { keepsIp: false })
  await world.until(() => world.claim('web-0')?.policy === 'Immediate')
  assert.deepEqual([world.claim('web-0')?.policy, world.reserved()], ['Immediate', []])
})

for (const { does, changed, more, says } of [
  {
    does: 'a leader that was started without static addresses',
    changed: { staticIps: false },
    more: {},
    says: /^Cannot give the pod (\S+), which is kept for its name: the leader runs without --enable-static-ip; it stays kept: start the leader with it and delete the pod, or give the address up: tke-eni delete vipc web-0 -n default$/,
  },
  {
    does: 'a pod with an ENI of its own',
    changed: {},
    more: { wants: 'exclusive' as const },
    says: /has an ENI of its own, and only addresses of shared ENIs are kept; it stays kept: let it ask for tke-route-eni and delete the pod/,
  },
]) {
  test(`[R6][S5] through ${does} the address stays, and its time does not run`, async (t) => {
    const world = await ClaimWorld.start(t, { claimExpiry: 10 * minute })
    const uid = world.put('node-1', 'web-0')
    const address = await world.untilBound('web-0', 'node-1')
    world.crash()
    world.start(changed)
    await world.clock.advance(10 * second)
    await world.end(uid)
    const beside = world.put('node-1', 'web-0', 2, more)
    await world.clock.advance(60 * minute)
    assert.equal(world.stateOf('web-0'), `Retained ${address}`)
    assert.equal(told(world, 'web-0').length, 1)
    assert.match(known(told(world, 'web-0')[0]), says)
    // It ends while no leader runs: its time begins when one does.
    world.crash()
    world.kube.pods.remove(beside)
    world.start()
    await world.clock.advance(9 * minute)
    assert.equal(world.stateOf('web-0'), `Retained ${address}`)
    world.put('node-2', 'web-0', 3)
    assert.equal(await world.untilBound('web-0', 'node-2'), address)
  })

  test(`[S5] after ${does} it goes in its time`, async (t) => {
    const world = await ClaimWorld.start(t, { claimExpiry: 10 * minute })
    const uid = world.put('node-1', 'web-0')
    await world.untilBound('web-0', 'node-1')
    world.crash()
    world.start(changed)
    await world.clock.advance(10 * second)
    await world.end(uid)
    const beside = world.put('node-1', 'web-0', 2, more)
    await world.clock.advance(5 * minute) // nothing of it is on an ENI any more, which would have it looked at
    world.crash()
    world.kube.pods.remove(beside)
    world.start()
    await world.clock.advance(13 * minute)
    assert.equal(world.stateOf('web-0'), 'none')
  })
}

test('[S6] what is kept beside a pod that has another address is given up at a wish', async (t) => {
  const world = await ClaimWorld.start(t)
  const uid = world.put('node-1', 'web-0')
  await world.untilBound('web-0', 'node-1')
  await world.end(uid)
  const beside = podOn('node-1', 'web-0', { uid: 'uid-2', keepsIp: true, wants: 'exclusive' })
  world.kube.pods.put('uid-2', beside)
  await world.clock.advance(10 * second)
  const release = () => releaseNow(known(world.leader).claims, world.claim('web-0'))
  assert.match(JSON.stringify(await release()), /refused/, 'it may have it yet')
  world.kube.pods.put('uid-2', { ...beside, ip: '10.0.1.200' as never })
  await world.clock.advance(second)
  const released = release()
  await world.until(() => world.reserved().length === 0)
  assert.deepEqual([await released, world.reserved()], ['releasing', []])
})
