// One SQLite file: opened with reasons, migrated forward, read and written in transactions.
// The only place that knows better-sqlite3.
import {
  chmodSync,
  closeSync,
  copyFileSync,
  existsSync,
  mkdtempSync,
  openSync,
  readSync,
  rmSync,
  statSync,
} from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import Sqlite from 'better-sqlite3'
import { IpamError } from '../ipam/errors.ts'
import { damageHint, meaningOf, sqliteCode, storageFault } from './faults.ts'
import { checkHistory, type Migration, migrate } from './migrate.ts'
import { nativeBindingOption } from './native-binding.ts'

export type SqlValue = string | number | null | Uint8Array
export type Row = Readonly<Record<string, SqlValue>>

export interface Database {
  readonly path: string
  /** Runs one statement; returns the number of rows changed. As `get` and `all`, throws `storage` when the file cannot be used. */
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
  /** Only looks, at whatever version it finds; openReadonly is for those who need to know. */
  readonly readonly?: boolean
  /** It was found to be sound a moment ago, by who keeps others from writing to it: to look at every page takes time. */
  readonly checked?: boolean
  /**
   * Hears, before anybody else does, that what was read or written cannot be trusted any more: the disk failed, the file is damaged,
   * read-only or gone. A daemon ends at once: only a new process, which reads it all again, knows what is stored.
   */
  readonly broken?: (fault: IpamError) => void
}

/**
 * Opens (creating it with mode 0600 when missing) and migrates a database.
 * Throws `storage`: not a database, damaged, of another kind, or written by a newer version. Such a file is left as it is.
 */
export function openDatabase(options: OpenOptions): Database {
  const { path, kind, migrations, readonly = false, broken } = options
  const memory = path === ':memory:'
  if (!memory && !readonly && !existsSync(path)) createPrivately(path)
  const looked = !readonly && hasLog(path) && lookFirst(options)
  const checked = looked || options.checked === true
  return openFile({ path, what: `${kind} database`, readonly, broken, checked }, (database, sqlite) => {
    if (readonly) return database
    checkHistory(database, kind, migrations) // before anything is changed
    if (!memory) configureWriter(sqlite)
    migrate(database, kind, migrations)
    sqlite.pragma('busy_timeout = 250') // from here on nothing else of ours goes on while a write waits
    return database
  })
}

/** Changes that a process which ended badly has left beside the file. */
function hasLog(path: string): boolean {
  try {
    return statSync(`${path}-wal`).size > 0
  } catch {
    return false // none, or whoever opens the file says why not
  }
}

/**
 * Who has a file open for writing moves its log into it when closing, also when it only wanted to say that the file is damaged; and
 * values are checked only by who may write. So a copy is tried; where there is no room for one, the file itself must do. Was there one?
 */
function lookFirst({ path, kind, migrations }: OpenOptions): boolean {
  const directory = copyToLookAt(path)
  if (directory === undefined) return false
  const copy = join(directory, 'copy.db')
  try {
    openFile({ path: copy, what: `${kind} database`, readonly: false }, (database) => {
      checkHistory(database, kind, migrations)
      return database
    }).close()
    return true
  } catch (error) {
    if (!(error instanceof IpamError)) throw error
    const { code, message, hint, cause } = error
    const more = hint === undefined ? { cause } : { cause, hint }
    throw new IpamError(code, message.replaceAll(copy, path), more)
  } finally {
    rmSync(directory, { recursive: true, force: true })
  }
}

function copyToLookAt(path: string): string | undefined {
  let directory: string | undefined
  try {
    directory = mkdtempSync(join(tmpdir(), 'tke-eni-open-')) // mode 0700
    for (const end of ['', '-wal']) copyFileSync(`${path}${end}`, join(directory, `copy.db${end}`))
    return directory
  } catch {
    if (directory !== undefined) rmSync(directory, { recursive: true, force: true })
    return undefined
  }
}

export interface FileToOpen {
  readonly path: string
  /** For messages: "leader database". */
  readonly what: string
  readonly readonly: boolean
  readonly checked?: boolean
  readonly broken?: ((fault: IpamError) => void) | undefined
}

/** Opens a database that is sound and gives it to `use`, which must change nothing before it knows what it is. Closed when that throws. Throws `storage`. */
export function openFile<T>(file: FileToOpen, use: (database: Database, sqlite: Sqlite.Database) => T): T {
  const { path, readonly, checked = false } = file
  if (path !== ':memory:') refuseForeignFile(file)
  try {
    const sqlite = new Sqlite(path, { readonly, fileMustExist: readonly, ...nativeBindingOption() })
    try {
      configure(sqlite)
      if (path !== ':memory:' && !checked) refuseDamage(sqlite, file)
      return use(wrap(sqlite, file), sqlite)
    } catch (error) {
      sqlite.close()
      throw error
    }
  } catch (error) {
    throw storageFault(error, `open ${file.what} "${path}"`, path)
  }
}

/**
 * Takes back what a process had half done that was killed while it made the file, before there was a log: who may only read cannot, and is
 * refused. Its lock must be held. Throws `storage`.
 */
