// Plays a plan: everything happens at its time; then all is healthy again and has time to settle.

import { claimFaults } from './claim-invariants.ts'
import { draw, type Happening, type Plan } from './draw.ts'
import { eipFaults } from './eip-invariants.ts'
import type { Coverage } from './fate.ts'
import { happen } from './happenings.ts'
import { creationFaults, orphanFaults, quietFaults, Watchman } from './invariants.ts'
import type { Plant } from './plants.ts'
import { World } from './world.ts'

export interface RunResult {
  readonly plan: Plan
  readonly faults: readonly string[]
  readonly trace: readonly string[]
  /** What chance decided to happen. */
  readonly taken: readonly string[]
  readonly coverage: Coverage
  readonly steps: number
  readonly crashes: number
  readonly virtualMs: number
}

const minute = 60_000
/** Time to settle, at most: slow release takes two minutes for each address too many. */
const settleFor = 120 * minute
const longWatch = 45 * minute
const lookEvery = 3 * minute
/** Looks in a row at which all must be as it should. */
const looksNeeded = 4

/** The plan of one seed, to its end or to the first fault. */
export function runSeed(seed: number, plant: Plant = {}): Promise<RunResult> {
  return runPlan(draw(seed), plant)
}

/** `verbose`: the trace has what the product logs, too. */
export async function runPlan(plan: Plan, plant: Plant = {}, verbose = false): Promise<RunResult> {
  const world = new World(plan, plant, verbose)
  const startedAt = world.clock.now()
  const watchman = new Watchman(world)
  let steps = 0
  let faults: readonly string[] = []
  let lookForOrphansAt = startedAt + minute
  /** Lets time pass, looking after every step; false when there was a fault. */
  const pass = async (duration: number): Promise<boolean> => {
    await world.clock.drive(duration, () => {
      steps++
      faults = watchman.look()
      if (world.clock.now() >= lookForOrphansAt) {
        faults = [
          ...faults,
          ...orphanFaults(world),
          ...creationFaults(world),
          ...claimFaults(world),
          ...eipFaults(world),
          ...world.expected.faults(),
        ]
        lookForOrphansAt = world.clock.now() + minute
      }
      return faults.length === 0
    })
    return faults.length === 0
  }
  try {
    for (const host of world.hosts) host.start()
    if ((await play(world, plan.happenings, plan.healAt, startedAt, pass)) && (await settle())) {
      faults = quietFaults(world)
    }
    return {
      plan,
      faults,
      trace: world.trace,
      taken: world.chaos.taken,
      coverage: world.fate.coverage(),
      steps,
      crashes: world.crashes,
      virtualMs: world.clock.now() - startedAt,
    }
  } finally {
    world.close()
  }

  async function settle(): Promise<boolean> {
    let quiet = 0
    for (let passed = 0; passed < settleFor; passed += lookEvery) {
      if (!(await pass(lookEvery))) return false
      quiet = quietFaults(world).length === 0 ? quiet + 1 : 0
      if (quiet >= looksNeeded && (passed >= longWatch || !plan.shape.watchedLong)) return true
    }
    return true
  }
}

async function play(
  world: World,
  happenings: readonly Happening[],
  healAt: number,
  startedAt: number,
  pass: (duration: number) => Promise<boolean>,
): Promise<boolean> {
  for (const happening of happenings) {
    if (!(await pass(startedAt + happening.at - world.clock.now()))) return false
    happen(world, happening)
  }
  if (!(await pass(startedAt + healAt - world.clock.now()))) return false
  world.heal()
  return true
}
