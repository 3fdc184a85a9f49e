// npm run fuzz -- [--runs N] [--seed S] [--only TEXT] [file…]: every property under test/fuzz with N inputs (fewer of the
// costly ones) of seed S, or of a fresh one.
import { globSync } from 'node:fs'
import { run } from 'node:test'
import { spec } from 'node:test/reporters'
import { parseArgs } from 'node:util'
import { randomInt, systemRandom } from '../../internal/base/random.ts'

const { values, positionals } = parseArgs({
  options: { runs: { type: 'string', default: '2000' }, seed: { type: 'string' }, only: { type: 'string' } },
  allowPositionals: true,
})
const runs = Number(values.runs)
const seed = Number(values.seed ?? randomInt(systemRandom, 1, 2 ** 31 - 1))
if (!Number.isSafeInteger(runs) || runs < 1 || !Number.isSafeInteger(seed)) {
  console.error('Cannot fuzz: --runs and --seed are whole numbers')
  process.exit(2)
}
process.env['FUZZ_RUNS'] = String(runs)
process.env['FUZZ_SEED'] = String(seed)
console.log(`${runs} inputs of seed ${seed}`)

const files = positionals.length > 0 ? positionals : globSync('test/fuzz/*.test.ts').toSorted()
const tests = run({
  files,
  concurrency: 2,
  ...(values.only === undefined ? {} : { testNamePatterns: [new RegExp(values.only)] }),
})
tests.on('test:fail', () => {
  process.exitCode = 1
})
tests.compose(spec).pipe(process.stdout)
