// What a database must be told when it takes the place of a newer one: that it is behind the world, and not the same any more.
import type { Database } from '../sqlite/database.ts'

/** The daemon compares it with the world before it believes it; a node's gets a new name, so that no one takes its pool for the earlier one's. */
export function markRestored(db: Database, kind: 'leader' | 'node', at: string): void {
  db.transaction(() => {
    db.run(
      `INSERT INTO meta (key, value) VALUES ('restored', ?) ON CONFLICT (key) DO UPDATE SET value = excluded.value`,
      at,
    )
    if (kind === 'node') db.run(`DELETE FROM meta WHERE key = 'database-id'`)
  })
}
