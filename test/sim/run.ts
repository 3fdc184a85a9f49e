// npm run sim -- --seeds N [--from S] [--seed S] [--plant NAME]: the whole system under many seeds; a failure prints its
// seed and its trace, and the seed replays it exactly.
import { parseArgs } from 'node:util'
import { plants } from './world/plants.ts'
import { runSeed } from './world/workload.ts'

const { values } = parseArgs({
  options: {
    seeds: { type: 'string', default: '100' },
    from: { type: 'string', default: '1' },
    seed: { type: 'string' },
    plant: { type: 'string' },
    trace: { type: 'boolean', default: false },
  },
})

const plant = values.plant === undefined ? {} : plants[values.plant]
if (plant === undefined) {
  console.error(`Cannot plant "${values.plant}": known are ${Object.keys(plants).join(', ')}`)
  process.exit(2)
}
const first = Number(values.seed ?? values.from)
const count = values.seed === undefined ? Number(values.seeds) : 1
if (!Number.isSafeInteger(first) || !Number.isSafeInteger(count) || count < 1) {
  console.error('Cannot run: --seeds, --from and --seed are whole numbers')
  process.exit(2)
}

const startedAt = performance.now()
let failed = 0
let steps = 0
let crashes = 0
let hours = 0
for (let seed = first; seed < first + count; seed++) {
  const result = await runSeed(seed, plant)
  steps += result.steps
  crashes += result.crashes
  hours += result.virtualMs / 3_600_000
  if (result.faults.length > 0) {
    failed++
    console.log(`seed ${seed} fails:`)
    for (const fault of result.faults.slice(0, 10)) console.log(`  ${fault}`)
    const shown = values.seed === undefined ? result.trace.slice(-25) : result.trace
    for (const line of shown) console.log(`  | ${line}`)
    console.log(
      `  replay: npm run sim -- --seed ${seed}${values.plant === undefined ? '' : ` --plant ${values.plant}`}`,
    )
    if (values.plant !== undefined || failed >= 5) break
  } else if (values.seed !== undefined && values.trace) {
    for (const line of result.trace) console.log(`  | ${line}`)
  }
  if (count > 50 && (seed - first + 1) % 100 === 0) console.log(`${seed - first + 1} of ${count} seeds`)
}
const seconds = (performance.now() - startedAt) / 1000
console.log(
  `${count} seeds, ${failed} failed: ${steps} steps, ${crashes} crashes, ${hours.toFixed(0)} virtual hours in ${seconds.toFixed(1)} s`,
)
process.exitCode = failed > 0 ? 1 : 0
