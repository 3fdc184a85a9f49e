// What people do with EIPs in the cloud's console, past the leader.
import { pick } from '../../../internal/base/random.ts'
import type { EipId } from '../../../internal/ipam/types.ts'
import type { Millis } from '../../../internal/value/millis.ts'
import { type Console, cloudConsole } from './console.ts'
import type { World } from './world.ts'

export class EipHands {
  readonly #world: World
  /** To what people have bound some: an instance's own ENI. */
  readonly #bound = new Set<EipId>()
  /** When people last had their hands on each. */
  readonly #touched = new Map<EipId, Millis>()
  /** Those that they have released. */
  readonly #released = new Set<EipId>()

  constructor(world: World) {
    this.#world = world
  }

  /** Is it where a person has bound it? */
  hasBound(id: EipId): boolean {
    const eip = this.#eips().find((one) => one.id === id)
    return this.#bound.has(id) && eip?.eniId != null && this.#isOfInstance(eip.eniId)
  }

  hasReleased(id: EipId): boolean {
    return this.#released.has(id)
  }

  /** Have people left it alone for long enough that everybody has seen what they did? */
  isSeen(id: EipId): boolean {
    return this.#world.clock.now() - (this.#touched.get(id) ?? Number.NEGATIVE_INFINITY) > 60_000
  }

  unbind(): void {
    const one = pick(
      this.#world.random,
      this.#eips().filter(({ state }) => state === 'BIND'),
    )
    if (one === undefined || !this.#console.unbindEip(one.id)) return
    this.#touch(one.id)
    this.#world.log(`console: ${one.id} is unbound from ${one.privateIp}`)
  }

  /** Onto an instance itself. */
  bindElsewhere(forMs: Millis): void {
    const { clock, nodes, random } = this.#world
    const one = pick(random, this.#eips())
    const node = pick(
      random,
      nodes.filter(({ gone }) => !gone),
    )
    if (one === undefined || node === undefined) return
    const bind = () => {
      if (node.gone || !this.#console.bindEip(one.id, node.instanceId)) return
      this.#touch(one.id)
      this.#bound.add(one.id)
      this.#world.log(`console: ${one.id} is bound to ${node.instanceId}`)
      clock.after(forMs, () => this.#putBack(one.id))
    }
    if (one.state !== 'BIND') return bind()
    if (!this.#console.unbindEip(one.id)) return
    this.#touch(one.id)
    clock.after(3000, bind)
  }

  /** For ever. */
  release(): void {
    const { clock, eips, random } = this.#world
    const one = pick(random, this.#eips())
    if (one === undefined) return
    const release = () => {
      if (!this.#console.releaseEip(one.id)) return
      this.#released.add(one.id)
      this.#touch(one.id)
      eips.promises.releaseEip(one.id)
      this.#world.log(`console: ${one.id} is released`)
    }
    if (one.state !== 'BIND') return release()
    if (!this.#console.unbindEip(one.id)) return
    this.#touch(one.id)
    clock.after(3000, release)
  }

  trouble(forMs: Millis): void {
    const { cloud, clock, random } = this.#world
    const one = pick(random, this.#eips())
    if (one === undefined) return
    const what = random.next() < 0.5 ? 'arrears' : 'blocked'
    this.#world.log(`${one.id} is in trouble: ${what}`)
    this.#world.during(
      forMs,
      () => cloud.admin.troubleEip(one.id, { [what]: true }, clock.now()),
      () => this.#pay(),
    )
  }

  /** Puts right what only a person can, and goes on doing so. */
  repair(): void {
    this.#pay()
    this.#obey()
    for (const id of this.#bound) this.#putBack(id)
    this.#world.clock.after(60_000, () => this.repair())
  }

  #pay(): void {
    const { cloud, clock } = this.#world
    for (const { arrears, blocked, id } of this.#eips())
      if (arrears || blocked) cloud.admin.troubleEip(id, { arrears: false, blocked: false }, clock.now())
  }

  /** "unbind it": what a lost ledger has left on the address of another pod. */
  #obey(): void {
    const { ledger } = this.#world
    const waiting = [...ledger.eips.where('Pending'), ...ledger.eips.where('Attaching')]
    for (const { id, privateIp, state } of this.#eips()) {
      const isAsked = waiting.some(
        ({ message }) =>
          message.includes(`${id} is bound to`) ||
          (message.includes('has an EIP already') && message.includes(`\`${privateIp}\``)),
      )
      if (state !== 'BIND' || !isAsked || ledger.eips.ofEip(id) !== undefined) continue
      if (!this.#console.unbindEip(id)) continue
      this.#touch(id)
      this.#world.log(`console: ${id} is unbound, as an event asks`)
    }
  }

  /** Off the instance; on a pod's address it is the leader's. */
  #putBack(id: EipId): void {
    const eip = this.#eips().find((one) => one.id === id)
    const isOn = eip?.eniId != null && this.#isOfInstance(eip.eniId)
    if (isOn && eip?.state !== 'UNBINDING' && !this.#console.unbindEip(id)) return
    if (isOn) {
      this.#touch(id)
      this.#world.log(`console: ${id} is unbound again`)
    }
    if (!isOn) this.#bound.delete(id)
  }

  #isOfInstance(eniId: string): boolean {
    const { cloud, clock } = this.#world
    return cloud.admin.audit(clock.now()).enis.some(({ id, primary }) => id === eniId && primary)
  }

  #touch(id: EipId): void {
    this.#touched.set(id, this.#world.clock.now())
  }

  #eips() {
    return this.#world.cloud.admin.audit(this.#world.clock.now()).eips
  }

  get #console(): Console {
    const world = this.#world
    return cloudConsole(
      world.cloud,
      () => world.clock.now(),
      () => world.advanceLater(),
    )
  }
}
