// The cells about static addresses: how claims, ledger, cloud and NECs must be in the end, and what may never be on the way.
import assert from 'node:assert/strict'
import type { TestContext } from 'node:test'
import type { Claim } from '../../../../internal/ipam/claim.ts'
import type { PodFact } from '../../../../internal/ipam/types.ts'
import type { Ipv4 } from '../../../../internal/value/ipv4.ts'
import { promisedTwice } from '../../claim-agents.ts'
import { ClaimWorld } from '../../claim-world.ts'
import { falsePromises, unlikeLedger } from '../../promises.ts'
import type { Mishap } from '../cell.ts'
import { type Fate, type FateEye, type FateMeasured, runFateCell, saidBy } from '../fate.ts'
import { type ClaimAct, subject } from './acts.ts'

export interface ClaimMishap extends Mishap<ClaimWorld> {
  /** What exists was changed by another hand: that a NEC shows for a while what is gone is not ours to prevent. */
  readonly vanishes?: boolean
  /** In the end the claim is kept, although it should be released. */
  readonly keeps?: boolean
}

/** As runCell. */
export function runClaimCell(t: TestContext, act: ClaimAct, cell: ClaimMishap): Promise<FateMeasured> {
  return runFateCell(ClaimWorld.of(t, act.settings), act, cell, (world) => new ClaimEye(world, act, cell))
}

class ClaimEye implements FateEye {
  readonly shows: string[] = []
  readonly #world: ClaimWorld
  readonly #act: ClaimAct
  readonly #cell: ClaimMishap
  /** Of each claim, by its uid. */
  readonly #addresses = new Map<string, Ipv4>()
  #first: Ipv4 | undefined

  constructor(world: ClaimWorld, act: ClaimAct, cell: ClaimMishap) {
    this.#world = world
    this.#act = act
    this.#cell = cell
    this.#first = world.claim(subject)?.address
  }

  look(): void {
    const world = this.#world
    assert.deepEqual(promisedTwice(world), [], 'on two nodes')
    if (!this.#cell.vanishes)
      for (const nec of world.kube.necs.items.values()) assert.deepEqual(falsePromises(world, nec), [])
    for (const { address, name, uid } of world.ledger.staticClaims()) {
      if (address === undefined) continue
      assert.equal(this.#addresses.get(uid) ?? address, address, `${name} has another address`)
      this.#addresses.set(uid, address)
    }
    const claim = world.claim(subject)
    this.#first ??= claim?.address
    const shown = claim === undefined ? 'no claim' : saidBy(claim)
    if (shown !== this.shows.at(-1)) this.shows.push(shown)
  }

  amiss(): readonly string[] {
    const world = this.#world
    const claims = world.ledger.staticClaims().flatMap(({ name }) => world.claim(name) ?? [])
    const pods = new Map([...world.kube.pods.items.values()].map((pod) => [pod.name, pod]))
    return [
      ...world.differences(),
      ...world.suspects(),
      ...this.#unclaimed(claims, pods),
      ...claims.flatMap((claim) => this.#amissOf(claim, pods.get(claim.name))),
      ...this.#reservations(claims),
      ...world.ledger.nodes().flatMap(({ name }) => this.#amissOn(name)),
    ]
  }

  fate(): Fate {
    const address = this.#world.claim(subject)?.address
    if (address === undefined) return 'none'
    return address === this.#first ? 'same' : 'another'
  }

  #unclaimed(claims: readonly Claim[], pods: ReadonlyMap<string, PodFact>): readonly string[] {
    const names = new Set(claims.map(({ name }) => name))
    const waiting = [...pods.keys()].filter((name) => !names.has(name))
    return waiting.map((name) => `${name} has no claim`)
  }

  #amissOf(claim: Claim, pod: PodFact | undefined): readonly string[] {
    const { address, name, phase } = claim
    const its = `${name} is ${saidBy(claim)}`
    if (pod === undefined) {
      const isOver = name === subject && this.#act.afterPod === 'released' && !this.#cell.keeps
      if (isOver || phase !== 'Retained') return [its]
      const mustRest = name === subject && this.#act.rests && claim.reservation !== undefined
      return mustRest && this.#isOnEni(address) ? [`${address} is on an ENI`] : []
    }
    const published = this.#world.publishedFor(pod.node ?? '', name)
    const isServed =
      phase === 'Bound' &&
      claim.podUid === pod.uid &&
      pod.ip === address &&
      published.length === 1 &&
      published[0]?.address === address
    return isServed ? [] : [its]
  }

  #isOnEni(address: Ipv4 | undefined): boolean {
    return this.#world.cloud.admin.audit(this.#world.clock.now()).ips.some((ip) => ip.address === address)
  }

  /** Those of the cloud are those of claims. */
  #reservations(claims: readonly Claim[]): readonly string[] {
    const { reservations } = this.#world.cloud.admin.audit(this.#world.clock.now())
    const kept = reservations.map(({ address, id }) => `${id} ${address}`).toSorted()
    const claimed = claims.flatMap(({ address, reservation }) =>
      reservation === undefined ? [] : [`${reservation} ${address}`],
    )
    return kept.join() === claimed.toSorted().join() ? [] : [`reserved are ${kept}; claimed ${claimed}`]
  }

  #amissOn(node: string): readonly string[] {
    const condition = this.#world.condition(node)
    const unused = this.#world.published(node).filter(({ ips }) => ips.length === 0)
    return [
      ...unlikeLedger(this.#world, node),
      ...(condition === 'PoolServed' ? [] : [`${node} shows ${condition}`]),
      ...unused.map(({ id }) => `${id} carries nothing`),
    ]
  }
}
