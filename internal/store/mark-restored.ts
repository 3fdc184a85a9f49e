// What a database must be told when it takes the place of a newer one: that it is behind the world, and not the same any more.
import type { Database } from '../sqlite/database.ts'
import { forgetChanges } from './leader/claim-feed.ts'
import { writeMeta } from './meta.ts'

/**
 * A node agent compares it with kernel and NEC before it believes it, and under a new name: nobody takes its pool for the newer one's.
 * The leader rebuilds what the world knows better, ENIs and addresses; what only the ledger knows (history, grants) stays.
 */
export function markRestored(db: Database, kind: 'leader' | 'node', at: string): void {
  db.transaction(() => {
    writeMeta(db, 'restored', at)
    if (kind === 'node') {
      writeMeta(db, 'behind-nec', at)
      writeMeta(db, 'database-id', undefined)
    } else makeIncomplete(db)
  })
}

function makeIncomplete(db: Database): void {
  writeMeta(db, 'complete', undefined)
  for (const table of ['quarantine', 'intent', 'ip', 'eni', 'node']) db.run(`DELETE FROM ${table}`)
  forgetChanges(db)
}
