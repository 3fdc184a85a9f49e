// A database for looking only: beside its writer, without any, from another version's hands or on a read-only medium.
import { copyFileSync, existsSync, mkdtempSync, rmSync, statSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { IpamError } from '../ipam/errors.ts'
import { type Database, type FileToOpen, openFile } from './database.ts'
import { sqliteCode, storageFault } from './faults.ts'
import { checkHistory, type Migration, readHistory } from './migrate.ts'

export interface ReadonlyDatabase<Kind extends string> {
  readonly kind: Kind
  readonly database: Database
  /** Of a copy made when it was opened: nothing that its writer does later shows. */
  readonly copied: boolean
  close(): void
}

/**
 * Opens one of several kinds of databases, each with its migrations; nothing is migrated. Throws `storage` as openDatabase,
 * and also for a file that is empty or of an older version.
 */
export function openReadonly<Kind extends string>(
  path: string,
  kinds: Readonly<Record<Kind, readonly Migration[]>>,
): ReadonlyDatabase<Kind> {
  const what = `${Object.keys(kinds).join(' or ')} database`
  const file = { path, what, readonly: true }
  try {
    return openFile(file, (database) => recognise(database, file, kinds))
  } catch (error) {
    if (!isReadonlyPlace((error as Error).cause)) throw error
    return openCopy(file, kinds)
  }
}

/** Readers of a WAL database share memory in a file beside it, which they make when nobody else has. */
function isReadonlyPlace(error: unknown): boolean {
  return /^SQLITE_(?:CANTOPEN|READONLY)/.test(sqliteCode(error))
}

function recognise<Kind extends string>(
  database: Database,
  { path, what }: FileToOpen,
  kinds: Readonly<Record<Kind, readonly Migration[]>>,
): ReadonlyDatabase<Kind> {
  const [first, ...later] = readHistory(database, what.replace(/ database$/, ''))
  if (first === undefined) throw new IpamError('storage', `Cannot open ${what} "${path}": it is empty`)
  const known = Object.keys(kinds) as Kind[]
  const kind = known.find((each) => each === first.kind)
  if (kind === undefined) {
    throw new IpamError('storage', `Cannot open ${what} "${path}": it is a ${first.kind} database`)
  }
  const lacking = kinds[kind][checkHistory(database, kind, kinds[kind])]
  if (lacking !== undefined) {
    throw new IpamError(
      'storage',
      `Cannot open ${kind} database "${path}": it was written by an older version (it lacks migration "${lacking.name}" after "${(later.at(-1) ?? first).name}")`,
      {
        hint: 'its daemon brings it forward when it is started with this version; until then read it with the older one',
      },
    )
  }
  return { kind, database, copied: false, close: () => database.close() }
}

function openCopy<Kind extends string>(
  { path, what }: FileToOpen,
  kinds: Readonly<Record<Kind, readonly Migration[]>>,
): ReadonlyDatabase<Kind> {
  const doing = `open ${what} "${path}"`
  let directory: string
  try {
    directory = mkdtempSync(join(tmpdir(), 'tke-eni-read-')) // mode 0700
  } catch (cause) {
    throw storageFault(cause, `copy ${what} "${path}", whose directory is read-only`)
  }
  const discard = () => rmSync(directory, { recursive: true, force: true })
  try {
    const copy = join(directory, 'copy.db')
    copyUnchanged(path, copy, doing)
    const opened = openFile({ path: copy, what, readonly: true }, (database) =>
      recognise({ ...database, path }, { path, what, readonly: true }, kinds),
    )
    return {
      ...opened,
      copied: true,
      close() {
        opened.close()
        discard()
      },
    }
  } catch (error) {
    discard()
    throw storageFault(error, doing)
  }
}

/** File and log belong together: a copy during which either changed is none. */
function copyUnchanged(path: string, copy: string, doing: string): void {
  for (let attempt = 0; attempt < 5; attempt++) {
    const before = fingerprint(path)
    copyFileSync(path, copy)
    rmSync(`${copy}-wal`, { force: true })
    if (existsSync(`${path}-wal`)) copyFileSync(`${path}-wal`, `${copy}-wal`)
    if (fingerprint(path) === before) return
  }
  throw new IpamError(
    'storage',
    `Cannot ${doing}: its directory is read-only, and it changes while it is copied`,
    {
      hint: 'try as the user that runs the daemon, or as root',
    },
  )
}

function fingerprint(path: string): string {
  const parts = [path, `${path}-wal`].map((each) => {
    const found = statSync(each, { bigint: true, throwIfNoEntry: false })
    return found === undefined ? '' : `${found.ino} ${found.size} ${found.mtimeNs}`
  })
  return parts.join('\n')
}
