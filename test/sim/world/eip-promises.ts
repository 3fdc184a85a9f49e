// Which public address was promised to which name, as seen from outside: what a pod with a kept EIP showed once, the next of its name shows,
// until its time is over, or somebody gives it up. What the ledger says of it is not asked.
import { createdTag } from '../../../internal/ipam/eip-tags.ts'
import type { EipId, PodFact, PodUid } from '../../../internal/ipam/types.ts'
import type { Ipv4 } from '../../../internal/value/ipv4.ts'
import type { Millis } from '../../../internal/value/millis.ts'
import type { World } from './world.ts'

export interface PromisedEip {
  readonly name: string
  readonly id: EipId
  readonly address: Ipv4
}

export class EipPromises {
  readonly #world: World
  readonly #byName = new Map<string, PromisedEip>()
  /** What each pod showed last. */
  readonly #shown = new Map<PodUid, string | undefined>()
  /** Since when no pod of a name has shown what is its own. */
  readonly #idleSince = new Map<string, Millis>()

  constructor(world: World) {
    this.#world = world
  }

  /** Those that hold now. */
  all(): readonly PromisedEip[] {
    return [...this.#byName.values()].filter(({ name }) => !this.#isOver(name))
  }

  ofEip(id: EipId): PromisedEip | undefined {
    return this.all().find((one) => one.id === id)
  }

  /** A version of a pod. */
  see(pod: PodFact): void {
    if (pod.eip === undefined || !('wish' in pod.eip) || pod.eip.wish.policy !== 'Never') return
    const before = this.#shown.get(pod.uid)
    this.#shown.set(pod.uid, pod.publicIp)
    if (pod.publicIp === undefined || pod.publicIp === before) return
    const { cloud, clock, faults } = this.#world
    const eip = cloud.admin.audit(clock.now()).eips.find(({ address }) => address === pod.publicIp)
    // What it showed may have gone meanwhile.
    if (eip?.state !== 'BIND' || eip.privateIp !== pod.ip) return
    const promised = this.#byName.get(pod.name)
    if (promised !== undefined && promised.id !== eip.id && !this.#isOver(pod.name))
      faults.push(`${pod.name} shows ${eip.address}, and ${promised.address} was its own`)
    this.#byName.set(pod.name, { name: pod.name, id: eip.id, address: eip.address })
    this.#idleSince.delete(pod.name)
  }

  /** The last pod of a name went. */
  gone({ name, uid }: PodFact): void {
    this.#shown.delete(uid)
    if (!this.#idleSince.has(name)) this.#idleSince.set(name, this.#world.clock.now())
  }

  /** Somebody has given it up. */
  release(name: string): void {
    this.#byName.delete(name)
  }

  releaseEip(id: EipId): void {
    for (const { id: its, name } of this.#byName.values()) if (its === id) this.release(name)
  }

  /** An EIP of a list says nothing of its pod: its claim is made anew with the next one. */
  ledgerLost(): void {
    const { cloud, clock } = this.#world
    const { eips } = cloud.admin.audit(clock.now())
    for (const { id } of this.all())
      if (eips.find((eip) => eip.id === id)?.tags[createdTag] === undefined) this.releaseEip(id)
  }

  #isOver(name: string): boolean {
    const { clock, statics } = this.#world
    const since = this.#idleSince.get(name)
    const after = statics.expireAfter(name)
    return since !== undefined && after !== undefined && clock.now() - since >= after
  }
}
