// A disk under databases that is full when a test says so: SQLite itself then refuses each transaction.
import { mkdirSync, rmSync } from 'node:fs'
import type { Database } from '../../internal/sqlite/database.ts'

export class DiskTwin {
  readonly #databases = new Set<Database>()
  #full = false

  get full(): boolean {
    return this.#full
  }

  set full(full: boolean) {
    this.#full = full
    for (const database of this.#databases) this.#setRoom(database)
  }

  /** The database, on this disk. */
  under(database: Database): Database {
    this.#databases.add(database)
    this.#setRoom(database)
    let depth = 0
    return {
      ...database,
      transaction: <T>(work: () => T) =>
        database.transaction(() => {
          depth++
          try {
            const result = work()
            // However little was written: what else is on the disk has taken what was left.
            if (this.#full && depth === 1)
              database.script(`CREATE TABLE ballast AS SELECT zeroblob(100000) AS bytes`)
            return result
          } finally {
            depth--
          }
        }),
      close: () => {
        this.#databases.delete(database)
        database.close()
      },
    }
  }

  #setRoom(database: Database): void {
    const { pages } = database.get<{ pages: number }>(
      'SELECT page_count AS pages FROM pragma_page_count',
    ) ?? {
      pages: 0,
    }
    database.get(`PRAGMA max_page_count = ${this.#full ? pages : 2 ** 30}`)
    const probe = `${database.path}-room`
    if (this.#full) mkdirSync(probe, { recursive: true })
    else rmSync(probe, { recursive: true, force: true })
  }
}
