// The addresses in a database as they are shown: the leader's with the pod that shows each, a node's with the exact owner.
import type { EniMode } from '../../ipam/types.ts'
import type { Database } from '../../sqlite/database.ts'
import type { Ipv4 } from '../../value/ipv4.ts'
import type { Millis } from '../../value/millis.ts'
import { byPlace, equals, type Filter, ofAddressOrPod, where } from './filter.ts'
import { type Timestamp, timestamp, timestampOrNull } from './timestamp.ts'

/** null: not known to this database, or there is none. */
export interface Vip {
  readonly address: Ipv4
  readonly state:
    | 'in-use'
    | 'idle'
    | 'claimed'
    | 'cooling'
    | 'assigning'
    | 'unassigning'
    | 'returning'
    | 'gone'
  readonly node: string | null
  readonly eni: string | null
  readonly slot: number
  /** Of its ENI. */
  readonly mode: EniMode
  readonly subnet: string
  readonly subnetCidr: string
  readonly mac: string | null
  readonly grant: number
  readonly podNamespace: string | null
  readonly podName: string | null
  readonly podUid: string | null
  readonly podSince: Timestamp | null
  readonly containerId: string | null
  readonly ifname: string | null
  readonly hostLink: string | null
  readonly netns: string | null
  readonly coolingUntil: Timestamp | null
  readonly published: boolean | null
  readonly changedAt: Timestamp
}

interface CommonRow {
  readonly address: Ipv4
  readonly eni: string | null
  readonly slot: number
  readonly mode: EniMode
  readonly subnet_id: string
  readonly subnet_cidr: string
  readonly mac: string | null
  readonly grant: number
  readonly pod_namespace: string | null
  readonly pod_name: string | null
  readonly pod_uid: string | null
  readonly pod_since: Millis | null
  readonly changed_at: Millis
}

interface LeaderRow extends CommonRow {
  readonly state: 'assigning' | 'bound' | 'unassigning'
  readonly node: string
}

interface NodeRow extends CommonRow {
  readonly state: 'usable' | 'returning'
  readonly published: 0 | 1
  readonly cooling_until: Millis
  readonly claim_name: string | null
  readonly container_id: string | null
  readonly ifname: string | null
  readonly host_link: string | null
  readonly netns: string | null
}

/** Of a leader's database; "in-use" is what a pod shows in its status. */
export function leaderVips(db: Database, filter: Filter): readonly Vip[] {
  const { sql, values } = where(
    ofAddressOrPod('ip.address', 'ip', filter.names),
    equals('eni.node', filter.node),
    equals('ip.pod_namespace', filter.namespace),
  )
  const rows = db.all<LeaderRow>(
    `SELECT ip.address, ip.state, ip."grant", ip.pod_namespace, ip.pod_name, ip.pod_uid, ip.pod_since, ip.changed_at,
       eni.node, eni.id AS eni, eni.slot, eni.mode, eni.subnet_id, eni.subnet_cidr, eni.mac
     FROM ip JOIN eni ON eni.key = ip.eni ${sql}`,
    ...values,
  )
  return byPlace(
    rows.map((row) => ({
      ...common(row, row.state !== 'bound' ? row.state : row.pod_uid === null ? 'idle' : 'in-use'),
      node: row.node,
    })),
  )
}

/** Of a node agent's database, which does not say which node it is. */
export function nodeVips(db: Database, filter: Filter, now: Millis): readonly Vip[] {
  const { sql, values } = where(
    ofAddressOrPod('ip.address', 'a', filter.names),
    equals('a.pod_namespace', filter.namespace),
  )
  const rows = db.all<NodeRow>(
    `SELECT ip.address, ip.state, ip."grant", ip.published, ip.cooling_until, ip.claim_name, ip.changed_at,
       a.pod_namespace, a.pod_name, a.pod_uid, a.created_at AS pod_since, a.container_id, a.ifname, a.host_link, a.netns,
       eni.id AS eni, eni.slot, eni.mode, eni.subnet_id, eni.subnet_cidr, eni.mac
     FROM ip JOIN eni ON eni.id = ip.eni_id LEFT JOIN attachment a ON a.address = ip.address ${sql}`,
    ...values,
  )
  return byPlace(
    rows.map((row) => {
      const state = localState(row, now)
      return {
        ...common(row, state),
        containerId: row.container_id,
        ifname: row.ifname,
        hostLink: row.host_link,
        netns: row.netns,
        coolingUntil: state === 'cooling' ? timestamp(row.cooling_until) : null,
        published: row.published === 1,
      }
    }),
  )
}

function localState(row: NodeRow, now: Millis): Vip['state'] {
  if (row.container_id !== null) return 'in-use'
  if (row.state === 'returning') return 'returning'
  if (row.claim_name !== null) return 'claimed'
  return row.cooling_until > now ? 'cooling' : 'idle'
}

function common(row: CommonRow, state: Vip['state']): Vip {
  return {
    address: row.address,
    state,
    node: null,
    eni: row.eni,
    slot: row.slot,
    mode: row.mode,
    subnet: row.subnet_id,
    subnetCidr: row.subnet_cidr,
    mac: row.mac,
    grant: row.grant,
    podNamespace: row.pod_namespace,
    podName: row.pod_name,
    podUid: row.pod_uid,
    podSince: timestampOrNull(row.pod_since),
    containerId: null,
    ifname: null,
    hostLink: null,
    netns: null,
    coolingUntil: null,
    published: null,
    changedAt: timestamp(row.changed_at),
  }
}
