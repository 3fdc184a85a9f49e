// One process per database: a lock that the kernel drops when its holder dies, however it dies.
import { closeSync, openSync } from 'node:fs'
import Sqlite from 'better-sqlite3'
import { IpamError } from '../ipam/errors.ts'
import { nativeBindingOption } from './native-binding.ts'

/** Holds `path` (a file of its own, beside the database, so that `sqlite3` can still read that) until released. Throws `storage` when another process has it. */
export function lockFile(path: string): { release(): void } {
  closeSync(openSync(path, 'a', 0o600))
  const lock = new Sqlite(path, { timeout: 0, ...nativeBindingOption() })
  try {
    lock.pragma('journal_mode = DELETE')
    lock.exec('BEGIN EXCLUSIVE')
  } catch (cause) {
    lock.close()
    throw new IpamError('storage', `Cannot lock "${path}": another process holds it`, {
      cause,
      hint: 'this machine runs a second instance on the same directory; stop one of them',
    })
  }
  return { release: () => lock.close() }
}
