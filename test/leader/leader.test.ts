// The leader's loops under a virtual clock, against the simulated cloud, with crashes between any two steps.
import assert from 'node:assert/strict'
import { readFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { type TestContext, test } from 'node:test'
import type { LeaderSettings } from '../../internal/leader/settings.ts'
import { noFaults } from '../../internal/sim/vpc/settings.ts'
import { known, warm } from '../given.ts'
import { LeaderWorld, podOn, podSubnet } from './leader-world.ts'

const second = 1000
const minute = 60 * second

/** A leader with node n1, its pool filled. */
async function filled(t: TestContext, settings: Partial<LeaderSettings> = {}, type = 'SA2.SMALL1') {
  const world = new LeaderWorld(t, settings)
  world.start()
  world.addNode('n1', type)
  await world.clock.advance(20 * second)
  return world
}

test('[P2] a new node gets its warm minimum, and its NEC shows it', async (t) => {
  const world = await filled(t)
  assert.equal(world.addresses('n1').length, 2)
  assert.equal(world.condition('n1'), 'PoolServed')
  const [eni] = world.published('n1')
  assert.equal(eni?.subnetCidr, '10.0.1.0/24')
  assert.equal(eni?.gateway, '10.0.1.1')
  assert.deepEqual(world.differences(), [])
})

test('[P2][P12] pods make the pool grow to pods + minWarm, on as few ENIs as can be', async (t) => {
  const world = await filled(t, {}, 'SA2.MEDIUM4')
  world.addPods('n1', ...Array.from({ length: 12 }, (_, i) => `p${i}`))
  await world.clock.advance(20 * second)
  assert.equal(world.addresses('n1').length, 14)
  assert.deepEqual(
    world.published('n1').map(({ ips }) => ips.length),
    [9, 5],
  )
  assert.deepEqual(world.differences(), [])
})

test('[P18] only pods that count make it grow', async (t) => {
  const world = await filled(t)
  for (const [name, is] of Object.entries({
    host: { hostNetwork: true },
    done: { terminal: true },
    other: { wants: undefined },
    elsewhere: { node: undefined },
  }))
    world.kube.pods.put(name, podOn('n1', name, is))
  await world.clock.advance(20 * second)
  assert.equal(world.addresses('n1').length, 2)
  world.addPods('n1', 'a')
  await world.clock.advance(20 * second)
  assert.equal(world.addresses('n1').length, 3)
})

test('[K1] of two pods that show one address, as after a restart of their node, the one has it that goes on showing it', async (t) => {
  const world = await filled(t)
  const [one, two] = world.addresses('n1').map(known)
  const show = (uid: string, ip: typeof one) => world.kube.pods.put(uid, podOn('n1', uid, { uid, ip }))
  show('a', one)
  await world.clock.advance(second)
  show('b', one)
  await world.clock.advance(second)
  world.crash()
  world.start()
  await world.clock.advance(20 * second)
  show('a', two)
  await world.clock.advance(second)
  assert.deepEqual(
    world.ledger.podAddresses(),
    new Map([
      [one, 'b'],
      [two, 'a'],
    ]),
  )
  show('b', two)
  world.kube.pods.remove('a')
  await world.clock.advance(second)
  assert.deepEqual(world.ledger.podAddresses(), new Map([[two, 'b']]))
})

test('[P3] what the agent gave up is unassigned and leaves the NEC; what a pod shows, or under an old grant, is not', async (t) => {
  const world = await filled(t, { defaults: warm(4, 4) })
  const ips = known(world.published('n1')[0]).ips
  const [a, b, c, d] = [known(ips[0]), known(ips[1]), known(ips[2]), known(ips[3])]
  world.kube.pods.put('uid-shows', podOn('n1', 'shows', { ip: b.address, wants: undefined }))
  await world.clock.advance(second)
  world.giveBack('n1', [a, b, { ...c, grant: c.grant - 1 }])
  await world.clock.advance(30 * second)
  const left = new Set(world.addresses('n1'))
  assert.deepEqual(
    [a, b, c, d].map(({ address }) => left.has(address)),
    [false, true, true, true],
  )
  assert.deepEqual(world.differences(), [])
})

test('[P12] an ENI whose last address went is detached and deleted', async (t) => {
  const world = await filled(t, { defaults: warm(0, 1) })
  assert.deepEqual(world.published('n1'), [])
  world.addPods('n1', 'a')
  await world.clock.advance(20 * second)
  world.kube.pods.remove('uid-a')
  world.giveBack('n1', known(world.published('n1')[0]).ips)
  await world.clock.advance(minute)
  assert.deepEqual(world.published('n1'), [])
  assert.deepEqual(world.cloudEnis(), [])
  assert.deepEqual(world.differences(), [])
})

test('[R2] the leader may die at any moment of filling, growing and giving back, and nothing is lost', async (t) => {
  for (let at = 20; at <= 6000; at += 170) {
    await t.test(`${at} ms in`, async (tt) => {
      const world = new LeaderWorld(tt)
      world.start()
      world.addNode('n1', 'SA2.MEDIUM4')
      await world.clock.advance(at)
      world.crash()
      world.addPods('n1', 'a', 'b', 'c', 'd', 'e')
      await world.clock.advance(500)
      world.start()
      await world.clock.advance(at)
      world.crash()
      world.start()
      await world.clock.advance(minute)
      assert.deepEqual(world.differences(), [])
      assert.equal(world.addresses('n1').length, 7)
      for (const name of ['a', 'b', 'c', 'd', 'e']) world.kube.pods.remove(`uid-${name}`)
      world.giveBack('n1', known(world.published('n1').at(-1)).ips)
      await world.clock.advance(at)
      world.crash()
      world.start()
      await world.clock.advance(2 * minute)
      assert.deepEqual(world.differences(), [])
    })
  }
})

for (const action of [
  'CreateNetworkInterface',
  'AttachNetworkInterface',
  'AssignPrivateIpAddresses',
  'UnassignPrivateIpAddresses',
  'DetachNetworkInterface',
  'DeleteNetworkInterface',
]) {
  test(`[R2] answers of ${action} are lost, and everything is found out all the same`, async (t) => {
    const world = new LeaderWorld(t, { defaults: warm(1, 1) })
    world.cloud.setFaults({ loseNextAnswers: { [action]: 2 } })
    world.start()
    world.addNode('n1')
    await world.clock.advance(2 * minute)
    world.addPods('n1', 'a', 'b')
    await world.clock.advance(2 * minute)
    assert.equal(world.addresses('n1').length, 3)
    for (const name of ['a', 'b']) world.kube.pods.remove(`uid-${name}`)
    world.giveBack('n1', known(world.published('n1')[0]).ips.slice(1))
    await world.clock.advance(2 * minute)
    world.kube.nodes.remove('n1')
    await world.clock.advance(4 * minute)
    assert.deepEqual(world.cloudEnis(), [])
    assert.deepEqual(world.ledger.nodes(), [])
    assert.deepEqual(world.differences(), [])
  })
}

test('[R1] a clock that is set back holds up nothing that was under way', async (t) => {
  const world = new LeaderWorld(t)
  world.start()
  world.addNode('n1')
  await world.clock.advance(20 * second)
  world.addPods('n1', 'a')
  await world.clock.advance(120)
  world.kube.nodes.remove('n1')
  world.kube.pods.remove('uid-a')
  for (let i = 0; i < 6; i++) {
    world.crash()
    world.db.run(`UPDATE intent SET created_at = created_at + 86400000, changed_at = changed_at + 86400000,
      missing_since = missing_since + 86400000`) // as if all had been written before the clock went back by a day
    world.start()
    await world.clock.advance(minute)
    if (world.ledger.nodes().length === 0) break
  }
  assert.deepEqual(world.cloudEnis(), [])
  assert.deepEqual(world.differences(), [])
})

test('[P15][K3] a full subnet is told on Node and NEC once, and work goes on when there is room', async (t) => {
  const world = new LeaderWorld(t, { defaults: warm(4, 4) }, '10.0.1.0/29')
  world.start()
  world.addNode('n1')
  await world.clock.advance(20 * second)
  world.addNode('n2')
  await world.clock.advance(5 * minute)
  assert.deepEqual(world.reasons('n2'), ['Warning SubnetExhausted'])
  assert.deepEqual(
    world.kube.notices
      .filter(({ about }) => about.kind === 'NodeENIConfig')
      .map(({ about, reason }) => [about.name, reason]),
    [['n2', 'SubnetExhausted']],
  )
  assert.equal(world.condition('n2'), 'SubnetExhausted')
  world.kube.nodes.remove('n1')
  await world.clock.advance(5 * minute)
  assert.deepEqual(world.reasons('n2'), ['Warning SubnetExhausted', 'Normal PoolRecovered'])
  assert.equal(world.addresses('n2').length, 4)
})

test('[P15][K3] no subnet in the zone of the node is told', async (t) => {
  const world = new LeaderWorld(t, { subnetIds: [] })
  world.start()
  world.addNode('n1')
  await world.clock.advance(minute)
  assert.deepEqual(world.reasons('n1'), ['Warning NoSubnetInZone'])
})

test('[P14][K3] a node with more pods than it can carry says NodeFull, and recovers', async (t) => {
  const world = await filled(t)
  const most = 1 * 5
  const names = Array.from({ length: most + 2 }, (_, i) => `p${i}`)
  world.addPods('n1', ...names)
  await world.clock.advance(minute)
  assert.equal(world.addresses('n1').length, most)
  assert.equal(world.condition('n1'), 'NodeFull')
  for (const name of names.slice(0, 4)) world.kube.pods.remove(`uid-${name}`)
  await world.clock.advance(minute)
  assert.deepEqual(world.reasons('n1'), ['Warning NodeFull', 'Normal PoolRecovered'])
})

test('[K3] the quota of ENIs is told as ENILimit, without a storm, and is over when nothing is wanted any more', async (t) => {
  const world = new LeaderWorld(t, { defaults: warm(0, 0) })
  world.cloud.setLimits({ enisPerVpc: 0 })
  world.start()
  world.addNode('n1')
  world.addPods('n1', 'a')
  await world.clock.advance(10 * minute)
  assert.deepEqual(world.reasons('n1'), ['Warning ENILimit'])
  const told = world.kube.notices.find(({ reason }) => reason === 'ENILimit')
  assert.match(told?.message ?? '', /; Delete unused ENIs, use a larger instance type, or ask/)
  const calls = world.db.all(`SELECT id FROM intent WHERE kind = 'create'`).length
  assert.ok(calls <= 25, `${calls} creations in ten minutes`)
  const writes = world.kube.writes
  await world.clock.advance(10 * minute)
  assert.equal(world.kube.writes, writes, 'no NEC is written while nothing changes')
  world.kube.pods.remove('uid-a')
  await world.clock.advance(2 * minute)
  assert.equal(world.condition('n1'), 'PoolServed')
  assert.deepEqual(world.reasons('n1'), ['Warning ENILimit', 'Normal PoolRecovered'])
})

test('[R5] an outage of the cloud brings no storm, and what waited is done afterwards', async (t) => {
  const world = await filled(t)
  world.cloud.setFaults({ outage: 'unavailable' })
  world.addPods('n1', 'a', 'b')
  await world.clock.advance(10 * minute)
  const calls = () => Object.values(world.cloud.stats()).reduce((sum, one) => sum + one.calls, 0)
  const before = calls()
  await world.clock.advance(10 * minute)
  assert.ok(calls() - before < 300, `${calls() - before} calls in ten minutes`)
  world.cloud.setFaults(noFaults)
  await world.clock.advance(2 * minute)
  assert.equal(world.addresses('n1').length, 4)
  assert.deepEqual(world.differences(), [])
})

test('[R2] a call that was sent again and refused for its pace is not taken for one that never happened', async (t) => {
  // The first sending may still take effect; a refusal of the second says nothing about it.
  const world = new LeaderWorld(t)
  world.cloud.setFaults({ lostRequests: { CreateNetworkInterface: 1 } })
  world.start()
  world.addNode('n1')
  await world.clock.advance(4 * second)
  const [first] = world.ledger.openIntents()
  world.cloud.setFaults({ lostRequests: {}, throttle: { CreateNetworkInterface: 1 } })
  await world.clock.advance(40 * second)
  const [still] = world.ledger.openIntents()
  assert.deepEqual([still?.id, still?.token], [first?.id, first?.token])
  world.cloud.setFaults(noFaults)
  await world.clock.advance(minute)
  assert.equal(world.addresses('n1').length, 2)
  assert.equal(world.cloudEnis().length, 1)
})

test('[R7] a node that is missing in one answer keeps its pool', async (t) => {
  const world = await filled(t)
  const fact = known(world.kube.nodes.items.get('n1'))
  world.kube.nodes.remove('n1')
  await world.clock.advance(20 * second)
  world.kube.nodes.put('n1', fact)
  await world.clock.advance(5 * minute)
  assert.equal(world.addresses('n1').length, 2)
  world.kube.nodes.put('n1', { ...fact, instanceId: undefined }) // a label that was lost for a while
  await world.clock.advance(5 * minute)
  assert.equal(world.cloudEnis().length, 1)
  assert.equal(known(world.ledger.node('n1')).phase, 'active')
})

test('[R7] a node that is gone keeps its pool while a pod is shown on it', async (t) => {
  const world = await filled(t)
  world.addPods('n1', 'a')
  await world.clock.advance(10 * second)
  world.kube.nodes.remove('n1')
  await world.clock.advance(5 * minute)
  assert.equal(world.cloudEnis().length, 1)
  world.kube.pods.remove('uid-a')
  await world.clock.advance(5 * minute)
  assert.deepEqual(world.cloudEnis(), [])
  assert.deepEqual(world.ledger.nodes(), [])
  assert.equal(world.kube.necs.items.get('n1'), undefined)
  assert.deepEqual(world.differences(), [])
})

test('[R7] the NEC of a node that left shows no ENI any more before one is taken away', async (t) => {
  const world = await filled(t)
  world.kube.nodes.remove('n1')
  while (known(world.ledger.node('n1')).phase === 'active') await world.clock.step()
  const going = () => known(world.ledger.pool('n1')).enis.filter(({ state }) => state !== 'attached')
  assert.deepEqual(going(), [])
  while (world.published('n1').length > 0) {
    assert.deepEqual(going(), [], 'an agent would still hand out its addresses')
    await world.clock.step()
  }
  assert.equal(world.condition('n1'), 'NodeLeaves')
  const writes = world.kube.writes
  await world.clock.advance(5 * minute)
  assert.deepEqual(world.ledger.nodes(), [])
  assert.equal(world.kube.necs.items.get('n1'), undefined)
  assert.equal(world.kube.writes, writes)
})

test('a NEC that cannot be emptied does not keep the ENIs of a node that left', async (t) => {
  const world = await filled(t)
  world.kube.nodes.remove('n1')
  while (known(world.ledger.node('n1')).phase === 'active') await world.clock.step()
  world.kube.setOutage(true)
  await world.clock.advance(5 * minute)
  assert.deepEqual(world.cloudEnis(), [])
  world.kube.setOutage(false)
  await world.clock.advance(5 * minute)
  assert.deepEqual(world.ledger.nodes(), [])
})

test('a NEC that somebody deleted is not made anew for a node that leaves', async (t) => {
  const world = await filled(t)
  world.kube.nodes.remove('n1')
  world.kube.necs.remove('n1')
  const writes = world.kube.writes
  await world.clock.advance(5 * minute)
  assert.deepEqual(world.ledger.nodes(), [])
  assert.equal(world.kube.writes, writes)
})

test('a NEC that could not be deleted is deleted later', async (t) => {
  const world = await filled(t)
  world.kube.nodes.remove('n1')
  while (known(world.ledger.pool('n1')).enis.length > 0) await world.clock.step()
  world.kube.setOutage(true)
  await world.clock.advance(minute)
  world.kube.setOutage(false)
  await world.clock.advance(5 * minute)
  assert.equal(world.kube.necs.items.get('n1'), undefined)
  assert.deepEqual(world.ledger.nodes(), [])
})

test('a node that came back on another instance is served there, though its pods wait already', async (t) => {
  const world = await filled(t)
  const old = known(world.ledger.node('n1')).instanceId
  world.cloud.admin.terminateInstance(old, world.clock.now())
  const fresh = world.addNode('n1')
  world.addPods('n1', 'a')
  await world.clock.advance(10 * minute)
  assert.equal(known(world.ledger.node('n1')).instanceId, fresh)
  assert.equal(world.addresses('n1').length, 3)
  assert.deepEqual(world.differences(), [])
})

test('an ENI that somebody deleted does not keep a node from being forgotten', async (t) => {
  const world = await filled(t)
  const [eni] = world.cloudEnis()
  const id = known(eni).id
  const instance = known(world.ledger.node('n1')).instanceId
  world.cloud.handle(
    'DetachNetworkInterface',
    { NetworkInterfaceId: id, InstanceId: instance },
    world.clock.now(),
    'vpc',
  )
  await world.clock.advance(5 * second)
  world.cloud.handle('DeleteNetworkInterface', { NetworkInterfaceId: id }, world.clock.now(), 'vpc')
  await world.clock.advance(5 * second)
  world.kube.nodes.remove('n1')
  await world.clock.advance(10 * minute)
  assert.deepEqual(world.ledger.nodes(), [])
  assert.deepEqual(world.differences(), [])
})

test('[R5][K3] an instance that the cloud does not know is told, and asked for ever more seldom', async (t) => {
  const world = new LeaderWorld(t)
  world.start()
  world.kube.nodes.put('n1', {
    name: 'n1',
    uid: 'uid-n1',
    instanceId: 'ins-nowhere',
    maxPods: undefined,
    unavailable: false,
  })
  for (let i = 0; i < 100; i++) {
    world.addPods('n1', `p${i}`) // each wakes the leader
    await world.clock.advance(6 * second)
  }
  assert.ok(world.reasons('n1').every((reason) => reason === 'Warning NodeNotRegistered'))
  const { calls } = known(world.cloud.stats()['DescribeInstances'])
  assert.ok(calls > 3 && calls < 25, `${calls} calls in ten minutes`)
})

test('[R5] nodes that join at once share describe calls, whatever one of them says it is', async (t) => {
  const world = new LeaderWorld(t)
  world.kube.nodes.put('odd', {
    name: 'odd',
    uid: 'uid-odd',
    instanceId: 'no-instance',
    maxPods: undefined,
    unavailable: false,
  })
  for (let i = 0; i < 60; i++) world.addNode(`n${i}`)
  world.start()
  await world.clock.advance(20 * second)
  assert.equal(world.ledger.nodes().length, 60)
  assert.deepEqual(world.reasons('odd').slice(0, 1), ['Warning NodeNotRegistered'])
  const before = known(world.cloud.stats()['DescribeInstances']).calls
  world.kube.nodes.remove('odd')
  for (let i = 60; i < 120; i++) world.addNode(`n${i}`)
  await world.clock.advance(20 * second)
  assert.equal(world.ledger.nodes().length, 120)
  const calls = known(world.cloud.stats()['DescribeInstances']).calls - before
  assert.ok(calls <= 6, `${calls} calls for 60 nodes`)
})

test('[R6] a second node on one instance is refused by name, and registered once the first has left', async (t) => {
  const world = await filled(t)
  const instanceId = known(world.kube.nodes.items.get('n1')).instanceId
  world.kube.nodes.put('n2', {
    name: 'n2',
    uid: 'uid-n2',
    instanceId,
    maxPods: undefined,
    unavailable: false,
  })
  await world.clock.advance(10 * second)
  const told = known(world.kube.notices.find(({ about }) => about.name === 'n2'))
  assert.match(told.message, /^Cannot register node "n2": instance "ins-\w+" is that of node "n1"$/)
  assert.deepEqual(world.addresses('n2'), [])
  world.kube.nodes.remove('n1')
  await world.clock.advance(3 * minute)
  assert.equal(world.addresses('n2').length, 2)
  assert.deepEqual(world.differences(), [])
})

test('[R5] a quiet cluster is quiet: no write, and no cloud call but the subnets', async (t) => {
  const world = await filled(t)
  await world.clock.advance(minute)
  const writes = world.kube.writes
  const changes = world.db.get<{ n: number }>(`SELECT total_changes() AS n`)?.n
  await world.clock.advance(30 * minute)
  assert.equal(world.kube.writes, writes)
  assert.equal(world.db.get<{ n: number }>(`SELECT total_changes() AS n`)?.n, changes)
})

test('[R5] a NEC that is changed by another hand is written again, and that is all', async (t) => {
  const world = await filled(t)
  const nec = known(world.kube.necs.items.get('n1'))
  const writes = world.kube.writes
  world.kube.necs.put('n1', { ...nec, publication: { ...known(nec.publication), enis: [] } })
  await world.clock.advance(minute)
  assert.equal(world.addresses('n1').length, 2)
  assert.ok(world.kube.writes - writes <= 2)
})

test('the ledger shows which pod has which address, through restarts and late events', async (t) => {
  const world = await filled(t)
  const [x, y] = world.addresses('n1')
  const shown = () =>
    world.db
      .all<{ address: string; pod: string }>(`SELECT address, pod FROM v_ip WHERE pod <> ''`)
      .map(({ address, pod }) => `${address} ${pod}`)
  world.kube.pods.put('uid-a', podOn('n1', 'a', { ip: known(x) }))
  await world.clock.advance(second)
  assert.deepEqual(shown(), [`${x} default/a`])
  world.kube.pods.put('uid-b', podOn('n1', 'b', { ip: known(x) })) // a has ended; that is heard later
  await world.clock.advance(second)
  world.kube.pods.remove('uid-a')
  await world.clock.advance(second)
  assert.deepEqual(shown(), [`${x} default/b`])
  world.crash()
  world.kube.pods.remove('uid-b') // nobody hears it
  world.kube.pods.put('uid-c', podOn('n1', 'c', { ip: known(y) }))
  world.start()
  await world.clock.advance(second)
  assert.deepEqual(shown(), [`${y} default/c`])
})

test('a leader that stops leaves nothing that runs', async (t) => {
  const world = await filled(t)
  world.addPods('n1', 'a')
  await world.clock.advance(60)
  await world.clock.runUntil(known(world.leader).stop())
  await world.clock.runUntilIdle(minute)
  assert.ok(world.published('n1').every(({ subnetId }) => subnetId === podSubnet))
})

test('[R10] a ledger that is damaged ends the leader instead of being asked again', async (t) => {
  const world = await filled(t)
  const file = join(world.folder, 'leader.db')
  world.db.get('PRAGMA wal_checkpoint(TRUNCATE)')
  world.db.run('PRAGMA shrink_memory') // what is cached would still be sound
  const sound = readFileSync(file)
  writeFileSync(file, Buffer.concat([sound.subarray(0, 4096), Buffer.alloc(sound.length - 4096, 0xff)]))
  await assert.rejects(world.clock.advance(minute), {
    code: 'storage',
    message: /^Cannot use ".*": it is damaged/,
  })
  writeFileSync(file, sound)
})

test('[R2] a leader that is stopped while a call is under way leaves its outcome to the next start, and raises no alarm', async (t) => {
  const world = new LeaderWorld(t)
  world.addNode('n1')
  const leader = world.start()
  const calls = () => world.db.all(`SELECT id FROM intent`).length
  while (calls() === 0) await world.clock.advance(10)
  await world.clock.runUntil(leader.stop())
  world.db.close()
  await world.clock.advance(5 * second)
  assert.equal(world.log.count('outcome left to the next start'), 1)
  assert.deepEqual(
    world.log.entries.filter(({ level }) => level === 'error'),
    [],
  )
  world.crash()
  world.start()
  await world.clock.advance(minute)
  assert.deepEqual(world.differences(), [])
})

test('[R8] a new leader claims the NECs of nodes that wait at once, and the others one after the other', async (t) => {
  const world = new LeaderWorld(t)
  world.start()
  const nodes = Array.from({ length: 20 }, (_, i) => `n${i}`)
  for (const node of nodes) world.addNode(node)
  await world.clock.advance(minute)
  const writes = () => world.kube.writes
  const claimed = () =>
    nodes.filter((node) => known(world.kube.necs.items.get(node)?.publication).epoch === 2)
  world.crash()
  Object.assign(world.settings, { epoch: 2 })
  world.addPods('n17', 'a', 'b')
  const before = writes()
  world.start()
  await world.clock.advance(second)
  assert.ok(claimed().includes('n17'))
  assert.ok(claimed().length < 10, `${claimed().length} in the first second`)
  await world.clock.advance(10 * second)
  assert.deepEqual(claimed(), nodes)
  assert.equal(world.addresses('n17').length, 4)
  await world.clock.advance(minute)
  assert.ok(writes() - before <= nodes.length + 4, `${writes() - before} writes`)
})

test('[R8] an epoch that somebody has written into a NEC is corrected, and told of', async (t) => {
  const world = await filled(t)
  await world.clock.advance(minute)
  const nec = known(world.kube.necs.items.get('n1'))
  const before = known(nec.publication)
  world.kube.necs.put('n1', { ...nec, publication: { ...before, epoch: 2_147_483_647 } })
  await world.clock.advance(second)
  assert.deepEqual(world.kube.necs.items.get('n1')?.publication, before)
  const told = world.kube.notices.filter(({ reason }) => reason === 'EpochCorrected')
  assert.deepEqual(
    told.map(({ about, message }) => [about.kind, about.name, message]),
    [
      [
        'NodeENIConfig',
        'n1',
        `spec.leaderEpoch was 2147483647, which no leader has come to: it is ${before.epoch} again; it is the leader's alone`,
      ],
    ],
  )
})

test('[R8] nothing of a node is changed before its NEC has the epoch', async (t) => {
  const world = await filled(t)
  world.crash()
  Object.assign(world.settings, { epoch: 2 })
  world.addPods('n1', 'a')
  world.start()
  const intents = () => world.db.all(`SELECT id FROM intent`).length
  const before = intents()
  while (intents() === before) await world.clock.advance(1)
  assert.equal(known(world.kube.necs.items.get('n1')?.publication).epoch, 2)
  assert.deepEqual(world.addresses('n1').length, 2, 'and nothing else was written with it')
})
