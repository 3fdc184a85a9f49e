// Which address was promised to which name, as seen from outside: the first pod of a name got it, and until its time is over, or somebody
// gives it up, no other pod may have it and the next of that name must. What the ledger says of it is not asked.
import type { PodFact, PodUid } from '../../../internal/ipam/types.ts'
import type { Ipv4 } from '../../../internal/value/ipv4.ts'
import type { Millis } from '../../../internal/value/millis.ts'
import type { SimNode, World } from './world.ts'

export interface Promised {
  readonly name: string
  readonly address: Ipv4
  readonly expireAfter: Millis | undefined
}

export class Promises {
  readonly #world: World
  readonly #byName = new Map<string, Promised>()
  readonly #byAddress = new Map<Ipv4, Promised>()
  readonly #excused = new Set<PodUid>()
  /** Pods whose claims were released by force: what they have, or get yet, is kept for nobody. Who has released them deletes those, too, that get what went. */
  readonly #disowned = new Set<PodUid>()

  constructor(world: World) {
    this.#world = world
  }

  /** Those that hold now. */
  all(): readonly Promised[] {
    return [...this.#byName.values()].filter((promised) => this.#holds(promised))
  }

  of(name: string): Promised | undefined {
    const promised = this.#byName.get(name)
    return promised && this.#holds(promised) ? promised : undefined
  }

  /** Has it got an address of the pool, because nothing could tell its agent that it keeps one? */
  isExcused(uid: PodUid): boolean {
    return this.#excused.has(uid)
  }

  /** The next pod of that name is about to come: what was over by then need not be kept. */
  comes(name: string): void {
    const promised = this.#byName.get(name)
    if (promised !== undefined && this.#isOver(promised)) this.#end(promised)
  }

  /** Somebody has given it up, or nobody can keep it any more. */
  release(name: string): void {
    const promised = this.#byName.get(name)
    if (promised !== undefined) this.#end(promised)
  }

  /** A ledger is lost: what no reservation keeps and no NEC shows is known to nobody any more. */
  ledgerLost(): void {
    const { cloud, clock, kube } = this.#world
    const reserved = new Set(cloud.admin.audit(clock.now()).reservations.map(({ address }) => address))
    const published = [...kube.necs.items.values()].flatMap(({ publication }) =>
      (publication?.enis ?? []).flatMap(({ ips }) => ips),
    )
    const shown = new Set(published.map(({ address, claim }) => `${claim?.name} ${address}`))
    for (const promised of [...this.#byName.values()]) {
      const { address, name } = promised
      if (!reserved.has(address) && !shown.has(`${name} ${address}`)) this.#end(promised)
    }
  }

  /** As `release`, from under the pods of that name. */
  disown(name: string): void {
    this.release(name)
    for (const { uid } of this.#world.statics.of(name)) this.#disowned.add(uid)
  }

  releaseAddress(address: Ipv4): void {
    const promised = this.#byAddress.get(address)
    if (promised !== undefined) this.#end(promised)
  }

  /** A pod has got an address: faults with that. */
  connected(node: SimNode, pod: PodFact, address: Ipv4, askedAt: Millis): string[] {
    const holder = this.#byAddress.get(address)
    const faults: string[] =
      holder !== undefined && holder.name !== pod.name && this.#holds(holder)
        ? [`${node.name}: ${pod.name} has ${address}, which is kept for ${holder.name}`]
        : []
    if (!this.#world.statics.has(pod.name) || !this.#world.settings.staticIps) return faults
    if (!isClaimed(node, address, pod)) {
      const isShown = this.#world.kube.pods.items.has(pod.uid)
      if (!isShown || askedAt - this.#world.calmSince < 60_000) this.#excused.add(pod.uid)
      else faults.push(`${node.name}: ${pod.name} has ${address}, which is not claimed for it`)
      return faults
    }
    if (!this.#world.kube.pods.items.has(pod.uid)) return faults // deleted by force: it has not long to live
    if (this.#disowned.has(pod.uid)) return faults
    if (this.#world.hands.hasForced(address, node)) {
      this.#world.clock.after(1000, () => this.#world.statics.end(pod.name, 'zone'))
      return faults
    }
    const before = this.of(pod.name)
    // Its node has not heard yet that somebody has given it up: it goes with this pod, which is told.
    const claim = this.#world.ledger.claim(pod)
    if (before === undefined && claim?.phase === 'Releasing' && claim.address === address) {
      if (askedAt - this.#world.calmSince >= 60_000)
        faults.push(`${node.name}: ${pod.name} has ${address}, which was given up long before`)
      this.#disowned.add(pod.uid)
      this.#world.clock.after(1000, () => this.#world.statics.end(pod.name, 'zone'))
      return faults
    }
    this.#world.statics.served(pod.name)
    if (before?.address === address) return faults
    if (before !== undefined)
      faults.push(`${node.name}: ${pod.name} has ${address}, and ${before.address} was its own`)
    for (const old of [this.#byName.get(pod.name), this.#byAddress.get(address)]) if (old) this.#end(old)
    const expireAfter = this.#world.statics.expireAfter(pod.name)
    const promised = { name: pod.name, address, expireAfter }
    this.#byName.set(pod.name, promised)
    this.#byAddress.set(address, promised)
    return faults
  }

  #holds(promised: Promised): boolean {
    return !this.#isOver(promised)
  }

  #isOver({ expireAfter, name }: Promised): boolean {
    const since = this.#world.statics.idleSince(name)
    return since !== undefined && expireAfter !== undefined && this.#world.clock.now() - since >= expireAfter
  }

  #end(promised: Promised): void {
    if (this.#byName.get(promised.name) === promised) this.#byName.delete(promised.name)
    if (this.#byAddress.get(promised.address) === promised) this.#byAddress.delete(promised.address)
  }
}

/** Does the agent give it as the address of that name? */
function isClaimed(node: SimNode, address: Ipv4, { namespace, name }: PodFact): boolean {
  const claim = node.ledger?.ips().find((ip) => ip.address === address)?.claim
  return claim?.name === name && claim.namespace === namespace
}
