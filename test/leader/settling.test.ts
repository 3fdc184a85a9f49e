// What became of calls, where looking is not simple.
import assert from 'node:assert/strict'
import { test } from 'node:test'
import { known } from '../given.ts'
import { LeaderWorld, podOn } from './leader-world.ts'

const second = 1000
const minute = 60 * second

test('[R7] while the cloud shows none of our ENIs, none is taken for gone, and what was under way goes on afterwards', async (t) => {
  // As with credentials of another account: every answer is in order, and empty.
  const world = new LeaderWorld(t)
  let blind = false
  world.between = (cloud) => ({
    async request(product, action, params, options) {
      if (!blind) return cloud.request(product, action, params, options)
      if (action === 'DescribeNetworkInterfaces') return { NetworkInterfaceSet: [], TotalCount: 0 }
      throw Object.assign(new Error('not there'), { code: 'ResourceNotFound' })
    },
  })
  world.start()
  const nodes = ['n1', 'n2', 'n3', 'n4', 'n5']
  for (const node of nodes) world.addNode(node)
  await world.clock.advance(30 * second)
  const before = nodes.map((node) => world.addresses(node))
  blind = true
  for (const node of nodes) world.addPods(node, `${node}-a`)
  await world.clock.advance(8 * minute)
  assert.deepEqual(
    nodes.map((node) => world.addresses(node)),
    before,
  )
  blind = false
  await world.clock.advance(5 * minute)
  for (const node of nodes) assert.equal(world.addresses(node).length, 3)
  assert.equal(world.cloudEnis().length, nodes.length)
  assert.deepEqual(world.differences(), [])
})

test('[P3] many ENIs that are deleted at once are forgotten soon', async (t) => {
  // The crash matrix saw five deletions open for ten minutes: that nothing was left of five ENIs was taken for a wrong view.
  const world = new LeaderWorld(t, { leaveAfter: 5 * second })
  world.start()
  const nodes = ['n1', 'n2', 'n3', 'n4', 'n5']
  for (const node of nodes) world.addNode(node)
  await world.clock.advance(30 * second)
  for (const node of nodes) world.kube.nodes.remove(node)
  await world.clock.advance(minute)
  assert.deepEqual({ cloud: world.cloudEnis(), ledger: world.ledger.nodes() }, { cloud: [], ledger: [] })
})

test('[R6] an ENI that cannot be read holds up the settling of no other', async (t) => {
  const world = new LeaderWorld(t)
  world.between = (cloud) => ({
    async request(product, action, params, options) {
      const answer = await cloud.request(product, action, params, options)
      const set = answer['NetworkInterfaceSet']
      if (action !== 'DescribeNetworkInterfaces' || !Array.isArray(set)) return answer
      const [broken] = world.db.all<{ id: string | null }>(`SELECT id FROM eni WHERE node = 'n1'`)
      const eniOf = (intent: { eni_id: string | null } | undefined) => intent?.eni_id
      const creation = world.db.get<{ eni_id: string | null }>(`SELECT eni_id FROM intent WHERE node = 'n1'`)
      const id = broken?.id ?? eniOf(creation)
      return {
        ...answer,
        NetworkInterfaceSet: set.map((eni) =>
          eni.NetworkInterfaceId === id ? { ...eni, State: 'SOMETHING_NEW' } : eni,
        ),
      }
    },
  })
  world.start()
  world.addNode('n1')
  world.addNode('n2')
  await world.clock.advance(minute)
  assert.equal(world.addresses('n1').length, 0)
  assert.equal(world.addresses('n2').length, 2)
})

test('[K3] node and pods are told when their ENI was deleted under a call', async (t) => {
  const world = new LeaderWorld(t)
  world.start()
  const instance = world.addNode('n1')
  await world.clock.advance(30 * second)
  const [address] = world.addresses('n1')
  world.kube.pods.put('uid-a', podOn('n1', 'a', { ip: known(address) }))
  await world.clock.advance(30 * second)
  const eni = known(world.cloudEnis()[0]).id
  const call = (action: string, more: object) => {
    world.cloud.handle(action, { NetworkInterfaceId: eni, ...more }, world.clock.now(), 'vpc')
    world.cloud.advance(world.clock.now() + minute)
  }
  call('DetachNetworkInterface', { InstanceId: instance })
  call('DeleteNetworkInterface', {})
  world.addPods('n1', 'b')
  await world.clock.advance(2 * minute)
  assert.ok(world.reasons('n1').includes('Warning ENILost'), world.reasons('n1').join())
  assert.deepEqual([...new Set(world.podReasons('a'))], ['AddressLost'])
  assert.equal(world.addresses('n1').length, 4)
  assert.deepEqual(world.differences(), [])
})

test('[R2] an ENI that can never be attached is deleted, and another one made', async (t) => {
  const world = new LeaderWorld(t)
  const refused: string[] = []
  world.between = (cloud) => ({
    async request(product, action, params, options) {
      if (action !== 'AttachNetworkInterface' || refused.length > 0)
        return cloud.request(product, action, params, options)
      refused.push((params as { NetworkInterfaceId: string }).NetworkInterfaceId)
      throw Object.assign(new Error('another zone'), { code: 'UnsupportedOperation.ZoneMismatch' })
    },
  })
  world.start()
  world.addNode('n1')
  await world.clock.advance(minute)
  const [eni] = world.published('n1')
  assert.equal(world.cloudEnis().length, 1)
  assert.equal(known(eni).ips.length, 2)
  assert.notEqual(known(eni).id, refused[0])
  assert.deepEqual(world.differences(), [])
})
