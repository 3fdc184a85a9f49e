// Requests of many callers share one `ip -batch` in the node's own network namespace: what arrives while one runs goes
// with the next. Each caller gets its own lines' results.
import { type BatchLine, type BatchResult, firstFault, readBatch } from './batch.ts'
import type { Lane } from './lane.ts'

export interface Batcher {
  /** Runs `lines` in order, all of them even when some fail. Throws `kernel` when `ip` cannot be run. */
  run(lines: readonly BatchLine[]): Promise<BatchResult>
  close(): Promise<void>
}

interface Request {
  readonly lines: readonly BatchLine[]
  readonly resolve: (result: BatchResult) => void
  readonly reject: (cause: unknown) => void
}

export interface BatcherOptions {
  readonly lane: Lane
  /** Bounds how long the first of a batch waits for the last of it. */
  readonly maxShared: number
  /** Lines that end every batch, for all who share it. */
  readonly epilogue?: readonly BatchLine[]
}

/** A batcher on a lane of its own. */
export function createBatcher({ epilogue = [], lane, maxShared }: BatcherOptions): Batcher {
  let queue: Request[] = []
  let working: Promise<void> | undefined

  async function work(): Promise<void> {
    while (queue.length > 0) {
      const batch = queue.slice(0, maxShared)
      queue = queue.slice(maxShared)
      await serve(batch)
    }
    working = undefined
  }

  async function serve(batch: readonly Request[]): Promise<void> {
    try {
      const lines = [...batch.flatMap((request) => request.lines), ...epilogue]
      const whole = await attempt(lines)
      // `ip` gave up: nobody knows at whose line. All lines are idempotent, so each caller's are run alone.
      if (whole.aborted !== undefined && batch.length > 1) {
        for (const request of batch) await serve([request])
        return
      }
      const fault = epilogueFault(lines, whole)
      let first = 0
      for (const { lines, resolve } of batch) {
        resolve({ ...part(whole, first, lines.length), ...(fault === undefined ? {} : { aborted: fault }) })
        first += lines.length
      }
    } catch (cause) {
      for (const { reject } of batch) reject(cause)
    }
  }

  function epilogueFault(lines: readonly BatchLine[], { failures }: BatchResult): string | undefined {
    const first = lines.length - epilogue.length
    const own = [...failures].filter(([index]) => index >= first)
    const shifted = new Map(own.map(([index, said]) => [index - first, said]))
    return firstFault(epilogue, { failures: shifted, aborted: undefined })
  }

  async function attempt(lines: readonly BatchLine[]): Promise<BatchResult> {
    if (!lane.begun) lane.begin('')
    const answer = await lane.finish(lines.map(({ text }) => text))
    lane.begin('') // the next batch finds its `ip` started
    return readBatch(answer)
  }

  return {
    run: (lines) =>
      new Promise((resolve, reject) => {
        queue.push({ lines, resolve, reject })
        working ??= work()
      }),
    async close() {
      await working
      await lane.close()
    },
  }
}

function part(whole: BatchResult, first: number, count: number): BatchResult {
  const own = [...whole.failures].filter(([index]) => index >= first && index < first + count)
  return { failures: new Map(own.map(([index, said]) => [index - first, said])), aborted: whole.aborted }
}
