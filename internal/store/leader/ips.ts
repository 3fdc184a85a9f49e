// Table `ip`: every address of ours, and its history. Only this file writes either, so no change goes unrecorded.
import type { EniMode, NodeName, PodName, PodUid } from '../../ipam/types.ts'
import type { Database } from '../../sqlite/database.ts'
import { compareIpv4, type Ipv4 } from '../../value/ipv4.ts'
import type { Millis } from '../../value/millis.ts'
import { placeClaim } from './claims.ts'

export interface IpRow {
  readonly address: Ipv4
  readonly eni: number
  /** A bound one may be held in quarantine. */
  readonly state: 'bound' | 'unassigning' | 'held'
  readonly grant: number
  /** Kept for the pod of that name. */
  readonly claim?: PodName
}

export function ipsOf(db: Database, eni: number): readonly IpRow[] {
  return db
    .all<IpRow & { namespace: string | null; name: string | null }>(
      `SELECT ip.address, eni, "grant", CASE WHEN state = 'bound' AND EXISTS
         (SELECT 1 FROM quarantine WHERE subject = ip.address AND held = 1) THEN 'held' ELSE state END AS state,
         claim.namespace, claim.name
       FROM ip LEFT JOIN claim ON claim.address = ip.address AND claim.policy = 'Never' WHERE eni = ?`,
      eni,
    )
    .map(({ namespace, name, ...ip }) =>
      namespace === null || name === null ? ip : { ...ip, claim: { namespace, name } },
    )
    .toSorted((a, b) => compareIpv4(a.address, b.address))
}

export function findIp(db: Database, address: Ipv4): IpRow | undefined {
  return db.get<IpRow>(`SELECT address, eni, state, "grant" FROM ip WHERE address = ?`, address)
}

/** When the last of them last changed. */
export function changedLast(db: Database, addresses: readonly Ipv4[]): Millis | undefined {
  const row = db.get<{ at: number | null }>(
    `SELECT max(changed_at) AS at FROM ip WHERE address IN (SELECT value FROM json_each(?))`,
    JSON.stringify(addresses),
  )
  return row?.at ?? undefined
}

export function nodeOfIp(db: Database, address: Ipv4): NodeName | undefined {
  return db.get<{ node: NodeName }>(
    `SELECT eni.node FROM ip JOIN eni ON eni.key = ip.eni WHERE ip.address = ?`,
    address,
  )?.node
}

export function modeOfIp(db: Database, address: Ipv4): EniMode | undefined {
  return db.get<{ mode: EniMode }>(
    `SELECT eni.mode FROM ip JOIN eni ON eni.key = ip.eni WHERE ip.address = ?`,
    address,
  )?.mode
}

/** The address is on the ENI; one that is known elsewhere is a conflict of the primary key. Without a grant it is a new binding. */
export function addIp(
  db: Database,
  now: number,
  ip: { address: Ipv4; eni: number; grant?: number | undefined },
  reason: string,
): void {
  db.run(
    `INSERT INTO ip (address, eni, state, "grant", changed_at) VALUES (?, ?, 'bound', ?, ?)`,
    ip.address,
    ip.eni,
    ip.grant ?? nextGrant(db),
    now,
  )
  remember(db, now, ip.address, 'bound', reason)
  placeClaim(db, now, ip.address, ip.eni)
}

export function setIpState(
  db: Database,
  now: number,
  address: Ipv4,
  state: 'bound' | 'unassigning',
  reason: string,
): void {
  db.run(`UPDATE ip SET state = ?, changed_at = ? WHERE address = ?`, state, now, address)
  remember(db, now, address, state, reason)
}

/** Usable again after a refused unassignment: a new binding as far as the node is concerned. */
export function rebindIp(db: Database, now: number, address: Ipv4, reason: string): void {
  db.run(
    `UPDATE ip SET state = 'bound', "grant" = ?, changed_at = ? WHERE address = ?`,
    nextGrant(db),
    now,
    address,
  )
  remember(db, now, address, 'bound', reason)
}

export function removeIp(db: Database, now: number, address: Ipv4, reason: string): void {
  remember(db, now, address, 'gone', reason)
  db.run(`DELETE FROM ip WHERE address = ?`, address)
  placeClaim(db, now, address, undefined)
}

/** Notes which pod shows the address in its status. A pod that showed another one before has moved on from it. */
export function setPod(
  db: Database,
  now: number,
  address: Ipv4,
  pod: (PodName & { uid: PodUid }) | undefined,
): void {
  if (pod === undefined) {
    remember(db, now, address, 'left', 'the pod is gone')
    db.run(
      `UPDATE ip SET pod_namespace = NULL, pod_name = NULL, pod_uid = NULL, pod_since = NULL WHERE address = ?`,
      address,
    )
    return
  }
  const before = db.get<{ address: Ipv4 }>(
    `SELECT address FROM ip WHERE pod_uid = ? AND address <> ?`,
    pod.uid,
    address,
  )
  if (before !== undefined) setPod(db, now, before.address, undefined)
  const changes = db.run(
    `UPDATE ip SET pod_namespace = ?, pod_name = ?, pod_uid = ?, pod_since = ? WHERE address = ?`,
    pod.namespace,
    pod.name,
    pod.uid,
    now,
    address,
  )
  if (changes === 1) remember(db, now, address, 'taken', 'the pod shows it in its status')
}

/** Every later grant is above `grant`. */
export function raiseGrants(db: Database, grant: number): void {
  db.run(
    `INSERT INTO meta (key, value) VALUES ('last-grant', CAST(? AS TEXT))
     ON CONFLICT (key) DO UPDATE SET value = CAST(max(CAST(value AS INTEGER), CAST(excluded.value AS INTEGER)) AS TEXT)`,
    String(grant),
  )
}

function nextGrant(db: Database): number {
  db.run(`INSERT INTO meta (key, value) VALUES ('last-grant', '1')
    ON CONFLICT (key) DO UPDATE SET value = CAST(CAST(value AS INTEGER) + 1 AS TEXT)`)
  return Number(db.get<{ value: string }>(`SELECT value FROM meta WHERE key = 'last-grant'`)?.value)
}

function remember(db: Database, now: number, address: Ipv4, event: string, reason: string): void {
  db.run(
    `INSERT INTO ip_history (at, address, event, node, eni_id, pod_namespace, pod_name, pod_uid, reason)
     SELECT ?, ip.address, ?, eni.node, eni.id, ip.pod_namespace, ip.pod_name, ip.pod_uid, ?
     FROM ip JOIN eni ON eni.key = ip.eni WHERE ip.address = ?`,
    now,
    event,
    reason,
    address,
  )
}
