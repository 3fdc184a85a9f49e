// The claims in a leader's database as they are shown.
import { type ClaimPhase, type ClaimPolicy, shownOwner } from '../../ipam/claim.ts'
import type { EniMode, OwnerRef } from '../../ipam/types.ts'
import type { Database } from '../../sqlite/database.ts'
import type { Millis } from '../../value/millis.ts'
import { wallClock } from '../leader/claim-feed.ts'
import { type ClaimRow, fromRow } from '../leader/claims.ts'
import { equals, type Filter, named, where } from './filter.ts'
import { type Timestamp, timestamp, timestampOrNull } from './timestamp.ts'

/** null: there is none. */
export interface ShownClaim {
  readonly namespace: string
  readonly name: string
  readonly phase: ClaimPhase | 'gone'
  readonly policy: ClaimPolicy
  readonly mode: EniMode
  readonly address: string | null
  readonly node: string | null
  readonly podUid: string | null
  readonly eni: string | null
  readonly subnet: string | null
  readonly zone: string | null
  readonly reservation: string | null
  readonly nominatedAddress: string | null
  readonly nominatedSubnets: readonly string[]
  readonly expireAfterMs: number | null
  readonly retainedAt: Timestamp | null
  /** By the clock on the wall; null also while its pod is there. */
  readonly expiresAt: Timestamp | null
  readonly owner: OwnerRef | null
  readonly reason: string
  readonly message: string
  readonly generation: number
  readonly version: number
  readonly createdAt: Timestamp
  readonly changedAt: Timestamp
}

/** By namespace and name; with `expiring` only those that will be given back unless their pod comes, the soonest first. */
export function leaderClaims(db: Database, filter: Filter, now: Millis): readonly ShownClaim[] {
  const { sql, values } = where(
    named(filter.names),
    equals('node', filter.node),
    equals('namespace', filter.namespace),
    filter.expiring === true ? { sql: 'expires_at IS NOT NULL', values: [] } : undefined,
  )
  const order = filter.expiring === true ? 'expires_at, namespace, name' : 'namespace, name'
  return db
    .all<ClaimRow>(`SELECT * FROM claim ${sql} ORDER BY ${order}`, ...values)
    .map(shownBy(wallClock(db, now)))
}

function shownBy(wall: (ledgerTime: Millis) => Millis): (row: ClaimRow) => ShownClaim {
  return (row) => {
    const claim = fromRow(row)
    return {
      namespace: row.namespace,
      name: row.name,
      phase: row.phase,
      policy: row.policy,
      mode: row.mode,
      address: row.address,
      node: row.node,
      podUid: row.pod_uid,
      eni: row.eni_id,
      subnet: row.subnet_id,
      zone: row.zone,
      reservation: row.reservation,
      nominatedAddress: row.nominated_address,
      nominatedSubnets: claim.nominatedSubnets,
      expireAfterMs: row.expire_after,
      retainedAt: timestampOrNull(row.retained_at),
      expiresAt: timestampOrNull(row.expires_at === null ? null : wall(row.expires_at)),
      owner: claim.owner === undefined ? null : shownOwner(claim.owner),
      reason: row.reason,
      message: row.message,
      generation: row.generation,
      version: row.version,
      createdAt: timestamp(row.created_at),
      changedAt: timestamp(row.changed_at),
    }
  }
}
