// Table `claim`: who wants or has an address. Only this file writes it.
import {
  type Claim,
  type ClaimChange,
  type ClaimPhase,
  type ClaimPolicy,
  type FollowedOwner,
  mayFollow,
} from '../../ipam/claim.ts'
import { IpamError } from '../../ipam/errors.ts'
import { podText } from '../../ipam/pod-need.ts'
import type { SurveyClaim } from '../../ipam/survey.ts'
import type { EniMode, NodeName, OwnerRef, PodName } from '../../ipam/types.ts'
import type { ExpiryClock, FoundClaim, NewClaim, PlacedClaim, SeenClaim } from '../../ports.ts'
import type { Database } from '../../sqlite/database.ts'
import type { Ipv4 } from '../../value/ipv4.ts'
import type { Millis } from '../../value/millis.ts'

export interface ClaimRow {
  readonly key: number
  readonly namespace: string
  readonly name: string
  readonly uid: string
  readonly ip_uid: string
  readonly policy: ClaimPolicy
  readonly mode: EniMode
  readonly phase: ClaimPhase
  readonly generation: number
  readonly pod_uid: string | null
  readonly node: string | null
  readonly address: Ipv4 | null
  readonly eni_id: string | null
  readonly subnet_id: string | null
  readonly zone: string | null
  readonly reservation: string | null
  readonly reserve_token: string | null
  readonly nominated_address: Ipv4 | null
  readonly nominated_subnets: string
  readonly expire_after: number | null
  readonly retained_at: number | null
  readonly expires_at: number | null
  readonly owner: string | null
  readonly reason: string
  readonly message: string
  readonly created_at: number
  readonly changed_at: number
  readonly version: number
}

export function findClaim(db: Database, namespace: string, name: string): Claim | undefined {
  const row = db.get<ClaimRow>(`SELECT * FROM claim WHERE namespace = ? AND name = ?`, namespace, name)
  return row && fromRow(row)
}

export function findClaimOf(db: Database, address: Ipv4): Claim | undefined {
  const row = db.get<ClaimRow>(`SELECT * FROM claim WHERE address = ?`, address)
  return row && fromRow(row)
}

export function findClaimByKey(db: Database, key: number): Claim | undefined {
  const row = db.get<ClaimRow>(`SELECT * FROM claim WHERE key = ?`, key)
  return row && fromRow(row)
}

/** Static ones whose pod is on the node, or whose address is on one of its ENIs. */
export function placedClaims(db: Database, node: NodeName): readonly PlacedClaim[] {
  const columns = 'claim.*, eni.node AS placed_on, eni.key AS placed_eni'
  // From the node to its claims, never through all there are: the order of CROSS JOINs stays as it is written.
  const rows = db.all<ClaimRow & { placed_on: string | null; placed_eni: number | null }>(
    `SELECT ${columns} FROM claim LEFT JOIN ip ON ip.address = claim.address LEFT JOIN eni ON eni.key = ip.eni
       WHERE claim.policy = 'Never' AND claim.node = ?
     UNION SELECT ${columns} FROM eni CROSS JOIN ip ON ip.eni = eni.key CROSS JOIN claim ON claim.address = ip.address
       WHERE claim.policy = 'Never' AND eni.node = ? ORDER BY key`,
    node,
    node,
  )
  if (rows.length === 0) return []
  // What is being assigned may be there already: no other node is given it meanwhile.
  const underWay = new Map(
    db
      .all<{ address: Ipv4; node: NodeName }>(
        `SELECT each.value AS address, intent.node FROM intent, json_each(intent.addresses) AS each
         WHERE exact = 1 AND kind = 'assign' AND state IN ('recorded', 'accepted')`,
      )
      .map((row) => [row.address, row.node]),
  )
  return rows.map((row) => ({
    ...fromRow(row),
    placedOn: row.placed_on ?? (row.address === null ? undefined : underWay.get(row.address)),
    placedEni: row.placed_eni ?? undefined,
  }))
}

export function claimsWhere(db: Database, phase: ClaimPhase): readonly Claim[] {
  return db.all<ClaimRow>(`SELECT * FROM claim WHERE phase = ? ORDER BY key`, phase).map(fromRow)
}

