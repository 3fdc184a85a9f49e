// Which kind of address a pod gets when its network list does not say: as the pod itself asks, told by Kubernetes.
import assert from 'node:assert/strict'
import { type TestContext, test } from 'node:test'
import type { EniMode } from '../../internal/ipam/types.ts'
import type { Sandbox } from '../../internal/ports.ts'
import { VirtualClock } from '../fake/virtual-clock.ts'
import { known } from '../given.ts'
import { publishedEni, publishedExclusive } from '../ipam/pools.ts'
import { NodeWorld, podOf } from './node-world.ts'

const second = 1000

function newNode(t: TestContext) {
  const clock = new VirtualClock()
  const world = new NodeWorld(t, clock)
  const enis = [publishedEni(1, '1', '2'), publishedExclusive(2)]
  /** Two exclusive ENIs at most. */
  const publish = () => {
    world.publish(enis)
    const { publication, ...nec } = known(world.nec)
    const exclusive = { minWarm: 0, maxWarm: 1, maxEnis: 2, ipsPerEni: 1 }
    world.nec = { ...nec, publication: { ...known(publication), exclusive } }
    world.tell(world.nec)
  }
  const start = async () => clock.runUntil(world.start())
  const modeOf = async (sandbox: Sandbox): Promise<EniMode | undefined> => {
    const { attachment } = await clock.runUntil(known(world.agent).add(sandbox, undefined))
    return world.ledger.eniOf(attachment.address)?.mode
  }
  const show = (sandbox: Sandbox) => world.showPods([{ ...podOf(sandbox), wants: 'exclusive' }])
  return { clock, world, publish, start, modeOf, show }
}

test('[X1] a pod that asks for an ENI before the first NEC has come waits for one', async (t) => {
  // On a new node it got an address of the first shared ENI.
  const { clock, world, publish, start, modeOf, show } = newNode(t)
  await start()
  const sandbox = world.sandbox('a')
  show(sandbox)
  clock.after(5 * second, publish)
  assert.equal(await modeOf(sandbox), 'exclusive')
})

test('[X1] an agent that has just started waits a moment for what its pods ask for', async (t) => {
  const { clock, world, publish, start, modeOf, show } = newNode(t)
  await start()
  publish()
  await clock.advance(second)
  const sandbox = world.sandbox('a')
  show(sandbox)
  world.crash()
  await start()
  assert.equal(await modeOf(sandbox), 'exclusive')
})

test('[X1] a pod that asks for an ENI where the node may have none is told so, and gets no shared address', async (t) => {
  const { clock, world, start, show } = newNode(t)
  await start()
  world.publish([publishedEni(1, '1', '2')])
  await clock.advance(second)
  const sandbox = world.sandbox('a')
  show(sandbox)
  const refused = assert.rejects(known(world.agent).add(sandbox, undefined), {
    code: 'no_address',
    message: /Cannot give the pod an ENI of its own: this node may have none/,
  })
  await clock.runUntil(refused)
  assert.deepEqual(world.ledger.attachments(), [])
})

test('[R3] without the API server a pod that nobody knows gets a shared address, and soon', async (t) => {
  const { clock, world, publish, start, modeOf } = newNode(t)
  await start()
  publish()
  await clock.advance(second)
  world.crash()
  world.apiDown = true
  await start()
  const before = clock.now()
  assert.equal(await modeOf(world.sandbox('a')), 'shared')
  assert.ok(clock.now() - before <= 3 * second)
  assert.equal(await modeOf(world.sandbox('b')), 'shared')
})

test('[X1] [K3] a pod that was not known in time and asks for an ENI of its own is told so, once', async (t) => {
  const { clock, world, publish, start, modeOf } = newNode(t)
  await start()
  publish()
  await clock.advance(second)
  const [own, plain] = [world.sandbox('own'), world.sandbox('plain')]
  assert.equal(await modeOf(own), 'shared')
  assert.equal(await modeOf(plain), 'shared')
  assert.equal(world.log.count('kind of address guessed: the pod is not known yet'), 2)
  for (let i = 0; i < 2; i++) {
    world.showPods([{ ...podOf(own), wants: 'exclusive' }, podOf(plain)])
    await clock.advance(second)
  }
  const told = world.notices.filter(({ reason }) => reason === 'SharedAddressGiven')
  assert.deepEqual(
    told.map(({ about }) => about.name),
    ['own'],
  )
  assert.match(known(told[0]).message, /has 10\.0\.\d+\.\d+ of a shared one: .* delete the pod/)
})

test('[R9] an ADD that waits for what its pod asks for is not overtaken by the DEL of its sandbox', async (t) => {
  // It went on after the DEL, and took the network from the sandbox that had taken its place.
  const { clock, world, publish, start } = newNode(t)
  const agent = await start()
  publish()
  await clock.advance(second)
  const [old, fresh] = [world.sandbox('a', 'c-1'), world.sandbox('a', 'c-2')]
  const late = agent.add(old, undefined).catch(() => undefined)
  const removed = agent.remove(old)
  world.kernel.destroyNamespace(old.netns)
  world.showPods([podOf(fresh)])
  const { attachment } = await clock.runUntil(agent.add(fresh, undefined))
  await clock.runUntil(Promise.all([late, removed]))
  assert.deepEqual(
    world.ledger.attachments().map(({ containerId, address }) => [containerId, address]),
    [['c-2', attachment.address]],
  )
  assert.equal(world.kernel.podLinks.size, 1)
})

test('[R9] a late ADD of a sandbox that is gone takes nothing from a newer one of its pod', async (t) => {
  const { clock, world, publish, start } = newNode(t)
  const agent = await start()
  publish()
  await clock.advance(second)
  const [old, fresh] = [world.sandbox('a', 'c-1'), world.sandbox('a', 'c-2')]
  world.showPods([podOf(fresh)])
  world.kernel.destroyNamespace(old.netns)
  await clock.runUntil(agent.add(fresh, undefined))
  await clock.runUntil(assert.rejects(agent.add(old, undefined), { code: 'kernel' }))
  assert.deepEqual(
    world.ledger.attachments().map(({ containerId }) => containerId),
    ['c-2'],
  )
})
