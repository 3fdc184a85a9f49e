// `--enable-ownerref`: an address goes with the topmost workload of its pod, of whatever kind.
import assert from 'node:assert/strict'
import { type TestContext, test } from 'node:test'
import { IpamError } from '../../internal/ipam/errors.ts'
import type { OwnerRef } from '../../internal/ipam/types.ts'
import { noFaults } from '../../internal/sim/vpc/settings.ts'
import { known } from '../given.ts'
import { workloadKey } from '../sim/world/kube-twin.ts'
import { ClaimWorld, minute, second } from './claim-world.ts'

const set: OwnerRef = { apiVersion: 'apps/v1', kind: 'StatefulSet', name: 'web', uid: 'uid-set' }
const game: OwnerRef = {
  apiVersion: 'games.example/v1',
  kind: 'GameServerSet',
  name: 'lobby',
  uid: 'uid-game',
}

function put(world: ClaimWorld, ref: OwnerRef, controller?: OwnerRef): void {
  const workload = { ...ref, namespace: 'default', controller }
  world.kube.workloads.put(workloadKey(ref, 'default'), workload)
}

const remove = (world: ClaimWorld, ref: OwnerRef) => world.kube.workloads.remove(workloadKey(ref, 'default'))

async function cascadeWorld(t: TestContext): Promise<ClaimWorld> {
  const world = await ClaimWorld.start(t, { cascadeOwners: true })
  put(world, game)
  put(world, set, game)
  return world
}

const owned = { claim: { owner: set } }

test('[S7] the address goes when the topmost owner is gone, and not with one below it', async (t) => {
  const world = await cascadeWorld(t)
  const uid = world.put('node-1', 'web-0', 1, owned)
  const address = await world.untilBound('web-0', 'node-1')
  assert.deepEqual(world.claim('web-0')?.owner, { ...game, via: set })
  await world.end(uid)
  await world.clock.advance(minute)
  remove(world, set)
  await world.clock.advance(6 * minute)
  assert.equal(world.stateOf('web-0'), `Retained ${address}`)
  remove(world, game)
  await world.until(() => world.claim('web-0') === undefined)
  assert.deepEqual([world.stateOf('web-0'), world.reserved()], ['none', []])
})

test('[S7][R4] the NEC has the owner of a parked address, and not how that was found', async (t) => {
  const world = await cascadeWorld(t)
  world.cloud.setFaults({ ...noFaults, deny: { CreateReserveIpAddresses: 1 } })
  world.put('node-1', 'web-0', 1, owned)
  await world.untilServed('web-0')
  const [its] = world.publishedFor('node-1', 'web-0')
  assert.deepEqual(its?.claim, { namespace: 'default', name: 'web-0', owner: game })
})

test('[S7][R7] a pod that the list of pods lacks is waited for', async (t) => {
  const world = await cascadeWorld(t)
  const uid = world.put('node-1', 'web-0', 1, owned)
  const address = await world.untilBound('web-0', 'node-1')
  world.hidePod(uid)
  remove(world, game)
  await world.clock.advance(6 * minute)
  assert.equal(world.stateOf('web-0'), `Retained ${address}`)
  await world.end(uid)
  await world.until(() => world.claim('web-0') === undefined, 10 * minute)
  assert.equal(world.stateOf('web-0'), 'none')
})

test('[S7] a pod that runs on is waited for', async (t) => {
  const world = await cascadeWorld(t)
  const uid = world.put('node-1', 'web-0', 1, owned)
  const address = await world.untilBound('web-0', 'node-1')
  remove(world, game)
  await world.clock.advance(6 * minute)
  assert.equal(world.stateOf('web-0'), `Bound ${address}`)
  await world.end(uid)
  await world.until(() => world.claim('web-0') === undefined)
  assert.equal(world.stateOf('web-0'), 'none')
})

test('[S7] one of the same name that was made anew is another one', async (t) => {
  const world = await cascadeWorld(t)
  const uid = world.put('node-1', 'web-0', 1, owned)
  await world.untilBound('web-0', 'node-1')
  await world.end(uid)
  remove(world, game)
  put(world, { ...game, uid: 'uid-game-2' })
  await world.until(() => world.claim('web-0') === undefined)
  assert.equal(world.stateOf('web-0'), 'none')
})