export function claimNames(db: Database, phase: ClaimPhase): readonly PodName[] {
  return db.all<PodName>(`SELECT namespace, name FROM claim WHERE phase = ? ORDER BY namespace, name`, phase)
}

export function untimedClaims(db: Database, of: 'all' | 'own'): readonly PodName[] {
  const sql = `SELECT namespace, name FROM claim WHERE phase = 'Retained' AND expires_at IS NULL
    AND (? = 'all' OR expire_after IS NOT NULL) ORDER BY namespace, name`
  return db.all<PodName>(sql, of)
}

export function staticClaims(db: Database): readonly SurveyClaim[] {
  const sql = `SELECT key, namespace, name, uid, phase, pod_uid, node, address, reservation, reserve_token, changed_at, version
    FROM claim WHERE policy = 'Never' ORDER BY key`
  return db.all<ClaimRow>(sql).map((row) => ({
    key: row.key,
    namespace: row.namespace,
    name: row.name,
    uid: row.uid,
    phase: row.phase,
    podUid: row.pod_uid ?? undefined,
    node: row.node ?? undefined,
    address: row.address ?? undefined,
    reservation: row.reservation ?? undefined,
    reserveToken: row.reserve_token ?? undefined,
    changedAt: row.changed_at,
    version: row.version,
  }))
}

export function listOwners(db: Database): readonly OwnerRef[] {
  const rows = db.all<{ owner: string }>(
    `SELECT json_remove(owner, '$.via') AS owner FROM claim WHERE owner IS NOT NULL
     UNION SELECT json_remove(owner, '$.via') FROM eip_claim WHERE owner IS NOT NULL ORDER BY owner`,
  )
  return rows.map(({ owner }) => JSON.parse(owner) as OwnerRef)
}

export function claimsOfOwner(db: Database, uid: string): readonly Claim[] {
  const sql = `SELECT * FROM claim WHERE owner IS NOT NULL AND json_extract(owner, '$.uid') = ? ORDER BY key`
  return db.all<ClaimRow>(sql, uid).map(fromRow)
}

/** Static ones of pods on the node that have no address, and none on its way. */
export function waitingClaims(db: Database, node: NodeName): readonly Claim[] {
  // The plus: found by the node, not among all that have no address.
  const sql = `SELECT * FROM claim WHERE node = ? AND policy = 'Never' AND phase = 'Pending' AND +address IS NULL
    AND NOT EXISTS (SELECT 1 FROM intent WHERE token = claim.reserve_token AND state IN ('recorded', 'accepted')) ORDER BY key`
  return db.all<ClaimRow>(sql, node).map(fromRow)
}

/** The one for which the call of that token was made, if it has no address yet. */
export function findWaiting(db: Database, token: string): Claim | undefined {
  const sql = `SELECT * FROM claim WHERE reserve_token = ? AND policy = 'Never' AND phase = 'Pending' AND address IS NULL`
  const row = db.get<ClaimRow>(sql, token)
  return row && fromRow(row)
}

/** What the call of that token brings is the claim's. */
export function nameCall(db: Database, key: number, token: string): void {
  const changes = db.run(
    `UPDATE claim SET reserve_token = ? WHERE key = ? AND phase = 'Pending' AND address IS NULL`,
    token,
    key,
  )
  if (changes !== 1)
    throw new IpamError('conflict', `Cannot get an address for claim ${key}: it waits for none`)
}

export function renameCall(db: Database, before: string, token: string): void {
  db.run(`UPDATE claim SET reserve_token = ? WHERE reserve_token = ? AND address IS NULL`, token, before)
}

export function hasStaticClaims(db: Database): boolean {
  return db.get(`SELECT 1 FROM claim WHERE policy = 'Never' LIMIT 1`) !== undefined
}

export function unreservedClaims(db: Database): readonly Claim[] {
  // Not by the other index on reservations: every pod of the pool is one without.
  const sql = `SELECT * FROM claim INDEXED BY claim_static
    WHERE policy = 'Never' AND address IS NOT NULL AND reservation IS NULL AND phase <> 'Releasing' ORDER BY key`
  return db.all<ClaimRow>(sql).map(fromRow)
}

