// npm run bench: Q1, Q2 and Q5 of docs/requirements.md, and what many static claims cost, each beside a reference measured in the same run.
import { execFileSync } from 'node:child_process'
import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { measureClaims } from './claims/measure.ts'
import { figureOfCalls } from './cni/figure-of-calls.ts'
import { type CniMeasurement, measureCni } from './cni/measure.ts'
import { measureExecutable } from './executable/measure.ts'
import type { Figure } from './figure.ts'
import { describeMachine, machineAsText } from './machine.ts'
import { type BenchOptions, parseBenchOptions, usage } from './options.ts'
import { figureAsText, figuresAsJson } from './print-figures.ts'
import { measureStores } from './store/measure.ts'

const root = join(import.meta.dirname, '../..')
const executable = join(root, 'dist/tke-eni')

async function bench({ json, only, rounds, directory: parent }: BenchOptions): Promise<void> {
  execFileSync(process.execPath, [join(root, 'build.mjs')], { stdio: ['ignore', 'ignore', 'inherit'] })
  const directory = mkdtempSync(join(parent ?? tmpdir(), 'tke-eni-bench-'))
  const machine = describeMachine(directory)
  const figures: Figure[] = []
  const done = (figure: Figure): void => {
    figures.push(figure)
    if (!json) console.log(`\n${figureAsText(figure)}`)
  }
  try {
    if (!json) console.log(machineAsText(machine))
    const cni =
      only.has('q1') || only.has('q5')
        ? await cniOrReason({ rounds: only.has('q1') ? rounds : 0, memory: only.has('q5') }, directory)
        : undefined
    if (only.has('q1') && cni?.measured !== undefined) {
      done(figureOfCalls(cni.measured.samples, noteOnReference(cni.measured)))
    }
    if (only.has('q1') && cni?.measured === undefined) {
      done({ id: 'q1', title: 'CNI calls: not measured', rows: [], notes: cni?.notes ?? [] })
    }
    if (only.has('q2')) done(await measureStores(directory))
    if (only.has('q5')) {
      const agent = { memory: cni?.measured?.memory, notes: cni?.notes ?? [] }
      done(await measureExecutable(executable, directory, agent))
    }
    if (only.has('claims')) done(await measureClaims(executable, directory))
    if (json) console.log(figuresAsJson(machine, figures))
  } finally {
    rmSync(directory, { recursive: true, force: true })
  }
}

interface CniOutcome {
  readonly measured: CniMeasurement | undefined
  readonly notes: readonly string[]
}

/** The other figures are worth having where this one cannot be measured. */
async function cniOrReason(
  task: { readonly rounds: number; readonly memory: boolean },
  directory: string,
): Promise<CniOutcome> {
  try {
    return { measured: await measureCni({ executable, ...task }, directory), notes: [] }
  } catch (error) {
    return { measured: undefined, notes: [(error as Error).message] }
  }
}

function noteOnReference({ samples }: CniMeasurement): readonly string[] {
  return Object.keys(samples.reference).length > 0
    ? []
    : ['no reference: install containernetworking-plugins (/usr/lib/cni/ptp and host-local)']
}

let options: BenchOptions
try {
  options = parseBenchOptions(process.argv.slice(2))
} catch (error) {
  console.error(`${(error as Error).message}\n${usage}`)
  process.exit(2)
}
await bench(options)
