// The cells about public addresses: how claims, ledger, cloud, NECs and pods must be in the end, and what may never be on the way.
import assert from 'node:assert/strict'
import type { TestContext } from 'node:test'
import type { EipClaim } from '../../../../internal/ipam/eip-claim.ts'
import { createdTag } from '../../../../internal/ipam/eip-tags.ts'
import { nameTag } from '../../../../internal/ipam/reservation-tags.ts'
import type { EipId, PodFact } from '../../../../internal/ipam/types.ts'
import type { AuditEip } from '../../../../internal/sim/vpc/audit.ts'
import { EipWorld } from '../../eips/eip-world.ts'
import { unlikeLedger } from '../../promises.ts'
import type { Mishap } from '../cell.ts'
import { type Fate, type FateEye, type FateMeasured, runFateCell, saidBy } from '../fate.ts'
import { type EipAct, ownEip, subject } from './acts.ts'

export interface EipMishap extends Mishap<EipWorld> {
  /** What exists was changed by another hand: that a pod shows for a while what is gone is not ours to prevent. */
  readonly vanishes?: boolean
  /** Nobody can know for a while that there is one already. */
  readonly doubles?: boolean
}

/** As runCell. */
export function runEipCell(t: TestContext, act: EipAct, cell: EipMishap): Promise<FateMeasured> {
  return runFateCell(EipWorld.of(t, act.settings), act, cell, (world) => new EipEye(world, act, cell))
}

class EipEye implements FateEye {
  readonly shows: string[] = []
  readonly #world: EipWorld
  readonly #act: EipAct
  readonly #cell: EipMishap
  /** That of the pod that nothing happens to. */
  readonly #other: AuditEip | undefined
  #first: EipId | undefined
  /** At the last look. */
  #eips: readonly AuditEip[]

  constructor(world: EipWorld, act: EipAct, cell: EipMishap) {
    this.#world = world
    this.#act = act
    this.#cell = cell
    this.#first = world.eipClaim(subject)?.eipId
    this.#eips = this.#lookUp()
    this.#other = this.#eips.find((eip) => eip.tags[nameTag] === 'other')
  }