/** Whose time is over. */
export function expiredClaims(db: Database, limit: number): readonly Claim[] {
  const sql = `SELECT * FROM claim WHERE expires_at <= ? ORDER BY expires_at, key LIMIT ?`
  return db.all<ClaimRow>(sql, expiryClock(db).now, limit).map(fromRow)
}

/** Of addresses or EIPs: one clock is for both. */
export function claimsExpire(db: Database): boolean {
  const ofTable = (table: string) => `EXISTS (SELECT 1 FROM ${table} WHERE expires_at IS NOT NULL)`
  return db.get(`SELECT 1 WHERE ${ofTable('claim')} OR ${ofTable('eip_claim')}`) !== undefined
}

export function addClaim(db: Database, now: Millis, claim: NewClaim): Claim {
  const row = db.get<{ key: number }>(
    `INSERT INTO claim (namespace, name, uid, ip_uid, policy, mode, phase, pod_uid, node, nominated_address, nominated_subnets,
       expire_after, reserve_token, owner, created_at, changed_at)
     VALUES (?, ?, ?, ?, ?, ?, 'Pending', ?, ?, ?, ?, ?, ?, ?, ?, ?) RETURNING key`,
    claim.namespace,
    claim.name,
    claim.uid,
    claim.ipUid,
    claim.policy,
    claim.mode,
    claim.podUid,
    claim.node,
    claim.nominatedAddress ?? null,
    JSON.stringify(claim.nominatedSubnets),
    claim.expireAfter ?? null,
    claim.reserveToken ?? null,
    claim.owner === undefined ? null : JSON.stringify(claim.owner),
    now,
    now,
  )
  return expectClaim(db, row?.key ?? 0)
}

export function restoreClaim(db: Database, now: Millis, claim: FoundClaim): Claim {
  if (claim.expiresAt !== undefined) startExpiry(db)
  const row = db.get<{ key: number }>(
    `INSERT INTO claim (namespace, name, uid, ip_uid, policy, mode, phase, address, subnet_id, zone, eni_id, reservation, reserve_token,
       expire_after, retained_at, expires_at, owner, created_at, changed_at)
     VALUES (?, ?, ?, ?, 'Never', 'shared', 'Retained', ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?) RETURNING key`,
    claim.namespace,
    claim.name,
    claim.uid,
    claim.ipUid,
    claim.address,
    claim.subnetId ?? null,
    claim.zone ?? null,
    claim.eniId ?? null,
    claim.reservation ?? null,
    claim.reserveToken ?? null,
    claim.expireAfter ?? null,
    now,
    claim.expiresAt ?? null,
    claim.owner === undefined ? null : JSON.stringify(claim.owner),
    now,
    now,
  )
  return expectClaim(db, row?.key ?? 0)
}

/**
 * Only what differs is written. Throws `conflict` when it has changed since `claim` was read, when its phase may not follow, or when the
 * address is another's.
 */
export function changeClaim(db: Database, now: Millis, claim: SeenClaim, change: ClaimChange): Claim {
  const current = expectClaim(db, claim.key)
  if (current.version !== claim.version)
    throw new IpamError('conflict', `Cannot change the claim of ${podText(claim)}: it has changed meanwhile`)
  const wanted = { ...current, ...change }
  if (!mayFollow(current.phase, wanted.phase)) {
    const message = `Cannot make the claim of ${podText(claim)} ${wanted.phase}: it is ${current.phase}`
    throw new IpamError('conflict', message)
  }
  // Of two pool pods the address is the one's that shows it now.
  if (wanted.address !== undefined && wanted.policy === 'Immediate' && wanted.address !== current.address)
    db.run(
      `UPDATE claim SET address = NULL, eni_id = NULL, phase = 'Pending', changed_at = ? WHERE address = ? AND policy = 'Immediate'`,
      now,
      wanted.address,
    )
  if (wanted.expiresAt !== undefined && current.expiresAt === undefined) startExpiry(db)
  const before = columnsOf(current)
  const different = columnsOf(wanted).filter(([, value], i) => before[i]?.[1] !== value)
  if (different.length === 0) return current
  db.run(
    `UPDATE claim SET ${different.map(([name]) => `${name} = ?`).join(', ')}, changed_at = ? WHERE key = ?`,
    ...different.map(([, value]) => value),
    now,
    claim.key,
  )
  return expectClaim(db, claim.key)
}

