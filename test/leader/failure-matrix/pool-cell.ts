// The cells about a node's pool: how the node must be in the end, and what its NEC says on the way.
import assert from 'node:assert/strict'
import type { TestContext } from 'node:test'
import type { LeaderSettings } from '../../../internal/leader/settings.ts'
import { LeaderWorld } from '../leader-world.ts'
import { falsePromises, unlikeLedger } from '../promises.ts'
import { type Act, type Eye, type Measured, type Mishap, runCell } from './cell.ts'

/** How an action comes about, and how the node is when all has gone well. */
export interface PoolAct extends Act {
  readonly api: string
  readonly settings: Partial<LeaderSettings>
  /** ENIs and addresses in the end. */
  readonly enis: number
  readonly addresses: number
}

export interface PoolMishap extends Mishap {
  /** What exists was changed by another hand: that the NEC shows for a while what is gone is not ours to prevent. */
  readonly vanishes?: boolean
  /** The node goes in the end, and everything with it. */
  readonly nodeGoes?: boolean
}

/** As runCell. */
export function runPoolCell(t: TestContext, act: PoolAct, cell: PoolMishap): Promise<Measured> {
  return runCell(new LeaderWorld(t, act.settings), act, cell, (world) => new PoolEye(world, act, cell))
}

/** Looks at the NEC after each step: what it says, and that it never shows an address that its ENI does not have. */
class PoolEye implements Eye {
  readonly shows: string[] = []
  readonly #world: LeaderWorld
  readonly #act: PoolAct
  readonly #cell: PoolMishap
  #seen: unknown

  constructor(world: LeaderWorld, act: PoolAct, cell: PoolMishap) {
    this.#world = world
    this.#act = act
    this.#cell = cell
    this.#seen = world.kube.necs.items.get('n1')
  }

  look(): void {
    const nec = this.#world.kube.necs.items.get('n1')
    if (nec === undefined || nec === this.#seen) return
    this.#seen = nec
    const reason = this.#world.condition('n1')
    if (reason !== undefined && reason !== this.shows.at(-1)) this.shows.push(reason)
    if (!this.#cell.vanishes) assert.deepEqual(falsePromises(this.#world, nec), [])
  }

  amiss(): readonly string[] {
    const world = this.#world
    const list = world.differences()
    const enis = world.cloudEnis()
    if (this.#cell.nodeGoes) {
      const left = [...world.ledger.nodes().map(({ name }) => name), ...world.kube.necs.items.keys()]
      return [...list, ...enis.map(({ id }) => `${id} is left`), ...left.map((name) => `${name} is left`)]
    }
    if (enis.length !== this.#act.enis)
      list.push(`${enis.length} ENIs in the cloud in place of ${this.#act.enis}`)
    const shown = world.addresses('n1')
    if (shown.length !== this.#act.addresses)
      list.push(`${shown.length} addresses shown in place of ${this.#act.addresses}`)
    if (world.condition('n1') !== 'PoolServed') list.push(`condition ${world.condition('n1')}`)
    return [...list, ...unlikeLedger(world, 'n1')]
  }
}
