// A machine whose clock is set while the agent is down: what it has stored says times of another clock.
import assert from 'node:assert/strict'
import { type TestContext, test } from 'node:test'
import { VirtualClock } from '../fake/virtual-clock.ts'
import { known } from '../given.ts'
import { publishedEni } from '../ipam/pools.ts'
import { NodeWorld } from './node-world.ts'

const second = 1000
const day = 86_400 * second

/** An address that cools down, and an agent that starts after the clock was set. */
async function restartedAfter(t: TestContext, jump: number) {
  const clock = new VirtualClock()
  const world = new NodeWorld(t, clock)
  world.publish([publishedEni(1, '1', '2', '3')])
  const agent = await clock.runUntil(world.start())
  await clock.advance(second)
  const { attachment } = await clock.runUntil(agent.add(world.sandbox('a'), undefined))
  await clock.runUntil(agent.remove(world.sandbox('a')))
  world.crash()
  world.machine.skewMs = jump
  await clock.runUntil(world.start())
  const now = () => clock.now() + jump
  const cooling = () =>
    known(world.ledger.ips().find(({ address }) => address === attachment.address)).coolingUntil - now()
  return { clock, world, cooling }
}

test('[R7] [P16] an address cools down no longer than its cooldown, however far the clock was set back', async (t) => {
  const { clock, cooling } = await restartedAfter(t, -10 * day)
  await clock.advance(15 * second)
  assert.ok(cooling() <= 30 * second, `${cooling()} ms left`)
  await clock.advance(35 * second)
  assert.ok(cooling() <= 0)
})

for (const jump of [-10 * day, 10 * day])
  test(`[R7] [P3] surplus goes back, at most a slow release late, after the clock was set by ${jump / day} days`, async (t) => {
    const { clock, world } = await restartedAfter(t, jump)
    await clock.advance(170 * second)
    assert.equal(known(world.reports.at(-1)).returned.length, 1)
    assert.equal(known(world.agent).obstacle(), undefined)
  })