test('[S7] the pod of a later workload brings that with it', async (t) => {
  const world = await cascadeWorld(t)
  const uid = world.put('node-1', 'web-0', 1, owned)
  const address = await world.untilBound('web-0', 'node-1')
  const later = { ...game, uid: 'uid-game-2' }
  world.kube.workloads.put(workloadKey(game, 'default'), {
    ...later,
    namespace: 'default',
    controller: undefined,
  })
  put(world, set, later)
  await world.end(uid)
  world.put('node-1', 'web-0', 2, owned)
  // Whichever comes first: the address is kept for the pod, or it gets a new one.
  await world.untilBound('web-0', 'node-1')
  assert.equal(world.claim('web-0')?.owner?.uid, 'uid-game-2')
  assert.notEqual(address, undefined)
})

test('[S7] claims that were made before the flag stay', async (t) => {
  const world = await ClaimWorld.start(t)
  put(world, set)
  const uid = world.put('node-1', 'web-0', 1, owned)
  const address = await world.untilBound('web-0', 'node-1')
  Object.assign(world.settings, { cascadeOwners: true })
  world.crash()
  world.start()
  await world.clock.advance(10 * second)
  await world.end(uid)
  const next = world.put('node-1', 'web-0', 2, owned)
  await world.untilBound('web-0', 'node-1')
  await world.end(next)
  remove(world, set)
  await world.clock.advance(10 * minute)
  assert.equal(world.stateOf('web-0'), `Retained ${address}`)
})

test('[S7] what may not be seen is said, and its addresses stay', async (t) => {
  const world = await cascadeWorld(t)
  world.kube.hiddenKinds.add('GameServerSet')
  const uid = world.put('node-1', 'web-0', 1, owned)
  const address = await world.untilBound('web-0', 'node-1')
  assert.ok(world.podReasons('web-0').includes('OwnerUnknown'))
  await world.end(uid)
  remove(world, set)
  remove(world, game)
  await world.clock.advance(10 * minute)
  assert.equal(world.stateOf('web-0'), `Retained ${address}`)
})

test('[S7][K3] a kind that cannot be read holds a pod up for half a minute, and the pod is told', async (t) => {
  const world = await cascadeWorld(t)
  world.kube.brokenKinds.add('GameServerSet')
  const first = world.put('node-1', 'web-0', 1, owned)
  await world.clock.advance(20 * second)
  assert.equal(world.claim('web-0'), undefined)
  const address = await world.untilBound('web-0', 'node-1')
  assert.equal(world.claim('web-0')?.owner, undefined)
  assert.ok(world.podReasons('web-0').includes('OwnerUnknown'))
  await world.end(first)
  world.put('node-2', 'web-0', 2, owned)
  assert.equal(await world.untilBound('web-0', 'node-2'), address)
})

test('[S7] a pod that takes its address again goes with the workload of before while its own cannot be read', async (t) => {
  const world = await cascadeWorld(t)
  const first = world.put('node-1', 'web-0', 1, owned)
  const address = await world.untilBound('web-0', 'node-1')
  await world.end(first)
  world.kube.brokenKinds.add('GameServerSet')
  const next = world.put('node-2', 'web-0', 2, owned)
  assert.equal(await world.untilBound('web-0', 'node-2'), address)
  assert.deepEqual(world.claim('web-0')?.owner, { ...game, via: set })
  await world.end(next)
  remove(world, game)
  await world.clock.advance(10 * minute)
  assert.equal(world.stateOf('web-0'), `Retained ${address}`)
  world.kube.brokenKinds.clear()
  await world.until(() => world.claim('web-0') === undefined, 10 * minute)
  assert.equal(world.stateOf('web-0'), 'none')
})

test('[S7][R7] while a workload cannot be seen any more its addresses stay; they go when it is seen that it is gone', async (t) => {
  const world = await cascadeWorld(t)
  const uid = world.put('node-1', 'web-0', 1, owned)
  const address = await world.untilBound('web-0', 'node-1')
  await world.end(uid)
  world.kube.hiddenKinds.add('GameServerSet')
  world.crash()
  world.start()
  remove(world, game)
  await world.clock.advance(20 * minute)
  assert.equal(world.stateOf('web-0'), `Retained ${address}`)
  world.kube.hiddenKinds.clear()
  await world.until(() => world.claim('web-0') === undefined, 10 * minute)
  assert.equal(world.stateOf('web-0'), 'none')
})

