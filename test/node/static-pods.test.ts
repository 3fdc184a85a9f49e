// Pods that keep their addresses (S1, S4): which address their ADDs get, what waits, and when this node lets an address go.
import assert from 'node:assert/strict'
import { type TestContext, test } from 'node:test'
import type { PublishedEni } from '../../internal/ipam/types.ts'
import type { Sandbox } from '../../internal/ports.ts'
import { VirtualClock } from '../fake/virtual-clock.ts'
import { known } from '../given.ts'
import { addressOf, publishedEni } from '../ipam/pools.ts'
import { NodeWorld, podOf } from './node-world.ts'

const second = 1000

/** "2:1:web-0": as publishedEni(), for a pod of namespace "default". */
function eni(...addresses: readonly string[]): PublishedEni {
  const made = publishedEni(1, ...addresses)
  const ips = made.ips.map(({ claim, ...ip }) =>
    claim === undefined ? ip : { ...ip, claim: { ...claim, namespace: 'default' } },
  )
  return { ...made, ips }
}

async function nodeWith(t: TestContext, ...addresses: readonly string[]) {
  const clock = new VirtualClock()
  const world = new NodeWorld(t, clock)
  world.staticIps = true
  world.shared = { minWarm: 0, maxWarm: 0 }
  const start = async (settings = {}) => {
    await clock.runUntil(world.start(settings))
    await clock.advance(second)
  }
  const publish = (...shorts: readonly string[]) => world.publish([eni(...shorts)])
  publish(...addresses)
  await start()
  const add = async (sandbox: Sandbox): Promise<string> =>
    (await clock.runUntil(known(world.agent).add(sandbox, undefined))).attachment.address.slice(
      'x10.0.'.length - 1,
    )
  const remove = async (sandbox: Sandbox) => {
    await clock.runUntil(known(world.agent).remove(sandbox))
    await clock.advance(second)
  }
  /** These pods are on the node; "web-0*" keeps its address. */
  const show = (...sandboxes: readonly (readonly [Sandbox, 'keeps' | 'plain' | 'unclear', 'deleting'?])[]) =>
    world.showPods(
      sandboxes.map(([sandbox, kind, deleting]) => ({
        ...podOf(sandbox),
        keepsIp: kind === 'keeps',
        deleting: deleting !== undefined,
        ...(kind === 'unclear' && { claim: { unclear: ['policy'] as const } }),
      })),
    )
  const returned = () =>
    (world.nec?.report?.returned ?? []).map(({ address, grant }) => `${address.slice(5)}:${grant}`)
  return { clock, world, start, publish, add, remove, show, returned }
}

test('[S4] a static pod gets the address of its name, and no other pod does', async (t) => {
  const { clock, world, add, show } = await nodeWith(t, '1', '2:1:web-0', '3:1:web-1')
  const [web0, plain, more] = [world.sandbox('web-0'), world.sandbox('plain'), world.sandbox('more')]
  show([web0, 'keeps'], [plain, 'plain'], [more, 'plain'])
  assert.equal(await add(plain), '1.1')
  await assert.rejects(add(more), {
    code: 'no_address',
    message: /1 of 1 addresses of the pool are in use/,
  })
  assert.equal(await add(web0), '1.2')
  assert.equal(await add(web0), '1.2', 'a repeated ADD')
  await clock.advance(60 * second)
})

test('[S6] a claim that is let go under its pod keeps no other pod from its address', async (t) => {
  const { clock, world, add, publish, remove, show } = await nodeWith(t, '1', '2:1:web-0')
  const [web0, again, web1] = [world.sandbox('web-0'), world.sandbox('web-0'), world.sandbox('web-1')]
  show([web0, 'keeps'], [web1, 'keeps'])
  assert.equal(await add(web0), '1.2')
  publish('1', '2:1:web-0 (released)', '3:2:web-1')
  await clock.advance(second)
  assert.equal(await add(web1), '1.3')
  await remove(web0)
  show([again, 'keeps'], [web1, 'keeps'])
  await assert.rejects(add(again), { code: 'no_address' })
})

