// What is a person's doing, and what is not.
import assert from 'node:assert/strict'
import { test } from 'node:test'
import { known } from '../../given.ts'
import { draw } from './draw.ts'
import { happen } from './happenings.ts'
import { World } from './world.ts'

// Incident: a pod started while a forced release was on its way. The address was where it had always been, that was taken for settled, and its
// going a moment later for a mistake.
test('excuses() a pod whose address is released by force from the first moment on', async () => {
  const { shape } = draw(1)
  const calm = { ...shape, staticIps: true, noWarm: true, leaders: 1, lease: undefined }
  const world = new World({ seed: 1, shape: calm, happenings: [], healAt: 0 })
  try {
    for (const host of world.hosts) host.start()
    world.addNode('node-1', 0, 'S5.MEDIUM4')
    const node = known(world.nodes[0])
    happen(world, { id: 1, at: 0, kind: 'start-static', name: 'web-0', node: 'node-1' })
    await world.clock.advance(60_000)
    const { address } = known(world.promises.of('web-0'))
    assert.equal(world.hands.excuses(address, node), false)
    happen(world, { id: 2, at: 0, kind: 'release-claim', name: 'web-0', force: true })
    for (let waited = 0; world.boundTo.has(address); waited++) {
      assert.ok(world.hands.excuses(address, node), `${waited} ms later`)
      assert.ok(waited < 60_000)
      await world.clock.advance(1)
    }
    assert.ok(world.hands.excuses(address, node))
  } finally {
    world.close()
  }
})