test('[S7][R7] a kind that was uninstalled took its workloads along: believed when it is so for minutes', async (t) => {
  const world = await cascadeWorld(t)
  const uid = world.put('node-1', 'web-0', 1, owned)
  const address = await world.untilBound('web-0', 'node-1')
  await world.end(uid)
  const uninstall = () => {
    world.crash()
    world.kube.unservedKinds.add('GameServerSet')
    world.start()
  }
  uninstall()
  await world.clock.advance(4 * minute)
  assert.equal(world.stateOf('web-0'), `Retained ${address}`)
  world.kube.unservedKinds.clear()
  world.crash()
  world.start()
  await world.clock.advance(10 * minute)
  assert.equal(world.stateOf('web-0'), `Retained ${address}`)
  uninstall()
  await world.until(() => world.claim('web-0') === undefined, 10 * minute)
  assert.equal(world.stateOf('web-0'), 'none')
})

test('[S7] of a kind that is uninstalled while the leader looks, the addresses go at once', async (t) => {
  const world = await cascadeWorld(t)
  const uid = world.put('node-1', 'web-0', 1, owned)
  await world.untilBound('web-0', 'node-1')
  await world.end(uid)
  await world.clock.advance(minute)
  remove(world, game)
  world.kube.unservedKinds.add('GameServerSet')
  await world.until(() => world.claim('web-0') === undefined, minute)
  assert.equal(world.stateOf('web-0'), 'none')
})

test('[S7][R7] a list that lacks the workload takes nothing: it is asked for', async (t) => {
  const world = await cascadeWorld(t)
  const uid = world.put('node-1', 'web-0', 1, owned)
  const address = await world.untilBound('web-0', 'node-1')
  await world.end(uid)
  await world.clock.advance(minute)
  world.kube.workloads.breakWatches(() => true)
  await world.clock.advance(5 * minute)
  assert.equal(world.stateOf('web-0'), `Retained ${address}`)
})

test('[S7][R4] after the ledger was lost an address still goes with its workload, and not with one that went before', async (t) => {
  const world = await cascadeWorld(t)
  const other: OwnerRef = { ...set, name: 'other', uid: 'uid-other' }
  put(world, other)
  const uids = [
    world.put('node-1', 'web-0', 1, owned),
    world.put('node-1', 'other-0', 1, { claim: { owner: other } }),
  ]
  const address = await world.untilBound('web-0', 'node-1')
  const others = await world.untilBound('other-0', 'node-1')
  for (const uid of uids) await world.end(uid)
  world.loseLedger()
  remove(world, other)
  world.start()
  await world.clock.advance(10 * minute)
  assert.equal(world.stateOf('web-0'), `Retained ${address}`)
  assert.equal(world.stateOf('other-0'), `Retained ${others}`, 'nobody can tell what became of it')
  remove(world, game)
  await world.until(() => world.claim('web-0') === undefined)
  assert.equal(world.stateOf('web-0'), 'none')
})

test('[S5][S7] an address whose pod is back does not expire while its workload cannot be asked for', async (t) => {
  const world = await ClaimWorld.start(t, { cascadeOwners: true, claimExpiry: 10 * minute })
  put(world, game)
  put(world, set, game)
  const uid = world.put('node-1', 'web-0', 1, owned)
  const address = await world.untilBound('web-0', 'node-1')
  await world.end(uid)
  const answering = world.kube.leader.bind(world.kube)
  const isDown = new IpamError('unavailable', 'Cannot get StatefulSet: its server does not answer')
  world.kube.leader = (process) => ({ ...answering(process), getWorkload: () => Promise.reject(isDown) })
  world.crash()
  world.start()
  world.put('node-1', 'web-0', 2, owned)
  await world.clock.advance(20 * second)
  assert.equal(world.stateOf('web-0'), `Retained ${address}`)
  await world.clock.advance(30 * minute)
  assert.equal(world.stateOf('web-0'), `Bound ${address}`)
})

/** As kubectl replace --cascade=orphan: the set goes, its pod runs on, and a new set of the name takes it. */
function orphan(world: ClaimWorld, uid: string): void {
  remove(world, set)
  say(world, uid, undefined)
}

function say(world: ClaimWorld, uid: string, owner: OwnerRef | undefined): void {
  const { claim: _, ...pod } = known(world.kube.pods.items.get(uid))
  world.kube.pods.put(uid, { ...pod, ...(owner !== undefined && { claim: { owner } }) })
}

