// The ENIs in a database as they are shown.
import type { EniMode } from '../../ipam/types.ts'
import type { Database } from '../../sqlite/database.ts'
import { type Cidr, gatewayOf } from '../../value/cidr.ts'
import type { Millis } from '../../value/millis.ts'
import { equals, type Filter, oneOf, where } from './filter.ts'
import { type Timestamp, timestamp } from './timestamp.ts'

/** null: not known to this database, or not yet. */
export interface Eni {
  readonly id: string | null
  readonly node: string | null
  readonly slot: number
  /** Addresses for many pods, or the whole for one. */
  readonly mode: EniMode
  /** The leader's state of it; on a node "published", or "withdrawn" by the leader and kept while an address is in use. */
  readonly state: string
  readonly goal: 'serve' | 'delete' | null
  readonly subnet: string
  readonly subnetCidr: string
  readonly gateway: string
  readonly primaryIp: string | null
  readonly mac: string | null
  /** For pods: of a shared ENI the primary one is not counted, of an exclusive one it is the only one. */
  readonly addresses: number
  readonly inUse: number
  readonly idle: number
  readonly changedAt: Timestamp | null
}

interface CommonRow {
  readonly id: string | null
  readonly slot: number
  readonly mode: EniMode
  readonly subnet_id: string
  readonly subnet_cidr: Cidr
  readonly primary_ip: string | null
  readonly mac: string | null
  readonly addresses: number
  readonly in_use: number
  readonly idle: number
}

/** Of a leader's database. */
export function leaderEnis(db: Database, filter: Filter): readonly Eni[] {
  const { sql, values } = where(oneOf('eni.id', filter.names), equals('eni.node', filter.node))
  const rows = db.all<
    CommonRow & { node: string; state: string; goal: 'serve' | 'delete'; changed_at: Millis }
  >(
    `SELECT eni.id, eni.node, eni.slot, eni.mode, eni.state, eni.goal, eni.subnet_id, eni.subnet_cidr, eni.primary_ip, eni.mac,
       eni.changed_at, count(ip.address) AS addresses, count(ip.pod_uid) AS in_use,
       count(CASE WHEN ip.state = 'bound' AND ip.pod_uid IS NULL THEN 1 END) AS idle
     FROM eni LEFT JOIN ip ON ip.eni = eni.key ${sql} GROUP BY eni.key ORDER BY eni.node, eni.slot`,
    ...values,
  )
  return rows.map((row) => ({
    ...common(row, row.state),
    node: row.node,
    goal: row.goal,
    changedAt: timestamp(row.changed_at),
  }))
}

/** Of a node agent's database. */
export function nodeEnis(db: Database, filter: Filter, now: Millis): readonly Eni[] {
  const { sql, values } = where(oneOf('eni.id', filter.names))
  const rows = db.all<CommonRow & { published: 0 | 1 }>(
    `SELECT eni.id, eni.slot, eni.mode, eni.published, eni.subnet_id, eni.subnet_cidr, eni.primary_ip, eni.mac,
       count(ip.address) AS addresses, count(a.address) AS in_use,
       count(CASE WHEN a.address IS NULL AND ip.state = 'usable' AND ip.claim_name IS NULL AND ip.cooling_until <= ? THEN 1 END) AS idle
     FROM eni LEFT JOIN ip ON ip.eni_id = eni.id LEFT JOIN attachment a ON a.address = ip.address
     ${sql} GROUP BY eni.id ORDER BY eni.slot, eni.id`,
    now,
    ...values,
  )
  return rows.map((row) => common(row, row.published === 1 ? 'published' : 'withdrawn'))
}

function common(row: CommonRow, state: string): Eni {
  return {
    id: row.id,
    node: null,
    slot: row.slot,
    mode: row.mode,
    state,
    goal: null,
    subnet: row.subnet_id,
    subnetCidr: row.subnet_cidr,
    gateway: gatewayOf(row.subnet_cidr),
    primaryIp: row.primary_ip,
    mac: row.mac,
    addresses: row.addresses,
    inUse: row.in_use,
    idle: row.idle,
    changedAt: null,
  }
}
