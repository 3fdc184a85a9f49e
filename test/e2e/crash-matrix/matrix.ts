// Processes die at one point after the other; after each death everything must settle. Several clusters share the points.
import type { Arming } from '../../crash/arming.ts'
import { changesAt } from '../../crash/crash-points.ts'
import { createCourse } from './course.ts'
import type { Verdict } from './look.ts'
import type { Rig } from './rig.ts'

export interface Death {
  readonly point: string
  readonly during: string
  readonly settledAfterMs: number
  readonly verdict: Verdict
}

/** Something that makes processes work; what it changes is settled before the next one. */
export interface Stimulus {
  readonly name: string
  run(rig: Rig): Promise<void>
}

/** What one stimulus does the others undo. */
export interface Scenario {
  readonly steps: readonly Stimulus[]
  /** False when it would be of no use for the points that are left. */
  readonly helps?: (left: ReadonlySet<string>) => boolean
}

export interface Bench {
  readonly rig: Rig
  readonly arming: Arming
}

export interface MatrixOptions {
  readonly benches: readonly Bench[]
  /** Points that must be reached. */
  readonly points: readonly string[]
  /** Changes of ledgers that must be part of some transaction that was reached. */
  readonly changes: readonly string[]
  /** Does a point that turned up on the way belong to this matrix? */
  readonly concerns: (point: string) => boolean
  readonly scenarios: readonly Scenario[]
  readonly died: (death: Death, left: number) => void
}

/** So often in a row nobody may die of a scenario before it is given up. */
const mostVain = 2

export interface Outcome {
  /** Points and changes that no scenario has reached. */
  readonly unreached: readonly string[]
  /** Mixtures of changes that came about by chance and have not come again. Each change had its deaths in others. */
  readonly byChance: readonly string[]
}

/** Throws when something does not settle after a death. */
export async function runMatrix({ benches, scenarios, ...options }: MatrixOptions): Promise<Outcome> {
  const left = new Set(options.points)
  const changes = new Set(options.changes)
  const isMixture = (point: string) =>
    changesAt(point).length > 0 && changesAt(point).every((change) => !changes.has(change))
  const must = () => [...left].filter((point) => !isMixture(point))
  /** A mixture that comes again and again is a point like any other. */
  const wanted = () => [...left].filter((point) => !isMixture(point) || course.isUsual(point))
  const known = [...options.points]
  const course = createCourse()

  function learn(stimulus: Stimulus, passed: readonly string[], tookMs: number): void {
    course.learn(stimulus, passed, tookMs)
    for (const point of passed) {
      if (known.includes(point) || !options.concerns(point)) continue
      known.push(point)
      left.add(point)
    }
  }

  /** Each bench has points of its own, so that no two are at the same; in the end it helps the others. */
  function share(index: number): readonly string[] {
    const all = wanted()
    const own = all.filter((point) => known.indexOf(point) % benches.length === index)
    return own.length > 0 ? own : all
  }

  /** `anywhere` the processes come to, or where it is known to lead. */
  async function turn(bench: Bench, index: number, { steps }: Scenario, anywhere: boolean): Promise<number> {
    let count = 0
    for (const stimulus of steps) {
      const since = bench.arming.now()
      const started = performance.now()
      const targets = anywhere ? [] : course.targets(stimulus, share(index))
      const deaths = await stimulate(bench, stimulus, targets.length > 0 ? targets : [...left])
      for (const death of deaths) {
        left.delete(death.point)
        for (const change of changesAt(death.point)) changes.delete(change)
        options.died(death, left.size)
      }
      learn(stimulus, bench.arming.passed(since), performance.now() - started)
      count += deaths.length
    }
    return count
  }

  async function work(bench: Bench, index: number): Promise<void> {
    const vain = new Map<Scenario, number>()
    const order = [...scenarios.slice(index), ...scenarios.slice(0, index)]
    const vainOf = (scenario: Scenario) => vain.get(scenario) ?? 0
    const worthOf = (scenario: Scenario) => course.worth(scenario, share(index)) / (1 + vainOf(scenario))
    for (;;) {
      const isDone = changes.size === 0 && must().length === 0
      const [best] = order
        .filter((scenario) => vainOf(scenario) < mostVain && (scenario.helps?.(left) ?? true))
        .map((scenario) => ({ scenario, worth: worthOf(scenario) }))
        .filter(({ worth }) => !isDone || worth > 0)
        .toSorted((a, b) =>
          a.worth === b.worth ? vainOf(a.scenario) - vainOf(b.scenario) : b.worth - a.worth,
        )
      if (best === undefined) return
      const deaths = await turn(bench, index, best.scenario, vainOf(best.scenario) > 0)
      if (deaths > 0) vain.clear()
      else vain.set(best.scenario, vainOf(best.scenario) + 1)
    }
  }

  await Promise.all(benches.map(work))
  return { unreached: [...must(), ...changes], byChance: [...left].filter(isMixture) }
}

/** One process of each role may die of it. */
async function stimulate(
  { rig, arming }: Bench,
  stimulus: Stimulus,
  points: readonly string[],
): Promise<readonly Death[]> {
  const before = arming.deaths().length
  arming.arm(points)
  await rig.run(stimulus)
  await rig.settled(() => arming.deaths().length > before)
  const started = Date.now()
  arming.disarm()
  const dead = arming.deaths().slice(before)
  if (dead.length === 0) return []
  await rig.until('who died serves again', () =>
    dead.every((point, i) => arming.reached(before + i).some((next) => next.startsWith(servesFrom(point)))),
  )
  const verdict = await rig.settled()
  const settledAfterMs = Date.now() - started
  return verdict === undefined
    ? []
    : dead.map((point) => ({ point, during: stimulus.name, settledAfterMs, verdict }))
}

/** What a process gets to as soon as it serves; a plugin is not started again but by the next call. */
function servesFrom(point: string): string {
  if (point.startsWith('leader.')) return 'leader.cloud.'
  return point.startsWith('node.') ? 'node.linux.' : ''
}
