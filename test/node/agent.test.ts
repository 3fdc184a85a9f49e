// The node agent under a virtual clock, with a real database file and the kernel twin.
import assert from 'node:assert/strict'
import { type TestContext, test } from 'node:test'
import type { Sandbox } from '../../internal/ports.ts'
import { VirtualClock } from '../fake/virtual-clock.ts'
import { known } from '../given.ts'
import { publishedEni } from '../ipam/pools.ts'
import { NodeWorld, podOf } from './node-world.ts'

const second = 1000

async function nodeWith(t: TestContext, ...addresses: readonly string[]) {
  const clock = new VirtualClock()
  const world = new NodeWorld(t, clock)
  world.publish([publishedEni(1, ...addresses)])
  const agent = await clock.runUntil(world.start())
  await clock.advance(second)
  return { clock, world, agent }
}

/** Adds, and gives the address. */
async function add(clock: VirtualClock, world: NodeWorld, sandbox: Sandbox): Promise<string> {
  const { attachment } = await clock.runUntil(known(world.agent).add(sandbox, undefined))
  return attachment.address
}

const inUse = (world: NodeWorld) =>
  world.ledger
    .ips()
    .filter((ip) => ip.inUse)
    .map(({ address }) => address)

test('[R3] ADD and DEL go on with leader, API server and cloud down, after a restart, too', async (t) => {
  const { clock, world } = await nodeWith(t, '1', '2')
  world.apiDown = true
  world.crash()
  await clock.runUntil(world.start())
  const a = world.sandbox('a')
  const address = await add(clock, world, a)
  assert.deepEqual(inUse(world), [address])
  assert.equal(known(world.agent).obstacle(), undefined)
  await clock.runUntil(known(world.agent).remove(a))
  assert.deepEqual(inUse(world), [])
})

test('[R8] what a leader of an earlier epoch has written is not followed, unless nobody corrects it for long', async (t) => {
  const { clock, world } = await nodeWith(t, '1', '2')
  const pool = () => world.ledger.ips().length
  world.epoch = 5
  world.publish([publishedEni(1, '1', '2', '3')])
  await clock.advance(second)
  assert.equal(pool(), 3)
  world.epoch = 4
  world.publish([publishedEni(1, '1')])
  await clock.advance(second)
  assert.equal(pool(), 3)
  world.crash() // what it has heard of, it remembers
  await clock.runUntil(world.start())
  await clock.advance(60 * second)
  assert.equal(pool(), 3)
  world.epoch = 5
  world.publish([publishedEni(1, '1', '2')])
  await clock.advance(20 * 60 * second)
  assert.equal(pool(), 2)
  world.epoch = 3 // the API server's data came back from a backup
  world.publish([publishedEni(1, '1')])
  await clock.advance(9 * 60 * second)
  assert.equal(pool(), 2)
  await clock.advance(2 * 60 * second)
  assert.equal(pool(), 1)
  world.publish([publishedEni(1, '1', '2')])
  await clock.advance(second)
  assert.equal(pool(), 2)
})

test('[R8] however often a NEC of an earlier leader changes, it is doubted no longer; meanwhile nothing it lacks is handed out', async (t) => {
  const { clock, world } = await nodeWith(t, '1', '2')
  world.epoch = 5
  world.publish([publishedEni(1, '1', '2')])
  await clock.advance(second)
  world.epoch = 3
  world.publish([publishedEni(1, '2', '3')])
  await clock.advance(second)
  assert.equal(await add(clock, world, world.sandbox('a')), '10.0.1.2')
  const refused = assert.rejects(known(world.agent).add(world.sandbox('b'), undefined), {
    code: 'no_address',
  })
  for (let minute = 0; minute < 9; minute++) {
    await clock.advance(60 * second)
    world.publish([publishedEni(1, '2', '3')])
  }
  await refused
  assert.deepEqual(
    world.ledger.ips().map(({ address }) => address),
    ['10.0.1.1', '10.0.1.2'],
  )
  await clock.advance(2 * 60 * second)
  assert.deepEqual(
    world.ledger.ips().map(({ address }) => address),
    ['10.0.1.2', '10.0.1.3'],
  )
})

