// Both pools of a node, and what operators set for them.
import assert from 'node:assert/strict'
import { type TestContext, test } from 'node:test'
import type { PublishedEni } from '../../internal/ipam/types.ts'
import { TencentError } from '../../internal/vpc/transport.ts'
import { known, nodeReport } from '../given.ts'
import { LeaderWorld, podOn } from './leader-world.ts'

const second = 1000
const minute = 60 * second
const key = (name: string) => `tke.cloud.tencent.com/${name}`
const wanting = {
  exclusiveEnis: true,
  defaults: { shared: { minWarm: 2, maxWarm: 3 }, exclusive: { minWarm: 1, maxWarm: 1 } },
}

/** A node of up to 3 ENIs with 9 addresses each. */
async function running(t: TestContext, settings = wanting): Promise<LeaderWorld> {
  const world = new LeaderWorld(t, settings)
  world.start()
  world.addNode('n1', 'SA2.MEDIUM4')
  await world.clock.advance(20 * second)
  return world
}

const exclusive = (world: LeaderWorld): readonly PublishedEni[] =>
  world.published('n1').filter(({ mode }) => mode === 'exclusive')
const shared = (world: LeaderWorld): readonly PublishedEni[] =>
  world.published('n1').filter(({ mode }) => mode === 'shared')

function annotate(world: LeaderWorld, annotations: Readonly<Record<string, string>>): void {
  const nec = known(world.kube.necs.items.get('n1'))
  const all = Object.entries(annotations).map(([name, value]) => [key(name), value])
  world.kube.necs.put('n1', { ...nec, annotations: { ...nec.annotations, ...Object.fromEntries(all) } })
}

const settingsCondition = (world: LeaderWorld) =>
  known(
    world.kube.necs.items.get('n1')?.publication?.conditions.find(({ type }) => type === 'SettingsApplied'),
  )

test('[X2] [P2] whole ENIs are kept warm beside shared ones, each with its own address', async (t) => {
  const world = await running(t)
  assert.equal(shared(world).length, 1)
  const [one, ...others] = exclusive(world)
  assert.deepEqual(others, [])
  assert.deepEqual(
    one?.ips.map(({ address }) => address),
    [one?.primaryIp],
  )
  assert.deepEqual(world.differences(), [])
})

test('[X1] [X2] a pod that asks for an ENI makes another one; what the node returns is deleted', async (t) => {
  const world = await running(t)
  world.kube.pods.put('uid-a', podOn('n1', 'a', { wants: 'exclusive' }))
  await world.clock.advance(20 * second)
  assert.equal(exclusive(world).length, 2)
  world.kube.pods.remove('uid-a')
  const [gone, stays] = exclusive(world)
  world.giveBack('n1', known(gone).ips)
  await world.clock.advance(30 * second)
  assert.deepEqual(
    exclusive(world).map(({ id }) => id),
    [stays?.id],
  )
  assert.equal(world.cloudEnis().length, 2, 'one shared, one exclusive')
  assert.deepEqual(world.differences(), [])
})

test('[X3] pods that wait come before warm ones when places are few, and what cannot be had is said', async (t) => {
  const world = await running(t)
  for (const name of ['a', 'b', 'c'])
    world.kube.pods.put(`uid-${name}`, podOn('n1', name, { wants: 'exclusive' }))
  await world.clock.advance(30 * second)
  assert.equal(exclusive(world).length, 2, 'the shared ENI keeps its place')
  assert.equal(world.condition('n1'), 'NodeFull')
  assert.ok(world.reasons('n1').includes('Warning NodeFull'))
})

test('[X2] without exclusive ENIs a pod that asks for one is told so', async (t) => {
  const world = await running(t, { ...wanting, exclusiveEnis: false })
  assert.deepEqual(exclusive(world), [])
  world.kube.pods.put('uid-a', podOn('n1', 'a', { wants: 'exclusive' }))
  await world.clock.advance(10 * second)
  assert.equal(world.condition('n1'), 'ExclusiveENIsOff')
})

