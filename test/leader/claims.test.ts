// Static addresses from pod to pod: reserved, bound where the pod is, kept when it ends, moved when it comes back elsewhere.
import assert from 'node:assert/strict'
import { type TestContext, test } from 'node:test'
import type { PodFact } from '../../internal/ipam/types.ts'
import type { LeaderSettings } from '../../internal/leader/settings.ts'
import type { Ipv4 } from '../../internal/value/ipv4.ts'
import { known, warm } from '../given.ts'
import { LeaderWorld, podOn } from './leader-world.ts'

const second = 1000
const minute = 60 * second

async function staticWorld(t: TestContext, settings: Partial<LeaderSettings> = {}): Promise<LeaderWorld> {
  const world = new LeaderWorld(t, { staticIps: true, defaults: warm(0, 0), ...settings })
  world.addNode('node-1', 'S5.MEDIUM4')
  world.addNode('node-2', 'S5.MEDIUM4')
  world.start()
  await world.clock.advance(10 * second)
  return world
}

/** The `nth` pod of that name. */
function put(world: LeaderWorld, node: string, name: string, nth = 1, more: Partial<PodFact> = {}): string {
  const uid = `uid-${name}-${nth}`
  world.kube.pods.put(uid, podOn(node, name, { uid, keepsIp: true, ...more }))
  return uid
}

const claimOf = (world: LeaderWorld, name: string) => world.ledger.claim({ namespace: 'default', name })

/** Of the addresses that the node's NEC shows for the pod's claim. */
function published(world: LeaderWorld, node: string, name: string) {
  return world
    .published(node)
    .flatMap(({ ips }) => ips)
    .filter(({ claim }) => claim?.name === name)
}

async function untilBound(world: LeaderWorld, name: string, node: string): Promise<Ipv4> {
  for (let i = 0; i < 60 && claimOf(world, name)?.phase !== 'Bound'; i++) await world.clock.advance(second)
  const claim = known(claimOf(world, name))
  assert.deepEqual([claim.phase, claim.node, claim.message], ['Bound', node, ''])
  const [ip] = published(world, node, name)
  assert.equal(ip?.address, claim.address)
  return known(claim.address)
}

test('[S1][S4] a static pod gets an address that is reserved for it and shown to its node alone', async (t) => {
  const world = await staticWorld(t)
  assert.deepEqual(world.cloudEnis(), [])
  put(world, 'node-1', 'web-0')
  const address = await untilBound(world, 'web-0', 'node-1')
  assert.deepEqual(world.addresses('node-1'), [address])
  assert.deepEqual(world.differences(), [])
  const claim = known(claimOf(world, 'web-0'))
  assert.match(claim.reservation ?? '', /^rsvip-/)
})

test('[S4] when the pod ends its address stays, and the next of its name on the node has it at once', async (t) => {
  const world = await staticWorld(t)
  const uid = put(world, 'node-1', 'web-0')
  const address = await untilBound(world, 'web-0', 'node-1')
  const [before] = published(world, 'node-1', 'web-0')
  world.kube.pods.remove(uid)
  await world.clock.advance(second)
  const retained = known(claimOf(world, 'web-0'))
  assert.deepEqual([retained.phase, retained.address, retained.podUid], ['Retained', address, undefined])
  world.giveBack('node-1', [known(before)])
  await world.clock.advance(10 * second)
  put(world, 'node-1', 'web-0', 2)
  assert.equal(await untilBound(world, 'web-0', 'node-1'), address)
  const [after] = published(world, 'node-1', 'web-0')
  assert.ok(known(after).grant > known(before).grant, 'what was returned is granted anew')
  assert.equal(claimOf(world, 'web-0')?.generation, 2)
})

