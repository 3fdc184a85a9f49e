// A node whose database is lost, or is an old backup: what runs is found again in the kernel, nobody is interrupted, no address
// is given twice.
import assert from 'node:assert/strict'
import { type TestContext, test } from 'node:test'
import { hostLinkName } from '../../internal/ipam/host-link.ts'
import type { Sandbox } from '../../internal/ports.ts'
import { VirtualClock } from '../fake/virtual-clock.ts'
import { ip, known } from '../given.ts'
import { publishedEni, publishedExclusive } from '../ipam/pools.ts'
import { NodeWorld, podOf } from './node-world.ts'

const second = 1000
/** Until links have their aliases. */
const named = 2 * second

async function nodeWith(t: TestContext, ...addresses: readonly string[]) {
  const clock = new VirtualClock()
  const world = new NodeWorld(t, clock)
  world.publish([publishedEni(1, ...addresses)])
  await clock.runUntil(world.start())
  await clock.advance(second)
  const add = async (sandbox: Sandbox): Promise<string> =>
    (await clock.runUntil(known(world.agent).add(sandbox, undefined))).attachment.address
  const restart = async (settings = {}) => {
    await clock.runUntil(world.start(settings))
    await clock.advance(second)
  }
  return { clock, world, add, restart }
}

const kernelOf = ({ kernel: { podLinks, routes, rules } }: NodeWorld) =>
  structuredClone({ rules, routes, podLinks })
const quarantined = (world: NodeWorld) =>
  world.ledger.quarantine().map(({ kind, address, reason }) => ({ kind, address, reason }))
const linkOf = ({ containerId, ifname }: Sandbox) => hostLinkName(containerId, ifname)

test('[R4] a lost database is rebuilt from kernel and NEC: the same attachments, the kernel untouched', async (t) => {
  const { clock, world, add, restart } = await nodeWith(t, '1', '2', '3', '4')
  for (const name of ['a', 'b', 'c']) await add(world.sandbox(name))
  await clock.advance(named)
  const before = { attachments: world.ledger.attachments(), kernel: kernelOf(world) }
  world.loseDatabase()
  await restart()
  assert.deepEqual(world.ledger.attachments(), before.attachments)
  await clock.advance(120 * second)
  assert.deepEqual(kernelOf(world), before.kernel)
  assert.deepEqual(quarantined(world), [])
  assert.equal(world.log.count('pod adopted'), 3)
  assert.deepEqual(
    world.notices.map(({ about, type, reason }) => [about.kind, about.name, type, reason]),
    [['Node', 'n1', 'Normal', 'Adopted']],
  )
})

test('[R4] CHECK, a repeated ADD and DEL of an adopted sandbox work as if nothing had been', async (t) => {
  const { clock, world, add, restart } = await nodeWith(t, '1', '2')
  const a = world.sandbox('a')
  const address = await add(a)
  await clock.advance(named)
  world.loseDatabase()
  await restart()
  const agent = known(world.agent)
  assert.deepEqual(await clock.runUntil(agent.check(a)), [])
  assert.equal(await add(a), address)
  await clock.runUntil(agent.remove(a))
  assert.deepEqual(world.ledger.attachments(), [])
  assert.equal(world.kernel.podLinks.size, 0)
  assert.notEqual(await add(world.sandbox('b')), address, 'it rests')
})

test('[R1] without API server nothing is given, and a DEL takes the network of its pod away all the same', async (t) => {
  const { clock, world, add, restart } = await nodeWith(t, '1', '2', '3')
  const [a, b, c] = [world.sandbox('a'), world.sandbox('b'), world.sandbox('c')]
  const addresses = [await add(a), await add(b)]
  await clock.advance(named)
  world.loseDatabase()
  world.apiDown = true
  await restart()
  assert.deepEqual([quarantined(world), world.notices], [[], []], 'they wait, that is all')
  await clock.runUntil(known(world.agent).remove(a))
  assert.deepEqual([...world.kernel.podLinks.keys()], [linkOf(b)])
  await assert.rejects(clock.runUntil(known(world.agent).add(b, undefined)), /Cannot connect the pod again/)
  await assert.rejects(clock.runUntil(known(world.agent).add(c, undefined)), { code: 'no_address' })
  world.apiDown = false
  world.publish([publishedEni(1, '1', '2', '3')])
  await clock.advance(second)
  assert.deepEqual(
    world.ledger.attachments().map(({ address, pod }) => [pod.name, address]),
    [['b', addresses[1]]],
  )
  assert.deepEqual(quarantined(world), [])
})

