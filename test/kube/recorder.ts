// A Feed that remembers what it was told, so that tests can wait for it.
import type { Feed } from '../../internal/ports.ts'

export interface Recorder<T> extends Feed<T> {
  /** "= a b" for a list, "+ a" for a change, "- a" for a removal. */
  readonly told: readonly string[]
  /** What a reader of the feed believes now. */
  readonly truth: ReadonlyMap<string, T>
  /** Resolves once `holds` does; asked after each call. */
  until(holds: (recorder: Recorder<T>) => boolean): Promise<void>
}

export function createRecorder<T>(nameOf: (item: T) => string): Recorder<T> {
  const told: string[] = []
  const truth = new Map<string, T>()
  let waiting: { holds: (recorder: Recorder<T>) => boolean; tell: () => void }[] = []
  const note = (text: string) => {
    told.push(text)
    waiting = waiting.filter(({ holds, tell }) => {
      if (!holds(recorder)) return true
      tell()
      return false
    })
  }
  const recorder: Recorder<T> = {
    told,
    truth,
    replaced(items) {
      truth.clear()
      for (const item of items) truth.set(nameOf(item), item)
      note(['=', ...items.map(nameOf)].join(' '))
    },
    changed(item) {
      truth.set(nameOf(item), item)
      note(`+ ${nameOf(item)}`)
    },
    removed(item) {
      truth.delete(nameOf(item))
      note(`- ${nameOf(item)}`)
    },
    until(holds) {
      if (holds(recorder)) return Promise.resolve()
      return new Promise((tell) => waiting.push({ holds, tell }))
    },
  }
  return recorder
}
