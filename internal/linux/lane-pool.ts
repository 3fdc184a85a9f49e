// A few lanes shared by many callers, first come, first served.
import type { Lane } from './lane.ts'

export interface LanePool {
  /** Runs `work` with a lane of its own. */
  use<T>(work: (lane: Lane) => Promise<T>): Promise<T>
  /** Waits for what runs, then ends the lanes. */
  close(): Promise<void>
}

/** A pool of `lanes`. */
export function createLanePool(lanes: readonly Lane[]): LanePool {
  const idle = [...lanes]
  const waiting: ((lane: Lane) => void)[] = []

  function release(lane: Lane): void {
    const next = waiting.shift()
    if (next === undefined) idle.push(lane)
    else next(lane)
  }

  function acquire(): Promise<Lane> {
    const lane = idle.pop() // the one used last is warm
    return lane === undefined ? new Promise((resolve) => waiting.push(resolve)) : Promise.resolve(lane)
  }

  return {
    async use(work) {
      const lane = await acquire()
      try {
        return await work(lane)
      } finally {
        release(lane)
      }
    },
    async close() {
      await Promise.all(lanes.map(async () => (await acquire()).close()))
    },
  }
}
