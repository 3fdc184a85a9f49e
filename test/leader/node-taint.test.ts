// A new node is closed to pods until it has addresses for them.
import assert from 'node:assert/strict'
import { type TestContext, test } from 'node:test'
import type { LeaderSettings } from '../../internal/leader/settings.ts'
import { known, nodeReport } from '../given.ts'
import { LeaderWorld, podOn } from './leader-world.ts'

const second = 1000

async function world(
  t: TestContext,
  manageTaint = true,
  more: Partial<LeaderSettings> = {},
): Promise<LeaderWorld> {
  const made = new LeaderWorld(t, { manageTaint, ...more })
  made.start()
  made.addNode('n1')
  await made.clock.advance(20 * second)
  return made
}

const closed = (made: LeaderWorld) => known(made.kube.nodes.items.get('n1')).unavailable

async function report(made: LeaderWorld, idle: number): Promise<void> {
  const nec = known(made.kube.necs.items.get('n1'))
  made.kube.necs.put('n1', { ...nec, report: nodeReport({ idle }) })
  await made.clock.advance(2 * second)
}

test('[K5] a node is closed until its pool stands and its agent has said so', async (t) => {
  const made = await world(t)
  assert.equal(made.condition('n1'), 'PoolServed')
  assert.equal(closed(made), true, 'nobody has heard of its agent')
  await report(made, 5)
  assert.equal(closed(made), false)
})

test('[K5] a node that cannot be registered is closed, one without an instance is let alone', async (t) => {
  const made = new LeaderWorld(t, { manageTaint: true })
  made.start()
  made.kube.nodes.put('n1', {
    name: 'n1',
    uid: 'u1',
    instanceId: 'ins-nowhere',
    maxPods: undefined,
    unavailable: false,
  })
  made.kube.nodes.put('n2', {
    name: 'n2',
    uid: 'u2',
    instanceId: undefined,
    maxPods: undefined,
    unavailable: true,
  })
  await made.clock.advance(20 * second)
  assert.equal(closed(made), true)
  assert.equal(made.kube.nodes.items.get('n2')?.unavailable, true)
})

test('[K5] what the kubelet came with is taken off; what is put back by hand, too', async (t) => {
  const made = await world(t)
  await report(made, 5)
  made.kube.nodes.put('n1', { ...known(made.kube.nodes.items.get('n1')), unavailable: true })
  await made.clock.advance(10 * second)
  assert.equal(closed(made), false)
})

test('[K5] a node that serves stays open when its agent uses up all addresses', async (t) => {
  const made = await world(t)
  await report(made, 5)
  await report(made, 0)
  await made.clock.advance(60 * second)
  assert.equal(closed(made), false)
})

test('[K5] without the flag no taint is touched', async (t) => {
  const made = await world(t, false)
  assert.equal(closed(made), false)
  made.kube.nodes.put('n1', { ...known(made.kube.nodes.items.get('n1')), unavailable: true })
  await report(made, 5)
  assert.equal(closed(made), true)
})

test('[K5] a DaemonSet whose pods can never have an ENI of their own keeps no node closed', async (t) => {
  const made = new LeaderWorld(t, { manageTaint: true })
  made.start()
  made.addNode('n1')
  made.kube.pods.put('uid-a', podOn('n1', 'a', { wants: 'exclusive' }))
  await made.clock.advance(20 * second)
  assert.equal(made.condition('n1'), 'ExclusiveENIsOff')
  await report(made, 2)
  assert.equal(closed(made), false)
})

test('[K5] where ordinary pods get an ENI each, a node without one is closed', async (t) => {
  const made = await world(t, true, { ordinaryPods: 'exclusive', exclusiveEnis: false })
  await report(made, 5)
  assert.equal(closed(made), false, 'it shall have none')
  const other = await world(t, true, {
    ordinaryPods: 'exclusive',
    exclusiveEnis: true,
    defaults: { shared: { minWarm: 0, maxWarm: 0 }, exclusive: { minWarm: 1, maxWarm: 1 } },
  })
  other.kube.pods.put('uid-a', podOn('n1', 'a', { wants: 'exclusive' }))
  other.kube.pods.put('uid-b', podOn('n1', 'b', { wants: 'exclusive' }))
  await report(other, 0)
  assert.equal(other.condition('n1'), 'NodeFull')
  assert.equal(closed(other), true, 'its pods wait')
})
