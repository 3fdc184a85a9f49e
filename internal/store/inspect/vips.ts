// The addresses in a database as they are shown: the leader's with the pod that shows each, a node's with the exact owner.
import type { ClaimPhase, ClaimPolicy } from '../../ipam/claim.ts'
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
    | 'attaching'
    | 'retained'
    | 'releasing'
    | 'gone'
  readonly node: string | null
  readonly eni: string | null
  readonly slot: number | null
  /** Of its ENI, or of the claim. */
  readonly mode: EniMode
  readonly subnet: string | null
  readonly subnetCidr: string | null
  readonly mac: string | null
  readonly grant: number | null
  /** Of its claim: 'Never' is kept for the next pod of that name. */
  readonly policy: ClaimPolicy | null
  /** Keeps it from others of the VPC. */
  readonly reservation: string | null
  /** Why it is not as it should be. */
  readonly message: string | null
  /** The pod that has it, or that it is kept for. */
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
  readonly slot: number | null
  readonly mode: EniMode
  readonly subnet_id: string | null
  readonly subnet_cidr: string | null
  readonly mac: string | null
  readonly grant: number | null
  readonly pod_namespace: string | null
  readonly pod_name: string | null
  readonly pod_uid: string | null
  readonly pod_since: Millis | null
  readonly changed_at: Millis
}

interface LeaderRow extends CommonRow {
  /** null: it is on no ENI. */
  readonly state: 'assigning' | 'bound' | 'unassigning' | null
  readonly node: string | null
  readonly phase: ClaimPhase | null
  readonly policy: ClaimPolicy | null
  readonly reservation: string | null
  readonly message: string | null
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

/** Of a leader's database; "in-use" is what a pod shows in its status. Addresses that are only kept are on no ENI. */
export function leaderVips(db: Database, filter: Filter): readonly Vip[] {
  const { sql, values } = where(
    ofAddressOrPod('vip.address', 'vip', filter.names),
    equals('vip.node', filter.node),
    equals('vip.pod_namespace', filter.namespace),
  )
  const rows = db.all<LeaderRow>(`SELECT * FROM (${boundOrKept}) AS vip ${sql}`, ...values)
  return byPlace(
    rows.map((row) => ({
      ...common(row, ledgerState(row)),
      node: row.node,
      policy: row.policy,
      reservation: row.reservation,
      message: row.message === '' ? null : row.message,
    })),
  )
}

const boundOrKept = `
  SELECT ip.address, ip.state, ip."grant", coalesce(ip.pod_namespace, claim.namespace) AS pod_namespace,
    coalesce(ip.pod_name, claim.name) AS pod_name, coalesce(ip.pod_uid, claim.pod_uid) AS pod_uid, ip.pod_since, ip.changed_at,
    eni.node, eni.id AS eni, eni.slot, eni.mode, eni.subnet_id, eni.subnet_cidr, eni.mac,
    claim.phase, claim.policy, claim.reservation, claim.message
  FROM ip JOIN eni ON eni.key = ip.eni LEFT JOIN claim ON claim.address = ip.address
  UNION ALL
  SELECT address, NULL, NULL, namespace, name, pod_uid, NULL, changed_at, node, eni_id, NULL, mode, subnet_id, NULL, NULL,
    phase, policy, reservation, message
  FROM claim WHERE address IS NOT NULL AND address NOT IN (SELECT address FROM ip)`

const claimed = {
  Pending: 'attaching',
  Attaching: 'attaching',
  Retained: 'retained',
  Releasing: 'releasing',
} as const

function ledgerState({ state, phase, pod_uid: pod }: LeaderRow): Vip['state'] {
  if (state === 'assigning' || state === 'unassigning') return state
  if (phase !== null && phase !== 'Bound') return claimed[phase]
  return pod === null ? 'idle' : 'in-use'
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
    policy: null,
    reservation: null,
    message: null,
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