test('[P6] [P10] annotations take effect at once, in both directions, and their removal too', async (t) => {
  const world = await running(t)
  annotate(world, { 'route-eni-ip-min-warm-target': '6', 'route-eni-ip-max-warm-target': '8' })
  await world.clock.advance(10 * second)
  assert.equal(shared(world)[0]?.ips.length, 6)
  const { shared: bounds } = known(world.kube.necs.items.get('n1')?.publication)
  assert.deepEqual([bounds.minWarm, bounds.maxWarm], [6, 8], 'the agent hears of it')
  annotate(world, { 'direct-eni-min-warm-target': '0', 'direct-eni-max-warm-target': '0' })
  await world.clock.advance(second)
  assert.equal(world.kube.necs.items.get('n1')?.publication?.exclusive.maxWarm, 0)
  const nec = known(world.kube.necs.items.get('n1'))
  world.kube.necs.put('n1', { ...nec, annotations: {} })
  await world.clock.advance(second)
  const { shared: restored } = known(world.kube.necs.items.get('n1')?.publication)
  assert.deepEqual([restored.minWarm, restored.maxWarm], [2, 3], 'as the node was first seen with')
  assert.equal(settingsCondition(world).status, 'True')
})

test('[P7] [P8] annotations that are wrong change nothing, and are told once', async (t) => {
  const world = await running(t)
  annotate(world, { 'route-eni-ip-min-warm-target': '7', 'route-eni-ip-max-warm-target': '3' })
  await world.clock.advance(40 * second)
  assert.equal(shared(world)[0]?.ips.length, 2)
  const { message, reason, status } = settingsCondition(world)
  assert.deepEqual([status, reason], ['False', 'InvalidAnnotation'])
  assert.match(message, /min-warm-target "7" on node n1: it is above route-eni-ip-max-warm-target "3"/)
  assert.equal(world.reasons('n1').filter((each) => each === 'Warning InvalidAnnotation').length, 1)
  annotate(world, { 'route-eni-ip-max-warm-target': '9' })
  await world.clock.advance(10 * second)
  assert.equal(settingsCondition(world).status, 'True')
  assert.equal(shared(world)[0]?.ips.length, 7)
})

test('[P9] a changed default is for nodes that come later', async (t) => {
  const world = await running(t)
  world.crash()
  Object.assign(world.settings, { defaults: { ...wanting.defaults, shared: { minWarm: 4, maxWarm: 4 } } })
  world.start()
  world.addNode('n2', 'SA2.MEDIUM4')
  await world.clock.advance(30 * second)
  assert.equal(shared(world)[0]?.ips.length, 2)
  assert.equal(world.addresses('n2').length, 4 + 1)
})

test('[P14] the quotas of an instance whose type was changed are read again', async (t) => {
  const world = await running(t)
  const [node] = world.ledger.nodes()
  assert.equal(node?.shared.maxEnis, 3)
  world.cloud.admin.resizeInstance(known(node).instanceId, 'S5.2XLARGE16')
  await world.clock.advance(15 * minute)
  assert.equal(world.kube.necs.items.get('n1')?.publication?.shared.maxEnis, 5)
})

test('[P14] a node whose kubelet runs few pods is bound no more than these need', async (t) => {
  const world = new LeaderWorld(t, {
    ...wanting,
    defaults: { ...wanting.defaults, shared: { minWarm: 6, maxWarm: 6 } },
  })
  world.start()
  const instanceId = world.addInstance('SA2.MEDIUM4')
  world.kube.nodes.put('n1', { name: 'n1', uid: 'uid-n1', instanceId, maxPods: 4, unavailable: false })
  await world.clock.advance(20 * second)
  assert.equal(shared(world)[0]?.ips.length, 4)
})

test('[R4] a ledger that was lost is rebuilt with both pools and what was set', async (t) => {
  const world = await running(t)
  annotate(world, { 'route-eni-ip-min-warm-target': '4', 'route-eni-ip-max-warm-target': '4' })
  world.kube.pods.put('uid-a', podOn('n1', 'a', { wants: 'exclusive' }))
  await world.clock.advance(30 * second)
  const before = world.published('n1')
  world.loseLedger()
  world.start()
  await world.clock.advance(6 * minute)
  assert.deepEqual(world.published('n1'), before)
  assert.deepEqual(world.differences(), [])
})

