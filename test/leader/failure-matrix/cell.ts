// One cell of a failure matrix: something that the leader does, something that goes wrong with it, and what must come of it.
import assert from 'node:assert/strict'
import type { Faults, Limits } from '../../../internal/sim/vpc/settings.ts'
import type { LeaderWorld } from '../leader-world.ts'
import { Link, type Treat } from './treatment.ts'

export const second = 1000
export const minute = 60 * second

/** How an action comes about. */
export interface Act<World extends LeaderWorld = LeaderWorld> {
  /** Of these calls something goes wrong; undefined: it makes none. */
  readonly api?: string
  /** Everything before the action. */
  readonly prepare: (world: World) => Promise<void>
  readonly trigger: (world: World) => void
  /** What agents do all the time. */
  readonly agent?: (world: World) => void
}

/** What goes wrong. */
export interface Mishap<World extends LeaderWorld = LeaderWorld> {
  readonly treat?: Treat<World>
  readonly faults?: Partial<Faults>
  readonly limits?: Partial<Limits>
  /** The faults and the treatment end after so long. */
  readonly until?: number
  /** Something goes wrong as late as that. */
  readonly lastly?: number
  /** Something else to be done at the moment of the trigger. */
  readonly besides?: (world: World) => void
  /** The process dies as soon as this is so. */
  readonly dieWhen?: (world: World) => boolean
  /** Who comes after one that died has an empty ledger. */
  readonly ledgerGoes?: boolean
}

/** Looks at everything. */
export interface Eye {
  /** After each step. Throws when something is so that never may be. */
  look(): void
  /** Empty when everything is as it must be in the end: nothing leaked, nothing double, nothing open. */
  amiss(): readonly string[]
  /** What people could see from the trigger on, in order. */
  readonly shows: readonly string[]
}

/** What must come of it. */
export interface Outcome {
  /** How often it is sent in all: exactly, or at most where it is many times. */
  readonly calls?: number
  readonly atMost?: number
  /** All is well again within so many seconds after the trigger. */
  readonly within: number
  /** What people see from the trigger on, in order. */
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

/** Throws unless all is well in the end, and was never worse than it had to be. `world` has no leader yet. */
export async function runCell<World extends LeaderWorld>(
  world: World,
  act: Act<World>,
  cell: Mishap<World>,
  eyeOn: (world: World) => Eye,
): Promise<Measured> {
  const link = new Link(world, act.api)
  world.start()
  await act.prepare(world)
  const eye = eyeOn(world)
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
    assert.ok(world.clock.now() - start < 40 * minute, `not well after 40 minutes: ${eye.amiss()}`)
    await world.clock.step()
    if (!healed && world.clock.now() >= healsAt) {
      healed = true
      link.treat = () => undefined
      world.cloud.setFaults({ throttle: {}, failTasks: {}, lostRequests: {}, lostAnswers: {}, outage: 'off' })
    }
    if (link.died || (!died && cell.dieWhen?.(world))) {
      link.died = false
      died = true
      if (cell.ledgerGoes) world.loseLedger()
      else world.crash()
      await world.clock.advance(dead)
      world.start()
    }
    eye.look()
    act.agent?.(world)
    if (eye.amiss().length > 0) quietSince = world.clock.now()
  }
  assert.deepEqual(world.cloud.admin.audit(world.clock.now()).faults, [])
  if (cell.dieWhen !== undefined) assert.ok(died, 'the moment to die never came')
  return {
    calls: link.sent,
    took: Math.ceil((quietSince - start) / second),
    shows: eye.shows,
  }
}

export function holdsTo({ calls, took, shows }: Measured, outcome: Outcome): void {
  const { calls: exactly, atMost = exactly, within } = outcome
  assert.deepEqual(shows, outcome.shows)
  assert.ok(took <= within, `it took ${took} s`)
  assert.ok(calls <= (atMost ?? 0) && calls >= (exactly ?? 0), `it was sent ${calls} times`)
}
