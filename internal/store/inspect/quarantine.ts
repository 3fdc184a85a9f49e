// What a database has in quarantine, as it is shown.
import type { Database } from '../../sqlite/database.ts'
import type { Millis } from '../../value/millis.ts'
import { equals, type Filter, oneOf, where } from './filter.ts'
import { type Timestamp, timestamp } from './timestamp.ts'

export interface ShownSuspect {
  readonly kind: string
  /** The ENI, address, pod, node or link it is about. */
  readonly subject: string
  /** Suspected after one view, confirmed after two; held: nothing is handed out of it until it is over. */
  readonly state: 'suspected' | 'confirmed' | 'held' | 'going' | 'gone'
  readonly node: string | null
  /** The address that a link has; known to nodes. */
  readonly address: string | null
  readonly reads: number
  readonly reason: string
  readonly remedy: string
  readonly firstSeenAt: Timestamp
  readonly lastSeenAt: Timestamp
}

interface CommonRow {
  readonly kind: string
  readonly subject: string
  readonly reason: string
  readonly remedy: string
  readonly first_seen: Millis
  readonly last_seen: Millis
  readonly reads: number
}

export function leaderQuarantine(db: Database, filter: Filter): readonly ShownSuspect[] {
  const { sql, values } = where(oneOf('subject', filter.names), equals('node', filter.node))
  return db
    .all<CommonRow & { readonly node: string | null; readonly held: 0 | 1 }>(
      `SELECT kind, subject, node, reason, remedy, first_seen, last_seen, reads, held FROM quarantine ${sql} ORDER BY kind, subject`,
      ...values,
    )
    .map((row) =>
      shown(row, row.held === 1 ? 'held' : row.reads > 1 ? 'confirmed' : 'suspected', row.node, null),
    )
}

export function nodeQuarantine(db: Database, filter: Filter): readonly ShownSuspect[] {
  const { sql, values } = where(oneOf('subject', filter.names))
  return db
    .all<CommonRow & { readonly address: string | null; readonly missing_since: Millis | null }>(
      `SELECT kind, subject, address, reason, remedy, first_seen, last_seen, reads, missing_since
       FROM quarantine ${sql} ORDER BY kind, subject`,
      ...values,
    )
    .map((row) => shown(row, row.missing_since === null ? 'held' : 'going', null, row.address))
}

function shown(
  row: CommonRow,
  state: ShownSuspect['state'],
  node: string | null,
  address: string | null,
): ShownSuspect {
  return {
    kind: row.kind,
    subject: row.subject,
    state,
    node,
    address,
    reads: row.reads,
    reason: row.reason,
    remedy: row.remedy,
    firstSeenAt: timestamp(row.first_seen),
    lastSeenAt: timestamp(row.last_seen),
  }
}
