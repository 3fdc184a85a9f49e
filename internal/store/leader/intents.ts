// Table `intent`: what was asked of the cloud, stored before it is sent and resolved with its result.
import { IpamError } from '../../ipam/errors.ts'
import type { Intent, IntentKind } from '../../ipam/settle-intent.ts'
import type { EniMode } from '../../ipam/types.ts'
import type { Database } from '../../sqlite/database.ts'
import type { Ipv4 } from '../../value/ipv4.ts'
import type { Millis } from '../../value/millis.ts'

interface IntentRow {
  readonly id: number
  readonly kind: IntentKind
  readonly node: string
  readonly instance_id: string
  readonly eni: number
  readonly eni_id: string | null
  readonly from_eni: number | null
  readonly from_eni_id: string | null
  readonly from_node: string | null
  readonly subnet_id: string
  readonly slot: number
  readonly mode: EniMode
  readonly count: number
  readonly addresses: string
  readonly exact: 0 | 1
  readonly token: string
  readonly resent: number
  readonly reason: string
  readonly state: 'recorded' | 'accepted'
  readonly created_at: number
  readonly changed_at: number
  readonly missing_since: number | null
  readonly there_since: number | null
}

export function openIntents(db: Database): readonly Intent[] {
  return db
    .all<IntentRow>(`SELECT * FROM intent WHERE state IN ('recorded', 'accepted') ORDER BY id`)
    .map(fromRow)
}

export function addIntent(
  db: Database,
  now: number,
  intent: Omit<Intent, 'id' | 'state' | 'resent' | 'createdAt' | 'changedAt' | 'missingSince' | 'exact'> & {
    exact?: boolean
  },
): Intent {
  const row = db.get<IntentRow>(
    `INSERT INTO intent (kind, node, instance_id, eni, eni_id, subnet_id, slot, mode, count, addresses, exact, token, reason,
       from_eni, from_eni_id, from_node, there_since, state, created_at, changed_at)
     VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, 'recorded', ?, ?) RETURNING *`,
    intent.kind,
    intent.node,
    intent.instanceId,
    intent.eni,
    intent.eniId ?? null,
    intent.subnetId,
    intent.slot,
    intent.mode,
    intent.count,
    JSON.stringify(intent.addresses),
    intent.exact ? 1 : 0,
    intent.token,
    intent.reason,
    intent.from?.eni ?? null,
    intent.from?.eniId ?? null,
    intent.from?.node ?? null,
    intent.thereSince ?? null,
    now,
    now,
  )
  if (row === undefined) throw new IpamError('storage', 'Cannot record an intent: the row did not come back')
  return fromRow(row)
}

/** Changes an open intent; throws `conflict` when it is resolved already. */
export function updateIntent(
  db: Database,
  now: number,
  id: number,
  change: {
    state?: 'accepted' | 'done' | 'failed'
    eniId?: string
    addresses?: readonly Ipv4[]
    token?: string
    error?: string
  },
): void {
  const changes = db.run(
    `UPDATE intent SET state = coalesce(?, state), eni_id = coalesce(?, eni_id), addresses = coalesce(?, addresses),
       token = coalesce(?, token), resent = resent + ?, error = coalesce(?, error), changed_at = ?, missing_since = NULL
     WHERE id = ? AND state IN ('recorded', 'accepted')`,
    change.state ?? null,
    change.eniId ?? null,
    change.addresses === undefined ? null : JSON.stringify(change.addresses),
    change.token ?? null,
    change.token === undefined ? 0 : 1,
    change.error ?? null,
    now,
    id,
  )
  if (changes !== 1) throw new IpamError('conflict', `Cannot change intent ${id}: it is resolved already`)
}

/** Sent anew: what is known of the former sending no longer counts. */
export function reopenIntent(db: Database, id: number): void {
  db.run(`UPDATE intent SET state = 'recorded' WHERE id = ? AND state IN ('recorded', 'accepted')`, id)
}

/** Without touching `changed_at`: being looked at is no progress. */
export function setMissing(db: Database, id: number, since: number | undefined): void {
  db.run(`UPDATE intent SET missing_since = ? WHERE id = ?`, since ?? null, id)
}

/** Open intents from the future are from now on of `now`. */
export function rewindIntents(db: Database, now: number): void {
  db.run(
    `UPDATE intent SET created_at = min(created_at, ?), changed_at = min(changed_at, ?), missing_since = min(missing_since, ?)
     WHERE state IN ('recorded', 'accepted') AND max(created_at, changed_at, coalesce(missing_since, 0)) > ?`,
    now,
    now,
    now,
    now,
  )
}

/** Addresses that intents took off the ENI, and that came to an end since then. */
export function leftSince(db: Database, eni: number, since: Millis): ReadonlySet<Ipv4> {
  const rows = db.all<{ addresses: string }>(
    `SELECT addresses FROM intent WHERE eni = ? AND kind = 'unassign' AND state IN ('done', 'failed') AND changed_at >= ?
     UNION ALL SELECT addresses FROM intent WHERE from_eni = ? AND state IN ('done', 'failed') AND changed_at >= ?`,
    eni,
    since,
    eni,
    since,
  )
  return new Set(rows.flatMap(({ addresses }) => JSON.parse(addresses) as Ipv4[]))
}

export function findIntent(db: Database, id: number): Intent {
  const row = db.get<IntentRow>(`SELECT * FROM intent WHERE id = ?`, id)
  if (row === undefined) throw new IpamError('not_found', `Cannot find intent ${id}`)
  return fromRow(row)
}

function fromRow(row: IntentRow): Intent {
  return {
    id: row.id,
    kind: row.kind,
    node: row.node,
    instanceId: row.instance_id,
    eni: row.eni,
    eniId: row.eni_id ?? undefined,
    ...fromOf(row),
    subnetId: row.subnet_id,
    slot: row.slot,
    mode: row.mode,
    state: row.state,
    count: row.count,
    addresses: JSON.parse(row.addresses) as Ipv4[],
    exact: row.exact === 1,
    token: row.token,
    resent: row.resent,
    reason: row.reason,
    createdAt: row.created_at,
    changedAt: row.changed_at,
    missingSince: row.missing_since ?? undefined,
    ...(row.there_since !== null && { thereSince: row.there_since }),
  }
}

function fromOf({ from_eni: eni, from_eni_id: eniId, from_node: node }: IntentRow): Pick<Intent, 'from'> {
  return eni === null || eniId === null || node === null ? {} : { from: { eni, eniId, node } }
}