test('[R8] an epoch that no leader can have come to is doubted and told, and opens no door to a deposed leader', async (t) => {
  const { clock, world, agent } = await nodeWith(t, '1', '2')
  world.epoch = 5
  world.publish([publishedEni(1, '1', '2')])
  await clock.advance(second)
  assert.equal(agent.doubt(), undefined)
  world.epoch = 2_147_483_647
  world.publish([publishedEni(1, '1', '2', '3')])
  await clock.advance(second)
  assert.equal(world.ledger.ips().length, 2)
  assert.equal(agent.doubt(), 'its NEC is of epoch 2147483647, and one of 5 was followed before')
  assert.equal(agent.obstacle(), undefined, 'ADDs are served')
  assert.deepEqual(
    world.notices.map(({ about, reason }) => [about.kind, about.name, reason]),
    [['Node', 'n1', 'NECDoubted']],
  )
  world.epoch = 4 // a late write of the leader before
  world.publish([publishedEni(1, '1')])
  await clock.advance(second)
  assert.equal(world.ledger.ips().length, 2)
  world.epoch = 5
  world.publish([publishedEni(1, '1', '2', '3')])
  await clock.advance(second)
  assert.equal(world.ledger.ips().length, 3)
  assert.equal(agent.doubt(), undefined)
})

test('an agent says that it cannot read its NEC', async (t) => {
  const { clock, world, agent } = await nodeWith(t, '1')
  world.tell({ ...known(world.nec), publication: undefined, fault: 'spec.zone: missing' })
  await clock.advance(second)
  assert.equal(agent.doubt(), 'its NEC cannot be read: spec.zone: missing')
  world.publish([publishedEni(1, '1')])
  await clock.advance(second)
  assert.equal(agent.doubt(), undefined)
})

test('[R10] NECs of a leader without epochs are followed, and those of the next one with', async (t) => {
  const clock = new VirtualClock()
  const world = new NodeWorld(t, clock)
  await clock.runUntil(world.start())
  for (const [epoch, addresses] of [
    [0, ['1']],
    [0, ['1', '2']],
    [1, ['1', '2', '3']],
  ] as const) {
    world.epoch = epoch
    world.publish([publishedEni(1, ...addresses)])
    await clock.advance(second)
    assert.equal(world.ledger.ips().length, addresses.length)
  }
})

test('[R9] ADD repeated gives the same answer, also after a crash', async (t) => {
  const { clock, world, agent } = await nodeWith(t, '1', '2')
  const a = world.sandbox('a')
  const first = await clock.runUntil(agent.add(a, undefined))
  assert.deepEqual(await clock.runUntil(agent.add(a, undefined)), first)
  const both = await clock.runUntil(Promise.all([agent.add(a, undefined), agent.add(a, undefined)]))
  assert.deepEqual(both, [first, first])
  world.crash()
  await clock.runUntil(world.start())
  assert.deepEqual(await clock.runUntil(known(world.agent).add(a, undefined)), first)
  assert.equal(inUse(world).length, 1)
})

test('[R9] a late DEL of an old sandbox frees nothing of the new one', async (t) => {
  const { clock, world, agent } = await nodeWith(t, '1', '2')
  const old = world.sandbox('a', 'c-old')
  await add(clock, world, old)
  const fresh = world.sandbox('a', 'c-new')
  const address = await add(clock, world, fresh)
  assert.deepEqual(inUse(world), [address], 'the new sandbox took over, the old one is gone')
  await clock.runUntil(agent.remove(old))
  await clock.runUntil(agent.remove(old))
  assert.deepEqual(inUse(world), [address])
  assert.deepEqual(await clock.runUntil(agent.check(fresh)), [])
})

