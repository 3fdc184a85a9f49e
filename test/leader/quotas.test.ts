// What instances take: asked of the cloud, assumed by a leader that may not ask, and never waited for by a node that is served.
import assert from 'node:assert/strict'
import { test } from 'node:test'
import { TencentError, type Transport } from '../../internal/vpc/transport.ts'
import { LeaderWorld } from './leader-world.ts'

const second = 1000
const minute = 60 * second

/** Answers `action` as `instead` does while that is set. */
function between(world: LeaderWorld, action: string) {
  const state: { instead: (() => Promise<never>) | undefined } = { instead: undefined }
  world.between = (cloud: Transport) => ({
    request: (product, name, params, options) =>
      name === action && state.instead !== undefined
        ? state.instead()
        : cloud.request(product, name, params, options),
  })
  return state
}

const denied = () =>
  Promise.reject(new TencentError({ message: 'no', code: 'UnauthorizedOperation', httpCode: 200 }))

const quotaOf = (world: LeaderWorld, node: string) => {
  const { instanceType, enis, ipsPerEni } = world.ledger.node(node)?.quota ?? {}
  return `${instanceType} ${enis} ${ipsPerEni}`
}

test('[P14] quotas that had to be assumed are replaced by those of the cloud once it may be asked', async (t) => {
  // The assumption was kept for the type and stored as if the cloud had said it: nobody ever asked again.
  const world = new LeaderWorld(t)
  const limits = between(world, 'DescribeNetworkInterfaceLimit')
  limits.instead = denied
  world.start()
  world.addNode('n1', 'SA2.4XLARGE32')
  await world.clock.advance(2 * minute)
  assert.equal(quotaOf(world, 'n1'), ' 7 29')
  limits.instead = undefined
  world.addNode('n2', 'SA2.4XLARGE32')
  await world.clock.advance(10 * second)
  assert.equal(quotaOf(world, 'n2'), 'SA2.4XLARGE32 7 39')
  await world.clock.advance(15 * minute)
  assert.equal(quotaOf(world, 'n1'), 'SA2.4XLARGE32 7 39')
  assert.equal(world.kube.necs.items.get('n1')?.publication?.shared.ipsPerEni, 39)
})

test('[R5] a role that may not ask for quotas is refused once for many nodes, and not all the time', async (t) => {
  const world = new LeaderWorld(t)
  between(world, 'DescribeNetworkInterfaceLimit').instead = denied
  world.start()
  for (let i = 0; i < 20; i++) world.addNode(`n${i}`)
  await world.clock.advance(30 * minute)
  assert.equal(world.ledger.nodes().length, 20)
  const assumed = world.log.count('quotas of an instance type assumed')
  assert.ok(assumed > 1 && assumed < 10, `${assumed} times`)
})

test('[R3] a node is served while the cloud does not say what its instance takes', async (t) => {
  // Each look waited for DescribeInstances, for as long as that hung.
  const world = new LeaderWorld(t)
  const instances = between(world, 'DescribeInstances')
  world.start()
  world.addNode('n1')
  await world.clock.advance(minute)
  world.crash()
  instances.instead = () => new Promise(() => {})
  world.start()
  await world.clock.advance(second)
  world.addPods('n1', 'a', 'b')
  await world.clock.advance(10 * second)
  assert.equal(world.addresses('n1').length, 4)
})

test('[R3] a node is served while the cloud does not say what is free in subnets', async (t) => {
  const world = new LeaderWorld(t)
  const subnets = between(world, 'DescribeSubnets')
  world.start()
  world.addNode('n1')
  await world.clock.advance(minute)
  subnets.instead = () => new Promise(() => {})
  await world.clock.advance(5 * minute)
  world.addPods('n1', 'a', 'b')
  await world.clock.advance(10 * second)
  assert.equal(world.addresses('n1').length, 4)
})

test('[P14] what an instance takes that is being made another type is not said of all of its former one', async (t) => {
  const world = new LeaderWorld(t)
  let resized = false
  let instance = ''
  world.between = (cloud: Transport) => ({
    async request(product, action, params, options) {
      if (action === 'DescribeNetworkInterfaceLimit' && !resized) {
        resized = true
        world.cloud.admin.resizeInstance(instance, 'SA2.SMALL1')
      }
      return cloud.request(product, action, params, options)
    },
  })
  world.start()
  instance = world.addNode('n1', 'SA2.4XLARGE32')
  await world.clock.advance(15 * minute)
  world.addNode('n2', 'SA2.4XLARGE32')
  await world.clock.advance(minute)
  assert.equal(quotaOf(world, 'n1'), 'SA2.SMALL1 1 5')
  assert.equal(quotaOf(world, 'n2'), 'SA2.4XLARGE32 7 39')
})
