// Many writes, one durable commit: what arrives within a turn of the event loop shares a transaction,
// and is answered only after that transaction is on disk.
import type { Clock } from '../base/clock.ts'
import { IpamError } from '../ipam/errors.ts'
import type { Database } from './database.ts'
import { hasRoom } from './disk-room.ts'
import { meaningOf, sqliteCode } from './faults.ts'

interface Pending {
  readonly work: () => unknown
  readonly resolve: (value: unknown) => void
  readonly reject: (error: unknown) => void
}

export interface GroupCommit {
  /**
   * Resolves with `work`'s value once it is committed; rejects with what it threw, and then only its own changes are undone.
   * What SQLite refuses is `conflict` when a constraint of the schema says so, else `storage`.
   */
  write<T>(work: () => T): Promise<T>
  /** Commits what waits, at once. */
  flush(): void
  /** Why nothing can be stored just now; undefined when it can, as far as is known. */
  obstacle(): string | undefined
}

/** What stands in the way is looked at again so often. */
const lookEvery = 1000

const obstacles = { full: 'the disk is full', busy: 'another program keeps it locked' } as const

/** Gathers the writes to `database`; `clock` decides when the turn ends. */
export function groupCommit(database: Database, clock: Clock): GroupCommit {
  let pending: Pending[] = []
  let trouble: keyof typeof obstacles | undefined

  /** Each write tries all the same, for the little one that still fits; whoever asks is told until there is room for many. */
  function note(meaning: keyof typeof obstacles): void {
    if (trouble === undefined) clock.after(lookEvery, look)
    trouble = meaning
  }

  function look(): void {
    const before = trouble
    trouble = undefined
    if (before === 'full' && !hasRoom(database.path)) note('full')
    if (before === 'busy' && isLocked(database)) note('busy')
  }

  function flush(): void {
    const batch = pending
    pending = []
    if (batch.length === 0) return
    const answers: (() => void)[] = []
    try {
      database.transaction(() => {
        for (const { work, resolve, reject } of batch) {
          try {
            const value = database.transaction(work)
            answers.push(() => resolve(value))
          } catch (error) {
            if (meaningOf(error) !== 'answer') throw error // it may have undone the others as well
            answers.push(() => reject(inOurWords(database, error)))
          }
        }
      })
    } catch (error) {
      const meaning = meaningOf(error)
      if (meaning === 'full' || meaning === 'busy') note(meaning)
      for (const { reject } of batch) reject(inOurWords(database, error))
      return
    }
    for (const answer of answers) answer()
  }
  return {
    flush,
    obstacle: () => trouble && `nothing can be stored in "${database.path}": ${obstacles[trouble]}`,
    write: <T>(work: () => T) =>
      new Promise<T>((resolve, reject) => {
        pending.push({ work, resolve: resolve as (value: unknown) => void, reject })
        if (pending.length === 1) clock.after(0, flush)
      }),
  }
}

function isLocked(database: Database): boolean {
  try {
    database.transaction(() => undefined)
    return false
  } catch (error) {
    return meaningOf(error) === 'busy'
  }
}

function inOurWords({ path }: Database, error: unknown): unknown {
  if (!sqliteCode(error).startsWith('SQLITE_CONSTRAINT')) return error
  return new IpamError('conflict', `Cannot write to "${path}": ${(error as Error).message}`, { cause: error })
}