test('[R4][P9] a ledger that was lost is rebuilt with the defaults that the node came with', async (t) => {
  const world = await running(t)
  annotate(world, { 'route-eni-ip-min-warm-target': '4', 'route-eni-ip-max-warm-target': '6' })
  await world.clock.advance(30 * second)
  assert.equal(shared(world)[0]?.ips.length, 4)
  world.loseLedger()
  world.start({ exclusiveEnis: false, defaults: { ...wanting.defaults, shared: { minWarm: 7, maxWarm: 7 } } })
  await world.clock.advance(minute)
  const nec = known(world.kube.necs.items.get('n1'))
  world.kube.necs.put('n1', { ...nec, annotations: {} })
  await world.clock.advance(minute)
  const targets = () => {
    const { shared: ofShared, exclusive: ofExclusive } = known(world.ledger.node('n1'))
    return [ofShared.minWarm, ofShared.maxWarm, ofExclusive.minWarm, ofExclusive.maxWarm]
  }
  assert.deepEqual(targets(), [2, 3, 0, 0])
  world.loseLedger()
  world.start()
  await world.clock.advance(minute)
  assert.deepEqual(targets(), [2, 3, 1, 1])
})

test('[R4][P7] a ledger that was lost keeps in force what was right when annotations are wrong by now', async (t) => {
  const world = await running(t)
  annotate(world, { 'route-eni-max-attach': '2' })
  await world.clock.advance(10 * second)
  annotate(world, { 'route-eni-max-attach': 'two' })
  await world.clock.advance(10 * second)
  world.loseLedger()
  world.start()
  await world.clock.advance(minute)
  assert.deepEqual(world.ledger.node('n1')?.overrides, { maxSharedEnis: 2 })
  assert.equal(world.kube.necs.items.get('n1')?.publication?.shared.maxEnis, 2)
})

test('[S11] the quota of the VPC is told with what the cloud said, never exceeded, and work goes on when there is room', async (t) => {
  const world = new LeaderWorld(t, wanting)
  world.cloud.setLimits({ enisPerVpc: 3 })
  world.start()
  world.addNode('n1', 'SA2.MEDIUM4')
  await world.clock.advance(30 * second)
  world.addNode('n2', 'SA2.MEDIUM4')
  await world.clock.advance(2 * minute)
  assert.equal(world.condition('n2'), 'ENILimit')
  const [told, ...more] = world.kube.notices.filter(
    ({ reason, about }) => reason === 'ENILimit' && about.kind === 'Node',
  )
  assert.match(known(told).message, /LimitExceeded/)
  assert.deepEqual(more, [])
  assert.equal(world.cloudEnis().length, 3)
  world.cloud.setLimits({ enisPerVpc: 10 })
  await world.clock.advance(3 * minute)
  assert.equal(world.condition('n2'), 'PoolServed')
  assert.deepEqual(world.differences(), [])
})

test('[X2] an ENI that no pod can get, says the agent, serves no pod', async (t) => {
  // Its link never appeared: it counted as there, and the pod waited for ever while all was said to be well.
  const none = { minWarm: 0, maxWarm: 0 }
  const world = await running(t, { ...wanting, defaults: { shared: none, exclusive: none } })
  world.kube.pods.put('uid-a', podOn('n1', 'a', { wants: 'exclusive' }))
  await world.clock.advance(20 * second)
  assert.equal(exclusive(world).length, 1)
  const nec = known(world.kube.necs.items.get('n1'))
  world.kube.necs.put('n1', { ...nec, report: nodeReport({ exclusiveWithheld: 1 }) })
  await world.clock.advance(20 * second)
  assert.equal(exclusive(world).length, 2)
  assert.equal(world.condition('n1'), 'PoolServed')
})

test('[X3] a place that was freed for pods goes to them, not to a warm ENI of the kind that gave it up', async (t) => {
  const world = await running(t, {
    ...wanting,
    defaults: { shared: { minWarm: 0, maxWarm: 0 }, exclusive: { minWarm: 1, maxWarm: 1 } },
  })
  world.addPods('n1', ...Array.from({ length: 18 }, (_, i) => `a-${i}`))
  await world.clock.advance(30 * second)
  assert.deepEqual([shared(world).length, exclusive(world).length], [2, 1])
  world.addPods('n1', 'b-1', 'b-2')
  await world.clock.advance(20 * second)
  assert.equal(exclusive(world).length, 1, 'the agent alone knows that it is idle')
  world.giveBack('n1', known(exclusive(world)[0]).ips)
  await world.clock.advance(60 * second)
  assert.deepEqual([shared(world).length, exclusive(world).length], [3, 0])
  assert.equal(shared(world).flatMap(({ ips }) => ips).length, 20)
  assert.equal(world.condition('n1'), 'PoolServed')
  assert.deepEqual(world.differences(), [])
})