test('[R4] a DEL right after the start finds the pod of the lost database', async (t) => {
  const { clock, world, add } = await nodeWith(t, '1', '2')
  const a = world.sandbox('a')
  await add(a) // no alias yet
  world.loseDatabase()
  const agent = await clock.runUntil(world.start())
  await clock.runUntil(agent.remove(a))
  assert.equal(world.kernel.podLinks.size, 0)
  await clock.advance(60 * second)
  assert.deepEqual(kernelOf(world).rules, [])
  assert.deepEqual(quarantined(world), [])
})

for (const { by, settle } of [
  {
    by: 'its DEL',
    settle: (world: NodeWorld, a: Sandbox) => known(world.agent).remove(a),
  },
  {
    by: 'a GC that does not name it',
    settle: (world: NodeWorld) => known(world.agent).collect([world.sandbox('b')]),
  },
  {
    by: 'the end of its link, seen twice',
    settle: async (world: NodeWorld, a: Sandbox) => world.kernel.destroyNamespace(a.netns),
  },
]) {
  test(`[R1] [R4] a pod link that does not say whose it is is held, until ${by}`, async (t) => {
    const { clock, world, add, restart } = await nodeWith(t, '1', '2')
    const a = world.sandbox('a')
    const address = await add(a)
    world.loseDatabase()
    world.showPods([{ ...podOf(a), ip: ip(address) }])
    await restart()
    await clock.advance(60 * second)
    assert.deepEqual(quarantined(world), [
      {
        kind: 'pod-link',
        address,
        reason: `nothing tells which sandbox it belongs to; pod default/a shows ${address}`,
      },
    ])
    assert.ok(known(world.ledger.quarantine()[0]).reads > 1)
    assert.equal(world.log.count('in quarantine'), 1, 'told once')
    assert.deepEqual(
      world.notices.map(({ reason }) => reason),
      ['Quarantined'],
    )
    assert.equal(world.kernel.podLinks.size, 1)
    const other = await add(world.sandbox('b'))
    assert.notEqual(other, address)
    await clock.runUntil(settle(world, a))
    await clock.advance(50 * second)
    assert.deepEqual(quarantined(world), [])
    assert.ok(!world.kernel.podLinks.has(linkOf(a)))
    assert.ok(!world.kernel.rules.some(({ from, to }) => (from ?? to) === address))
    await clock.advance(30 * second)
    assert.equal(await add(world.sandbox('c')), address, 'free again')
  })
}

test('[R4] a GC that names a held pod link leaves it, and a repeated ADD gives it its address again', async (t) => {
  const { clock, world, add, restart } = await nodeWith(t, '1', '2')
  const a = world.sandbox('a')
  const address = await add(a)
  world.loseDatabase()
  await restart()
  await clock.runUntil(known(world.agent).collect([a]))
  assert.equal(world.kernel.podLinks.size, 1)
  assert.equal(await add(a), address)
  await clock.advance(31 * second)
  assert.deepEqual(quarantined(world), [])
  assert.equal(world.ledger.attachments()[0]?.pod.name, 'a')
})

test('[R1] what is held is not let go by a restart without API server', async (t) => {
  const { clock, world, add, restart } = await nodeWith(t, '1', '2')
  const address = await add(world.sandbox('a'))
  await clock.advance(named)
  world.loseDatabase()
  world.publish([publishedEni(1, address === '10.0.1.1' ? '2' : '1')])
  await restart()
  await clock.advance(31 * second)
  assert.match(known(quarantined(world)[0]).reason, /is not in the pool/)
  world.apiDown = true
  world.crash()
  await restart()
  await clock.advance(120 * second)
  assert.deepEqual([quarantined(world).length, world.kernel.podLinks.size], [1, 1])
})

test('[R7] a held link that one look misses is not given up', async (t) => {
  const { clock, world, add, restart } = await nodeWith(t, '1')
  const a = world.sandbox('a')
  await add(a)
  world.loseDatabase()
  await restart()
  const end = known(world.kernel.podLinks.get(linkOf(a)))
  world.kernel.podLinks.delete(linkOf(a))
  await clock.advance(30 * second)
  world.kernel.podLinks.set(linkOf(a), end)
  await clock.advance(9 * second)
  await assert.rejects(clock.runUntil(known(world.agent).add(world.sandbox('b'), undefined)), {
    code: 'no_address',
  })
  assert.equal(quarantined(world).length, 1)
})