/** web-0 on node-1, which its workload has let go. */
async function orphaned(t: TestContext) {
  const world = await ClaimWorld.start(t, { cascadeOwners: true })
  put(world, set)
  const uid = world.put('node-1', 'web-0', 1, owned)
  const address = await world.untilBound('web-0', 'node-1')
  orphan(world, uid)
  await world.clock.advance(minute)
  return { address, uid, world }
}

const anew: OwnerRef = { ...set, uid: 'uid-set-2' }

test('[S7] the address of a pod that its workload let go stays, and goes with the workload that takes it next', async (t) => {
  const { address, uid, world } = await orphaned(t)
  put(world, anew)
  say(world, uid, anew)
  await world.clock.advance(minute)
  assert.deepEqual(world.claim('web-0')?.owner, anew)
  await world.end(uid)
  await world.clock.advance(10 * minute)
  assert.equal(world.stateOf('web-0'), `Retained ${address}`)
  remove(world, anew)
  await world.until(() => world.claim('web-0') === undefined)
  assert.equal(world.stateOf('web-0'), 'none')
})

test('[S7] of a pod that no workload takes again the address stays, also through a restart', async (t) => {
  const { address, uid, world } = await orphaned(t)
  await world.end(uid)
  world.crash()
  world.start()
  await world.clock.advance(10 * minute)
  assert.equal(world.stateOf('web-0'), `Retained ${address}`)
  const next = world.put('node-2', 'web-0', 2, { claim: { owner: anew } })
  put(world, anew)
  assert.equal(await world.untilBound('web-0', 'node-2'), address)
  await world.end(next)
  remove(world, anew)
  await world.until(() => world.claim('web-0') === undefined)
  assert.equal(world.stateOf('web-0'), 'none')
})

test('[S7][R7] a new workload that could not be asked for while the pod ran is asked for before its address goes', async (t) => {
  const world = await ClaimWorld.start(t, { cascadeOwners: true })
  put(world, set)
  const uid = world.put('node-1', 'web-0', 1, owned)
  const address = await world.untilBound('web-0', 'node-1')
  const newer: OwnerRef = { ...anew, kind: 'CloneSet', apiVersion: 'apps.kruise.io/v1' }
  world.kube.brokenKinds.add('CloneSet')
  put(world, newer)
  remove(world, set)
  say(world, uid, newer)
  await world.clock.advance(5 * second)
  await world.end(uid)
  await world.clock.advance(10 * second)
  assert.equal(world.stateOf('web-0'), `Retained ${address}`)
  world.kube.brokenKinds.clear()
  await world.clock.advance(10 * minute)
  assert.deepEqual([world.stateOf('web-0'), world.claim('web-0')?.owner], [`Retained ${address}`, newer])
})

test('[S7] a workload in between that was let go and taken by another brings the address with it', async (t) => {
  const world = await cascadeWorld(t)
  const uid = world.put('node-1', 'web-0', 1, owned)
  const address = await world.untilBound('web-0', 'node-1')
  const later = { ...game, uid: 'uid-game-2' }
  remove(world, game)
  put(world, later)
  put(world, set, later)
  await world.end(uid)
  await world.clock.advance(10 * minute)
  assert.equal(world.stateOf('web-0'), `Retained ${address}`)
  assert.deepEqual(world.claim('web-0')?.owner, { ...later, via: set })
  put(world, set)
  remove(world, later)
  await world.clock.advance(10 * minute)
  assert.deepEqual([world.stateOf('web-0'), world.claim('web-0')?.owner], [`Retained ${address}`, set])
  remove(world, set)
  await world.until(() => world.claim('web-0') === undefined)
  assert.equal(world.stateOf('web-0'), 'none')
})

test('[S7] a leader that stops watches no workload any more', async (t) => {
  const world = ClaimWorld.of(t, { cascadeOwners: true })
  put(world, set)
  const watched = new Set<string>()
  const answering = world.kube.leader.bind(world.kube)
  world.kube.leader = (process) => {
    const kube = answering(process)
    return {
      ...kube,
      watchWorkloads(kind, feed, trouble) {
        const stop = kube.watchWorkloads(kind, feed, trouble)
        watched.add(kind.kind)
        return () => {
          watched.delete(kind.kind)
          stop()
        }
      },
    }
  }
  world.start()
  world.put('node-1', 'web-0', 1, owned)
  await world.until(() => watched.size > 0)
  assert.deepEqual([...watched], [set.kind])
  await world.clock.runUntil(known(world.leader).stop())
  assert.deepEqual([...watched], [])
})
