// The ways in which a kept EIP is given up (E6): its time is over, somebody deletes its claim, its workload goes.

import assert from 'node:assert/strict'
import { test } from 'node:test'
import { known } from '../../given.ts'
import { workloadKey } from '../../sim/world/kube-twin.ts'
import { releaseNow } from '../release.ts'
import { EipWorld, minute } from './eip-world.ts'

const kept = { attributes: '', policy: 'Never' }
const pod = { namespace: 'default', name: 'web-0' }

async function retained(
  t: Parameters<typeof EipWorld.start>[0],
  settings = {},
  asked = {},
): Promise<EipWorld> {
  const world = await EipWorld.start(t, settings)
  const uid = world.run('node-1', 'web-0', { ...kept, ...asked })
  await world.untilEip(uid)
  world.stop(uid)
  await world.until(() => world.eipClaim('web-0')?.phase === 'Retained')
  return world
}

test('[E6] [S5] its time is over, and not before; then it is released', async (t) => {
  const world = await retained(t, { claimExpiry: 10 * minute })
  await world.clock.advance(9 * minute)
  assert.equal(world.eipClaim('web-0')?.phase, 'Retained')
  await world.until(() => world.eipClaim('web-0') === undefined, 4 * minute)
  assert.deepEqual([world.eipState('web-0'), world.eips()], ['none', []])
})

test('[E6] [S12] its own time comes before the setting', async (t) => {
  const world = await retained(t, { claimExpiry: 10 * minute }, { expiry: '1h' })
  await world.clock.advance(50 * minute)
  assert.equal(world.eipClaim('web-0')?.phase, 'Retained')
  await world.until(() => world.eipClaim('web-0') === undefined, 14 * minute)
  assert.deepEqual(world.eips(), [])
})

test('[E6] its claim is deleted; while its pod runs that is refused, unless it is forced: then the pod gets another', async (t) => {
  const world = await EipWorld.start(t)
  const uid = world.run('node-1', 'web-0', kept)
  const { eipId } = await world.untilEip(uid)
  const release = (force = false) =>
    world.clock.runUntil(releaseNow(known(world.leader).eips, world.eipClaim(pod.name), { force }))
  assert.match(JSON.stringify(await release()), /would lose its public address/)
  assert.deepEqual(await release(true), 'releasing')
  await world.until(
    () => world.eipClaim('web-0')?.eipId !== eipId && world.eipClaim('web-0')?.phase === 'Bound',
  )
  const next = await world.untilEip(uid)
  assert.notEqual(next.eipId, eipId)
  assert.equal(world.eips().length, 1)
  world.stop(uid)
  await world.until(() => world.eipClaim('web-0')?.phase === 'Retained')
  assert.deepEqual(await release(), 'releasing')
  await world.until(() => world.eipClaim('web-0') === undefined)
  assert.deepEqual([world.eips(), await release()], [[], 'gone'])
})

test('[E6] [S7] its workload goes, and it goes with that', async (t) => {
  const world = EipWorld.of(t, { cascadeOwners: true })
  const owner = { apiVersion: 'apps/v1', kind: 'StatefulSet', name: 'web', uid: 'uid-web' }
  world.kube.workloads.put(workloadKey(owner, 'default'), {
    ...owner,
    namespace: 'default',
    controller: undefined,
  })
  world.start()
  await world.until(() => world.addresses('node-1').length > 1)
  const uid = world.run('node-1', 'web-0', { ...kept, owner })
  await world.untilEip(uid)
  assert.equal(world.eipClaim('web-0')?.owner?.name, 'web')
  world.stop(uid)
  await world.clock.advance(5 * minute)
  assert.equal(world.eipClaim('web-0')?.phase, 'Retained')
  world.kube.workloads.remove(workloadKey(owner, 'default'))
  await world.until(() => world.eipClaim('web-0') === undefined)
  assert.deepEqual([world.eipState('web-0'), world.eips()], ['none', []])
})

test('[E6] a pod of its name that keeps none, or wants one of a list, gives it up', async (t) => {
  const world = await retained(t)
  const { eipId } = known(world.eipClaim('web-0'))
  const uid = world.run('node-1', 'web-0', { attributes: '' })
  const next = await world.untilEip(uid)
  assert.notEqual(next.eipId, eipId)
  assert.equal(world.eips().length, 1)
})

test('[E6] a pod of its name that says something wrong has none, and it stays kept', async (t) => {
  const world = await retained(t, { claimExpiry: 10 * minute })
  const { eipId } = known(world.eipClaim('web-0'))
  world.run('node-1', 'web-0', { attributes: '{', policy: 'Never' })
  await world.clock.advance(20 * minute)
  assert.equal(world.eipState('web-0'), `Retained ${eipId}`)
  assert.deepEqual(world.podReasons('web-0'), ['EIPRefused'])
})