test('[S4][R7] on another node it has the same address, once the node before has given that back', async (t) => {
  const world = await staticWorld(t)
  const uid = put(world, 'node-1', 'web-0')
  const address = await untilBound(world, 'web-0', 'node-1')
  const [before] = published(world, 'node-1', 'web-0')
  world.kube.pods.remove(uid)
  put(world, 'node-2', 'web-0', 2)
  await world.clock.advance(minute)
  const waiting = known(claimOf(world, 'web-0'))
  assert.deepEqual([waiting.phase, waiting.reason], ['Attaching', 'StaticIPInUse'])
  assert.match(waiting.message, /node node-1 has not given it back/)
  world.giveBack('node-1', [known(before)])
  assert.equal(await untilBound(world, 'web-0', 'node-2'), address)
  assert.deepEqual(published(world, 'node-1', 'web-0'), [])
  await world.clock.advance(30 * second)
  assert.deepEqual(world.differences(), [])
})

test('[S13] without a pod it leaves its ENI after a while, and is kept by its reservation alone', async (t) => {
  const world = await staticWorld(t)
  const uid = put(world, 'node-1', 'web-0')
  const address = await untilBound(world, 'web-0', 'node-1')
  const [before] = published(world, 'node-1', 'web-0')
  world.kube.pods.remove(uid)
  await world.clock.advance(second)
  world.giveBack('node-1', [known(before)])
  await world.clock.advance(10 * minute)
  assert.deepEqual(world.cloudEnis(), [], 'its ENI has nothing to carry any more')
  const retained = known(claimOf(world, 'web-0'))
  assert.deepEqual([retained.phase, retained.address, retained.eniId], ['Retained', address, undefined])
  put(world, 'node-2', 'web-0', 2)
  assert.equal(await untilBound(world, 'web-0', 'node-2'), address)
})

test('[S3] a pod that keeps nothing has a claim as long as it lives', async (t) => {
  const world = await staticWorld(t)
  world.addPods('node-1', 'job')
  await world.clock.advance(20 * second)
  const [address] = world.addresses('node-1')
  assert.equal(claimOf(world, 'job')?.phase, 'Pending')
  world.kube.pods.put('uid-job', podOn('node-1', 'job', { ip: known(address) }))
  await world.clock.advance(second)
  const bound = known(claimOf(world, 'job'))
  assert.deepEqual([bound.phase, bound.policy, bound.address], ['Bound', 'Immediate', address])
  world.kube.pods.remove('uid-job')
  await world.clock.advance(second)
  assert.equal(claimOf(world, 'job'), undefined)
})

test('[S5] it is given up when its time is over, and not before', async (t) => {
  const world = await staticWorld(t, { claimExpiry: 10 * minute })
  const uid = put(world, 'node-1', 'web-0')
  const other = put(world, 'node-1', 'web-1', 1, { claim: { expireAfter: 60 * minute } })
  await untilBound(world, 'web-0', 'node-1')
  await untilBound(world, 'web-1', 'node-1')
  const all = world.published('node-1').flatMap(({ ips }) => ips)
  world.kube.pods.remove(uid)
  world.kube.pods.remove(other)
  await world.clock.advance(second)
  world.giveBack('node-1', all)
  await world.clock.advance(9 * minute)
  assert.equal(claimOf(world, 'web-0')?.phase, 'Retained')
  await world.clock.advance(3 * minute)
  assert.equal(claimOf(world, 'web-0'), undefined)
  assert.equal(claimOf(world, 'web-1')?.phase, 'Retained')
})

test('[S5] time without a leader counts as far as two clocks agree on it; a clock that was set a year ahead takes nothing', async (t) => {
  const world = await staticWorld(t, { claimExpiry: 10 * minute })
  const uid = put(world, 'node-1', 'web-0')
  await untilBound(world, 'web-0', 'node-1')
  world.kube.pods.remove(uid)
  await world.clock.advance(2 * minute)
  world.crash()
  await world.clock.advance(4 * minute)
  world.start()
  await world.clock.advance(minute)
  const { now } = world.ledger.expiryClock()
  assert.ok(now > 6 * minute && now <= 8 * minute, `${now} ms have passed`)
  world.crash()
  world.machine.skewMs += 365 * 24 * 60 * minute
  world.start()
  await world.clock.advance(minute)
  assert.equal(claimOf(world, 'web-0')?.phase, 'Retained')
  await world.clock.advance(5 * minute)
  assert.notEqual(claimOf(world, 'web-0')?.phase, 'Retained')
})
