// Public addresses from pod to pod: made, bound, shown, kept or released.
import assert from 'node:assert/strict'
import { test } from 'node:test'
import { known } from '../../given.ts'
import { EipWorld, minute, second } from './eip-world.ts'

test('[E1][E11] a pod that asks for an EIP gets one that is made for it, and shows it', async (t) => {
  const world = await EipWorld.start(t)
  const uid = world.run('node-1', 'web-0', { attributes: '{"Bandwidth":"7","ISP":"BGP"}' })
  const claim = await world.untilEip(uid)
  assert.deepEqual(world.eips(), [`${claim.eipId} BIND ${claim.privateIp}`])
  assert.deepEqual(world.podReasons('web-0'), [])
  assert.deepEqual(world.differences(), [])
})

test('[E3] it is released when its pod is gone', async (t) => {
  const world = await EipWorld.start(t)
  const uid = world.run('node-1', 'web-0')
  await world.untilEip(uid)
  world.stop(uid)
  await world.until(() => world.eipClaim('web-0') === undefined)
  assert.deepEqual([world.eipState('web-0'), world.eips()], ['none', []])
})

test('[E3][R7] a pod that the list of pods lacks has its EIP until it is gone', async (t) => {
  const world = await EipWorld.start(t)
  const uid = world.run('node-1', 'web-0')
  const { eipId, privateIp } = await world.untilEip(uid)
  const others = world.eips()
  world.hidePod(uid)
  await world.clock.advance(5 * minute)
  assert.deepEqual([world.eipState('web-0'), world.eips()], [`Bound ${eipId} on ${privateIp}`, others])
  world.kube.pods.remove(uid)
  await world.until(() => world.eipClaim('web-0') === undefined)
  assert.deepEqual([world.eipState('web-0'), world.eips()], ['none', []])
})

test('[E2] with policy Never it is kept, bound to nothing, and the next pod of the name has it on its own address', async (t) => {
  const world = await EipWorld.start(t)
  const uid = world.run('node-1', 'web-0', { attributes: '', policy: 'Never' })
  const { address, eipId } = await world.untilEip(uid)
  world.stop(uid)
  await world.until(() => world.eipClaim('web-0')?.privateIp === undefined)
  assert.equal(world.eipState('web-0'), `Retained ${eipId}`)
  await world.clock.advance(10 * minute)
  assert.deepEqual(world.eips(), [`${eipId} UNBIND ${address}`])
  const next = world.run('node-2', 'web-0', { attributes: '', policy: 'Never' })
  const again = await world.untilEip(next)
  assert.deepEqual([again.eipId, again.address, again.generation], [eipId, address, 2])
})

test('[E7][S4] of a static pod it follows the address from node to node, and never holds two', async (t) => {
  const world = await EipWorld.start(t)
  const asked = { attributes: '', policy: 'Never' }
  const uid = world.runStatic('node-1', 'db-0', asked)
  const address = await world.untilBound('db-0', 'node-1')
  world.show(uid, address)
  const { eipId } = await world.untilEip(uid)
  const [grant] = world.publishedFor('node-1', 'db-0')
  world.kube.pods.remove(uid)
  const next = world.runStatic('node-2', 'db-0', asked)
  await world.clock.advance(second)
  world.giveBack('node-1', [known(grant)])
  const eni = world.ledger.eips.claim({ namespace: 'default', name: 'db-0' })?.eniId
  await world.until(() => {
    const on = world.cloud.admin.audit(world.clock.now()).ips.find((ip) => ip.address === address)?.eniId
    // It leaves its ENI without the EIP.
    if (world.holderOf(eipId) === address && world.eipClaim('db-0')?.eniId === eni) assert.equal(on, eni)
    return world.claim('db-0')?.phase === 'Bound'
  })
  assert.equal(await world.untilBound('db-0', 'node-2'), address)
  world.show(next, address)
  const moved = await world.untilEip(next)
  assert.deepEqual([moved.eipId, moved.privateIp], [eipId, address])
  assert.notEqual(moved.eniId, eni)
})
