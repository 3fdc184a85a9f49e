// Keys with work to do: each runs alone, many runs of one key fold into one, and a few keys run at a time.
import type { Cancel, Clock } from './clock.ts'

export interface WorkQueue {
  /** Runs `key` after `delay` at the latest; while it runs, once more afterwards. */
  add(key: string, delay?: number): void
  /** No further run starts; resolves when those under way have ended. */
  stop(): Promise<void>
}

export interface WorkQueueOptions {
  readonly clock: Clock
  readonly concurrency: number
  /** Must not reject: failures are its own to report and retry. */
  readonly work: (key: string) => Promise<void>
}

/** After so many the rest of the process has its turn: keys whose work waits for nothing would keep it from all else. */
const inARow = 64

/** A queue over `work`; the number of keys is the caller's bound. */
export function createWorkQueue({ clock, concurrency, work }: WorkQueueOptions): WorkQueue {
  const due = new Map<string, { at: number; cancel: Cancel }>()
  const ready = new Set<string>()
  const running = new Set<string>()
  const again = new Set<string>()
  /** Goes on where it was: to look for the first one anew would pass over all that were taken before. */
  let order = ready.values()
  let begun = 0
  let stopped = false
  let onDrained: (() => void) | undefined

  function makeReady(key: string): void {
    due.delete(key)
    if (running.has(key)) again.add(key)
    else ready.add(key)
    startNext()
  }

  function nextReady(): string | undefined {
    let next = order.next()
    if (next.done === true) {
      order = ready.values()
      next = order.next()
    }
    return next.value
  }

  function startNext(): void {
    while (!stopped && begun < inARow && running.size < concurrency) {
      const key = nextReady()
      if (key === undefined) return
      ready.delete(key)
      running.add(key)
      if (++begun === inARow) clock.after(0, goOn)
      void run(key)
    }
  }

  function goOn(): void {
    begun = 0
    startNext()
  }

  async function run(key: string): Promise<void> {
    try {
      await work(key)
    } finally {
      running.delete(key)
      if (again.delete(key)) ready.add(key)
      startNext()
      if (stopped && running.size === 0) onDrained?.()
    }
  }

  return {
    add(key, delay = 0) {
      if (stopped || ready.has(key)) return
      const at = clock.now() + delay
      const former = due.get(key)
      if (former !== undefined && former.at <= at) return
      former?.cancel()
      due.set(key, { at, cancel: clock.after(delay, () => makeReady(key)) })
    },
    async stop() {
      stopped = true
      for (const { cancel } of due.values()) cancel()
      due.clear()
      if (running.size > 0) {
        await new Promise<void>((resolve) => {
          onDrained = resolve
        })
      }
    },
  }
}