test('[R9] CHECK says when it asks about another network namespace than the one that was connected', async (t) => {
  const { clock, world, agent } = await nodeWith(t, '1')
  const sandbox = world.sandbox('a')
  await add(clock, world, sandbox)
  assert.deepEqual(await clock.runUntil(agent.check(sandbox)), [])
  const faults = await clock.runUntil(agent.check({ ...sandbox, netns: '/run/netns/other' }))
  assert.equal(faults[0], `it was connected in network namespace "${sandbox.netns}", not "/run/netns/other"`)
})

test('[R9] a sandbox that waits for an address does not take it from a newer one of its pod', async (t) => {
  const { clock, world, agent } = await nodeWith(t)
  const old = world.sandbox('a', 'c-old')
  const waiting = agent.add(old, undefined)
  await clock.advance(second)
  const fresh = agent.add(world.sandbox('a', 'c-new'), undefined)
  world.publish([publishedEni(1, '1', '2')])
  const [one, two] = await clock.runUntil(Promise.all([waiting, fresh]))
  assert.notEqual(one.attachment.address, two.attachment.address)
  await clock.runUntil(agent.remove(old))
  assert.deepEqual(inUse(world), [two.attachment.address])
})

test('DEL of what was never added is done at once', async (t) => {
  const { clock, agent } = await nodeWith(t, '1')
  await clock.runUntil(agent.remove({ containerId: 'nobody', ifname: 'eth0' }))
})

test('ADD waits for an address and gets the first that comes', async (t) => {
  const { clock, world, agent } = await nodeWith(t)
  const answer = agent.add(world.sandbox('a'), undefined)
  await clock.advance(10 * second)
  world.publish([publishedEni(1, '7')])
  assert.equal((await clock.runUntil(answer)).attachment.address, '10.0.1.7')
})

test('[K3] ADD that waits for long says so, and why it failed in the end', async (t) => {
  const { clock, world, agent } = await nodeWith(t, '1')
  await add(clock, world, world.sandbox('a'))
  const begun = clock.now()
  await assert.rejects(clock.runUntil(agent.add(world.sandbox('b'), undefined)), {
    code: 'no_address',
    message: /^Cannot give the pod an address: 1 of 1 addresses of the pool are in use/,
  })
  assert.equal(clock.now() - begun, 30 * second)
  assert.deepEqual(
    world.notices.map(({ about, type, reason }) => [about.name, type, reason]),
    [
      ['b', 'Warning', 'WaitingForAddress'],
      ['b', 'Warning', 'FailedAllocateAddress'],
    ],
  )
})

test('an ADD whose caller is gone takes nothing, though an address comes at that moment', async (t) => {
  const { clock, world, agent } = await nodeWith(t)
  const caller = new AbortController()
  const answer = agent.add(world.sandbox('a'), undefined, caller.signal)
  const behind = agent.add(world.sandbox('a'), undefined, caller.signal) // waits for the first
  const refused = [
    assert.rejects(answer, { code: 'no_address' }),
    assert.rejects(behind, { code: 'no_address' }),
  ]
  await clock.advance(second)
  caller.abort()
  world.publish([publishedEni(1, '1')])
  await clock.runUntil(Promise.all(refused))
  assert.deepEqual(inUse(world), [])
  assert.equal(await add(clock, world, world.sandbox('b')), '10.0.1.1')
})

test('[P16] a freed address rests although the agent restarts, and is handed out when nothing else is idle', async (t) => {
  const { clock, world, agent } = await nodeWith(t, '1', '2')
  const a = world.sandbox('a')
  const freed = await add(clock, world, a)
  await clock.runUntil(agent.remove(a))
  world.crash()
  await clock.runUntil(world.start())
  const next = await add(clock, world, world.sandbox('b'))
  assert.notEqual(next, freed)
  assert.equal(await add(clock, world, world.sandbox('c')), freed)
})

