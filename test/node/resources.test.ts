// What the kubelet is told of the pools, as they change.
import assert from 'node:assert/strict'
import { type TestContext, test } from 'node:test'
import { observed, type Resources, startResources } from '../../internal/node/resources.ts'
import type { Kubelet, ResourceCounts } from '../../internal/ports.ts'
import { VirtualClock } from '../fake/virtual-clock.ts'
import { known } from '../given.ts'
import { publishedEni, publishedExclusive } from '../ipam/pools.ts'
import { NodeWorld } from './node-world.ts'

/** Remembers what is offered now. */
class Offers implements Kubelet {
  readonly now = new Map<string, ResourceCounts>()
  offer(resource: string, counts: ResourceCounts): void {
    this.now.set(resource.replace('tke.cloud.tencent.com/', ''), counts)
  }
  async withdraw(resource: string): Promise<void> {
    this.now.delete(resource.replace('tke.cloud.tencent.com/', ''))
  }
  async close(): Promise<void> {
    this.now.clear()
  }
}

const second = 1000

/** A node that may have 3 ENIs of 60 addresses, and keeps 2 of them idle. */
async function setUp(t: TestContext) {
  const clock = new VirtualClock()
  const world = new NodeWorld(t, clock)
  const offers = new Offers()
  let resources: Resources | undefined
  const start = async () => {
    world.ledger = observed(world.ledger, () => resources?.wake())
    const agent = await clock.runUntil(world.start())
    const { ledger, log } = world
    const { bounds, staticIps: onDemand, unusable } = agent
    resources = startResources({ ledger, bounds, onDemand, unusable, kubelet: offers, clock, log })
    await clock.advance(second)
    return agent
  }
  t.after(() => resources?.stop())
  return { clock, world, offers, start, stop: () => resources?.stop() }
}

test('[P17] the kubelet is told of a pool as soon as there is one, and of every change', async (t) => {
  const { clock, world, offers, start } = await setUp(t)
  const agent = await start()
  assert.deepEqual([...offers.now], [])
  world.publish([publishedEni(1, '1', '2', '3')])
  await clock.advance(second)
  assert.deepEqual([...offers.now], [['eni-ip', { capacity: 180, allocatable: 3 }]])
  await clock.runUntil(agent.add(world.sandbox('a'), undefined))
  world.publish([publishedEni(1, '1', '2', '3', '4', '5')])
  await clock.advance(second)
  assert.deepEqual(offers.now.get('eni-ip'), { capacity: 180, allocatable: 5 })
  await clock.advance(600 * second) // 4 are idle, 2 may be
  assert.deepEqual(offers.now.get('eni-ip'), { capacity: 180, allocatable: 3 })
})

test('[R3] [P17] an agent that starts without the API server offers what it has', async (t) => {
  const { clock, world, offers, start, stop } = await setUp(t)
  await start()
  world.publish([publishedEni(1, '1', '2', '3')])
  await clock.advance(second)
  stop()
  world.crash()
  world.apiDown = true
  offers.now.clear()
  await start()
  assert.deepEqual([...offers.now], [['eni-ip', { capacity: 3, allocatable: 3 }]])
})

test('[X2] [P17] exclusive ENIs are a resource of their own where a node may have some', async (t) => {
  const { clock, world, offers, start } = await setUp(t)
  await start()
  world.publish([publishedEni(1, '1')])
  const { publication } = known(world.nec)
  const allow = (maxEnis: number) => {
    const exclusive = { minWarm: 0, maxWarm: 1, maxEnis, ipsPerEni: 1 }
    world.nec = { ...known(world.nec), publication: { ...known(publication), exclusive } }
    world.tell(world.nec)
    return clock.advance(second)
  }
  await allow(2)
  assert.deepEqual(offers.now.get('direct-eni'), { capacity: 2, allocatable: 0 })
  await allow(0)
  assert.equal(offers.now.has('direct-eni'), false)
})

test('[S1] [P17] where addresses are bound on demand a node offers all that it may have', async (t) => {
  const { clock, world, offers, start } = await setUp(t)
  world.staticIps = true
  await start()
  world.publish([])
  await clock.advance(second)
  assert.deepEqual([...offers.now], [['eni-ip', { capacity: 180, allocatable: 180 }]])
})

test('[P17] an ENI whose link does not appear is no ENI for the scheduler', async (t) => {
  const { clock, world, offers, start } = await setUp(t)
  world.exclusive = { minWarm: 0, maxWarm: 2, maxEnis: 2, ipsPerEni: 1 }
  await start()
  const enis = [publishedEni(1, '1'), publishedExclusive(2)]
  world.publish(enis, [publishedEni(1, '1')])
  await clock.advance(90 * second)
  assert.deepEqual(offers.now.get('direct-eni'), { capacity: 2, allocatable: 0 })
  assert.deepEqual(offers.now.get('eni-ip'), { capacity: 180, allocatable: 1 })
  world.kernel.setEnis(enis.map(({ mac }) => mac))
  await clock.advance(60 * second)
  assert.deepEqual(offers.now.get('direct-eni'), { capacity: 2, allocatable: 1 })
})

test('[E5] EIPs are a resource, as many as the NEC says, also for an agent that starts without the API server', async (t) => {
  const { clock, world, offers, start, stop } = await setUp(t)
  world.eips = 2
  await start()
  assert.equal(offers.now.has('eip'), false, 'nobody knows yet')
  world.publish([publishedEni(1, '1')])
  await clock.advance(second)
  assert.deepEqual(offers.now.get('eip'), { capacity: 2, allocatable: 2 })
  stop()
  world.crash()
  world.apiDown = true
  offers.now.clear()
  await start()
  assert.deepEqual(offers.now.get('eip'), { capacity: 2, allocatable: 2 })
  world.apiDown = false
  for (const [eips, offered] of [
    [3, { capacity: 3, allocatable: 3 }],
    [0, undefined],
  ] as const) {
    world.eips = eips
    world.publish([publishedEni(1, '1')])
    world.tell(known(world.nec))
    await clock.advance(second)
    assert.deepEqual(offers.now.get('eip'), offered)
  }
})
