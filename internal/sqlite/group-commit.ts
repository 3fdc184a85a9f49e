// Many writes, one durable commit: what arrives within a turn of the event loop shares a transaction,
// and is answered only after that transaction is on disk.
import type { Clock } from '../base/clock.ts'
import { IpamError } from '../ipam/errors.ts'
import { type Database, sqliteCode, storageFault } from './database.ts'

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
}

/** Gathers the writes to `database`; `clock` decides when the turn ends. */
export function groupCommit(database: Database, clock: Clock): GroupCommit {
  let pending: Pending[] = []
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
            answers.push(() => reject(inOurWords(database, error)))
          }
        }
      })
    } catch (error) {
      for (const { reject } of batch) reject(inOurWords(database, error))
      return
    }
    for (const answer of answers) answer()
  }
  return {
    flush,
    write: <T>(work: () => T) =>
      new Promise<T>((resolve, reject) => {
        pending.push({ work, resolve: resolve as (value: unknown) => void, reject })
        if (pending.length === 1) clock.after(0, flush)
      }),
  }
}

function inOurWords({ path }: Database, error: unknown): unknown {
  const code = sqliteCode(error)
  if (code === '') return error
  if (!code.startsWith('SQLITE_CONSTRAINT')) return storageFault(error, `write to "${path}"`)
  return new IpamError('conflict', `Cannot write to "${path}": ${(error as Error).message}`, { cause: error })
}