test('[P13] the address of a pod that ended goes back to the pool of its node', async (t) => {
  const { clock, world, agent } = await nodeWith(t, '1')
  const a = world.sandbox('a')
  await add(clock, world, a)
  await clock.runUntil(agent.remove(a))
  assert.deepEqual(
    world.ledger.ips().map(({ address, state, inUse: used }) => ({ address, state, used })),
    [{ address: '10.0.1.1', state: 'usable', used: false }],
  )
  assert.deepEqual(world.history(), ['added 10.0.1.1', 'attached 10.0.1.1 a', 'detached 10.0.1.1 a'])
})

test('[R1] DEL fails, and the address stays with its sandbox, while its network cannot be taken down', async (t) => {
  const { clock, world, agent } = await nodeWith(t, '1')
  const a = world.sandbox('a')
  await add(clock, world, a)
  world.broken.add('disconnectPod')
  await assert.rejects(clock.runUntil(agent.remove(a)), { code: 'kernel' })
  assert.deepEqual(inUse(world), ['10.0.1.1'])
  world.broken.clear()
  await clock.runUntil(agent.remove(a))
  assert.deepEqual(inUse(world), [])
})

test('[R6] ADD that cannot connect the pod gives its address back, and says what failed', async (t) => {
  const { clock, world, agent } = await nodeWith(t, '1')
  world.broken.add('connectPod')
  await assert.rejects(clock.runUntil(agent.add(world.sandbox('a'), undefined)), /Cannot connectPod/)
  assert.deepEqual(inUse(world), [])
  world.broken.add('disconnectPod')
  await assert.rejects(
    clock.runUntil(agent.add(world.sandbox('b'), undefined)),
    /Cannot connectPod/,
    'the first fault',
  )
  assert.deepEqual(inUse(world), ['10.0.1.1'], 'what was not taken down is not free')
  world.broken.clear()
  await clock.runUntil(agent.remove(world.sandbox('b')))
  assert.deepEqual(inUse(world), [])
})

test('[R7] DEL works for a pod whose ENI is no longer published', async (t) => {
  const { clock, world, agent } = await nodeWith(t, '1')
  const a = world.sandbox('a')
  await add(clock, world, a)
  world.publish([])
  await clock.advance(second)
  assert.deepEqual(inUse(world), ['10.0.1.1'], 'no NEC takes an address in use')
  await clock.runUntil(agent.remove(a))
  world.publish([publishedEni(2, '9')])
  await clock.advance(2 * 60 * second)
  assert.deepEqual(
    world.ledger.ips().map(({ address }) => address),
    ['10.0.2.9'],
    'forgotten once it has cooled',
  )
})

test('[R7] a NEC that cannot be read, or is deleted, changes nothing', async (t) => {
  const { clock, world } = await nodeWith(t, '1', '2')
  const feed = { ...known(world.nec), publication: undefined, fault: 'status.eniInfos is not a list' }
  world.nec = feed
  world.crash()
  await clock.runUntil(world.start())
  await clock.advance(second)
  world.nec = undefined
  world.crash()
  await clock.runUntil(world.start())
  await clock.advance(second)
  assert.equal(world.ledger.ips().length, 2)
})

test('a new ENI may have the primary address of one that went while the agent was away', async (t) => {
  const { clock, world } = await nodeWith(t, '1')
  const a = world.sandbox('a')
  await add(clock, world, a)
  world.crash()
  world.publish([{ ...publishedEni(2, '5'), primaryIp: publishedEni(1).primaryIp }])
  await clock.runUntil(world.start())
  await clock.advance(second)
  assert.equal(world.log.count('NEC not stored'), 0)
  assert.equal(await add(clock, world, world.sandbox('b')), '10.0.2.5')
})

test('[R1] a reboot frees what no sandbox has any more, with its cooldown', async (t) => {
  const { clock, world } = await nodeWith(t, '1', '2')
  const address = await add(clock, world, world.sandbox('a'))
  world.crash()
  world.kernel.reboot()
  await clock.runUntil(world.start({ bootId: 'boot-2' }))
  assert.deepEqual(inUse(world), [])
  await clock.advance(second)
  assert.notEqual(await add(clock, world, world.sandbox('b')), address)
})

