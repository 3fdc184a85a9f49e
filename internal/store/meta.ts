// Table `meta`: single values.
import type { Database } from '../sqlite/database.ts'

export function readMeta(db: Database, key: string): string | undefined {
  return db.get<{ value: string }>(`SELECT value FROM meta WHERE key = ?`, key)?.value
}

/** Returns `value`; undefined removes the key. */
export function writeMeta<T extends string | undefined>(db: Database, key: string, value: T): T {
  if (value === undefined) db.run(`DELETE FROM meta WHERE key = ?`, key)
  else
    db.run(
      `INSERT INTO meta (key, value) VALUES (?, ?) ON CONFLICT (key) DO UPDATE SET value = excluded.value`,
      key,
      value,
    )
  return value
}
