// EIPs of lists: of a user's own, each for one pod, and never released.

import assert from 'node:assert/strict'
import { test } from 'node:test'
import type { Transport } from '../../../internal/vpc/transport.ts'
import { known } from '../../given.ts'
import { releaseNow } from '../release.ts'
import { EipWorld, minute, second } from './eip-world.ts'

/** With two EIPs of its user's. */
async function withEips(t: Parameters<typeof EipWorld.start>[0]): Promise<EipWorld> {
  const world = await EipWorld.start(t)
  for (const id of ['eip-xxx1', 'eip-xxx2']) world.cloud.admin.createEip({ id }, world.clock.now())
  return world
}

const ids = 'eip-xxx1,eip-xxx2'

test('[E4] a pod whose name ends in n has the n-th EIP of its list; gone, it leaves that to its user', async (t) => {
  const world = await withEips(t)
  const uids = ['busybox-0', 'busybox-1'].map((name) => world.run('node-1', name, { ids }))
  const claims = [await world.untilEip(known(uids[0]))]
  world.run('node-2', 'busybox-2', { ids })
  await world.untilTold('busybox-2')
  assert.deepEqual(
    claims.map(({ eipId }) => eipId),
    ['eip-xxx1'],
  )
  assert.deepEqual(world.podReasons('busybox-2'), ['EipListTooShort'])
  for (const uid of [...world.kube.pods.items.keys()]) world.stop(uid)
  await world.until(() => !world.ledger.eips.any())
  assert.deepEqual(
    world.eips().map((eip) => eip.split(' ').slice(0, 2).join(' ')),
    ['eip-xxx1 UNBIND', 'eip-xxx2 UNBIND'],
  )
})

test('[E4] of pods that want one EIP one has it; the others are told, and the next has it when it is free', async (t) => {
  const world = await withEips(t)
  const asked = { ids: 'eip-xxx1' }
  const first = world.run('node-1', 'a', asked)
  await world.untilEip(first)
  const second = world.run('node-2', 'b', asked)
  await world.clock.advance(minute)
  assert.equal(world.eipState('b'), 'Pending -')
  assert.deepEqual(world.podReasons('b'), ['EipTaken'])
  assert.match(
    world.eipClaim('b')?.message ?? '',
    /^Cannot give the pod its EIP: eip-xxx1 is of pod default\/a; it gets it when it is free$/,
  )
  world.stop(first)
  assert.equal((await world.untilEip(second)).eipId, 'eip-xxx1')
})

test('[E4] both are taken where the names say nothing; one that is not there is told, and one that can be none', async (t) => {
  const world = await withEips(t)
  const uids = ['a', 'b'].map((name, i) => world.run(`node-${i + 1}`, name, { ids }))
  const taken = [await world.untilEip(known(uids[0])), await world.untilEip(known(uids[1]))]
  assert.deepEqual(new Set(taken.map(({ eipId }) => eipId)), new Set(['eip-xxx1', 'eip-xxx2']))
  world.run('node-1', 'c', { ids: 'eip-nobody' })
  world.run('node-1', 'd', { ids: 'eip-a' })
  await world.untilTold('c')
  await world.untilTold('d')
  assert.deepEqual([world.podReasons('c'), world.podReasons('d')], [['EipNotFound'], ['EIPRefused']])
})

test('[E4] [E2] a kept one stays its pod’s, and is only unbound; given up, it is its user’s again', async (t) => {
  const world = await withEips(t)
  const uid = world.run('node-1', 'web-0', { ids, policy: 'Never' })
  await world.untilEip(uid)
  world.stop(uid)
  await world.until(() => world.eipClaim('web-0')?.privateIp === undefined)
  assert.equal(world.eipState('web-0'), 'Retained eip-xxx1')
  await world.clock.runUntil(releaseNow(known(world.leader).eips, world.eipClaim('web-0')))
  await world.until(() => world.eipClaim('web-0') === undefined)
  assert.equal(world.eips().length, 2)
})

test('[E4] [R7] one that is found on an address which leaves its node is chosen when that is over', async (t) => {
  const world = EipWorld.of(t)
  let isSlow = false
  world.between = (cloud): Transport => ({
    async request(product, action, params, options) {
      if (isSlow && action === 'UnassignPrivateIpAddresses')
        await new Promise<void>((resolve) => world.clock.after(20 * second, resolve))
      return cloud.request(product, action, params, options)
    },
  })
  world.cloud.admin.createEip({ id: 'eip-xxx1' }, world.clock.now())
  world.start()
  await world.until(() => world.addresses('node-1').length > 1 && world.addresses('node-2').length > 1)
  const uid = world.put('node-1', 'db-0')
  const address = await world.untilBound('db-0', 'node-1')
  const eni = world.published('node-1').find(({ ips }) => ips.some((ip) => ip.address === address))
  assert.ok(world.console.bindEipTo('eip-xxx1', known(eni).id, address))
  await world.clock.advance(10 * second)
  isSlow = true
  await world.end(uid)
  world.put('node-2', 'db-0', 2)
  const ip = () =>
    world.ledger
      .pool('node-1')
      ?.enis.flatMap(({ ips }) => ips)
      .find((one) => one.address === address)
  await world.until(() => ip()?.state === 'unassigning')
  const next = world.run('node-2', 'a', { ids: 'eip-xxx1' })
  await world.clock.advance(10 * second)
  assert.deepEqual([world.ledger.nodeOf(address), world.eipState('a')], ['node-1', 'Pending -'])
  await world.untilEip(next)
})
