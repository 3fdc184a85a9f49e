// A leader with a node whose pods have addresses, for a cloud and for agents that say odd things.
import assert from 'node:assert/strict'
import type { TestContext } from 'node:test'
import type { Ipv4 } from '../../internal/value/ipv4.ts'
import { known } from '../given.ts'
import { LeaderWorld, podOn } from '../leader/leader-world.ts'

const second = 1000
const minute = 60 * second

/** Runs `story` in a world of its own, which is cleared away afterwards. */
export async function inLeaderWorld(
  settings: ConstructorParameters<typeof LeaderWorld>[1],
  story: (world: LeaderWorld) => Promise<void>,
): Promise<void> {
  const cleanup: (() => unknown)[] = []
  const after = (work: unknown) => void cleanup.push(work as () => unknown)
  try {
    await story(new LeaderWorld({ after } as unknown as TestContext, settings))
  } finally {
    for (const work of cleanup.reverse()) await work()
  }
}

/** Node n1 serves three pods. Gives their addresses. */
export async function withPods(world: LeaderWorld): Promise<readonly Ipv4[]> {
  world.addNode('n1', 'SA2.MEDIUM4')
  world.addPods('n1', 'a', 'b', 'c')
  await world.clock.advance(20 * second)
  const addresses = world.addresses('n1').slice(0, 3)
  assert.equal(addresses.length, 3)
  for (const [i, name] of ['a', 'b', 'c'].entries())
    world.kube.pods.put(`uid-${name}`, podOn('n1', name, { ip: known(addresses[i]) }))
  await world.clock.advance(second)
  return addresses
}

/** Pods have what they had, and their node still shows it. */
export function assertKept(world: LeaderWorld, addresses: readonly Ipv4[]): void {
  const bound = world.cloud.admin.audit(world.clock.now()).ips.map(({ address }) => address)
  const shown = world.addresses('n1')
  for (const address of addresses) {
    assert.ok(bound.includes(address), `${address} of a pod is not bound any more`)
    assert.ok(shown.includes(address), `${address} of a pod is not published any more`)
  }
}

/** All is well again: after a while nothing is lost, nothing is left over and nothing is open. */
export async function assertRecovers(world: LeaderWorld, addresses: readonly Ipv4[]): Promise<void> {
  for (let i = 0; i < 20; i++) {
    await world.clock.advance(5 * minute)
    if (world.differences().length === 0) break
  }
  assert.deepEqual(world.differences(), [])
  assertKept(world, addresses)
  assert.equal(
    world.db.get<{ result: string }>('SELECT quick_check AS result FROM pragma_quick_check')?.result,
    'ok',
  )
  assert.deepEqual(world.db.all('SELECT * FROM pragma_foreign_key_check'), [])
}
