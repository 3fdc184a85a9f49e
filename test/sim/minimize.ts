// Shortens a failing run: leaves out what happens, and what chance decided, as long as a fault of the same class appears.
import type { Plan } from './world/draw.ts'
import type { RunResult } from './world/run-plan.ts'

export interface Minimized {
  readonly result: RunResult
  /** Runs it took. */
  readonly runs: number
}

/** The shortest failing run found within `maxRuns` runs; `result` must be a failing one of `run`. */
export async function minimize(
  result: RunResult,
  run: (plan: Plan) => Promise<RunResult>,
  maxRuns = 400,
  maxMs = 60_000,
): Promise<Minimized> {
  const endAt = performance.now() + maxMs
  const classes = new Set(result.faults.map(faultClass))
  let best = result
  let runs = 0

  /** Is it still the same fault? Then this is the best run so far. */
  async function holds(plan: Plan): Promise<boolean> {
    if (runs >= maxRuns || performance.now() > endAt) return false
    runs++
    const found = await run(plan)
    const same = found.faults.some((fault) => classes.has(faultClass(fault)))
    if (same) best = found
    return same
  }

  /** Delta debugging: pieces that get smaller are left out one by one. */
  async function shrink<T>(
    itemsOf: (plan: Plan) => readonly T[],
    withItems: (plan: Plan, items: T[]) => Plan,
  ) {
    let size = Math.ceil(itemsOf(best.plan).length / 2)
    while (size >= 1) {
      let left = false
      for (let from = 0; from < itemsOf(best.plan).length; ) {
        const rest = itemsOf(best.plan).filter((_, i) => i < from || i >= from + size)
        if (await holds(withItems(best.plan, rest))) left = true
        else from += size
      }
      if (size === 1 && !left) return
      size = size === 1 ? 1 : Math.ceil(size / 2)
      if (runs >= maxRuns || performance.now() > endAt) return
    }
  }

  /** One by one: the same with less. */
  async function simplify(): Promise<void> {
    for (const { id } of best.plan.happenings) {
      const simpler = best.plan.happenings.map((what) =>
        what.id === id && 'count' in what && what.count > 1 ? { ...what, count: 1 } : what,
      )
      if (simpler.some((what, i) => what !== best.plan.happenings[i]))
        await holds({ ...best.plan, happenings: simpler })
    }
  }

  await holds({ ...best.plan, only: best.taken, shape: { ...best.plan.shape, watchedLong: false } })
  await shrink(
    (plan) => plan.happenings,
    (plan, happenings) => ({ ...plan, happenings }),
  )
  await shrink(
    (plan) => plan.only ?? [],
    (plan, only) => ({ ...plan, only }),
  )
  await simplify()
  await shrink(
    (plan) => plan.happenings,
    (plan, happenings) => ({ ...plan, happenings }),
  )
  return { result: best, runs }
}

/** The fault without what differs from run to run: names, addresses, numbers. */
export function faultClass(fault: string): string {
  return fault.replace(/\b(eni|ins|pod|node|uid|subnet)-[\w-]+(\/\w+)?/g, '$1').replace(/\b[\d.]+\b/g, '#')
}
