// Table `quarantine`: what the views disagree about, until they agree.
import type { Suspect, SuspectKind } from '../../ipam/quarantine.ts'
import type { NodeName } from '../../ipam/types.ts'
import type { Database } from '../../sqlite/database.ts'
import type { Millis } from '../../value/millis.ts'

interface Row {
  readonly kind: SuspectKind
  readonly subject: string
  readonly node: string | null
  readonly reason: string
  readonly remedy: string
  readonly first_seen: number
  readonly last_seen: number
  readonly reads: number
  readonly held: 0 | 1
}

export function listSuspects(db: Database): readonly Suspect[] {
  return db.all<Row>(`SELECT * FROM quarantine ORDER BY kind, subject`).map((row) => ({
    kind: row.kind,
    subject: row.subject,
    node: row.node ?? undefined,
    reason: row.reason,
    remedy: row.remedy,
    firstSeen: row.first_seen,
    lastSeen: row.last_seen,
    reads: row.reads,
    held: row.held === 1,
  }))
}

/** Exactly these are in quarantine from now on. */
export function setSuspects(db: Database, suspects: readonly Suspect[]): void {
  db.run(`DELETE FROM quarantine`)
  for (const one of suspects) {
    db.run(
      `INSERT INTO quarantine (kind, subject, node, reason, remedy, first_seen, last_seen, reads, held)
       VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?)`,
      one.kind,
      one.subject,
      one.node ?? null,
      one.reason,
      one.remedy,
      one.firstSeen,
      one.lastSeen,
      one.reads,
      one.held ? 1 : 0,
    )
  }
}

/** ENIs of the node that are in no ledger, as one view shows since `from`; a second one claims them soon, or says why not. */
export function unclaimedEnis(db: Database, node: NodeName, from: Millis): number {
  const sql = `SELECT 1 FROM quarantine WHERE kind = 'eni-orphan' AND node = ? AND reads = 1 AND first_seen > ?`
  return db.all(sql, node, from).length
}
