// What one may say to npm run sim.
import { availableParallelism } from 'node:os'
import { parseArgs } from 'node:util'
import { plants } from './world/plants.ts'

/** Of a happening: which, and how many pods, when fewer than it draws. */
export interface Kept {
  readonly id: number
  readonly count: number | undefined
}

export interface SimOptions {
  readonly seeds: number
  readonly from: number
  readonly seed: number | undefined
  readonly jobs: number
  readonly plant: string | undefined
  /** Those that are to be found; undefined: another run. */
  readonly plants: readonly string[] | undefined
  readonly coverage: boolean
  /** The whole trace. */
  readonly trace: boolean
  /** With what the product logs. */
  readonly log: boolean
  readonly minimize: boolean
  /** Happenings of the seed to play, no others. */
  readonly keep: readonly Kept[] | undefined
  readonly chance: readonly string[] | undefined
  /** A plan as JSON. */
  readonly replay: string | undefined
  readonly save: string | undefined
}

export const usage = `npm run sim -- [options]: the whole system under many seeds, each a world of its own with its own faults
  --seeds N       so many (100), after those that once found something
  --from S        the first of them (1)
  --fresh         the first one is drawn; it is printed
  --jobs N        threads (one per core)
  --coverage      prints at which crash points processes died (always from 100 seeds on)
  --seed S        one seed, with its trace
  --trace         with --seed or --replay: the whole trace, though nothing fails
  --log           as --trace, with what the product logs
  --keep I,J:N    with --seed: of what happens only these; of J only N pods
  --chance A;B    with --seed: of what chance decides only these
  --replay FILE   plays the plan that --save has written
  --save FILE     writes the (shortened) plan of a failure
  --no-minimize   a failure is not shortened
  --plant NAME    with a known mistake built in: ${Object.keys(plants).join(', ')}
  --plants        finds every known mistake within --seeds, from three starts, and says how many that takes; with --plant A,B only
                  these, or those of a class`

/** Throws an Error that says what is wrong. */
export function readOptions(argv: readonly string[]): SimOptions {
  const { values } = parseArgs({
    args: [...argv],
    options: {
      seeds: { type: 'string', default: '100' },
      from: { type: 'string', default: '1' },
      fresh: { type: 'boolean', default: false },
      jobs: { type: 'string', default: String(availableParallelism()) },
      coverage: { type: 'boolean', default: false },
      seed: { type: 'string' },
      keep: { type: 'string' },
      chance: { type: 'string' },
      replay: { type: 'string' },
      save: { type: 'string' },
      minimize: { type: 'boolean', default: true },
      plant: { type: 'string' },
      plants: { type: 'boolean', default: false },
      trace: { type: 'boolean', default: false },
      log: { type: 'boolean', default: false },
    },
    allowNegative: true,
  })
  const named = values.plant?.split(',').flatMap(plantsCalled)
  if (!values.plants && named !== undefined && named.length > 1)
    throw new Error(
      `Cannot plant ${named.length} mistakes at once: with --plants they are found one after the other`,
    )
  const seeds = whole('--seeds', values.seeds)
  return {
    seeds,
    from: values.fresh ? 1_000_000 + (Date.now() % 2_000_000_000) : whole('--from', values.from),
    seed: values.seed === undefined ? undefined : whole('--seed', values.seed),
    jobs: Math.max(1, whole('--jobs', values.jobs)),
    plant: values.plants ? undefined : named?.[0],
    plants: values.plants ? (named ?? Object.keys(plants)) : undefined,
    coverage: values.coverage || seeds >= 100,
    trace: values.trace,
    log: values.log,
    minimize: values.minimize,
    keep: values.keep?.split(',').map(kept),
    chance: values.chance?.split(';').map((name) => name.trim()),
    replay: values.replay,
    save: values.save,
  }
}

/** One by its name, or all of a class. */
function plantsCalled(name: string): readonly string[] {
  if (plants[name] !== undefined) return [name]
  const ofClass = Object.entries(plants).filter(([, { peers }]) => peers === name)
  if (ofClass.length > 0) return ofClass.map(([each]) => each)
  throw new Error(`Cannot plant "${name}": known are ${Object.keys(plants).join(', ')}`)
}

function kept(text: string): Kept {
  const [id = '', count] = text.split(':')
  return { id: whole('--keep', id), count: count === undefined ? undefined : whole('--keep', count) }
}

function whole(name: string, text: string): number {
  const value = Number(text)
  if (text.trim() === '' || !Number.isSafeInteger(value) || value < 0)
    throw new Error(`Cannot run: ${name} takes a whole number, not "${text}"`)
  return value
}
