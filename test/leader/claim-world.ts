// A leader that serves static addresses, two nodes, and what claims look like from outside.
import assert from 'node:assert/strict'
import type { TestContext } from 'node:test'
import type { Claim } from '../../internal/ipam/claim.ts'
import type { PodFact, PublishedIp } from '../../internal/ipam/types.ts'
import type { LeaderSettings } from '../../internal/leader/settings.ts'
import type { Ipv4 } from '../../internal/value/ipv4.ts'
import { known, warm } from '../given.ts'
import { LeaderWorld, podOn } from './leader-world.ts'

export const second = 1000
export const minute = 60 * second

export class ClaimWorld extends LeaderWorld {
  /** With node-1 and node-2, and no leader yet. */
  static of(t: TestContext, settings: Partial<LeaderSettings> = {}, subnetCidr?: string): ClaimWorld {
    const world = new ClaimWorld(t, { staticIps: true, defaults: warm(0, 0), ...settings }, subnetCidr)
    world.addNode('node-1', 'S5.MEDIUM4')
    world.addNode('node-2', 'S5.MEDIUM4')
    return world
  }

  /** As `of`, and it runs. */
  static async start(t: TestContext, settings: Partial<LeaderSettings> = {}): Promise<ClaimWorld> {
    const world = ClaimWorld.of(t, { surveyEvery: minute, ...settings })
    world.start()
    await world.clock.advance(10 * second)
    return world
  }

  /** The `nth` static pod of that name. */
  put(node: string, name: string, nth = 1, more: Partial<PodFact> = {}): string {
    const uid = `uid-${name}-${nth}`
    this.kube.pods.put(uid, podOn(node, name, { uid, keepsIp: true, ...more }))
    return uid
  }

  /** It shows its address from now on. */
  show(uid: string, ip: Ipv4): void {
    const pod = known(this.kube.pods.items.get(uid))
    this.kube.pods.put(uid, { ...pod, ip })
  }

  /** It is there, and no list of pods shows it. */
  hidePod(uid: string): void {
    this.kube.pods.breakWatches((key) => key === uid)
  }

  claim(name: string): Claim | undefined {
    return this.ledger.claim({ namespace: 'default', name })
  }

  /** "Retained 10.0.1.5", for comparing. */
  stateOf(name: string): string {
    const claim = this.claim(name)
    return claim === undefined ? 'none' : `${claim.phase} ${claim.address ?? '-'}`
  }

  publishedFor(node: string, name: string): readonly PublishedIp[] {
    return this.published(node)
      .flatMap(({ ips }) => ips)
      .filter(({ claim }) => claim?.name === name)
  }

  async untilBound(name: string, node: string): Promise<Ipv4> {
    await this.until(() => this.claim(name)?.phase === 'Bound')
    const claim = known(this.claim(name))
    assert.deepEqual([claim.phase, claim.node, claim.message], ['Bound', node, ''])
    await this.until(() => this.publishedFor(node, name).length > 0)
    assert.deepEqual(
      this.publishedFor(node, name).map(({ address }) => address),
      [claim.address],
    )
    return known(claim.address)
  }

  /** Bound, whatever keeps its address. */
  async untilServed(name: string): Promise<void> {
    await this.until(() => this.claim(name)?.phase === 'Bound' && this.isPublished(name))
    assert.equal(this.claim(name)?.phase, 'Bound')
  }

  isPublished(name: string): boolean {
    return this.publishedFor(this.claim(name)?.node ?? '', name).length > 0
  }

  async until(is: () => boolean, within = 2 * minute): Promise<void> {
    for (let waited = 0; waited < within && !is(); waited += second) await this.clock.advance(second)
  }

  /** The pod is gone, and its node's agent has given its address back. */
  async end(uid: string): Promise<void> {
    const { name, node = '' } = known(this.kube.pods.items.get(uid))
    const its = this.publishedFor(node, name)
    this.kube.pods.remove(uid)
    await this.clock.advance(second)
    const before = this.kube.necs.items.get(node)?.report?.returned ?? []
    this.giveBack(node, [...before, ...its])
    await this.clock.advance(second)
  }

  /** Addresses that the cloud keeps for this cluster. */
  reserved(): string[] {
    return this.cloud.admin
      .audit(this.clock.now())
      .reservations.map(({ address }) => address)
      .toSorted()
  }
}
