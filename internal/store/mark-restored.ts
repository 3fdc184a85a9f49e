// What a database must be told when it takes the place of a newer one: that it is behind the world, and not the same any more.
import type { Database } from '../sqlite/database.ts'

/**
 * A node agent compares it with the kernel before it believes it, and under a new name: nobody takes its pool for the newer one's.
 * The leader rebuilds what the world knows better, ENIs and addresses; what only the ledger knows (history, grants) stays.
 */
export function markRestored(db: Database, kind: 'leader' | 'node', at: string): void {
  db.transaction(() => {
    db.run(
      `INSERT INTO meta (key, value) VALUES ('restored', ?) ON CONFLICT (key) DO UPDATE SET value = excluded.value`,
      at,
    )
    if (kind === 'node') db.run(`DELETE FROM meta WHERE key = 'database-id'`)
    else makeIncomplete(db)
  })
}

function makeIncomplete(db: Database): void {
  db.run(`DELETE FROM meta WHERE key = 'complete'`)
  for (const table of ['quarantine', 'intent', 'ip', 'eni', 'node']) db.run(`DELETE FROM ${table}`)
}