test('[S4] a static pod never gets an address of the pool: it waits, and is told where to look', async (t) => {
  const { clock, world, add, show } = await nodeWith(t, '1', '2:1:web-1')
  const web0 = world.sandbox('web-0')
  show([web0, 'keeps'])
  const started = clock.now()
  await assert.rejects(add(web0), {
    code: 'no_address',
    message: 'Cannot give the pod its static address: the leader has not bound it to this node yet',
    hint: 'see kubectl describe vipc -n default web-0',
  })
  assert.equal(clock.now() - started, 30 * second)
  assert.deepEqual(
    world.notices.map(({ reason, message }) => [reason, /kubectl describe vipc/.test(message)]),
    [
      ['WaitingForAddress', true],
      ['FailedAllocateAddress', true],
    ],
  )
})

test('[S4] a static pod goes on as soon as its address is published', async (t) => {
  const { clock, world, add, publish, show } = await nodeWith(t, '1')
  const web0 = world.sandbox('web-0')
  show([web0, 'keeps'])
  clock.after(5 * second, () => publish('1', '7:2:web-0'))
  const started = clock.now()
  assert.equal(await add(web0), '1.7')
  assert.ok(clock.now() - started < 6 * second)
})

test('[R6] a pod whose policy cannot be read gets the address of its name when that comes, else one of the pool', async (t) => {
  const { clock, world, add, publish, show, remove, returned } = await nodeWith(t, '1')
  const [web0, plain] = [world.sandbox('web-0'), world.sandbox('plain')]
  show([web0, 'unclear'], [plain, 'unclear'])
  clock.after(2 * second, () => publish('1', '7:2:web-0'))
  assert.equal(await add(web0), '1.7')
  const started = clock.now()
  assert.equal(await add(plain), '1.1')
  const waited = clock.now() - started
  assert.ok(waited >= 5 * second && waited < 6 * second, `${waited} ms`)
  await remove(web0)
  await clock.advance(120 * second)
  assert.deepEqual(returned(), [], 'its pod is on this node')
})

test('[S1] without static addresses the annotation changes nothing', async (t) => {
  const { clock, world, add, show, publish } = await nodeWith(t)
  world.staticIps = false
  publish('1', '2:1:web-0')
  await clock.advance(second)
  const web0 = world.sandbox('web-0')
  show([web0, 'keeps'])
  assert.equal(await add(web0), '1.1')
})

test('[R3] without the API server a pod takes the address of its name, or one of the pool', async (t) => {
  const { clock, world, add, start } = await nodeWith(t, '1', '2:1:web-0')
  await clock.advance(second)
  world.crash()
  world.apiDown = true
  await start()
  assert.equal(await add(world.sandbox('web-0')), '1.2')
  assert.equal(await add(world.sandbox('plain')), '1.1')
  await assert.rejects(add(world.sandbox('more')), { code: 'no_address' })
})

test('[R9] the pod after one that was deleted by force waits until the earlier sandbox is gone', async (t) => {
  const { clock, world, add, remove, show } = await nodeWith(t, '1', '2:1:web-0')
  const earlier = world.sandbox('web-0', 'c-1')
  show([earlier, 'keeps'])
  assert.equal(await add(earlier), '1.2')
  const later: Sandbox = { ...world.sandbox('web-0', 'c-2'), pod: { ...earlier.pod, uid: 'uid-later' } }
  show([later, 'keeps'])
  await assert.rejects(add(later), {
    message: 'Cannot give the pod its static address: an earlier sandbox of that name still has 10.0.1.2',
    hint: 'it is free once container c-1 is gone from this node',
  })
  clock.after(3 * second, () => void remove(earlier))
  assert.equal(await add(later), '1.2')
  assert.deepEqual(
    world.ledger.attachments().map(({ pod }) => pod.uid),
    ['uid-later'],
  )
})

