// How many seeds it takes to find each known mistake.
import { runSeeds } from './run-seeds.ts'
import { plants } from './world/plants.ts'

/** Where searches begin. */
const starts = [1, 10_001, 20_001]

/** Prints a table; 1 when one of these mistakes was not found. A search gives up after `mostSeeds`. */
export async function printPlants(
  names: readonly string[],
  jobs: number,
  mostSeeds: number,
): Promise<number> {
  const width = Math.max(...names.map((name) => name.length))
  console.log(`${'mistake'.padEnd(width)} class  average  most  found as`)
  let missed = 0
  for (const name of names) {
    const needed: number[] = []
    let how = ''
    for (const start of starts) {
      let count = 0
      let found = false
      await runSeeds({
        seeds: Array.from({ length: mostSeeds }, (_, i) => start + i),
        jobs,
        plant: name,
        hear({ faults }) {
          count++
          found = faults.length > 0
          how = faults[0] ?? how
          return !found
        },
      })
      if (!found) missed++
      needed.push(found ? count : Number.POSITIVE_INFINITY)
    }
    const average = needed.reduce((sum, count) => sum + count, 0) / needed.length
    console.log(
      `${name.padEnd(width)} ${(plants[name]?.peers ?? '').padStart(5)}  ${average.toFixed(1).padStart(7)}  ${String(Math.max(...needed)).padStart(4)}  ${how}`,
    )
  }
  console.log(`${names.length} mistakes, ${missed} searches in vain, of ${starts.length} each`)
  return missed > 0 ? 1 : 0
}