export function takeBack(path: string, kind: string): void {
  if (!existsSync(`${path}-journal`)) return
  openFile({ path, what: `${kind} database`, readonly: false }, (database) => database).close()
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

/** SQLite would take a short file of anything for a new database: only a missing file is new to us, and an empty one. */
function refuseForeignFile({ path, what }: FileToOpen): void {
  const head = firstBytes(path, what)
  if (head.length === 0 || head.toString('latin1') === 'SQLite format 3\0') return
  throw new IpamError('storage', `Cannot open ${what} "${path}": it is not a SQLite database`, {
    hint: path.endsWith('.db')
      ? 'the file is left as it is; give another path, or move it aside with "tke-eni db rebuild"'
      : 'give the path of a database',
  })
}

function firstBytes(path: string, what: string): Buffer {
  const head = Buffer.alloc(16)
  try {
    // Reading a pipe waits for whoever writes to it.
    const found = statSync(path)
    if (!found.isFile() && !found.isDirectory()) throw new Error('it is not a regular file')
    const file = openSync(path, 'r')
    try {
      return head.subarray(0, readSync(file, head, 0, 16, 0))
    } finally {
      closeSync(file)
    }
  } catch (cause) {
    throw new IpamError('storage', `Cannot open ${what} "${path}": ${unreadable(cause)}`, {
      cause,
      ...(isDenial(cause)
        ? { hint: 'it belongs to the user that runs the daemon; try as that user, or as root' }
        : {}),
    })
  }
}

function isDenial(cause: unknown): boolean {
  const { code } = cause as NodeJS.ErrnoException
  return code === 'EACCES' || code === 'EPERM'
}

function unreadable(cause: unknown): string {
  if (isDenial(cause)) return 'this user may not read it'
  const { code, message } = cause as NodeJS.ErrnoException
  if (code === 'ENOENT' || code === 'ENOTDIR') return 'there is no such file'
  return code === 'EISDIR' ? 'it is a directory' : message
}

function configure(sqlite: Sqlite.Database): void {
  sqlite.pragma('busy_timeout = 2000') // `sqlite3` in an operator's hands may hold a lock for a moment
  sqlite.pragma('foreign_keys = ON') // off by default in SQLite
  sqlite.pragma('trusted_schema = OFF') // a prepared file must not run code of its own
  sqlite.pragma('cell_size_check = ON') // notice damage early
  sqlite.pragma('temp_store = MEMORY') // a full /tmp is no reason to fail
}

function configureWriter(sqlite: Sqlite.Database): void {
  sqlite.pragma('journal_mode = WAL') // readers (an operator's sqlite3) never block the writer
  sqlite.pragma('synchronous = FULL') // a commit that was answered survives a power cut
  sqlite.pragma('wal_autocheckpoint = 1000')
  // A reader that stays lets the log grow; afterwards the disk has it back, but for what the next log needs.
  sqlite.pragma(`journal_size_limit = ${16 * 1024 * 1024}`)
  chmodSync(sqlite.name, 0o600) // names of pods and addresses are nobody else's business
}

function refuseDamage(sqlite: Sqlite.Database, { path, what }: FileToOpen): void {
  const fault = sqlite.pragma('quick_check(1)', { simple: true })
  if (fault !== 'ok') {
    throw new IpamError('storage', `Cannot open ${what} "${path}": it is damaged: ${fault}`, {
      hint: damageHint,
    })
  }
}

function wrap(sqlite: Sqlite.Database, { path, readonly, broken }: FileToOpen): Database {
  const statements = new Map<string, Sqlite.Statement>()
  const file = readonly ? undefined : inodeOf(path)
  let fault: IpamError | undefined

  function prepare(sql: string): Sqlite.Statement {
    let statement = statements.get(sql)
    if (statement === undefined) {
      statement = sqlite.prepare(withFixedPlan(sql))
      statements.set(sql, statement)
    }
    return statement
  }

  /** What SQLite answers to us stays as it is; all else says that the file cannot be used. */
  function use<T>(how: () => T): T {
    if (fault !== undefined) throw fault
    try {
      return how()
    } catch (error) {
      const meaning = meaningOf(error)
      if (error instanceof IpamError) throw error
      // Our statements are right for our tables: it is the tables, or what is in them, that changed.
      if (sqliteCode(error) === 'SQLITE_ERROR') throw storageFault(error, `use "${path}"`, path)
      if (meaning === 'answer') throw error
      if (fault !== undefined) throw fault // undoing what failed may fail as well
      const told = storageFault(error, `use "${path}"`, path)
      throw meaning === 'broken' && !readonly ? breakWith(told) : told
    }
  }

  /** A sync that failed once may succeed the next time without what was to be stored: there is no next time. */
  function breakWith(found: IpamError): IpamError {
    fault = found
    broken?.(found)
    return found
  }

  /** What is stored in a file without a name is lost with this process. */
  function refuseLostFile(): void {
    if (file === undefined || inodeOf(path) === file) return
    throw breakWith(
      new IpamError('storage', `Cannot use "${path}": it was deleted or replaced while it was in use`, {
        hint: 'the next start takes the file that is there then, or makes a new one',
      }),
    )
  }

  /** Made once: making one costs as much as a small transaction. */
  const inTransaction = sqlite.transaction((work: () => unknown) => work())
  return {
    path,
    run: (sql, ...values) => use(() => prepare(sql).run(...values).changes),
    get: <T>(sql: string, ...values: readonly SqlValue[]) =>
      use(() => prepare(sql).get(...values) as T | undefined),
    all: <T>(sql: string, ...values: readonly SqlValue[]) => use(() => prepare(sql).all(...values) as T[]),
    script: (sql) => void use(() => sqlite.exec(sql)),
    transaction: <T>(work: () => T) =>
      use(() => {
        if (!sqlite.inTransaction) refuseLostFile()
        return inTransaction.immediate(work) as T
      }),
    close: () => sqlite.close(),
  }
}

/**
 * SQLite compiles a statement with a join or an ORDER BY anew for each run, in case the value that a column is compared to changes the plan:
 * five times the work of the run itself. Our plans do not depend on values; `likely()`, which does nothing, hides them.
 */
function withFixedPlan(sql: string): string {
  return sql.replace(/(=|\bIS) \?/g, '$1 likely(?)')
}

function inodeOf(path: string): number | undefined {
  return path === ':memory:' ? undefined : statSync(path, { throwIfNoEntry: false })?.ino
}
