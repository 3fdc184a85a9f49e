// The nodes in the leader's database as they are shown.
import type { Database } from '../../sqlite/database.ts'
import type { Millis } from '../../value/millis.ts'
import { type Filter, oneOf, where } from './filter.ts'
import { type Timestamp, timestamp } from './timestamp.ts'

export interface Node {
  readonly name: string
  readonly uid: string
  readonly phase: 'active' | 'leaving' | 'gone'
  readonly instance: string
  readonly zone: string
  readonly enis: number
  readonly maxEnis: number
  readonly addressesPerEni: number
  readonly bound: number
  readonly maxBound: number
  readonly inUse: number
  readonly idle: number
  readonly minWarm: number
  readonly maxWarm: number
  readonly addedAt: Timestamp
}

interface Row {
  readonly name: string
  readonly uid: string
  readonly phase: 'active' | 'leaving'
  readonly instance_id: string
  readonly zone: string
  readonly enis: number
  readonly max_enis: number
  readonly ips_per_eni: number
  readonly bound: number
  readonly in_use: number
  readonly min_warm: number
  readonly max_warm: number
  readonly added_at: Millis
}

export function leaderNodes(db: Database, filter: Filter): readonly Node[] {
  const { sql, values } = where(oneOf('node.name', filter.names))
  return db
    .all<Row>(
      `SELECT node.*, count(DISTINCT eni.key) AS enis, count(ip.address) AS bound, count(ip.pod_uid) AS in_use
       FROM node LEFT JOIN eni ON eni.node = node.name LEFT JOIN ip ON ip.eni = eni.key AND ip.state = 'bound'
       ${sql} GROUP BY node.name ORDER BY node.name`,
      ...values,
    )
    .map((row) => ({
      name: row.name,
      uid: row.uid,
      phase: row.phase,
      instance: row.instance_id,
      zone: row.zone,
      enis: row.enis,
      maxEnis: row.max_enis,
      addressesPerEni: row.ips_per_eni,
      bound: row.bound,
      maxBound: row.max_enis * row.ips_per_eni,
      inUse: row.in_use,
      idle: row.bound - row.in_use,
      minWarm: row.min_warm,
      maxWarm: row.max_warm,
      addedAt: timestamp(row.added_at),
    }))
}
