// Who had each address when, and why it changed hands, as it is shown: oldest first.
import type { Database } from '../../sqlite/database.ts'
import type { Ipv4 } from '../../value/ipv4.ts'
import type { Millis } from '../../value/millis.ts'
import { type Condition, equals, type Filter, ofAddressOrPod, where } from './filter.ts'
import { type Timestamp, timestamp } from './timestamp.ts'

/** null: not known to this database, or nobody's. */
export interface ShownHistory {
  readonly seq: number
  readonly at: Timestamp
  readonly address: Ipv4
  readonly event: string
  readonly node: string | null
  readonly eni: string | null
  readonly podNamespace: string | null
  readonly podName: string | null
  readonly podUid: string | null
  readonly containerId: string | null
  readonly reason: string
}

interface Row {
  readonly seq: number
  readonly at: Millis
  readonly address: Ipv4
  readonly event: string
  readonly node: string | null
  readonly eni_id: string | null
  readonly pod_namespace: string | null
  readonly pod_name: string | null
  readonly pod_uid: string | null
  readonly container_id: string | null
  readonly reason: string
}

/** Of a leader's database. */
export function leaderHistory(db: Database, filter: Filter): readonly ShownHistory[] {
  const { sql, values } = where(...conditions(filter), equals('h.node', filter.node))
  return read(db, 'node, eni_id, NULL AS container_id', { sql, values })
}

/** Of a node agent's database. */
export function nodeHistory(db: Database, filter: Filter): readonly ShownHistory[] {
  return read(db, 'NULL AS node, NULL AS eni_id, container_id', where(...conditions(filter)))
}

function conditions(filter: Filter): readonly (Condition | undefined)[] {
  return [
    ofAddressOrPod('h.address', 'h', filter.names),
    equals('h.pod_namespace', filter.namespace),
    filter.after === undefined ? undefined : { sql: 'h.seq > ?', values: [filter.after] },
  ]
}

function read(db: Database, columns: string, { sql, values }: Condition): readonly ShownHistory[] {
  return db
    .all<Row>(
      `SELECT seq, at, address, event, pod_namespace, pod_name, pod_uid, reason, ${columns}
       FROM ip_history h ${sql} ORDER BY seq`,
      ...values,
    )
    .map((row) => ({
      seq: row.seq,
      at: timestamp(row.at),
      address: row.address,
      event: row.event,
      node: row.node,
      eni: row.eni_id,
      podNamespace: row.pod_namespace,
      podName: row.pod_name,
      podUid: row.pod_uid,
      containerId: row.container_id,
      reason: row.reason,
    }))
}
