// Describes things by id in calls that concurrent callers share, so that waiting for many of them costs few calls.
import type { Priority } from '../ports.ts'
import type { Answer } from './answer.ts'
import { describeHalves } from './by-ids.ts'
import { pageSize } from './limits.ts'

/** A thing as answered. It is parsed by who asked for it: what is wrong with one must not hurt who asked for others. */
export interface Raw {
  readonly id: string
  readonly answer: Answer
}

/** `ids` may grow until `onSend` is called, when the call is sent. */
type Describe = (ids: ReadonlySet<string>, priority: Priority, onSend: () => void) => Promise<readonly Raw[]>

interface Batch {
  readonly ids: Set<string>
  readonly found: Promise<readonly Raw[]>
}

/** Those of `ids` that exist, each once. */
export type FindByIds = (ids: ReadonlySet<string>, priority: Priority) => Promise<readonly Answer[]>

export function sharedById(describe: Describe): FindByIds {
  /** Calls that wait for their turn: others of their priority may join. */
  const open = new Map<Priority, Batch>()

  function join(id: string, priority: Priority): Batch {
    const current = open.get(priority)
    if (current !== undefined && (current.ids.has(id) || current.ids.size < pageSize)) {
      current.ids.add(id)
      return current
    }
    const ids = new Set([id])
    const close = () => {
      if (open.get(priority) === batch) open.delete(priority)
    }
    const batch: Batch = { ids, found: describeTogether(ids, priority, close).finally(close) }
    open.set(priority, batch)
    return batch
  }

  async function describeTogether(
    ids: ReadonlySet<string>,
    priority: Priority,
    close: () => void,
  ): Promise<readonly Raw[]> {
    try {
      return await describe(ids, priority, close)
    } catch (error) {
      return describeHalves(error, [...ids], (half) => describe(new Set(half), priority, () => {}))
    }
  }

  return async (ids, priority) => {
    const batches = new Set([...ids].map((id) => join(id, priority)))
    const found = await Promise.all([...batches].map((batch) => batch.found))
    const mine = new Map(found.flat().flatMap(({ id, answer }) => (ids.has(id) ? [[id, answer]] : [])))
    return [...mine.values()]
  }
}