test('[R1] links that contradict each other are held, not adopted', async (t) => {
  const { clock, world, add, restart } = await nodeWith(t, '1', '2', '3')
  const [a, b] = [world.sandbox('a'), world.sandbox('b')]
  const addresses = [await add(a), await add(b)]
  await clock.advance(named)
  const end = known(world.kernel.podLinks.get(linkOf(b)))
  end.alias = end.alias?.replace(addresses[1] ?? '', addresses[0] ?? '')
  world.loseDatabase()
  await restart()
  assert.deepEqual(world.ledger.attachments(), [])
  assert.deepEqual(
    quarantined(world)
      .map(({ reason }) => reason)
      .toSorted((x, y) => (x < y ? -1 : 1)),
    [
      `another link seems to have ${addresses[0]}, too`,
      'it seems to have both 10.0.1.1 and 10.0.1.2',
    ].toSorted((x, y) => (x < y ? -1 : 1)),
  )
  for (const sandbox of [a, b]) {
    await assert.rejects(
      clock.runUntil(known(world.agent).add(sandbox, undefined)),
      /Cannot connect the pod again/,
    )
  }
  assert.equal(await add(world.sandbox('c')), '10.0.1.3')
  await clock.runUntil(known(world.agent).remove(b))
  const rulesOf = (address: string | undefined) =>
    world.kernel.rules.filter(({ from, to }) => (from ?? to) === address).length
  assert.equal(rulesOf(addresses[0]), 2, 'what the DEL of one takes down is nothing of the other')
  await clock.advance(31 * second)
  assert.deepEqual(
    world.ledger
      .attachments()
      .map(({ pod }) => pod.name)
      .toSorted((x, y) => (x < y ? -1 : 1)),
    ['a', 'c'],
    'now it is clear',
  )
})

test('[R1] addresses that an earlier database gave back are not handed out by a new one', async (t) => {
  const { clock, world, add, restart } = await nodeWith(t, '1', '2', '3', '4')
  await clock.advance(121 * second)
  const [returned] = known(world.reports.at(-1)).returned
  world.loseDatabase()
  await restart()
  assert.deepEqual(known(world.reports.at(-1)).returned, [returned])
  assert.equal(known(world.reports.at(-1)).databaseId, 'db-2')
  const given = [await add(world.sandbox('a')), await add(world.sandbox('b')), await add(world.sandbox('c'))]
  assert.ok(!given.includes(known(returned).address))
})

test('[R1] after a reboot nothing is adopted, lost database or not', async (t) => {
  const { clock, world, add, restart } = await nodeWith(t, '1', '2')
  await add(world.sandbox('a'))
  await clock.advance(named)
  world.loseDatabase()
  world.kernel.reboot()
  await restart({ bootId: 'boot-2' })
  assert.deepEqual([world.ledger.attachments(), quarantined(world)], [[], []])
})

test('[P16] a reboot frees what links in quarantine had, with its cooldown', async (t) => {
  const { world, add, restart } = await nodeWith(t, '1', '2', '3', '4', '5', '6')
  const address = await add(world.sandbox('a')) // no alias yet
  world.loseDatabase()
  await restart()
  assert.deepEqual(
    quarantined(world).map((entry) => entry.address),
    [address],
  )
  world.crash()
  world.kernel.reboot()
  await restart({ bootId: 'boot-2' })
  assert.deepEqual(quarantined(world), [])
  const given: string[] = []
  for (const name of ['b', 'c', 'd', 'e', 'f']) given.push(await add(world.sandbox(name)))
  assert.ok(!given.includes(address), `${address} rests: ${given}`)
  assert.equal(await add(world.sandbox('g')), address, 'nothing else is idle')
})

test('[R4] an adopted pod gets the names that did not fit its link from Kubernetes', async (t) => {
  const { clock, world, add, restart } = await nodeWith(t, '1')
  const long = 'x'.repeat(240)
  const short = world.sandbox('a')
  const a = { ...short, pod: { ...short.pod, name: long } }
  await add(a)
  await clock.advance(named)
  world.loseDatabase()
  world.showPods([podOf(a)])
  await restart()
  await clock.advance(60 * second)
  assert.deepEqual(world.ledger.attachments()[0]?.pod, a.pod)
})

