// One process per database: a lock that the kernel drops when its holder dies, however it dies.
import { closeSync, openSync } from 'node:fs'
import Sqlite from 'better-sqlite3'
import { IpamError } from '../ipam/errors.ts'
import { sqliteCode, storageFault } from './faults.ts'
import { nativeBindingOption } from './native-binding.ts'

const secondInstance = 'this machine runs a second instance on the same directory; stop one of them'

/**
 * Holds `path` (a file of its own, beside the database, so that `sqlite3` can still read that) until released. Throws `storage`
 * when another process has it; `remedy` says what to do then.
 */
export function lockFile(path: string, remedy = secondInstance): { release(): void } {
  makePrivately(path)
  const lock = new Sqlite(path, { timeout: 0, ...nativeBindingOption() })
  try {
    lock.pragma('journal_mode = DELETE')
    lock.exec('BEGIN EXCLUSIVE')
  } catch (cause) {
    lock.close()
    if (!sqliteCode(cause).startsWith('SQLITE_BUSY')) throw storageFault(cause, `lock "${path}"`, path)
    throw new IpamError('storage', `Cannot lock "${path}": another process holds it`, {
      cause,
      hint: remedy,
    })
  }
  return { release: () => lock.close() }
}

/** An existing file is not even opened: closing it would drop a lock that this process holds on it (POSIX locks do that). */
function makePrivately(path: string): void {
  try {
    closeSync(openSync(path, 'wx', 0o600))
  } catch (cause) {
    if ((cause as NodeJS.ErrnoException).code === 'EEXIST') return
    throw new IpamError('storage', `Cannot lock "${path}": ${(cause as Error).message}`, { cause })
  }
}
