// One SQLite file: opened with reasons, migrated forward, read and written in transactions.
// The only place that knows better-sqlite3.
import { chmodSync, closeSync, existsSync, openSync, readSync } from 'node:fs'
import Sqlite from 'better-sqlite3'
import { IpamError } from '../ipam/errors.ts'
import { type Migration, migrate } from './migrate.ts'
import { nativeBindingOption } from './native-binding.ts'

export type SqlValue = string | number | null | Uint8Array
export type Row = Readonly<Record<string, SqlValue>>

export interface Database {
  readonly path: string
  /** Runs one statement; returns the number of rows changed. */
  run(sql: string, ...values: readonly SqlValue[]): number
  get<T = Row>(sql: string, ...values: readonly SqlValue[]): T | undefined
  all<T = Row>(sql: string, ...values: readonly SqlValue[]): T[]
  /** Runs many statements, without values. */
  script(sql: string): void
  /** Runs `work` in one transaction, nested ones as savepoints: all of it happens, or, when it throws, nothing. */
  transaction<T>(work: () => T): T
  close(): void
}

export interface OpenOptions {
  /** A file, or ":memory:". */
  readonly path: string
  /** What the file is, for messages and for telling one kind from another. */
  readonly kind: string
  readonly migrations: readonly Migration[]
  readonly readonly?: boolean
}

/**
 * Opens (creating it with mode 0600 when missing) and migrates a database.
 * Throws `storage`: not a database, damaged, of another kind, or written by a newer version. Such a file is left as it is.
 */
export function openDatabase(options: OpenOptions): Database {
  const { path, kind } = options
  const memory = path === ':memory:'
  if (!memory) {
    refuseForeignFile(path, kind)
    if (!existsSync(path)) {
      if (options.readonly)
        throw new IpamError('storage', `Cannot open ${kind} database "${path}": there is no such file`)
      createPrivately(path)
    }
  }
  try {
    const sqlite = new Sqlite(path, {
      readonly: options.readonly ?? false,
      ...nativeBindingOption(),
    })
    try {
      configure(sqlite, memory, options.readonly ?? false)
      if (!memory) refuseDamage(sqlite, path, kind)
      const database = wrap(sqlite, path)
      if (!options.readonly) migrate(database, kind, options.migrations)
      return database
    } catch (error) {
      sqlite.close()
      throw error
    }
  } catch (error) {
    if (error instanceof IpamError) throw error
    throw new IpamError('storage', `Cannot open ${kind} database "${path}": ${(error as Error).message}`, {
      cause: error,
      hint: 'the file is left as it is; move it away and let it be rebuilt, or restore a backup',
    })
  }
}

function createPrivately(path: string): void {
  try {
    closeSync(openSync(path, 'wx', 0o600))
  } catch (error) {
    throw new IpamError('storage', `Cannot create database "${path}": ${(error as Error).message}`, {
      cause: error,
    })
  }
}

/** SQLite would take an empty or short file for a new database: only a missing file is new to us, an empty one as well. */
function refuseForeignFile(path: string, kind: string): void {
  if (!existsSync(path)) return
  const head = Buffer.alloc(16)
  const file = openSync(path, 'r')
  try {
    const length = readSync(file, head, 0, 16, 0)
    if (length !== 0 && head.toString('latin1') !== 'SQLite format 3\0') {
      throw new IpamError('storage', `Cannot open ${kind} database "${path}": it is not a SQLite database`, {
        hint: 'the file is left as it is; give another path or move it away',
      })
    }
  } finally {
    closeSync(file)
  }
}

function configure(sqlite: Sqlite.Database, memory: boolean, readonly: boolean): void {
  sqlite.pragma('busy_timeout = 5000') // `sqlite3` in an operator's hands may hold a lock for a moment
  sqlite.pragma('foreign_keys = ON') // off by default in SQLite
  sqlite.pragma('trusted_schema = OFF') // a prepared file must not run code of its own
  sqlite.pragma('cell_size_check = ON') // notice damage early
  if (memory || readonly) return
  sqlite.pragma('journal_mode = WAL') // readers (an operator's sqlite3) never block the writer
  sqlite.pragma('synchronous = FULL') // a commit that was answered survives a power cut
  sqlite.pragma('wal_autocheckpoint = 1000')
  chmodSync(sqlite.name, 0o600) // names of pods and addresses are nobody else's business
}

function refuseDamage(sqlite: Sqlite.Database, path: string, kind: string): void {
  const fault = sqlite.pragma('quick_check(1)', { simple: true })
  if (fault !== 'ok') {
    throw new IpamError('storage', `Cannot open ${kind} database "${path}": it is damaged: ${fault}`, {
      hint: 'the file is left as it is; move it away and let it be rebuilt, or restore a backup',
    })
  }
}

function wrap(sqlite: Sqlite.Database, path: string): Database {
  const statements = new Map<string, Sqlite.Statement>()
  const prepare = (sql: string): Sqlite.Statement => {
    let statement = statements.get(sql)
    if (statement === undefined) {
      statement = sqlite.prepare(sql)
      statements.set(sql, statement)
    }
    return statement
  }
  return {
    path,
    run: (sql, ...values) => prepare(sql).run(...values).changes,
    get: <T>(sql: string, ...values: readonly SqlValue[]) => prepare(sql).get(...values) as T | undefined,
    all: <T>(sql: string, ...values: readonly SqlValue[]) => prepare(sql).all(...values) as T[],
    script: (sql) => {
      sqlite.exec(sql)
    },
    transaction: (work) => sqlite.transaction(work).immediate(),
    close: () => sqlite.close(),
  }
}
