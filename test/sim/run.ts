// npm run sim: the whole system under many seeds. A failure is shortened and printed with what replays it exactly.
import { readFileSync, writeFileSync } from 'node:fs'
import { CoverageSum } from './coverage.ts'
import { faultClass, minimize } from './minimize.ts'
import { readOptions, type SimOptions, usage } from './options.ts'
import { printPlants } from './print-plants.ts'
import { runSeeds } from './run-seeds.ts'
import type { Outcome } from './worker.ts'
import { describePlan, draw, type Plan } from './world/draw.ts'
import { plantNamed } from './world/plants.ts'
import { type RunResult, runPlan } from './world/run-plan.ts'

/** Failures shown in full; a run ends after so many. */
const mostShown = 5
/** A run of so many seeds must have died at every point between an intent and its outcome. */
const enoughForCoverage = 1000

async function main(): Promise<number> {
  let options: SimOptions
  try {
    options = readOptions(process.argv.slice(2))
  } catch (error) {
    console.error(`${(error as Error).message}\n\n${usage}`)
    return 2
  }
  if (options.plants !== undefined) return printPlants(options.plants, options.jobs, options.seeds)
  if (options.replay !== undefined || options.seed !== undefined) return replay(options)
  return many(options)
}

/** One plan, with its trace. */
async function replay(options: SimOptions): Promise<number> {
  const result = await runPlan(planOf(options), plantNamed(options.plant), options.log)
  if (result.faults.length > 0) await show(result, options)
  else if (options.trace || options.log) print(result, options)
  console.log(
    `seed ${result.plan.seed}: ${result.faults.length} faults, ${result.steps} steps, ${result.crashes} crashes`,
  )
  return result.faults.length > 0 ? 1 : 0
}

function planOf({ replay: file, seed, keep, chance }: SimOptions): Plan {
  if (file !== undefined) return JSON.parse(readFileSync(file, 'utf8')) as Plan
  const plan = draw(seed ?? 1)
  const counts = new Map(keep?.map(({ id, count }) => [id, count]))
  const happenings = plan.happenings
    .filter(({ id }) => keep === undefined || counts.has(id))
    .map((what) => ('count' in what ? { ...what, count: counts.get(what.id) ?? what.count } : what))
  return { ...plan, happenings, ...(chance === undefined ? {} : { only: chance }) }
}

async function many(options: SimOptions): Promise<number> {
  const past = options.plant === undefined ? pastFailures() : []
  const fresh = Array.from({ length: options.seeds }, (_, i) => options.from + i)
  const seeds = [...past, ...fresh.filter((seed) => !past.includes(seed))]
  console.log(
    `${seeds.length} seeds: ${past.length} that once found something, then ${options.seeds} from ${options.from}`,
  )
  const coverage = new CoverageSum()
  const failed: Outcome[] = []
  const sum = { seeds: 0, steps: 0, crashes: 0, virtualMs: 0 }
  const startedAt = performance.now()
  const seconds = () => (performance.now() - startedAt) / 1000
  await runSeeds({
    seeds,
    jobs: options.jobs,
    plant: options.plant,
    hear(outcome) {
      sum.seeds++
      sum.steps += outcome.steps
      sum.crashes += outcome.crashes
      sum.virtualMs += outcome.virtualMs
      coverage.add(outcome.coverage)
      if (outcome.faults.length > 0) {
        failed.push(outcome)
        console.log(`seed ${outcome.seed} fails: ${outcome.faults[0]}`)
      }
      if (sum.seeds % 500 === 0)
        console.log(`${sum.seeds} of ${seeds.length} seeds in ${seconds().toFixed(0)} s`)
      return failed.length < (options.plant === undefined ? mostShown : 1)
    },
  })
  const took = seconds()
  for (const { seed } of oneOfEachClass(failed))
    await show(await runPlan(draw(seed), plantNamed(options.plant)), options)
  if (options.coverage) for (const line of coverage.table()) console.log(line)
  console.log(
    `${sum.seeds} seeds, ${failed.length} failed: ${sum.steps} steps, ${sum.crashes} crashes, ${(sum.virtualMs / 3_600_000).toFixed(0)} virtual hours in ${took.toFixed(1)} s`,
  )
  const missing = sum.seeds >= enoughForCoverage ? coverage.missing() : []
  if (missing.length > 0) console.log(`nobody died at ${missing.join(', ')}: too little was tried`)
  return failed.length > 0 || missing.length > 0 ? 1 : 0
}

function oneOfEachClass(failed: readonly Outcome[]): readonly Outcome[] {
  const seen = new Set<string>()
  return failed.filter(({ faults }) => {
    const kind = faultClass(faults[0] ?? '')
    const fresh = !seen.has(kind)
    seen.add(kind)
    return fresh
  })
}

/** Shortened, unless that is not wanted. */
async function show(failure: RunResult, options: SimOptions): Promise<void> {
  console.log(`\nseed ${failure.plan.seed} fails:`)
  for (const fault of failure.faults.slice(0, 10)) console.log(`  ${fault}`)
  let shown = failure
  if (options.minimize && !options.log && options.keep === undefined && options.replay === undefined) {
    const { result, runs } = await minimize(failure, (plan) => runPlan(plan, plantNamed(options.plant)))
    console.log(
      `shortened in ${runs} runs: ${failure.plan.happenings.length} → ${result.plan.happenings.length} happenings`,
    )
    shown = result
  }
  print(shown, options)
  if (options.save !== undefined) writeFileSync(options.save, `${JSON.stringify(shown.plan, null, 2)}\n`)
  console.log(`  replay: ${replayCommand(shown.plan, options.plant)}\n`)
}

const mostLines = 60

function print({ plan, trace, faults }: RunResult, options: SimOptions): void {
  for (const line of describePlan(plan)) console.log(`  | ${line}`)
  const most = options.log || options.trace ? trace.length : mostLines
  if (trace.length > most) console.log(`  | … ${trace.length - most} lines`)
  for (const line of trace.slice(-most)) console.log(`  | ${line}`)
  for (const fault of faults.slice(0, 10)) console.log(`  → ${fault}`)
}

function replayCommand({ seed, happenings, only }: Plan, plant: string | undefined): string {
  const all = new Map(draw(seed).happenings.map((what) => [what.id, what]))
  const kept = happenings.map((what) => {
    const drawn = all.get(what.id)
    const fewer = 'count' in what && drawn !== undefined && 'count' in drawn && what.count !== drawn.count
    return fewer ? `${what.id}:${what.count}` : String(what.id)
  })
  const keep =
    happenings.length === all.size && kept.every((one) => !one.includes(':'))
      ? ''
      : ` --keep ${kept.join(',')}`
  const chance = only === undefined ? '' : ` --chance '${only.join('; ')}'`
  return `npm run sim -- --seed ${seed}${keep}${chance}${plant === undefined ? '' : ` --plant ${plant}`}`
}

/** Seeds that once found something: the first word of each line. */
function pastFailures(): readonly number[] {
  const text = readFileSync(new URL('./past-failures.txt', import.meta.url), 'utf8')
  return text.split('\n').flatMap((line) => (/^\d/.test(line) ? [Number.parseInt(line, 10)] : []))
}

process.exitCode = await main()