  look(): void {
    const claim = this.#world.eipClaim(subject)
    this.#first ??= claim?.eipId
    const shown = claim === undefined ? 'no claim' : saidBy(claim)
    if (shown !== this.shows.at(-1)) this.#show(shown)
    const eips = this.#lookUp()
    this.#eips = eips
    const other = eips.find(({ id }) => id === this.#other?.id)
    assert.deepEqual(other, this.#other, 'the EIP of the other pod')
    assert.ok(
      this.#cell.vanishes || eips.some(({ id }) => id === ownEip),
      `${ownEip} is its user's, and is gone`,
    )
    const made = eips.filter((eip) => eip.tags[nameTag] === subject && eip.state !== 'OFFLINING')
    assert.ok(this.#cell.doubles || made.length < 2, `two are made: ${made.map(({ id }) => id)}`)
    for (const pod of this.#world.kube.pods.items.values()) this.#lookAt(pod, eips)
  }

  /** What comes again and again is in it once. */
  #show(shown: string): void {
    const { shows } = this
    shows.push(shown)
    for (let length = 2; 2 * length <= shows.length; length++) {
      const last = shows.slice(-length)
      if (last.join() !== shows.slice(-2 * length, -length).join()) continue
      shows.splice(-length)
      return
    }
  }

  /** What it shows is so, and nobody else's is on its address. */
  #lookAt({ ip, name, publicIp }: PodFact, eips: readonly AuditEip[]): void {
    const its = eips.find(({ privateIp }) => ip !== undefined && privateIp === ip)
    if (its !== undefined && !this.#cell.vanishes)
      assert.ok(this.#isFor(its, name), `${its.id} is on ${ip} of ${name}`)
    if (publicIp === undefined || this.#cell.vanishes) return
    assert.deepEqual([its?.address, its?.state], [publicIp, 'BIND'], `${name} shows ${publicIp}`)
  }

  #isFor({ id, tags }: AuditEip, name: string): boolean {
    return id === ownEip ? name === subject : tags[nameTag] === name
  }

  amiss(): readonly string[] {
    const world = this.#world
    const names = world.db.all<{ name: string }>('SELECT name FROM eip_claim')
    const claims = names.flatMap(({ name }) => world.eipClaim(name) ?? [])
    const pods = [...world.kube.pods.items.values()]
    const eips = this.#eips
    const ofClaims = [
      ...pods.flatMap((pod) => this.#amissWith(pod, eips)),
      ...claims.flatMap((claim) => this.#amissOf(claim, pods)),
      ...this.#strays(claims, eips),
    ]
    if (ofClaims.length > 0) return ofClaims
    return [
      ...this.#untold(),
      ...world.differences(),
      ...world.suspects(),
      ...world.ledger.nodes().flatMap(({ name }) => this.#amissOn(name, pods)),
    ]
  }

  /** Whatever the cloud has refused or not done its pod is told, with the word that the claim shows. */
  #untold(): readonly string[] {
    const told = this.#world.podReasons(subject)
    const shown = this.shows.flatMap((one) => /\((Failed\w+)\)/.exec(one)?.[1] ?? [])
    return shown.filter((reason) => !told.includes(reason)).map((reason) => `no event says ${reason}`)
  }

  fate(): Fate {
    const claim = this.#world.eipClaim(subject)
    if (claim?.eipId !== undefined) return claim.eipId === this.#first ? 'same' : 'another'
    return this.#eips.some(({ id }) => id === this.#first) ? 'same' : 'none'
  }

  #lookUp(): readonly AuditEip[] {
    return this.#world.cloud.admin.audit(this.#world.clock.now()).eips
  }

  #amissWith({ ip, name, publicIp, uid }: PodFact, eips: readonly AuditEip[]): readonly string[] {
    const claim = this.#world.eipClaim(name)
    if (claim === undefined) return [`${name} has no claim`]
    const eip = eips.find(({ id }) => id === claim.eipId)
    const isServed =
      saidBy(claim) === 'Bound' &&
      claim.podUid === uid &&
      claim.privateIp === ip &&
      eip?.state === 'BIND' &&
      eip.privateIp === ip &&
      publicIp === eip.address
    return isServed ? [] : [`${name} is ${saidBy(claim)}; its EIP ${eip?.state}; it shows ${publicIp}`]
  }

  #amissOf(
    { eipId, name, phase, privateIp, reason, ...its }: EipClaim,
    pods: readonly PodFact[],
  ): readonly string[] {
    if (pods.some((pod) => pod.name === name)) return []
    const isKept = phase === 'Retained' && its.acted === undefined && privateIp === undefined
    return isKept && this.#act.afterPod === 'kept'
      ? []
      : [`${name} is ${saidBy({ phase, reason })}, with ${eipId}`]
  }

  /** Those that were made are those of claims; of all others none is on an address. */
  #strays(claims: readonly EipClaim[], eips: readonly AuditEip[]): readonly string[] {
    const claimed = new Map(claims.map((claim) => [claim.eipId, claim]))
    const lost = claims.filter(({ eipId }) => !eips.some(({ id }) => id === eipId))
    return [
      ...lost.map(({ eipId }) => `${eipId} is claimed, and is not there`),
      ...eips
        .filter(({ id, tags }) => createdTag in tags && !claimed.has(id))
        .map(({ id }) => `${id} is nobody's`),
      ...eips
        .filter(({ id, state }) => state !== 'UNBIND' && claimed.get(id)?.podUid === undefined)
        .map(({ id, state }) => `${id} is ${state}`),
    ]
  }

  #amissOn(node: string, pods: readonly PodFact[]): readonly string[] {
    const condition = this.#world.condition(node)
    const its = pods.filter((pod) => pod.node === node && !pod.keepsIp).map(({ uid }) => uid)
    const exposed = this.#world
      .published(node)
      .flatMap(({ ips }) => ips.flatMap(({ eipFor }) => eipFor ?? []))
    return [
      ...unlikeLedger(this.#world, node),
      ...(condition === 'PoolServed' ? [] : [`${node} shows ${condition}`]),
      ...(exposed.toSorted().join() === its.toSorted().join()
        ? []
        : [`${node} has addresses for ${exposed}`]),
    ]
  }
}
