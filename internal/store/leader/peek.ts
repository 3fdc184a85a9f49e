// What a leader's ledger is, before anybody works with it: which one, and when it was last worked with.
import { existsSync } from 'node:fs'
import { openDatabase, takeBack } from '../../sqlite/database.ts'
import { checkHistory, type Migration } from '../../sqlite/migrate.ts'
import { readEpoch } from './epoch.ts'
import { isComplete, ledgerId } from './meta.ts'

export interface LedgerFile {
  /** Empty when a version without identities made it. */
  readonly id: string
  readonly epoch: number
  /** False: it is made anew before anybody leads with it. */
  readonly complete: boolean
}

/**
 * The ledger in the file; undefined when there is none. Its lock must be held. `checked`: since then its pages were all looked at.
 * Throws `storage` when nobody could work with it.
 */
export function peekLedger(
  path: string,
  migrations: readonly Migration[],
  { checked = false } = {},
): LedgerFile | undefined {
  if (!existsSync(path)) return undefined
  takeBack(path, 'leader')
  const db = openDatabase({ path, kind: 'leader', migrations, readonly: true, checked })
  try {
    if (checkHistory(db, 'leader', migrations) === 0) return undefined
    const id = ledgerId(db)
    return { id, epoch: readEpoch(db), complete: id === '' || isComplete(db) }
  } finally {
    db.close()
  }
}