test('[D5] a restart of the agent alone leaves pods as they are', async (t) => {
  const { clock, world } = await nodeWith(t, '1')
  await add(clock, world, world.sandbox('a'))
  const before = structuredClone({ rules: world.kernel.rules, routes: world.kernel.routes })
  world.crash()
  await clock.runUntil(world.start())
  await clock.advance(60 * second)
  assert.deepEqual({ rules: world.kernel.rules, routes: world.kernel.routes }, before)
})

test('[D1][D2][D3] an ENI and a pod get their tables, rules and sysctls, and keep them', async (t) => {
  const { clock, world } = await nodeWith(t, '1')
  await add(clock, world, world.sandbox('a'))
  const { kernel } = world
  const table = 2000 + known([...kernel.links.values()][0]).index
  const wired = structuredClone({ rules: kernel.rules, routes: kernel.routes, sysctls: kernel.sysctls })
  assert.deepEqual(
    wired.rules.map(({ priority, from, to, table: of }) => [priority, from ?? to, of]),
    [
      [512, '10.0.1.1', 254],
      [1536, '10.0.1.1', table],
    ],
  )
  assert.equal(wired.sysctls['net.ipv4.conf.all.rp_filter'], '0')
  kernel.rules = [{ priority: 1536, from: known(wired.rules[1]?.from), table: 2999 }]
  kernel.routes = []
  kernel.sysctls['net.ipv4.conf.all.rp_filter'] = '1'
  await clock.advance(31 * second)
  const order = (items: readonly object[]) =>
    items.map((item) => JSON.stringify(item, Object.keys(item).toSorted(byText))).toSorted(byText)
  assert.deepEqual(order(kernel.rules), order(wired.rules))
  assert.deepEqual(order(kernel.routes), order(wired.routes))
  assert.equal(kernel.sysctls['net.ipv4.conf.all.rp_filter'], '0')
})

function byText(a: string, b: string): number {
  return a < b ? -1 : 1
}

test("[D5] an ENI's own address that was taken off its link is put back", async (t) => {
  // Without it nobody answers when the ENI asks for the gateway: its pods were cut off until the next reboot.
  const { clock, world } = await nodeWith(t, '1')
  const link = known([...world.kernel.links.values()][0])
  assert.deepEqual(link.addresses, [publishedEni(1).primaryIp])
  link.addresses = []
  await clock.advance(31 * second)
  assert.deepEqual(link.addresses, [publishedEni(1).primaryIp])
})

test('[D5] a pod whose link was taken away gets it back', async (t) => {
  const { clock, world } = await nodeWith(t, '1')
  const { attachment } = await clock.runUntil(known(world.agent).add(world.sandbox('a'), undefined))
  world.kernel.podLinks.delete(attachment.hostLink)
  await clock.advance(31 * second)
  assert.ok(world.kernel.podLinks.has(attachment.hostLink))
})

test('[R5] an ENI whose link never comes is not asked for all the time', async (t) => {
  const clock = new VirtualClock()
  const world = new NodeWorld(t, clock)
  world.publish([publishedEni(1, '1'), publishedEni(2, '2')], [publishedEni(1)])
  await clock.runUntil(world.start())
  await clock.advance(60 * second)
  const before = world.surveys
  await clock.advance(600 * second)
  assert.ok(world.surveys - before <= 130, `${world.surveys - before} surveys in ten minutes`)
  assert.equal(await add(clock, world, world.sandbox('a')), '10.0.1.1', 'the other ENI serves')
})

