// What it means when SQLite refuses something, and how that is said. The one place that decides which faults pass and which do not.
import { statfsSync } from 'node:fs'
import { dirname } from 'node:path'
import Sqlite from 'better-sqlite3'
import { IpamError } from '../ipam/errors.ts'

/**
 * answer: about the statement, not the file (a constraint that speaks). busy, full: nothing was changed, and later it may be.
 * broken: nobody knows what is stored before the file is opened anew.
 */
export type Meaning = 'answer' | 'busy' | 'full' | 'broken'

/** Of anything thrown; of an IpamError, what its cause means. */
export function meaningOf(error: unknown): Meaning {
  const code = sqliteCode(error instanceof IpamError ? error.cause : error)
  const [, kind = ''] = code.split('_')
  if (kind === 'FULL') return 'full'
  if (kind === 'BUSY' || kind === 'LOCKED') return 'busy'
  return brokenKinds.has(kind) ? 'broken' : 'answer'
}

const brokenKinds: ReadonlySet<string> = new Set([
  'IOERR',
  'READONLY',
  'CANTOPEN',
  'CORRUPT',
  'NOTADB',
  'PERM',
  'PROTOCOL',
  'NOLFS',
  'NOMEM',
])

/** SQLite's own word for a failure ("SQLITE_CORRUPT"); empty for what SQLite did not throw. */
export function sqliteCode(error: unknown): string {
  return error instanceof Sqlite.SqliteError ? error.code : ''
}

export const damageHint =
  'the file is left as it is; "tke-eni db rebuild" moves it aside, and the next start makes a new one from what there is; "tke-eni db restore" puts a backup in its place'

/** What SQLite (or the file system) threw, in our words; an IpamError stays as it is. `path` is that of the file. */
export function storageFault(cause: unknown, doing: string, path?: string): IpamError {
  if (cause instanceof IpamError) return cause
  const { found, hint } = explain(cause as Error, path)
  return new IpamError('storage', `Cannot ${doing}: ${found}`, {
    cause,
    ...(hint === undefined ? {} : { hint }),
  })
}

function explain(cause: Error, path: string | undefined): { readonly found: string; readonly hint?: string } {
  const code = sqliteCode(cause)
  const meaning = meaningOf(cause)
  if (meaning === 'busy')
    return {
      found: 'another program keeps it locked',
      hint: 'end the transaction that is open there (a forgotten "begin" in sqlite3?)',
    }
  if (
    meaning === 'full' ||
    errno(cause) === 'ENOSPC' ||
    (meaning === 'broken' && path !== undefined && isFull(dirname(path)))
  ) {
    const where = path === undefined ? '' : ` on the file system of "${dirname(path)}"`
    return { found: 'the disk is full', hint: `make room${where}; a daemon goes on without help then` }
  }
  if (code === 'SQLITE_READONLY' || errno(cause) === 'EROFS')
    return {
      found:
        'it can only be read: its file system is read-only, or the user that runs the daemon may not write there',
      hint: `see \`mount\` and \`ls -l\`; a file system turns read-only by itself when its disk fails (dmesg)`,
    }
  if (code.startsWith('SQLITE_CORRUPT') || code === 'SQLITE_NOTADB')
    return { found: `it is damaged: ${cause.message}`, hint: damageHint }
  if (code.startsWith('SQLITE_IOERR'))
    return {
      found: `reading or writing it failed: ${cause.message} (${code})`,
      hint: 'look for faults of the disk or file system (dmesg, df, mount); a restart reads again what is stored',
    }
  if (meaning === 'broken')
    return {
      found: `${cause.message} (${code})`,
      hint: 'check that its directory is mounted, writable and of the user that runs the daemon',
    }
  if (code === 'SQLITE_ERROR')
    return {
      found: `its tables are not as this version makes them: ${cause.message}`,
      hint: 'see "tke-eni db check"',
    }
  return { found: cause.message }
}

function errno(cause: Error): string | undefined {
  return (cause as NodeJS.ErrnoException).code
}

/** Has it no room even for a page? What needs new pages for more than data fails in other words than "full". */
function isFull(directory: string): boolean {
  try {
    const { bavail, bsize } = statfsSync(directory)
    return bavail * bsize < 64 * 1024
  } catch {
    return false
  }
}
