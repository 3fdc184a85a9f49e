// What the ledger says about itself.
import type { Database } from '../../sqlite/database.ts'
import { readMeta, writeMeta } from '../meta.ts'

/** Identity of this file, made with it. */
export function ledgerId(db: Database): string {
  return readMeta(db, 'ledger-id') ?? ''
}

export function isComplete(db: Database): boolean {
  return readMeta(db, 'complete') !== undefined
}

export function setComplete(db: Database): void {
  writeMeta(db, 'complete', 'yes')
}
