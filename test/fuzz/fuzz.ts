// A property over many inputs that chance makes. `npm test` takes a few of a fixed seed, `npm run fuzz` as many as one likes
// of a fresh one; a failure says which seed brings it back.
import { test } from 'node:test'
import fc from 'fast-check'

const wanted = Number(process.env['FUZZ_RUNS'] ?? 200)
const seed = Number(process.env['FUZZ_SEED'] ?? 20_260_101)

/** Nothing that is asked for here takes near as long: past it, it hangs. */
const hangs = 60_000

export interface FuzzOptions {
  /** How many inputs of the cheapest kind one of these weighs: of these there are so many fewer. */
  readonly cost?: number
}

/** Registers a test: `check` throws for an input that shows a fault of ours. */
export function fuzz<T>(
  name: string,
  inputs: fc.Arbitrary<T>,
  check: (input: T) => void | Promise<void>,
  { cost = 1 }: FuzzOptions = {},
): void {
  test(name, async () => {
    const property = fc.asyncProperty(inputs, async (input) => {
      await check(input)
    })
    await fc.assert(property, {
      seed,
      numRuns: Math.max(2, Math.round(wanted / cost)),
      timeout: hangs,
      endOnFailure: cost > 20, // a smaller example would take long to find
      reporter: (outcome) => {
        if (!outcome.failed) return
        const report = fc.defaultReportMessage(outcome) ?? 'no report'
        throw new Error(`${report.slice(0, 8000)}\nreplay: npm run fuzz -- --seed ${seed} --runs ${wanted}`, {
          cause: outcome.errorInstance,
        })
      },
    })
  })
}