test('[R6] one ENI that cannot be set up does not keep the others from serving', async (t) => {
  const clock = new VirtualClock()
  const world = new NodeWorld(t, clock)
  world.publish([publishedEni(1, '1'), publishedEni(2, '2')])
  world.brokenEni = publishedEni(1).mac
  await clock.runUntil(world.start())
  await clock.advance(5 * second)
  assert.equal(await add(clock, world, world.sandbox('a')), '10.0.2.2')
})

test('GC removes what the runtime no longer has, one failure not keeping the rest', async (t) => {
  const { clock, world, agent } = await nodeWith(t, '1', '2', '3')
  const [a, b, c] = [world.sandbox('a'), world.sandbox('b'), world.sandbox('c')]
  for (const sandbox of [a, b, c]) await add(clock, world, sandbox)
  world.brokenAddress = world.ledger.attachment(a)?.address
  await assert.rejects(clock.runUntil(agent.collect([c])), { code: 'kernel' })
  assert.deepEqual(
    world.ledger.attachments().map(({ pod }) => pod.name),
    ['a', 'c'],
  )
  world.brokenAddress = undefined
  await clock.runUntil(agent.collect([c]))
  assert.deepEqual(
    world.ledger.attachments().map(({ pod }) => pod.name),
    ['c'],
  )
})

test('[R7] a sandbox is collected only when its namespace and its pod are gone, twice in a row', async (t) => {
  const { clock, world } = await nodeWith(t, '1', '2')
  const [a, b] = [world.sandbox('a'), world.sandbox('b')]
  for (const sandbox of [a, b]) await add(clock, world, sandbox)
  world.showPods([podOf(a), podOf(b)])
  world.kernel.destroyNamespace(a.netns) // pod a is still shown
  world.showPods([podOf(a)]) // b is not, but has its namespace
  await clock.advance(60 * second)
  assert.equal(inUse(world).length, 2)
  world.showPods([])
  await clock.advance(9.5 * second)
  world.showPods([podOf(a)]) // it was a gap in one answer
  await clock.advance(60 * second)
  assert.equal(inUse(world).length, 2)
  world.showPods([])
  await clock.advance(60 * second)
  assert.deepEqual(
    world.ledger.attachments().map(({ pod }) => pod.name),
    ['b'],
  )
})

test('[P3] surplus is returned one every two minutes, and told to the leader under its grant', async (t) => {
  const { clock, world } = await nodeWith(t, '1:4', '2:5', '3:6', '4:7')
  await clock.advance(121 * second)
  assert.deepEqual(world.reports.at(-1)?.returned, [{ address: '10.0.1.1', grant: 4 }])
  await clock.advance(120 * second)
  assert.deepEqual(
    world.reports.at(-1)?.returned.map(({ grant }) => grant),
    [4, 5],
  )
  await clock.advance(600 * second)
  assert.equal(world.reports.at(-1)?.returned.length, 2, 'the warm maximum stays')
})

test('[P3] the two minutes go on over a restart', async (t) => {
  const { clock, world } = await nodeWith(t, '1', '2', '3')
  await clock.advance(100 * second)
  world.crash()
  await clock.runUntil(world.start())
  await clock.advance(25 * second)
  assert.equal(world.reports.at(-1)?.returned.length, 1)
})

test('[P4] quick release returns all surplus at a time', async (t) => {
  const clock = new VirtualClock()
  const world = new NodeWorld(t, clock)
  world.publish([publishedEni(1, '1', '2', '3', '4', '5')])
  await clock.runUntil(world.start({ quickRelease: true }))
  await clock.advance(121 * second)
  assert.equal(world.reports.at(-1)?.returned.length, 3)
})

test('[R9] an address that is returned is never handed out, not even when nothing else is idle', async (t) => {
  const { clock, world } = await nodeWith(t, '1', '2', '3')
  await clock.advance(121 * second)
  const [returned] = known(world.reports.at(-1)).returned
  const got = [await add(clock, world, world.sandbox('a')), await add(clock, world, world.sandbox('b'))]
  assert.ok(!got.includes(known(returned).address))
  await assert.rejects(clock.runUntil(known(world.agent).add(world.sandbox('c'), undefined)), {
    code: 'no_address',
  })
})

