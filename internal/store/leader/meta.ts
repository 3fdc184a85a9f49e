// Table `meta`: what the ledger says about itself.
import type { Database } from '../../sqlite/database.ts'

/** Identity of this file, made with it. */
export function ledgerId(db: Database): string {
  return read(db, 'ledger-id') ?? ''
}

export function isComplete(db: Database): boolean {
  return read(db, 'complete') !== undefined
}

export function setComplete(db: Database): void {
  db.run(`INSERT INTO meta (key, value) VALUES ('complete', 'yes') ON CONFLICT (key) DO NOTHING`)
}

function read(db: Database, key: string): string | undefined {
  return db.get<{ value: string }>(`SELECT value FROM meta WHERE key = ?`, key)?.value
}
