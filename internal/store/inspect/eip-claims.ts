// The claims to EIPs in a leader's database, and the EIPs themselves, as they are shown.
import { type ClaimPhase, type ClaimPolicy, shownOwner } from '../../ipam/claim.ts'
import type { EipAct } from '../../ipam/eip-claim.ts'
import { type EipCost, eipCost } from '../../ipam/eip-cost.ts'
import type { EipWish } from '../../ipam/eip-wish.ts'
import type { OwnerRef } from '../../ipam/types.ts'
import type { Database } from '../../sqlite/database.ts'
import type { Ipv4 } from '../../value/ipv4.ts'
import type { Millis } from '../../value/millis.ts'
import { wallClock } from '../leader/claim-feed.ts'
import { type EipClaimRow, fromEipRow } from '../leader/eip-claims.ts'
import { anyOf, type Condition, equals, type Filter, named, where } from './filter.ts'
import { type Timestamp, timestamp, timestampOrNull } from './timestamp.ts'

/** null: there is none, or, of what is asked for, its user's EIPs decide. */
export interface ShownEipClaim {
  readonly namespace: string
  readonly name: string
  readonly phase: ClaimPhase | 'gone'
  readonly policy: ClaimPolicy
  readonly source: EipWish['source']
  readonly eip: string | null
  /** The public one. */
  readonly address: Ipv4 | null
  readonly privateIp: Ipv4 | null
  readonly node: string | null
  readonly podUid: string | null
  readonly eni: string | null
  readonly cost: EipCost
  /** In Mbps. */
  readonly bandwidth: number | null
  readonly isp: string | null
  readonly chargeType: string | null
  readonly eipIds: readonly string[]
  readonly ordinal: number | null
  /** What the cloud was asked last, until it is seen what became of it. */
  readonly asked: EipAct | null
  readonly askedAt: Timestamp | null
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
export function leaderEipClaims(db: Database, filter: Filter, now: Millis): readonly ShownEipClaim[] {
  const order = filter.expiring === true ? 'expires_at, namespace, name' : 'namespace, name'
  return select(db, filter, now, named(filter.names), order)
}

/** Those that there are, by id. Their names are ids, addresses of either side, and pods. */
export function leaderEips(db: Database, filter: Filter, now: Millis): readonly ShownEipClaim[] {
  const columns = ['eip_id', 'address', 'private_ip', "namespace || '/' || name"]
  return select(db, filter, now, anyOf(columns, filter.names), 'eip_id').filter(({ eip }) => eip !== null)
}

function select(
  db: Database,
  filter: Filter,
  now: Millis,
  names: Condition | undefined,
  order: string,
): readonly ShownEipClaim[] {
  const { sql, values } = where(
    names,
    equals('node', filter.node),
    equals('namespace', filter.namespace),
    filter.expiring === true ? { sql: 'expires_at IS NOT NULL', values: [] } : undefined,
  )
  return db
    .all<EipClaimRow>(`SELECT * FROM eip_claim ${sql} ORDER BY ${order}`, ...values)
    .map(shownBy(wallClock(db, now)))
}

/** A step of an EIP claim that people ask about. */
export interface ShownEipStep {
  readonly at: Timestamp
  readonly phase: ClaimPhase
  readonly node: string | null
  readonly privateIp: Ipv4 | null
  readonly eip: string | null
  readonly reason: string
}

/** As far as the log of changes still has them, the oldest first. */
export function eipSteps(db: Database, { name, namespace }: ShownEipClaim): readonly ShownEipStep[] {
  const sql = `SELECT at, after FROM change WHERE kind = 'eip' AND after IS NOT NULL
    AND claim = (SELECT key FROM eip_claim WHERE namespace = ? AND name = ?) ORDER BY seq`
  const steps: ShownEipStep[] = []
  for (const { after, at } of db.all<{ at: Millis; after: string }>(sql, namespace, name)) {
    const row = JSON.parse(after) as EipClaimRow
    const step = { phase: row.phase, node: row.node, privateIp: row.private_ip, eip: row.eip_id }
    const last = steps.at(-1)
    const isSame =
      last !== undefined &&
      last.reason === row.reason &&
      Object.entries(step).every(([key, value]) => last[key as keyof typeof step] === value)
    if (!isSame) steps.push({ at: timestamp(at), ...step, reason: row.reason })
  }
  return steps
}

function shownBy(wall: (ledgerTime: Millis) => Millis): (row: EipClaimRow) => ShownEipClaim {
  return (row) => {
    const claim = fromEipRow(row)
    return {
      namespace: row.namespace,
      name: row.name,
      phase: row.phase,
      policy: row.policy,
      source: row.source,
      eip: row.eip_id,
      address: row.address,
      privateIp: row.private_ip,
      node: row.node,
      podUid: row.pod_uid,
      eni: row.eni_id,
      cost: eipCost(claim),
      ...shownWish(claim.wish),
      asked: row.acted,
      askedAt: timestampOrNull(row.acted_at),
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

function shownWish(
  wish: EipWish,
): Pick<ShownEipClaim, 'bandwidth' | 'isp' | 'chargeType' | 'eipIds' | 'ordinal'> {
  if (wish.source === 'created') {
    const { bandwidth, chargeType, isp } = wish
    return { bandwidth, isp, chargeType, eipIds: [], ordinal: null }
  }
  return { bandwidth: null, isp: null, chargeType: null, eipIds: wish.ids, ordinal: wish.ordinal ?? null }
}
