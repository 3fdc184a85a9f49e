// What an agent gives up for pods of the other kind, and what it tells of that no pod can get.
import assert from 'node:assert/strict'
import { type TestContext, test } from 'node:test'
import type { EniMode, PublishedEni } from '../../internal/ipam/types.ts'
import { VirtualClock } from '../fake/virtual-clock.ts'
import { known } from '../given.ts'
import { publishedEni, publishedExclusive } from '../ipam/pools.ts'
import { NodeWorld, podOf } from './node-world.ts'

const second = 1000

/** A node of 3 ENIs with 2 addresses each, which keeps an ENI and an address warm. */
async function setUp(t: TestContext) {
  const clock = new VirtualClock()
  const world = new NodeWorld(t, clock)
  const bounds = { minWarm: 1, maxWarm: 1, maxEnis: 3 }
  const agent = await clock.runUntil(world.start())
  const publish = (enis: readonly PublishedEni[], instanceEnis = 3, links = enis) => {
    world.publish(enis, links)
    const { publication, ...nec } = known(world.nec)
    const pools = { shared: { ...bounds, ipsPerEni: 2 }, exclusive: { ...bounds, ipsPerEni: 1 } }
    world.nec = { ...nec, publication: { ...known(publication), ...pools, instanceEnis } }
    world.tell(world.nec)
    return clock.advance(second)
  }
  const names: string[] = []
  const run = async (mode: EniMode, ...fresh: readonly string[]) => {
    names.push(...fresh.map((name) => `${mode} ${name}`))
    await show()
    for (const name of fresh) await clock.runUntil(agent.add(world.sandbox(name), mode))
  }
  const show = (waiting: readonly string[] = []) => {
    const all = [...names, ...waiting].map((text) => text.split(' '))
    world.showPods(
      all.map(([mode, name = '']) => ({ ...podOf(world.sandbox(name)), wants: mode as EniMode })),
    )
    return clock.advance(second)
  }
  const returned = () => (world.reports.at(-1)?.returned ?? []).map(({ address }) => address.slice(5))
  return { clock, world, publish, run, show, returned }
}

test('[X3] an idle exclusive ENI is given up at once when pods that want addresses need its place', async (t) => {
  // It was kept as the warm one, and they waited for ever.
  const { publish, run, show, returned } = await setUp(t)
  await publish([publishedEni(1, '1', '2'), publishedEni(2, '1', '2'), publishedExclusive(3)])
  await run('shared', 'a', 'b', 'c', 'd')
  assert.deepEqual(returned(), [])
  await show(['shared e'])
  assert.deepEqual(returned(), ['3.250'])
})

test('[X3] a shared ENI that no pod uses is given up at once when a pod waits for an ENI', async (t) => {
  const { publish, run, show, returned } = await setUp(t)
  await publish([publishedEni(1, '1', '2'), publishedEni(2, '1'), publishedExclusive(3)])
  await run('shared', 'a', 'b')
  await run('exclusive', 'c')
  await show()
  assert.deepEqual(returned(), [])
  await show(['exclusive d'])
  assert.deepEqual(returned(), ['2.1'])
})

test('[S4][X3] idle addresses and ENIs beyond what their ENI may have are given up at once, as claims wait for them', async (t) => {
  const { publish, run, show, returned } = await setUp(t)
  const [first, second, exclusive] = [
    publishedEni(1, '1', '2'),
    publishedEni(2, '1', '2'),
    publishedExclusive(3),
  ]
  await publish([first, second, exclusive])
  await run('shared', 'a', 'b', 'c')
  await show(['exclusive d'])
  assert.deepEqual(returned(), [])
  await publish([first, { ...second, mostOfPool: 1 }, { ...exclusive, mostOfPool: 0 }])
  assert.deepEqual(new Set(returned()), new Set(['2.1', '3.250']))
})

test('[X3] nothing is given up for a pod that has its ENI there already', async (t) => {
  const { publish, run, show, returned } = await setUp(t)
  await publish([publishedEni(1, '1', '2'), publishedEni(2, '1'), publishedExclusive(3)])
  await run('shared', 'a', 'b')
  await show(['exclusive c'])
  assert.deepEqual(returned(), [])
})

test('[P8] [X3] fewer places for both kinds together free the warm ENIs of the exclusive one first', async (t) => {
  const { publish, run, returned } = await setUp(t)
  const enis = [publishedEni(1, '1', '2'), publishedEni(2, '1'), publishedExclusive(3)]
  await publish(enis)
  await run('shared', 'a')
  await publish(enis, 2)
  assert.deepEqual(returned(), ['3.250'])
})

test('[X2] [P17] an exclusive ENI whose link does not appear is told to the leader as one that no pod can get', async (t) => {
  // It counted as warm, and a pod waited for it for ever.
  const { clock, world, publish } = await setUp(t)
  const enis = [publishedEni(1, '1'), publishedExclusive(2)]
  await publish(enis, 3, [publishedEni(1, '1')])
  assert.equal(known(world.agent).unusable().size, 0, 'it may come yet')
  assert.equal(world.reports.at(-1)?.exclusiveWithheld, 0)
  await clock.advance(60 * second)
  const told = known(world.reports.at(-1))
  assert.deepEqual([told.exclusiveIdle, told.exclusiveWithheld, told.withheld, told.idle], [0, 1, 0, 1])
  assert.deepEqual(told.unlinked, ['eni-2'])
  world.kernel.setEnis(enis.map(({ mac }) => mac))
  await clock.advance(30 * second)
  const then = known(world.reports.at(-1))
  assert.deepEqual([then.exclusiveIdle, then.exclusiveWithheld, then.unlinked], [1, 0, []])
})

test('[P11] an address of an exclusive ENI that went serves on a shared one at once', async (t) => {
  // It cooled when its ENI went, so that this was known when it moved, and an ENI that is away might be in a pod: nobody got the address.
  const { clock, world, publish, run } = await setUp(t)
  const agent = known(world.agent)
  await publish([publishedExclusive(1)])
  await run('exclusive', 'a')
  await clock.runUntil(agent.remove(world.sandbox('a')))
  await publish([])
  const sandbox = world.sandbox('b')
  world.showPods([podOf(sandbox)])
  world.apiDown = true // it is told of once: what the agent reports comes back as a change of the NEC
  await publish([publishedEni(2, '1.250:2')])
  const { attachment } = await clock.runUntil(agent.add(sandbox, 'shared'))
  assert.equal(attachment.address, '10.0.1.250')
})