test('[S4] the address of a pod that has ended is given back at once, and lives again under a new grant', async (t) => {
  const { clock, world, add, remove, show, publish, returned, start } = await nodeWith(t, '2:1:web-0')
  const web0 = world.sandbox('web-0')
  show([web0, 'keeps'])
  await add(web0)
  show([web0, 'keeps', 'deleting'])
  await clock.advance(60 * second)
  assert.deepEqual(returned(), [], 'its sandbox is there')
  await remove(web0)
  assert.deepEqual(returned(), ['1.2:1'])
  const again: Sandbox = { ...world.sandbox('web-0', 'c-2'), pod: { ...web0.pod, uid: 'uid-2' } }
  show([again, 'keeps'])
  await assert.rejects(add(again), {
    message: /this node has given 10\.0\.1\.2 back, and the leader has not bound it again yet/,
  })
  world.crash()
  await start()
  await assert.rejects(add(again), { code: 'no_address' }, 'a restart forgets nothing')
  publish('2:2:web-0')
  assert.equal(await add(again), '1.2')
  assert.deepEqual(returned(), ['1.2:1'])
  await clock.advance(120 * second)
  assert.deepEqual(returned(), [], 'it is in use')
})

test('[S4] a sandbox that is made anew keeps its address, however long that takes', async (t) => {
  const { clock, world, add, remove, show, returned } = await nodeWith(t, '2:1:web-0')
  const web0 = world.sandbox('web-0')
  show([web0, 'keeps'])
  await add(web0)
  await remove(web0)
  await clock.advance(600 * second)
  assert.deepEqual(returned(), [])
  assert.equal(await add({ ...web0, ...world.sandbox('web-0', 'c-2') }), '1.2')
})

test('[R7] an address that comes before the news of its pod is kept a while, then given back', async (t) => {
  const { clock, returned, publish, show, world } = await nodeWith(t)
  publish('2:1:web-0', '3:1:web-1')
  await clock.advance(20 * second)
  show([world.sandbox('web-0'), 'keeps'])
  await clock.advance(20 * second)
  assert.deepEqual(returned(), ['1.3:1'])
  await clock.advance(600 * second)
  assert.deepEqual(returned(), ['1.3:1'])
})

test('[R7] without the API server nothing that is claimed is given back', async (t) => {
  const { clock, world, add, remove, show, start } = await nodeWith(t, '2:1:web-0', '3:1:web-1')
  const web0 = world.sandbox('web-0')
  show([web0, 'keeps'])
  await add(web0)
  world.crash()
  world.apiDown = true
  await start()
  await remove(web0)
  await clock.advance(600 * second)
  assert.ok(world.ledger.ips().every(({ state }) => state === 'usable'))
})

test('[S3] what other pods leave goes back once it has rested, and claimed addresses are no surplus', async (t) => {
  const { clock, world, add, remove, show, returned } = await nodeWith(t, '1', '2:1:web-0', '3')
  const [web0, a, b] = [world.sandbox('web-0'), world.sandbox('a'), world.sandbox('b')]
  show([web0, 'keeps'], [a, 'plain'], [b, 'plain'])
  for (const sandbox of [web0, a, b]) await add(sandbox)
  await clock.advance(600 * second)
  assert.deepEqual(returned(), [])
  show([web0, 'keeps'])
  await remove(a)
  await remove(b)
  await clock.advance(25 * second)
  assert.deepEqual(returned(), [], 'they rest')
  await clock.advance(15 * second)
  assert.deepEqual(returned().toSorted(), ['1.1:1', '1.3:1'])
  assert.equal(world.reports.at(-1)?.idle, 0)
  assert.equal(world.reports.at(-1)?.inUse, 1)
})

test('[S1] a node that has nothing yet is ready for pods', async (t) => {
  const { world, publish } = await nodeWith(t)
  world.publish([])
  assert.equal(known(world.agent).obstacle(), undefined)
  assert.equal(known(world.agent).staticIps(), true)
  publish('1')
  assert.equal(known(world.agent).obstacle(), undefined)
})

