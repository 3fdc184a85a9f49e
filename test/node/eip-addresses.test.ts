// Addresses of the pool that EIPs are on: no other pod gets one, or what comes from outside for the first would reach it.
import assert from 'node:assert/strict'
import { type TestContext, test } from 'node:test'
import type { PublishedEni } from '../../internal/ipam/types.ts'
import type { Sandbox } from '../../internal/ports.ts'
import { VirtualClock } from '../fake/virtual-clock.ts'
import { known } from '../given.ts'
import { publishedEni } from '../ipam/pools.ts'
import { NodeWorld, podOf } from './node-world.ts'

const second = 1000

/** Addresses 10.0.1.1 and 10.0.1.2; of EIPs on them: whose. */
function eni(eips: Readonly<Record<string, string>>): PublishedEni {
  const made = publishedEni(1, '1', '2')
  const ips = made.ips.map((ip) => {
    const eipFor = eips[ip.address]
    return { ...ip, ...(eipFor !== undefined && { eipFor }) }
  })
  return { ...made, ips }
}

async function nodeWith(t: TestContext, eips: Readonly<Record<string, string>>) {
  const clock = new VirtualClock()
  const world = new NodeWorld(t, clock)
  world.shared = { minWarm: 2, maxWarm: 2 }
  world.publish([eni(eips)])
  const start = async () => {
    await clock.runUntil(world.start({}))
    await clock.advance(second)
  }
  await start()
  const publish = async (changed: Readonly<Record<string, string>>) => {
    world.publish([eni(changed)])
    await clock.advance(second)
  }
  const add = async (sandbox: Sandbox): Promise<string> =>
    (await clock.runUntil(known(world.agent).add(sandbox, undefined))).attachment.address
  const remove = async (sandbox: Sandbox) => {
    await clock.runUntil(known(world.agent).remove(sandbox))
    await clock.advance(second)
  }
  return { clock, world, start, publish, add, remove }
}

test('[E7] an address that an EIP is on goes to no other pod, not even when nothing else is left', async (t) => {
  const { world, add, publish, remove } = await nodeWith(t, {})
  const [one, two, three] = [world.sandbox('one'), world.sandbox('two'), world.sandbox('three')]
  world.showPods([one, two, three].map(podOf))
  const [first, second] = [await add(one), await add(two)]
  await publish({ [first]: one.pod.uid })
  await remove(one)
  await assert.rejects(add(three), {
    code: 'no_address',
    message: /1 of 2 addresses of the pool are in use, 1 wait for EIPs of pods before to leave them/,
  })
  await publish({ [first]: '' })
  await assert.rejects(add(three), { code: 'no_address' })
  await publish({})
  assert.equal(await add(three), first)
  assert.notEqual(first, second)
})

test('[E7] its own pod gets it again in another sandbox', async (t) => {
  const { world, add, publish, remove } = await nodeWith(t, {})
  const one = world.sandbox('one')
  world.showPods([podOf(one)])
  const first = await add(one)
  await publish({ [first]: one.pod.uid })
  await remove(one)
  const again = { ...world.sandbox('one'), pod: one.pod }
  assert.equal(await add(again), first)
})

test('[E7][R3] the node knows of it after a restart, before the leader says anything', async (t) => {
  const { world, add, publish, remove, start } = await nodeWith(t, {})
  const [one, two, three] = [world.sandbox('one'), world.sandbox('two'), world.sandbox('three')]
  world.showPods([one, two, three].map(podOf))
  const first = await add(one)
  await publish({ [first]: one.pod.uid })
  await remove(one)
  world.crash()
  world.apiDown = true
  await start()
  assert.notEqual(await add(two), first)
  await assert.rejects(add(three), { code: 'no_address' })
})

test('[E7] while an EIP is on it an address is not given back, and counts as none that pods can have', async (t) => {
  const { clock, world, add, publish, remove } = await nodeWith(t, {})
  world.shared = { minWarm: 0, maxWarm: 0 }
  const one = world.sandbox('one')
  world.showPods([podOf(one)])
  const first = await add(one)
  await publish({ [first]: one.pod.uid })
  await remove(one)
  world.showPods([])
  await clock.advance(300 * second)
  const isReturned = () => (world.nec?.report?.returned ?? []).some(({ address }) => address === first)
  assert.deepEqual([isReturned(), world.nec?.report?.withheld], [false, 1])
  await publish({})
  await clock.advance(300 * second)
  assert.deepEqual([isReturned(), world.nec?.report?.withheld], [true, 0])
})
