// A node whose database is lost, or is an old backup, while pods have ENIs of their own: those are in the pods' namespaces, where they say
// whose they are.
import assert from 'node:assert/strict'
import { type TestContext, test } from 'node:test'
import type { Sandbox } from '../../internal/ports.ts'
import { VirtualClock } from '../fake/virtual-clock.ts'
import { known } from '../given.ts'
import { publishedEni, publishedExclusive } from '../ipam/pools.ts'
import { NodeWorld } from './node-world.ts'

const second = 1000
const enis = [publishedEni(1, '1'), publishedExclusive(2), publishedExclusive(3)]

async function nodeWith(t: TestContext) {
  const clock = new VirtualClock()
  const world = new NodeWorld(t, clock)
  world.exclusive = { minWarm: 0, maxWarm: 2, maxEnis: 2, ipsPerEni: 1 }
  world.publish(enis)
  await clock.runUntil(world.start())
  await clock.advance(second)
  const add = async (sandbox: Sandbox): Promise<string> =>
    (await clock.runUntil(known(world.agent).add(sandbox, 'exclusive'))).attachment.address
  const restart = async () => {
    await clock.runUntil(world.start())
    await clock.advance(second)
  }
  return { clock, world, add, restart }
}

const given = ({ kernel }: NodeWorld) => structuredClone([...kernel.given])
const owners = ({ ledger }: NodeWorld) => ledger.attachments().map(({ address, pod }) => [pod.name, address])

test('[R4] [X1] pods with an ENI of their own are adopted, and left as they are', async (t) => {
  const { clock, world, add, restart } = await nodeWith(t)
  const [a, b] = [world.sandbox('a'), world.sandbox('b')]
  for (const sandbox of [a, b]) await add(sandbox)
  const before = { attachments: world.ledger.attachments(), given: given(world) }
  world.loseDatabase()
  await restart()
  assert.deepEqual(world.ledger.attachments(), before.attachments)
  await clock.advance(120 * second)
  assert.deepEqual(given(world), before.given)
  assert.deepEqual(
    world.notices.map(({ reason, message }) => [reason, message.split(' that')[0]]),
    [['Adopted', 'found 2 pods with an ENI of their own']],
  )
  const agent = known(world.agent)
  assert.deepEqual(await clock.runUntil(agent.check(a)), [])
  await clock.runUntil(agent.remove(a))
  assert.deepEqual(
    given(world).map(([, { netns }]) => netns),
    [b.netns],
  )
  assert.deepEqual(owners(world).flat()[0], 'b')
})

test('[R4] a DEL right after the start brings the ENI back, whether or not the API server answers', async (t) => {
  for (const apiDown of [false, true]) {
    const { clock, world, add } = await nodeWith(t)
    const a = world.sandbox('a')
    await add(a)
    world.loseDatabase()
    world.apiDown = apiDown
    const agent = await clock.runUntil(world.start())
    await clock.runUntil(agent.remove(a))
    assert.equal(world.kernel.given.size, 0)
    await clock.runUntil(agent.remove(a))
    await clock.advance(60 * second)
    assert.deepEqual(world.ledger.attachments(), [])
  }
})

test('[R1] [R4] an ENI that does not say whose it is stays with its pod until that ends', async (t) => {
  const { clock, world, add, restart } = await nodeWith(t)
  const [a, b, c] = [world.sandbox('a'), world.sandbox('b'), world.sandbox('c')]
  const address = await add(a)
  for (const [mac, end] of world.kernel.given) world.kernel.given.set(mac, { ...end, alias: undefined })
  world.loseDatabase()
  await restart()
  assert.notEqual(await add(b), address)
  await assert.rejects(add(c), { code: 'no_address' })
  await clock.advance(600 * second)
  assert.equal(world.kernel.given.size, 2)
  assert.equal(known(world.ledger.ips().find((ip) => ip.address === address)).state, 'usable')
  world.kernel.destroyNamespace(a.netns)
  await clock.advance(60 * second)
  assert.equal(await add(c), address)
})

test('[R4] a backup from before: who has the ENI now keeps it, also when he whom the backup names is collected', async (t) => {
  const { clock, world, add, restart } = await nodeWith(t)
  const [a, b] = [world.sandbox('a'), world.sandbox('b')]
  const address = await add(a)
  world.publish(enis.slice(0, 2))
  const backup = world.backup()
  await clock.runUntil(known(world.agent).remove(a))
  world.kernel.destroyNamespace(a.netns)
  await clock.advance(60 * second)
  world.publish(enis.filter(({ mode, primaryIp }) => mode === 'shared' || primaryIp === address))
  await clock.advance(second)
  assert.equal(await add(b), address)
  world.restore(backup)
  await restart()
  const before = given(world)
  await clock.advance(120 * second)
  assert.deepEqual(given(world), before)
  assert.deepEqual(owners(world), [['b', address]])
})

test('[R4] [R6] pods whose adoption could not be stored are adopted once there is room', async (t) => {
  // The ENI was noted as looked for before its pod was stored, and not looked for again.
  const { clock, world, add, restart } = await nodeWith(t)
  const address = await add(world.sandbox('a'))
  world.loseDatabase()
  let room = false
  world.between = ({ linux, ...ports }) => ({
    ...ports,
    linux: {
      ...linux,
      async findEnis() {
        const found = await linux.findEnis()
        world.disk.full = !room
        return found
      },
    },
  })
  await restart()
  await clock.advance(60 * second)
  assert.deepEqual(owners(world), [])
  room = true
  world.disk.full = false
  await clock.advance(60 * second)
  assert.deepEqual(owners(world), [['a', address]])
})

test('[R4] [X1] what another sandbox has by now than a backup says is that one’s, though nobody collects the other', async (t) => {
  const { clock, world, add, restart } = await nodeWith(t)
  world.publish(enis.slice(0, 2))
  const [old, fresh] = [world.sandbox('old'), world.sandbox('fresh')]
  const address = await add(old)
  const backup = world.backup()
  await clock.runUntil(known(world.agent).remove(old))
  world.kernel.destroyNamespace(old.netns)
  await clock.advance(60 * second)
  assert.equal(await add(fresh), address)
  const before = { attachments: world.ledger.attachments(), given: given(world) }
  world.restore(backup)
  await restart()
  assert.deepEqual(world.ledger.attachments(), before.attachments)
  await clock.runUntil(known(world.agent).remove(old)) // late: it is not the old one's any more
  assert.deepEqual(world.ledger.attachments(), before.attachments)
  assert.deepEqual(given(world), before.given)
})
