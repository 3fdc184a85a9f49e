// The nodes in the leader's database as they are shown.
import type { EniMode } from '../../ipam/types.ts'
import type { Database } from '../../sqlite/database.ts'
import type { Millis } from '../../value/millis.ts'
import { type Filter, oneOf, where } from './filter.ts'
import { type Timestamp, timestamp } from './timestamp.ts'

export interface Node {
  readonly name: string
  readonly uid: string
  readonly phase: 'active' | 'leaving' | 'gone'
  readonly instance: string
  /** Empty until the cloud was asked. */
  readonly instanceType: string
  readonly zone: string
  /** These, up to `maxWarm`, are the shared pool's. */
  readonly enis: number
  readonly maxEnis: number
  readonly addressesPerEni: number
  readonly bound: number
  readonly maxBound: number
  readonly inUse: number
  readonly idle: number
  readonly minWarm: number
  readonly maxWarm: number
  readonly exclusiveEnis: number
  readonly maxExclusiveEnis: number
  readonly exclusiveInUse: number
  readonly exclusiveMinWarm: number
  readonly exclusiveMaxWarm: number
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
  readonly max_pods: number | null
  readonly instance_type: string
  readonly bound: number
  readonly in_use: number
  readonly min_warm: number
  readonly max_warm: number
  readonly exclusive_enis: number
  readonly exclusive_in_use: number
  readonly exclusive_max_enis: number
  readonly exclusive_min_warm: number
  readonly exclusive_max_warm: number
  readonly added_at: Millis
}

const enis = (mode: EniMode) => `count(DISTINCT CASE WHEN eni.mode = '${mode}' THEN eni.key END)`
const addresses = (column: 'address' | 'pod_uid', mode: EniMode) =>
  `count(CASE WHEN eni.mode = '${mode}' THEN ip.${column} END)`

export function leaderNodes(db: Database, filter: Filter): readonly Node[] {
  const { sql, values } = where(oneOf('node.name', filter.names))
  return db
    .all<Row>(
      `SELECT node.*, ${enis('shared')} AS enis, ${addresses('address', 'shared')} AS bound,
         ${addresses('pod_uid', 'shared')} AS in_use, ${enis('exclusive')} AS exclusive_enis,
         ${addresses('pod_uid', 'exclusive')} AS exclusive_in_use
       FROM node LEFT JOIN eni ON eni.node = node.name LEFT JOIN ip ON ip.eni = eni.key AND ip.state = 'bound'
       ${sql} GROUP BY node.name ORDER BY node.name`,
      ...values,
    )
    .map((row) => ({
      name: row.name,
      uid: row.uid,
      phase: row.phase,
      instance: row.instance_id,
      instanceType: row.instance_type,
      zone: row.zone,
      enis: row.enis,
      maxEnis: row.max_enis,
      addressesPerEni: row.ips_per_eni,
      bound: row.bound,
      maxBound: Math.min(row.max_enis * row.ips_per_eni, row.max_pods ?? Number.POSITIVE_INFINITY),
      inUse: row.in_use,
      idle: row.bound - row.in_use,
      minWarm: row.min_warm,
      maxWarm: row.max_warm,
      exclusiveEnis: row.exclusive_enis,
      maxExclusiveEnis: row.exclusive_max_enis,
      exclusiveInUse: row.exclusive_in_use,
      exclusiveMinWarm: row.exclusive_min_warm,
      exclusiveMaxWarm: row.exclusive_max_warm,
      addedAt: timestamp(row.added_at),
    }))
}
