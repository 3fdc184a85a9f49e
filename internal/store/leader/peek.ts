// What a leader's ledger is, before anybody works with it: which one, and when it was last worked with.
import { existsSync, renameSync } from 'node:fs'
import { openDatabase } from '../../sqlite/database.ts'
import { readEpoch } from './epoch.ts'
import { ledgerId } from './meta.ts'

export interface LedgerFile {
  /** Empty when a version without identities made it. */
  readonly id: string
  readonly epoch: number
}

/** The ledger in the file; undefined when there is none, or none that can be read. Its lock must be held. */
export function peekLedger(path: string): LedgerFile | undefined {
  if (!existsSync(path)) return undefined
  try {
    const db = openDatabase({ path, kind: 'leader', migrations: [], readonly: true })
    try {
      return { id: ledgerId(db), epoch: readEpoch(db) }
    } finally {
      db.close()
    }
  } catch {
    return undefined // whoever opens it to work with it says why
  }
}

/** Renames the file, with what SQLite keeps beside it. */
export function moveLedger(path: string, to: string): void {
  for (const suffix of ['-wal', '-shm', '']) {
    if (existsSync(path + suffix)) renameSync(path + suffix, to + suffix)
  }
}