test('[K3] a refusal that was got over is not told for as long as a pod waits for something else', async (t) => {
  const world = new LeaderWorld(t, wanting)
  world.cloud.setLimits({ enisPerVpc: 2 })
  world.start()
  world.addNode('n1', 'SA2.MEDIUM4')
  world.addPods('n1', ...Array.from({ length: 28 }, (_, i) => `p${i}`))
  await world.clock.advance(20 * second)
  assert.equal(world.condition('n1'), 'ENILimit')
  world.cloud.setLimits({ enisPerVpc: 100 })
  await world.clock.advance(3 * minute)
  assert.equal(world.addresses('n1').length, 27, 'all that the instance takes')
  assert.equal(world.condition('n1'), 'NodeFull')
})

test('[X2] [P1] a pod that has got a shared address after all counts there at once', async (t) => {
  const world = new LeaderWorld(t, { ...wanting, reconcileEvery: 60 * minute })
  world.start()
  world.addNode('n1', 'SA2.MEDIUM4')
  await world.clock.advance(20 * second)
  const pod = podOn('n1', 'a', { wants: 'exclusive' })
  world.kube.pods.put('uid-a', pod)
  await world.clock.advance(20 * second)
  const ip = known(shared(world)[0]?.ips[0]).address
  world.kube.pods.put('uid-a', { ...pod, ip })
  await world.clock.advance(5 * second)
  assert.equal(shared(world)[0]?.ips.length, 3, 'two warm ones beside it')
})

test('[R5] a pod that waits for what it cannot have hurries no warm growth of the other kind', async (t) => {
  const world = await running(t)
  annotate(world, { 'direct-eni-max-attach': '2' })
  await world.clock.advance(5 * second)
  for (const name of ['a', 'b', 'c'])
    world.kube.pods.put(`uid-${name}`, podOn('n1', name, { wants: 'exclusive' }))
  await world.clock.advance(30 * second)
  annotate(world, { 'route-eni-ip-min-warm-target': '5', 'route-eni-ip-max-warm-target': '5' })
  await world.clock.advance(10 * second)
  const priorities = world.log.entries
    .filter(
      ({ event, fields }) => event === 'cloud call done' && String(fields['action']).startsWith('Assign'),
    )
    .map(({ fields }) => Reflect.get(fields, 'priority'))
  assert.deepEqual(priorities, ['warm-refill'])
})

test('[P2] [R5] growth does not wait for the pause of what could not be given back', async (t) => {
  const world = new LeaderWorld(t, { ...wanting, reconcileEvery: 600 * minute })
  let refused = (_action: string) => false
  world.between = (cloud) => ({
    request: (product, action, params, options) =>
      refused(action)
        ? Promise.reject(new TencentError({ message: 'no', code: 'UnauthorizedOperation' }))
        : cloud.request(product, action, params, options),
  })
  world.start()
  world.addNode('n1', 'SA2.MEDIUM4')
  await world.clock.advance(20 * second)
  refused = (action) => action === 'UnassignPrivateIpAddresses'
  for (let i = 0; i < 8; i++) {
    world.giveBack('n1', known(shared(world)[0]).ips.slice(0, 1))
    await world.clock.advance(i < 7 ? 65 * second : second)
  }
  world.giveBack('n1', known(shared(world)[0]).ips.slice(0, 1))
  let refusals = 4
  refused = (action) =>
    action === 'UnassignPrivateIpAddresses' || (action === 'AssignPrivateIpAddresses' && refusals-- > 0)
  world.addPods('n1', 'a', 'b')
  await world.clock.advance(25 * second)
  assert.ok(known(shared(world)[0]).ips.length >= 4)
})