test('[R5] a pod with a warm address causes no write to the API server', async (t) => {
  const { clock, world } = await nodeWith(t, '1', '2')
  await clock.advance(5 * second)
  const before = world.reports.length
  for (let i = 0; i < 20; i++) {
    const sandbox = world.sandbox(`p${i}`)
    await add(clock, world, sandbox)
    await clock.runUntil(known(world.agent).remove(sandbox))
  }
  await clock.advance(second)
  assert.equal(world.reports.length, before)
  await clock.advance(120 * second)
  assert.ok(world.reports.length - before <= 2, 'counts are renewed once a minute at most')
})

test('[R5] an API server that is down is not asked all the time', async (t) => {
  const { clock, world } = await nodeWith(t, '1', '2', '3')
  world.apiDown = true
  await clock.advance(600 * second)
  const before = world.log.count('housekeeping failed')
  await clock.advance(600 * second)
  assert.ok(world.log.count('housekeeping failed') - before <= 45)
  world.apiDown = false
  await clock.advance(60 * second)
  assert.equal(world.reports.at(-1)?.returned.length, 1, 'what waited is told')
})

test('[R3] STATUS names what keeps pods from being served', async (t) => {
  const clock = new VirtualClock()
  const world = new NodeWorld(t, clock)
  const agent = await clock.runUntil(world.start())
  assert.match(known(agent.obstacle()), /is being set up/)
  await clock.advance(second)
  assert.match(known(agent.obstacle()), /has not bound an ENI/)
  world.publish([publishedEni(1, '1')])
  await clock.advance(second)
  assert.equal(agent.obstacle(), undefined)
})

test('[R1] pods of a database that was lost keep their network, and their addresses are not given away', async (t) => {
  const { clock, world } = await nodeWith(t, '1', '2')
  const taken = await add(clock, world, world.sandbox('a'))
  const links = [...world.kernel.podLinks.keys()]
  world.loseDatabase()
  await clock.runUntil(world.start())
  await clock.advance(60 * second)
  assert.deepEqual([...world.kernel.podLinks.keys()], links)
  assert.notEqual(await add(clock, world, world.sandbox('b')), taken)
  await assert.rejects(clock.runUntil(known(world.agent).add(world.sandbox('c'), undefined)), {
    code: 'no_address',
  })
})

test('[R1] addresses that pods of a lost database have are not given back, not even beyond the maximum', async (t) => {
  const { clock, world } = await nodeWith(t, '1', '2', '3', '4')
  const taken = [await add(clock, world, world.sandbox('a')), await add(clock, world, world.sandbox('b'))]
  world.loseDatabase()
  const nec = known(world.nec)
  const before = known(nec.publication)
  const publication = { ...before, shared: { ...before.shared, maxWarm: 0, maxEnis: 1, ipsPerEni: 1 } }
  world.nec = { ...nec, publication }
  await clock.runUntil(world.start({ quickRelease: true }))
  await clock.advance(300 * second)
  const returned = known(world.reports.at(-1)).returned.map(({ address }) => address)
  assert.equal(returned.length, 2)
  assert.deepEqual(
    taken.filter((address) => returned.some((one) => one === address)),
    [],
  )
})

test('[R6] the NEC of another node is not followed, whoever sends it', async (t) => {
  // It would have emptied the pool, and filled it with addresses that are routed to another machine.
  const { clock, world } = await nodeWith(t, '1', '2')
  const nec = known(world.nec)
  const publication = { ...known(nec.publication), enis: [publishedEni(2, '1')] }
  world.tell({ ...nec, name: 'n2', publication })
  await clock.advance(second)
  assert.deepEqual(
    world.ledger.ips().map(({ address }) => address),
    ['10.0.1.1', '10.0.1.2'],
  )
  assert.equal(world.log.count('NEC of another node not followed'), 1)
})
