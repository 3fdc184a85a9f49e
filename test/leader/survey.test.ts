// What was done in the console, behind the leader's back: nothing is believed after one view, and after two the pool is right again.
import assert from 'node:assert/strict'
import { type TestContext, test } from 'node:test'
import type { LeaderSettings } from '../../internal/leader/settings.ts'
import { known, warm } from '../given.ts'
import { LeaderWorld, podOn, podSubnet, vpcId } from './leader-world.ts'

const second = 1000
const minute = 60 * second

/** n1 with a filled pool, long enough ago for everything to be judged. */
async function quiet(t: TestContext, settings: Partial<LeaderSettings> = {}, subnetCidr?: string) {
  const world = new LeaderWorld(t, { surveyEvery: minute, ...settings }, subnetCidr)
  world.start()
  const instance = world.addNode('n1', 'SA2.MEDIUM4')
  await world.clock.advance(2 * minute)
  assert.deepEqual(world.differences(), [])
  assert.deepEqual(world.suspects(), [])
  const eni = known(world.published('n1')[0])
  return { world, instance, eni, ips: eni.ips.map(({ address }) => address) }
}

/** Until something is suspected, for at most a survey's time. */
async function suspected(world: LeaderWorld) {
  for (let i = 0; i < 70 && world.suspects().length === 0; i++) await world.clock.advance(second)
  return world.suspects()
}

test('[R7] an address taken off in the console is suspected first, and forgotten when a second view agrees', async (t) => {
  const { world, eni, ips } = await quiet(t)
  const [address] = ips
  world.kube.pods.put('uid-a', podOn('n1', 'a', { ip: known(address) }))
  await world.clock.advance(10 * second)
  world.console.unassign(eni.id, known(address))
  assert.deepEqual(await suspected(world), [`ip-missing ${address}`])
  assert.ok(world.addresses('n1').includes(known(address)), 'still published')
  await world.clock.advance(minute)
  assert.ok(!world.addresses('n1').includes(known(address)))
  assert.equal(world.addresses('n1').length, 3)
  assert.deepEqual(world.podReasons('a'), ['AddressLost'])
  assert.deepEqual(world.suspects(), [])
  assert.deepEqual(world.differences(), [])
})

test('[R7] an address put on in the console comes into the pool, with a grant of its own', async (t) => {
  const { world, eni } = await quiet(t)
  const last = Math.max(...eni.ips.map(({ grant }) => grant))
  world.console.assign(eni.id, 1)
  await world.clock.advance(2 * minute)
  const now = known(world.published('n1')[0]).ips
  assert.equal(now.length, 3)
  assert.ok(Math.max(...now.map(({ grant }) => grant)) > last)
  assert.ok(world.reasons('n1').includes('Normal Adopted'))
  assert.deepEqual(world.differences(), [])
})

test('[R7] an ENI taken off its node in the console is attached again, with the same addresses and grants', async (t) => {
  const { world, eni, instance } = await quiet(t)
  world.console.detach(eni.id, instance)
  await world.clock.advance(3 * minute)
  assert.deepEqual(world.published('n1'), [eni])
  assert.ok(world.reasons('n1').includes('Warning ENIDetached'))
  assert.deepEqual(world.differences(), [])
})

test('[R7] an ENI deleted in the console is forgotten with its addresses, and the pool filled anew', async (t) => {
  const { world, eni, instance, ips } = await quiet(t)
  world.kube.pods.put('uid-a', podOn('n1', 'a', { ip: known(ips[0]) }))
  await world.clock.advance(10 * second)
  world.console.detach(eni.id, instance)
  await world.clock.advance(2 * second)
  world.console.remove(eni.id)
  await world.clock.advance(3 * minute)
  assert.ok(!world.published('n1').some(({ id }) => id === eni.id))
  assert.equal(world.addresses('n1').length, 3)
  assert.deepEqual(new Set(world.podReasons('a')), new Set(['AddressLost']))
  assert.deepEqual(world.differences(), [])
})