test('[R4] a lost database is made anew with its claims', async (t) => {
  const { clock, world, add, show, start, returned } = await nodeWith(t, '2:1:web-0', '3:1:web-1')
  const [web0, web1] = [world.sandbox('web-0'), world.sandbox('web-1')]
  show([web0, 'keeps'], [web1, 'keeps'])
  await add(web0)
  await clock.advance(2 * second)
  world.loseDatabase()
  await start()
  assert.deepEqual(
    world.ledger.attachments().map(({ address, pod }) => [pod.name, address]),
    [['web-0', addressOf(1, 2)]],
  )
  assert.equal(await add(web1), '1.3')
  await clock.advance(600 * second)
  assert.deepEqual([returned(), world.ledger.quarantine()], [[], []])
})

test('[R4] what an earlier database has given back stays given back, claimed or not', async (t) => {
  const { clock, world, add, remove, show, start, returned } = await nodeWith(t, '2:1:web-0')
  const web0 = world.sandbox('web-0')
  show([web0, 'keeps'])
  await add(web0)
  await clock.advance(second)
  show()
  await remove(web0)
  assert.deepEqual(returned(), ['1.2:1'])
  world.loseDatabase()
  show([web0, 'keeps'])
  await start()
  await assert.rejects(add(web0), /has given 10\.0\.1\.2 back/)
})

test('[R1] a pod found in the kernel with an address that is claimed for another keeps it, and nobody else gets it', async (t) => {
  const { clock, world, add, remove, show, start, publish } = await nodeWith(t, '1', '2')
  const plain = world.sandbox('plain')
  show([plain, 'plain'])
  const its = await add(plain)
  await clock.advance(2 * second)
  const n = its.slice(2)
  publish(`${n}:2:web-0`)
  const web0 = world.sandbox('web-0')
  show([plain, 'plain'], [web0, 'keeps'])
  await clock.advance(60 * second)
  assert.deepEqual(
    world.ledger.quarantine().map(({ kind, reason }) => [kind, reason]),
    [['address', 'pod default/plain has it, and the leader publishes it for pod default/web-0']],
  )
  assert.match(
    known(world.notices.find(({ reason }) => reason === 'AddressLost')).message,
    /is promised to pod/,
  )
  await assert.rejects(add(web0), { code: 'no_address' })
  world.loseDatabase()
  await start()
  assert.deepEqual(world.ledger.attachments(), [])
  assert.match(known(world.ledger.quarantine()[0]).reason, /is claimed for pod default\/web-0/)
  await assert.rejects(add(web0), { code: 'no_address' })
  await remove(plain)
  show([web0, 'keeps'])
  await clock.advance(60 * second)
  assert.equal(await add(web0), its)
  assert.deepEqual(world.ledger.quarantine(), [])
})

test('[R1] an address in dispute goes to the pod that it is claimed for when the other one ends', async (t) => {
  const { clock, world, add, remove, show, publish } = await nodeWith(t, '1')
  const [plain, other, web0] = [world.sandbox('plain'), world.sandbox('other'), world.sandbox('web-0')]
  show([plain, 'plain'])
  assert.equal(await add(plain), '1.1')
  publish('1:1:web-0')
  show([other, 'plain'], [web0, 'keeps'])
  await remove(plain)
  await assert.rejects(add(other), { code: 'no_address' }, 'the last one that is idle')
  await clock.advance(30 * second)
  assert.equal(await add(web0), '1.1')
})

test('[R4] after a reboot static pods find their addresses where they were', async (t) => {
  const { clock, world, add, show, start, returned } = await nodeWith(t, '2:1:web-0')
  const web0 = world.sandbox('web-0')
  show([web0, 'keeps'])
  await add(web0)
  world.crash()
  await start({ bootId: 'boot-2' })
  await clock.advance(60 * second)
  assert.deepEqual(returned(), [])
  assert.equal(await add({ ...web0, ...world.sandbox('web-0', 'c-2') }), '1.2')
})
