// Static pods come, go and move by chance, while calls fail and leaders die: an address is never promised on two nodes, a claim keeps its
// own, and when it is quiet again everybody agrees. A seed that fails is named; CLAIM_SEEDS=n runs more of them.

import assert from 'node:assert/strict'
import { type TestContext, test } from 'node:test'
import { type Random, randomInt, seededRandom } from '../../internal/base/random.ts'
import { noFaults } from '../../internal/sim/vpc/settings.ts'
import type { Ipv4 } from '../../internal/value/ipv4.ts'
import { known } from '../given.ts'
import { promisedTwice, returnUnused, showAddresses } from './claim-agents.ts'
import { ClaimWorld, minute, second } from './claim-world.ts'
import { releaseNow } from './release.ts'

const nodes = ['node-1', 'node-2', 'node-3']
const names = ['web-0', 'web-1', 'web-2', 'web-3', 'web-4']
const seeds = Number(process.env['CLAIM_SEEDS'] ?? 6)

class Soak {
  readonly world: ClaimWorld
  readonly random: Random
  readonly #uids = new Map<string, string>()
  /** Of each claim, by its uid. */
  readonly #addresses = new Map<string, Ipv4>()
  #pods = 0
  mayReserve = true

  constructor(world: ClaimWorld, random: Random) {
    this.world = world
    this.random = random
  }

  pick<T>(items: readonly T[]): T {
    return known(items[randomInt(this.random, 0, items.length - 1)])
  }

  async step(): Promise<void> {
    this.pick(this.deeds)()
    await this.world.clock.advance(randomInt(this.random, 100, 20 * second))
    this.agents(0.5)
    showAddresses(this.world)
    this.check()
  }

  readonly deeds: readonly (() => void)[] = [
    () => this.start(),
    () => this.start(),
    () => this.start(),
    () => this.stop(),
    () => this.stop(),
    () => {
      this.world.crash()
      this.world.start()
    },
    () => {
      this.mayReserve = !this.mayReserve
      this.faults({})
    },
    () => this.faults({ lostAnswers: { '*': 0.3 } }),
    () => this.faults({ lostRequests: { '*': 0.3 } }),
    () => this.faults({ failTasks: { '*': 0.3 } }),
    () => this.faults({ staleDescribeMs: 4000 }),
    () => this.faults({}),
    () => {
      this.world.loseLedger()
      this.#addresses.clear() // claims are others from now on
      this.world.start()
    },
    () => this.loseNode(this.pick(nodes)),
    () => {
      const name = this.pick(names)
      const { leader } = this.world
      if (leader !== undefined) void releaseNow(leader.claims, this.world.claim(name)).catch(() => {})
    },
  ]

  faults(faults: object): void {
    const deny = this.mayReserve ? {} : { CreateReserveIpAddresses: 1 }
    this.world.cloud.setFaults({ ...noFaults, deny, ...faults })
  }

  start(): void {
    const name = this.pick(names)
    if (this.#uids.has(name)) return
    this.#uids.set(name, this.world.put(this.pick(nodes), name, ++this.#pods))
  }

  stop(): void {
    const name = this.pick(names)
    const uid = this.#uids.get(name)
    if (uid === undefined) return
    this.#uids.delete(name)
    this.world.kube.pods.remove(uid)
  }

  /** It comes back on another instance. */
  loseNode(node: string): void {
    for (const pod of [...this.world.kube.pods.items.values()]) {
      if (pod.node !== node) continue
      this.#uids.delete(pod.name)
      this.world.kube.pods.remove(pod.uid)
    }
    this.world.kube.nodes.remove(node)
    this.world.clock.after(randomInt(this.random, 1, 120) * second, () =>
      this.world.addNode(node, 'S5.MEDIUM4'),
    )
  }

  agents(chance: number): void {
    for (const node of nodes) if (this.random.next() <= chance) returnUnused(this.world, node)
  }

  check(): void {
    assert.deepEqual(promisedTwice(this.world), [])
    for (const claim of this.world.ledger.staticClaims()) {
      const before = this.#addresses.get(claim.uid)
      if (before !== undefined) assert.equal(claim.address, before, `${claim.name} has another address`)
      if (claim.address !== undefined) this.#addresses.set(claim.uid, claim.address)
    }
  }

  async settle(): Promise<void> {
    this.mayReserve = true
    this.faults({})
    for (let i = 0; i < 100; i++) {
      await this.world.clock.advance(10 * second)
      this.agents(1)
      showAddresses(this.world)
      this.check()
    }
  }

  agree(): void {
    const { world } = this
    const claims = world.ledger.staticClaims()
    const reserved = claims.flatMap(({ address, reservation }) => (reservation && address ? [address] : []))
    assert.deepEqual(new Set(world.reserved()), new Set(reserved))
    assert.equal(world.reserved().length, reserved.length)
    for (const [name, uid] of this.#uids) {
      const claim = known(world.claim(name))
      assert.deepEqual(
        [claim.phase, claim.podUid],
        ['Bound', uid],
        `${name}: ${claim.reason} ${claim.message}`,
      )
      assert.equal(world.kube.pods.items.get(uid)?.ip, claim.address)
    }
    for (const claim of claims)
      if (!this.#uids.has(claim.name)) assert.equal(claim.phase, 'Retained', claim.name)
    assert.deepEqual(world.differences(), [])
    assert.deepEqual(world.suspects(), [])
    assert.deepEqual(world.cloud.admin.audit(world.clock.now()).faults, [])
  }
}

async function run(t: TestContext, seed: number): Promise<void> {
  const world = await ClaimWorld.start(t)
  world.addNode('node-3', 'S5.MEDIUM4')
  const soak = new Soak(world, seededRandom(seed))
  for (let i = 0; i < 60; i++) await soak.step()
  await soak.settle()
  await world.clock.advance(2 * minute)
  soak.agree()
}

const first = Number(process.env['CLAIM_FIRST'] ?? 1)
for (let seed = first; seed < first + seeds; seed++)
  test(`[R1][R2][S4][S13] static pods by chance, seed ${seed}`, (t) => run(t, seed))