test('[R1][R7] an ENI that is on another instance is held, and never touched; taken off, it serves again', async (t) => {
  const { world, eni, instance } = await quiet(t)
  const other = world.addNode('n2', 'SA2.MEDIUM4')
  await world.clock.advance(minute)
  world.console.detach(eni.id, instance)
  await world.clock.advance(2 * second)
  assert.ok(world.console.attach(eni.id, other))
  await world.clock.advance(5 * minute)
  assert.deepEqual(world.suspects(), [`eni-elsewhere ${eni.id}`])
  assert.ok(!world.published('n1').some(({ id }) => id === eni.id), 'nothing is handed out of it')
  assert.equal(world.addresses('n1').length, 2, 'another ENI serves in its place')
  assert.equal(world.cloudEnis().find(({ id }) => id === eni.id)?.instanceId, other)
  assert.ok(world.reasons('n1').includes('Warning Quarantined'))
  world.console.detach(eni.id, other)
  await world.clock.advance(5 * minute)
  assert.deepEqual(world.suspects(), [])
  assert.ok(world.published('n1').some(({ id }) => id === eni.id))
  assert.deepEqual(world.differences(), [])
})

test('[R1] an ENI with our tag that nobody knows: adopted when its node can use it, else deleted', async (t) => {
  const { world } = await quiet(t, { defaults: warm(2, 4) })
  const tags = { 'tke-eni-cluster': 'cls-test', 'tke-eni-slot': '2' }
  const make = (more: Record<string, string>, count: number) =>
    world.console.create({ vpc: vpcId, subnet: podSubnet, tags: { ...tags, ...more }, ips: count })
  const instance = known(world.ledger.node('n1')).instanceId
  make({ 'tke-eni-node': 'n1', 'tke-eni-instance': instance }, 2)
  make({ 'tke-eni-node': 'n1', 'tke-eni-instance': instance }, 6)
  make({ 'tke-eni-node': 'gone' }, 1)
  await world.clock.advance(3 * minute)
  assert.deepEqual(
    world.published('n1').map(({ slot, ips }) => [slot, ips.length]),
    [
      [1, 2],
      [2, 2],
    ],
  )
  assert.equal(world.cloudEnis().length, 2)
  assert.deepEqual(
    world.ledger.nodes().map(({ name }) => name),
    ['n1'],
  )
  assert.deepEqual(world.suspects(), [])
  assert.deepEqual(world.differences(), [])
})

test('[R7] what has no tag of ours, or that of another cluster, is never touched', async (t) => {
  const { world } = await quiet(t)
  world.console.create({ vpc: vpcId, subnet: podSubnet, tags: {}, ips: 1 })
  world.console.create({ vpc: vpcId, subnet: podSubnet, tags: { 'tke-eni-cluster': 'cls-other' }, ips: 1 })
  await world.clock.advance(10 * minute)
  const { enis } = world.cloud.admin.audit(world.clock.now())
  assert.equal(enis.filter(({ name }) => name === 'by hand').length, 2)
  assert.deepEqual(world.suspects(), [])
})

test('[R1][K3] two pods on two nodes that show one address are told, and it is held', async (t) => {
  const { world, ips } = await quiet(t)
  world.addNode('n2')
  await world.clock.advance(minute)
  const address = known(ips[0])
  world.kube.pods.put('uid-a', podOn('n1', 'a', { ip: address }))
  world.kube.pods.put('uid-b', podOn('n2', 'b', { ip: address }))
  await world.clock.advance(2 * minute)
  assert.deepEqual(world.suspects(), [`ip-doubled ${address}`])
  assert.ok(!world.addresses('n1').includes(address))
  assert.deepEqual([world.podReasons('a'), world.podReasons('b')], [['AddressDoubled'], ['AddressDoubled']])
  world.kube.pods.remove('uid-b')
  await world.clock.advance(2 * minute)
  assert.deepEqual(world.suspects(), [])
  assert.ok(world.addresses('n1').includes(address))
})

