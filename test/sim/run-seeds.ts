// Many seeds on all cores: threads take the next seed when they are done; outcomes come in the order of the seeds.
import { Worker } from 'node:worker_threads'
import type { Job, Outcome } from './worker.ts'

export interface RunSeeds {
  readonly seeds: readonly number[]
  readonly jobs: number
  readonly plant?: string | undefined
  /** In the order of `seeds`; false: that is enough. */
  readonly hear: (outcome: Outcome) => boolean
}

/** Resolves when every outcome was heard, or enough of them. */
export async function runSeeds({ seeds, jobs, plant, hear }: RunSeeds): Promise<void> {
  const done = new Map<number, Outcome>()
  let next = 0
  let told = 0
  let enough = seeds.length === 0
  const threads = Array.from(
    { length: Math.min(jobs, seeds.length) },
    () => new Worker(new URL('./worker.ts', import.meta.url)),
  )
  try {
    await Promise.all(threads.map(work))
  } finally {
    await Promise.all(threads.map((thread) => thread.terminate()))
  }

  function work(thread: Worker): Promise<void> {
    return new Promise((resolve, reject) => {
      const give = () => {
        const seed = seeds[next]
        if (enough || seed === undefined) return resolve()
        next++
        const job: Job = { seed, plant }
        thread.postMessage(job)
      }
      thread.on('error', reject)
      thread.on('message', (outcome: Outcome) => {
        done.set(outcome.seed, outcome)
        tell()
        give()
      })
      give()
    })
  }

  function tell(): void {
    for (;;) {
      const outcome = done.get(seeds[told] ?? Number.NaN)
      if (outcome === undefined || enough) return
      done.delete(outcome.seed)
      told++
      enough = !hear(outcome) || told === seeds.length
    }
  }
}
