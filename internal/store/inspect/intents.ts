// What the leader asked of the cloud, as it is shown: oldest first, done and failed ones as long as they are kept.
import type { EniMode } from '../../ipam/types.ts'
import type { Database } from '../../sqlite/database.ts'
import type { Millis } from '../../value/millis.ts'
import { equals, type Filter, oneOf, where } from './filter.ts'
import { type Timestamp, timestamp, timestampOrNull } from './timestamp.ts'

export interface ShownIntent {
  readonly id: number
  readonly kind: string
  readonly state: 'recorded' | 'accepted' | 'done' | 'failed'
  readonly node: string
  readonly instance: string
  readonly eni: string | null
  readonly slot: number
  readonly mode: EniMode
  readonly subnet: string
  /** How many addresses it is about. */
  readonly count: number
  /** Those whose names are known. */
  readonly addresses: readonly string[]
  readonly resent: number
  readonly reason: string
  readonly error: string | null
  /** Since when the cloud does not show what was asked for. */
  readonly missingSince: Timestamp | null
  readonly createdAt: Timestamp
  readonly changedAt: Timestamp
}

interface Row {
  readonly id: number
  readonly kind: string
  readonly state: ShownIntent['state']
  readonly node: string
  readonly instance_id: string
  readonly eni_id: string | null
  readonly slot: number
  readonly mode: EniMode
  readonly subnet_id: string
  readonly count: number
  readonly addresses: string
  readonly resent: number
  readonly reason: string
  readonly error: string | null
  readonly missing_since: Millis | null
  readonly created_at: Millis
  readonly changed_at: Millis
}

export function leaderIntents(db: Database, filter: Filter): readonly ShownIntent[] {
  const { sql, values } = where(oneOf('CAST(id AS TEXT)', filter.names), equals('node', filter.node))
  return db
    .all<Row>(
      `SELECT id, kind, state, node, instance_id, eni_id, slot, mode, subnet_id, count, addresses, resent, reason, error,
         missing_since, created_at, changed_at FROM intent ${sql} ORDER BY id`,
      ...values,
    )
    .map((row) => {
      const addresses = JSON.parse(row.addresses) as string[]
      return {
        id: row.id,
        kind: row.kind,
        state: row.state,
        node: row.node,
        instance: row.instance_id,
        eni: row.eni_id,
        slot: row.slot,
        mode: row.mode,
        subnet: row.subnet_id,
        count: Math.max(row.count, addresses.length),
        addresses,
        resent: row.resent,
        reason: row.reason,
        error: row.error,
        missingSince: timestampOrNull(row.missing_since),
        createdAt: timestamp(row.created_at),
        changedAt: timestamp(row.changed_at),
      }
    })
}