test('[R7] an address in use that the leader no longer publishes is shown, stays until DEL, and is nobody’s then', async (t) => {
  const { clock, world, add } = await nodeWith(t, '1')
  const a = world.sandbox('a')
  await add(a)
  world.publish([publishedEni(2, '9')])
  await clock.advance(31 * second)
  assert.deepEqual(quarantined(world), [
    {
      kind: 'address',
      address: '10.0.1.1',
      reason: 'pod default/a has it, and the leader does not publish it any more',
    },
  ])
  await clock.runUntil(known(world.agent).remove(a))
  await clock.advance(60 * second)
  assert.deepEqual(quarantined(world), [])
  assert.equal(await add(world.sandbox('b')), '10.0.2.9')
  await assert.rejects(clock.runUntil(known(world.agent).add(world.sandbox('c'), undefined)), {
    code: 'no_address',
  })
})

test('[R4] a restored backup is compared with the kernel before it serves: what runs keeps its address', async (t) => {
  const { clock, world, add } = await nodeWith(t, '1', '2')
  const old = world.sandbox('old')
  const stays = world.sandbox('stays')
  await add(stays)
  const address = await add(old)
  const backup = world.backup()
  await clock.runUntil(known(world.agent).remove(old))
  world.kernel.namespaces.delete(old.netns)
  const fresh = world.sandbox('fresh')
  assert.equal(await add(fresh), address)
  await clock.advance(named)
  const before = { attachments: world.ledger.attachments(), kernel: kernelOf(world) }
  world.restore(backup)
  world.showPods([podOf(stays), podOf(fresh)])
  const agent = await clock.runUntil(world.start())
  await clock.runUntil(agent.remove(old)) // late and twice: it is not the old one's any more
  await clock.advance(60 * second)
  assert.deepEqual(kernelOf(world), before.kernel)
  assert.deepEqual(
    world.ledger.attachments().toSorted((x, y) => (x.address < y.address ? -1 : 1)),
    before.attachments.toSorted((x, y) => (x.address < y.address ? -1 : 1)),
  )
  assert.deepEqual([quarantined(world), world.ledger.restored()], [[], false])
})

test('[R4] a restored backup hands out nothing before the NEC has been read: what it has idle may be elsewhere by now', async (t) => {
  const { clock, world, add } = await nodeWith(t, '1', '2')
  world.restore(world.backup())
  world.apiDown = true
  await clock.runUntil(world.start())
  const refused = /the database of this node is a backup, and its NEC has not been read since/
  await assert.rejects(add(world.sandbox('a')), refused)
  world.crash()
  await clock.runUntil(world.start())
  await assert.rejects(add(world.sandbox('a')), refused, 'nor after a restart')
  world.apiDown = false
  world.publish([publishedEni(1, '2')])
  await clock.advance(second)
  assert.equal(await add(world.sandbox('b')), '10.0.1.2')
})

for (const { was, before } of [
  { was: 'an exclusive ENI', before: publishedExclusive(1) },
  { was: 'another ENI', before: publishedEni(1, '250') },
]) {
  test(`[R4] a pod whose address a restored backup has on ${was} is adopted once the NEC says where it is`, async (t) => {
    const clock = new VirtualClock()
    const world = new NodeWorld(t, clock)
    world.exclusive = { minWarm: 1, maxWarm: 1, maxEnis: 1, ipsPerEni: 1 }
    world.publish([before, publishedEni(2)])
    await clock.runUntil(world.start())
    await clock.advance(second)
    const backup = world.backup()
    world.publish([publishedEni(2)])
    await clock.advance(second)
    const now = [publishedEni(2, '1.250:2', '7'), publishedEni(3, '8')]
    world.publish(now)
    await clock.advance(second)
    const [a, b, c] = [world.sandbox('a'), world.sandbox('b'), world.sandbox('c')]
    for (const each of [a, b, c]) await clock.runUntil(known(world.agent).add(each, undefined))
    await clock.advance(named)
    const pods = world.ledger.attachments()
    const kernel = kernelOf(world)
    world.restore(backup)
    world.apiDown = true
    await clock.runUntil(world.start())
    await clock.advance(60 * second)
    assert.deepEqual(kernelOf(world), kernel, 'nobody is cut off')
    assert.deepEqual(world.ledger.attachments(), [])
    world.apiDown = false
    world.publish(now)
    await clock.advance(60 * second)
    assert.deepEqual(kernelOf(world), kernel)
    assert.deepEqual(
      world.ledger
        .attachments()
        .map(({ address, pod }) => [pod.name, address])
        .toSorted(),
      pods.map(({ address, pod }) => [pod.name, address]).toSorted(),
    )
    assert.deepEqual(quarantined(world), [])
  })
}
