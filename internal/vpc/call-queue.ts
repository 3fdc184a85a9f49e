// The calls of one action that wait for their turn: by priority, then in order of arrival.
import type { Priority } from '../ports.ts'

const priorities: readonly Priority[] = ['waiting-pod', 'warm-refill', 'release', 'collect']

export function rankOf(priority: Priority): number {
  return priorities.indexOf(priority)
}

export interface Ranked {
  readonly rank: number
  /** Order of arrival; a retried call keeps its own. */
  readonly sequence: number
}

export function isBefore(a: Ranked, b: Ranked): boolean {
  return a.rank === b.rank ? a.sequence < b.sequence : a.rank < b.rank
}

export interface CallQueue<T extends Ranked> {
  readonly size: number
  add(item: T): void
  first(): T | undefined
  takeFirst(): T | undefined
  last(): T | undefined
  takeLast(): T | undefined
  takeAll(): T[]
}

/** An empty one: a sorted list per priority. */
export function createCallQueue<T extends Ranked>(): CallQueue<T> {
  const queues: T[][] = priorities.map(() => [])
  const filled = () => queues.find(({ length }) => length > 0)
  const filledLast = () => queues.findLast(({ length }) => length > 0)
  return {
    get size() {
      return queues.reduce((sum, { length }) => sum + length, 0)
    },
    add(item) {
      const queue = queues[item.rank] ?? []
      // Nearly always at the end; a retried call is old, and then near the front.
      let place = queue.length
      for (; place > 0; place--) {
        const previous = queue[place - 1]
        if (previous === undefined || previous.sequence < item.sequence) break
      }
      queue.splice(place, 0, item)
    },
    first: () => filled()?.[0],
    takeFirst: () => filled()?.shift(),
    last: () => filledLast()?.at(-1),
    takeLast: () => filledLast()?.pop(),
    takeAll: () => queues.flatMap((queue) => queue.splice(0)),
  }
}