/** The address of a claim without a pod has come to an ENI, or left all: no node's look tells of those. */
export function placeClaim(db: Database, now: Millis, address: Ipv4, eni: number | undefined): void {
  db.run(
    `UPDATE claim SET eni_id = found.id, changed_at = ? FROM (SELECT (SELECT id FROM eni WHERE key = ?) AS id) AS found
     WHERE address = ? AND phase IN ('Retained', 'Releasing') AND eni_id IS NOT found.id`,
    now,
    eni ?? null,
    address,
  )
}

/** The first to wait begins now: what passed before is nothing to it. */
export function startExpiry(db: Database): void {
  if (!claimsExpire(db)) setExpiryClock(db, { now: expiryClock(db).now, mark: undefined })
}

export function removeClaim(db: Database, key: number): void {
  db.run(`DELETE FROM claim WHERE key = ?`, key)
}

export function expiryClock(db: Database): ExpiryClock {
  const row = db.get<{ value: string }>(`SELECT value FROM meta WHERE key = 'expiry-clock'`)
  const { now = 0, mark } = JSON.parse(row?.value ?? '{}') as Partial<ExpiryClock>
  return { now, mark }
}

/** It never goes back. */
export function setExpiryClock(db: Database, { mark, now }: ExpiryClock): void {
  const value = JSON.stringify({ now: Math.max(now, expiryClock(db).now), mark })
  db.run(`UPDATE meta SET value = ? WHERE key = 'expiry-clock'`, value)
}

function columnsOf(claim: Claim): readonly (readonly [string, string | number | null])[] {
  return [
    ['policy', claim.policy],
    ['mode', claim.mode],
    ['phase', claim.phase],
    ['generation', claim.generation],
    ['pod_uid', claim.podUid ?? null],
    ['node', claim.node ?? null],
    ['address', claim.address ?? null],
    ['eni_id', claim.eniId ?? null],
    ['subnet_id', claim.subnetId ?? null],
    ['zone', claim.zone ?? null],
    ['reservation', claim.reservation ?? null],
    ['reserve_token', claim.reserveToken ?? null],
    ['nominated_address', claim.nominatedAddress ?? null],
    ['nominated_subnets', JSON.stringify(claim.nominatedSubnets)],
    ['expire_after', claim.expireAfter ?? null],
    ['retained_at', claim.retainedAt ?? null],
    ['expires_at', claim.expiresAt ?? null],
    ['owner', claim.owner === undefined ? null : JSON.stringify(claim.owner)],
    ['reason', claim.reason],
    ['message', claim.message],
  ]
}

function expectClaim(db: Database, key: number): Claim {
  const claim = findClaimByKey(db, key)
  if (claim === undefined) throw new IpamError('conflict', `Cannot change claim ${key}: it is gone`)
  return claim
}

/** Rows that changes keep have no token: what names a call is nobody else's business. */
export function fromRow(row: ClaimRow): Claim {
  return {
    key: row.key,
    namespace: row.namespace,
    name: row.name,
    uid: row.uid,
    ipUid: row.ip_uid,
    policy: row.policy,
    mode: row.mode,
    phase: row.phase,
    generation: row.generation,
    podUid: row.pod_uid ?? undefined,
    node: row.node ?? undefined,
    address: row.address ?? undefined,
    eniId: row.eni_id ?? undefined,
    subnetId: row.subnet_id ?? undefined,
    zone: row.zone ?? undefined,
    reservation: row.reservation ?? undefined,
    reserveToken: row.reserve_token ?? undefined,
    nominatedAddress: row.nominated_address ?? undefined,
    nominatedSubnets: JSON.parse(row.nominated_subnets) as string[],
    expireAfter: row.expire_after ?? undefined,
    retainedAt: row.retained_at ?? undefined,
    expiresAt: row.expires_at ?? undefined,
    owner: row.owner === null ? undefined : (JSON.parse(row.owner) as FollowedOwner),
    reason: row.reason,
    message: row.message,
    createdAt: row.created_at,
    changedAt: row.changed_at,
    version: row.version,
  }
}
