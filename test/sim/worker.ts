// A thread that runs seeds, one after the other, for run-seeds.ts.
import { parentPort } from 'node:worker_threads'
import type { Coverage } from './world/fate.ts'
import { plantNamed } from './world/plants.ts'
import { runSeed } from './world/run-plan.ts'

export interface Job {
  readonly seed: number
  readonly plant: string | undefined
}

export interface Outcome {
  readonly seed: number
  readonly faults: readonly string[]
  readonly coverage: Coverage
  readonly steps: number
  readonly crashes: number
  readonly virtualMs: number
  readonly tookMs: number
}

Error.stackTraceLimit = 0 // thousands of errors are made and handled; nobody reads where

parentPort?.on('message', ({ seed, plant }: Job) => {
  const startedAt = performance.now()
  runSeed(seed, plantNamed(plant)).then(
    ({ faults, coverage, steps, crashes, virtualMs }) => {
      const tookMs = performance.now() - startedAt
      const outcome: Outcome = { seed, faults, coverage, steps, crashes, virtualMs, tookMs }
      parentPort?.postMessage(outcome)
    },
    (error: Error) => {
      const coverage = { reached: {}, died: {} }
      const faults = [`the run itself failed: ${error.stack ?? error.message}`]
      const outcome: Outcome = { seed, faults, coverage, steps: 0, crashes: 0, virtualMs: 0, tookMs: 0 }
      parentPort?.postMessage(outcome)
    },
  )
})
