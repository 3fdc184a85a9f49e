// Table `quarantine`: what kernel, leader and this database disagree about.
import type { Quarantined } from '../../ipam/plan-quarantine.ts'
import type { Database } from '../../sqlite/database.ts'
import type { Ipv4 } from '../../value/ipv4.ts'

interface QuarantineRow {
  readonly kind: Quarantined['kind']
  readonly subject: string
  readonly address: Ipv4 | null
  readonly reason: string
  readonly remedy: string
  readonly first_seen: number
  readonly last_seen: number
  readonly reads: number
  readonly missing_since: number | null
}

export function listQuarantine(db: Database): readonly Quarantined[] {
  return db.all<QuarantineRow>(`SELECT * FROM quarantine ORDER BY kind, subject`).map((row) => ({
    kind: row.kind,
    subject: row.subject,
    address: row.address ?? undefined,
    reason: row.reason,
    remedy: row.remedy,
    firstSeen: row.first_seen,
    lastSeen: row.last_seen,
    reads: row.reads,
    missingSince: row.missing_since ?? undefined,
  }))
}

export function setQuarantine(db: Database, entries: readonly Quarantined[]): void {
  db.run(`DELETE FROM quarantine`)
  for (const entry of entries) {
    db.run(
      `INSERT INTO quarantine (kind, subject, address, reason, remedy, first_seen, last_seen, reads, missing_since)
       VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?)`,
      entry.kind,
      entry.subject,
      entry.address ?? null,
      entry.reason,
      entry.remedy,
      entry.firstSeen,
      entry.lastSeen,
      entry.reads,
      entry.missingSince ?? null,
    )
  }
}

export function leaveQuarantine(db: Database, hostLink: string): void {
  db.run(`DELETE FROM quarantine WHERE kind = 'pod-link' AND subject = ?`, hostLink)
}
