// How Kubernetes labels the nodes of a zone, as a leader finds out.
import assert from 'node:assert/strict'
import { test } from 'node:test'
import { known } from '../given.ts'
import { LeaderWorld, zone } from './leader-world.ts'

test('[S10] a leader knows a zone by the labels of the nodes in it, once it has seen them', async (t) => {
  const world = new LeaderWorld(t)
  world.addNode('node-1')
  const label = (zoneLabel: string | undefined) => {
    const node = known(world.kube.nodes.items.get('node-1'))
    world.kube.nodes.put('node-1', { ...node, zoneLabel })
  }
  label('100003')
  assert.equal(world.start().zone(zone), undefined)
  const leader = () => known(world.leader)
  await world.clock.advance(30_000)
  assert.deepEqual(leader().zone(zone), { name: zone, labels: ['100003'] })
  assert.equal(leader().zone('ap-guangzhou-4'), undefined)
  label('zone-c')
  await world.clock.advance(10_000)
  assert.deepEqual(leader().zone(zone)?.labels, ['zone-c'])
  label(undefined)
  await world.clock.advance(10_000)
  assert.equal(leader().zone(zone), undefined)
})
