// Time that moves only when told, for tests and the seeded simulation: a run depends on nothing but its inputs.
import type { Cancel, Clock } from '../../internal/base/clock.ts'
import type { Millis } from '../../internal/value/millis.ts'

interface Timer {
  readonly at: Millis
  /** Timers of one instant run in the order in which they were set. */
  readonly sequence: number
  /** undefined once cancelled. */
  run: (() => void) | undefined
}

/** Wall time of a fresh clock: 2026-01-01T00:00:00Z. */
export const epoch: Millis = Date.UTC(2026, 0, 1)

/** Timers run in one turn of the event loop. */
const timersPerTurn = 200

export class VirtualClock implements Clock {
  #now: Millis
  #sequence = 0
  #pending = 0
  readonly #heap: Timer[] = []

  constructor(start: Millis = epoch) {
    this.#now = start
  }

  now(): Millis {
    return this.#now
  }

  after(delay: Millis, run: () => void): Cancel {
    if (Number.isNaN(delay)) throw new RangeError('Cannot set a timer: its delay is not a number')
    // Whole milliseconds, as the system's timers.
    const timer: Timer = { at: this.#now + Math.max(0, Math.trunc(delay)), sequence: ++this.#sequence, run }
    this.#push(timer)
    this.#pending++
    return () => {
      if (timer.run === undefined) return
      timer.run = undefined
      this.#pending--
    }
  }

  /** Timers set and neither run nor cancelled. */
  get pending(): number {
    return this.#pending
  }

  /** When the next timer is due; undefined when none is set. */
  nextAt(): Millis | undefined {
    for (;;) {
      const next = this.#heap[0]
      if (next === undefined || next.run !== undefined) return next?.at
      this.#pop()
    }
  }

  /** Lets every promise that can go on do so; no time passes. */
  async settle(): Promise<void> {
    // An immediate runs only when the queues of microtasks and ticks are empty.
    await new Promise((resolve) => setImmediate(resolve))
  }

  /** Goes to the next timer and runs it; false when there was none until `limit`. */
  async step(limit: Millis = Number.POSITIVE_INFINITY): Promise<boolean> {
    await this.settle()
    if (!this.#runNext(limit)) return false
    await this.settle()
    return true
  }

  /**
   * Lets `duration` pass as `advance` does, and calls `afterEach` after every timer and what follows from it; it ends
   * early when that returns false. Fast: the event loop turns once for many timers.
   */
  async drive(duration: Millis, afterEach: () => boolean): Promise<void> {
    const end = this.#now + duration
    await this.settle()
    await new Promise<void>((resolve, reject) => {
      let over = false
      let looked = true
      const finish = (done: () => void) => {
        over = true
        done()
      }
      // Node empties the queues of microtasks and ticks between two immediates of one turn, too.
      const once = () => {
        if (over) return
        try {
          if (!looked && !afterEach()) return finish(resolve)
          looked = !this.#runNext(end)
          if (!looked) return
          this.#now = end
          finish(resolve)
        } catch (error) {
          finish(() => reject(error as Error))
        }
      }
      const turn = () => {
        if (over) return
        for (let i = 0; i < timersPerTurn; i++) setImmediate(once)
        setImmediate(turn)
      }
      turn()
    })
  }

  #runNext(limit: Millis): boolean {
    const at = this.nextAt()
    if (at === undefined || at > limit) return false
    const timer = this.#pop()
    const run = timer?.run
    if (timer !== undefined) timer.run = undefined // cancelling it now changes nothing
    this.#now = at
    this.#pending--
    run?.()
    return true
  }

  /** Lets `duration` pass, running what falls due in it, in order. */
  async advance(duration: Millis): Promise<void> {
    const end = this.#now + duration
    while (await this.step(end));
    this.#now = end
  }

  /** Runs until no timer is left. Throws after `limit` of virtual time: then something repeats for ever. */
  async runUntilIdle(limit: Millis = 24 * 3_600_000): Promise<void> {
    const end = this.#now + limit
    while (await this.step(end));
    if (this.#pending > 0) {
      throw new Error(`Cannot run until idle: ${this.#pending} timers are still set after ${limit} ms`)
    }
  }

  /** Runs until `promise` has settled, and gives its outcome. Throws when nothing is left that could settle it. */
  async runUntil<T>(promise: Promise<T>, limit: Millis = 24 * 3_600_000): Promise<T> {
    const end = this.#now + limit
    let settled = false
    const mark = () => {
      settled = true
    }
    promise.then(mark, mark)
    await this.settle()
    while (!settled) {
      if (!(await this.step(end)))
        throw new Error('Cannot run until the promise settles: it waits for no timer')
    }
    return await promise
  }

  #push(timer: Timer): void {
    const heap = this.#heap
    let child = heap.length
    while (child > 0) {
      const parent = (child - 1) >> 1
      const above = heap[parent]
      if (above === undefined || isBefore(above, timer)) break
      heap[child] = above
      child = parent
    }
    heap[child] = timer
  }

  #pop(): Timer | undefined {
    const heap = this.#heap
    const top = heap[0]
    const last = heap.pop()
    if (last === undefined || last === top) return top
    let parent = 0
    for (;;) {
      let child = 2 * parent + 1
      const left = heap[child]
      const right = heap[child + 1]
      if (left === undefined) break
      let least = left
      if (right !== undefined && isBefore(right, left)) {
        least = right
        child++
      }
      if (isBefore(last, least)) break
      heap[parent] = least
      parent = child
    }
    heap[parent] = last
    return top
  }
}

function isBefore(a: Timer, b: Timer): boolean {
  return a.at === b.at ? a.sequence < b.sequence : a.at < b.at
}
