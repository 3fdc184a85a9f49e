// Table `ip_history`: who had each address of this node when, and why it changed hands.
import type { PodName } from '../../ipam/types.ts'
import type { Database } from '../../sqlite/database.ts'
import type { Ipv4 } from '../../value/ipv4.ts'
import type { Millis } from '../../value/millis.ts'

export interface HistoryEntry {
  readonly at: Millis
  readonly address: Ipv4 | 'unknown'
  readonly event:
    | 'added'
    | 'renewed'
    | 'claimed'
    | 'unclaimed'
    | 'attached'
    | 'detached'
    | 'returned'
    | 'unpublished'
    | 'forgotten'
  readonly reason: string
  readonly pod?: PodName & { readonly uid: string }
  readonly containerId?: string
  readonly hostLink?: string
  readonly coolingUntil?: Millis
}

export function remember(db: Database, entry: HistoryEntry): void {
  db.run(
    `INSERT INTO ip_history (at, address, event, pod_namespace, pod_name, pod_uid, container_id, host_link, reason, cooling_until)
     VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?)`,
    entry.at,
    entry.address,
    entry.event,
    entry.pod?.namespace ?? null,
    entry.pod?.name ?? null,
    entry.pod?.uid ?? null,
    entry.containerId ?? null,
    entry.hostLink ?? null,
    entry.reason,
    entry.coolingUntil ?? null,
  )
}

/** Until when the address is to rest after its last pod; 0 when nothing is remembered of that. A clock that was set back makes it no longer. */
export function coolingUntil(db: Database, now: Millis, address: Ipv4): Millis {
  const sql = `SELECT max(cooling_until) AS until FROM ip_history WHERE address = ? AND cooling_until IS NOT NULL AND at <= ?`
  return db.get<{ until: Millis | null }>(sql, address, now)?.until ?? 0
}

/** Was a sandbox on the host link let go, as far as this database remembers? */
export function wasLetGo(db: Database, hostLink: string): boolean {
  const sql = `SELECT 1 FROM ip_history WHERE host_link = ? AND event = 'detached' LIMIT 1`
  return db.get(sql, hostLink) !== undefined
}