/** Pod "a" of n1 has lost its address in the console, and goes on with it; n2 is there. */
async function robbed(t: TestContext, settings: Partial<LeaderSettings> = {}, subnetCidr?: string) {
  const { world, eni, ips } = await quiet(t, settings, subnetCidr)
  world.addNode('n2', 'SA2.MEDIUM4')
  await world.clock.advance(minute)
  const address = known(ips[0])
  world.kube.pods.put('uid-a', podOn('n1', 'a', { ip: address }))
  await world.clock.advance(10 * second)
  world.console.unassign(eni.id, address)
  await world.clock.advance(3 * minute)
  assert.equal(world.ledger.nodeOf(address), undefined, 'nobody has it now')
  return { world, address }
}

/** Advances second by second, and looks each time. */
async function never(world: LeaderWorld, seconds: number, what: () => boolean) {
  for (let i = 0; i < seconds; i++) {
    await world.clock.advance(second)
    assert.ok(!what(), `after ${i} s`)
  }
}

test('[R1] an address that a pod of one node goes on using is not published on another that found it on its ENI', async (t) => {
  const { world, address } = await robbed(t)
  assert.ok(world.console.assignNamed(known(world.published('n2')[0]).id, address))
  await never(world, 180, () => world.addresses('n2').includes(address))
  assert.equal(world.ledger.nodeOf(address), 'n2')
  assert.equal(world.addresses('n2').length, 2, 'others are in its place')
  assert.equal(world.ledger.podAddresses().get(address), undefined, 'not the holder on n2')
  assert.deepEqual(world.suspects(), [`ip-elsewhere ${address}`])
  assert.ok(world.podReasons('a').includes('AddressLost'))
  world.kube.pods.remove('uid-a')
  await world.clock.advance(minute / 2)
  assert.ok(world.addresses('n2').includes(address), 'free now')
  assert.deepEqual(world.suspects(), [])
  assert.deepEqual(world.differences(), [])
})

test('[R7] what is in quarantine is told once, and once more by the next leader: the one before may have died before it told', async (t) => {
  const { world, address } = await robbed(t)
  const told = () =>
    world.kube.notices.filter(({ message }) => message.startsWith('default/a is in quarantine'))
  const reasons = () => told().map(({ about, reason }) => `${about.kind} ${reason}`)
  assert.deepEqual(world.suspects(), ['pod-stray default/a'])
  await world.clock.advance(10 * minute)
  assert.deepEqual(reasons(), ['Node Quarantined', 'Pod AddressLost'])
  world.crash()
  world.kube.notices.length = 0
  world.start()
  await world.clock.advance(10 * minute)
  assert.deepEqual(reasons(), ['Node Quarantined', 'Pod AddressLost'])
  assert.match(
    known(told()[0]).message,
    new RegExp(`it shows ${address}, which the ledger has nowhere; delete the pod`),
  )
})

test('[R1] nor on one whose pool the leader filled with it', async (t) => {
  const { world, address } = await robbed(t, {}, '10.0.1.0/28')
  world.addPods('n2', ...[...Array(9).keys()].map((i) => `p${i}`))
  await never(world, 180, () => world.addresses('n2').includes(address))
  assert.equal(world.ledger.nodeOf(address), 'n2')
  world.kube.pods.put('uid-a', podOn('n1', 'a', { ip: address, terminal: true }))
  await world.clock.advance(minute / 2)
  assert.ok(world.addresses('n2').includes(address), 'free now')
})

test('[R1] an address is taken back when a pod of another node shows it, but for one that is in use there', async (t) => {
  const { world, ips } = await quiet(t, { surveyEvery: 60 * minute })
  const [idle, used] = [known(ips[0]), known(ips[1])]
  world.addNode('n2')
  world.kube.pods.put('uid-b', podOn('n1', 'b', { ip: used }))
  await world.clock.advance(minute / 2)
  world.kube.pods.put('uid-x', podOn('n2', 'x', { ip: idle }))
  world.kube.pods.put('uid-y', podOn('n2', 'y', { ip: used, wants: undefined }))
  await world.clock.advance(5 * second)
  assert.deepEqual(
    [world.addresses('n1').includes(idle), world.addresses('n1').includes(used)],
    [false, true],
  )
  assert.equal(world.ledger.podAddresses().get(used), 'uid-b')
  assert.equal(world.ledger.podAddresses().get(idle), undefined)
  assert.deepEqual(world.suspects(), [`ip-elsewhere ${idle}`], 'surveyed at once')
})
