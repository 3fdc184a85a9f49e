// One cell of the failure matrix: an action of the leader, something that goes wrong with it, and what must come of it.
import assert from 'node:assert/strict'
import type { TestContext } from 'node:test'
import type { LeaderSettings } from '../../../internal/leader/settings.ts'
import type { Faults, Limits } from '../../../internal/sim/vpc/settings.ts'
import { LeaderWorld } from '../leader-world.ts'
import { Link, type Treat } from './treatment.ts'

export const second = 1000
export const minute = 60 * second

/** How an action comes about, and how the node is when all has gone well. */
export interface Act {
  readonly api: string
  readonly settings: Partial<LeaderSettings>
  /** Everything before the action. */
  readonly prepare: (world: LeaderWorld) => Promise<void>
  readonly trigger: (world: LeaderWorld) => void
  /** What the agent does all the time. */
  readonly agent?: (world: LeaderWorld) => void
  /** ENIs and addresses in the end. */
  readonly enis: number
  readonly addresses: number
}

/** What goes wrong. */
export interface Mishap {
  readonly treat?: Treat
  readonly faults?: Partial<Faults>
  readonly limits?: Partial<Limits>
  /** The faults and the treatment end after so long. */
  readonly until?: number
  /** Something goes wrong as late as that. */
  readonly lastly?: number
  /** Something else to be done at the moment of the trigger. */
  readonly besides?: (world: LeaderWorld) => void
  /** The process dies as soon as this is so. */
  readonly dieWhen?: (world: LeaderWorld) => boolean
  /** What exists was changed by another hand: that the NEC shows for a while what is gone is not ours to prevent. */
  readonly vanishes?: boolean
  /** The node goes in the end, and everything with it. */
  readonly nodeGoes?: boolean
}

/** What must come of it. */
export interface Outcome {
  /** How often it is sent in all: exactly, or at most where it is many times. */
  readonly calls?: number
  readonly atMost?: number
  /** All is well again within so many seconds after the trigger. */
  readonly within: number
  /** The conditions that the NEC shows from the trigger on, in order. */
  readonly shows: readonly string[]
  /** For people. */
  readonly what: string
}

export interface Measured {
  readonly calls: number
  /** Seconds. */
  readonly took: number
  readonly shows: readonly string[]
}

const dead = 500
/** All must have been quiet for so long. */
const quiet = 20 * second

/** Throws unless all is well in the end, and was never worse than it had to be. */
export async function runCell(t: TestContext, act: Act, cell: Mishap): Promise<Measured> {
  const world = new LeaderWorld(t, act.settings)
  const link = new Link(world, act.api)
  world.start()
  await act.prepare(world)
  const watch = new Watch(world, cell.vanishes === true)
  link.sent = 0
  link.treat = cell.treat ?? (() => undefined)
  world.cloud.setFaults(cell.faults ?? {})
  world.cloud.setLimits(cell.limits ?? {})
  act.trigger(world)
  cell.besides?.(world)
  const start = world.clock.now()
  const healsAt = start + (cell.until ?? 0)
  const over = start + Math.max(cell.until ?? 0, cell.lastly ?? 0)
  let healed = cell.until === undefined
  let died = false
  let quietSince = start
  while (world.clock.now() - Math.max(quietSince, over) < quiet) {
    assert.ok(
      world.clock.now() - start < 40 * minute,
      `not well after 40 minutes: ${differences(world, act, cell)}`,
    )
    await world.clock.step()
    if (!healed && world.clock.now() >= healsAt) {
      healed = true
      link.treat = () => undefined
      world.cloud.setFaults({ throttle: {}, failTasks: {}, lostRequests: {}, lostAnswers: {}, outage: 'off' })
    }
    if (link.died || (!died && cell.dieWhen?.(world))) {
      link.died = false
      died = true
      world.crash()
      await world.clock.advance(dead)
      world.start()
    }
    watch.look()
    act.agent?.(world)
    if (differences(world, act, cell).length > 0) quietSince = world.clock.now()
  }
  assert.deepEqual(world.cloud.admin.audit(world.clock.now()).faults, [])
  if (cell.dieWhen !== undefined) assert.ok(died, 'the moment to die never came')
  return {
    calls: link.sent,
    took: Math.ceil((quietSince - start) / second),
    shows: watch.conditions,
  }
}

/** Empty when everything is as it must be: nothing leaked, nothing double, nothing open, and the NEC says what is so. */
function differences(world: LeaderWorld, act: Act, { nodeGoes = false }: Mishap): string[] {
  const list = world.differences()
  const enis = world.cloudEnis()
  if (nodeGoes) {
    const left = [...world.ledger.nodes().map(({ name }) => name), ...world.kube.necs.items.keys()]
    return [...list, ...enis.map(({ id }) => `${id} is left`), ...left.map((name) => `${name} is left`)]
  }
  if (enis.length !== act.enis) list.push(`${enis.length} ENIs in the cloud in place of ${act.enis}`)
  const shown = world.addresses('n1')
  if (shown.length !== act.addresses)
    list.push(`${shown.length} addresses shown in place of ${act.addresses}`)
  if (world.condition('n1') !== 'PoolServed') list.push(`condition ${world.condition('n1')}`)
  const published = JSON.stringify(world.published('n1'))
  if (published !== JSON.stringify(world.ledger.publishedEnis('n1'))) list.push('the NEC says something else')
  return list
}

/** Looks at the NEC after each step: what it says, and that it never shows an address that its ENI does not have. */
class Watch {
  readonly conditions: string[] = []
  readonly #world: LeaderWorld
  readonly #vanishes: boolean
  #seen: unknown

  constructor(world: LeaderWorld, vanishes: boolean) {
    this.#world = world
    this.#vanishes = vanishes
    this.#seen = world.kube.necs.items.get('n1')
  }

  look(): void {
    const nec = this.#world.kube.necs.items.get('n1')
    if (nec === undefined || nec === this.#seen) return
    this.#seen = nec
    const reason = this.#world.condition('n1')
    if (reason !== undefined && reason !== this.conditions.at(-1)) this.conditions.push(reason)
    if (this.#vanishes) return
    const given = new Set(nec.report?.returned.map(({ address, grant }) => `${address} ${grant}`))
    const instance = this.#world.ledger.node('n1')?.instanceId
    const { enis, ips } = this.#world.cloud.admin.audit(this.#world.clock.now())
    const attached = new Set(enis.filter(({ instanceId }) => instanceId === instance).map(({ id }) => id))
    for (const { id, ips: shown } of nec.publication?.enis ?? []) {
      for (const { address, grant } of shown) {
        if (given.has(`${address} ${grant}`)) continue
        const there = ips.find((one) => one.address === address && one.eniId === id)
        assert.equal(there?.state, 'AVAILABLE', `${address} is shown, and is not there`)
        assert.ok(attached.has(id), `${id} is shown, and is not on the node`)
      }
    }
  }
}

export function holdsTo({ calls, took, shows }: Measured, outcome: Outcome): void {
  const { calls: exactly, atMost = exactly, within } = outcome
  assert.deepEqual(shows, outcome.shows)
  assert.ok(took <= within, `it took ${took} s`)
  assert.ok(calls <= (atMost ?? 0) && calls >= (exactly ?? 0), `it was sent ${calls} times`)
}
