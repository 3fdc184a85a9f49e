// Table `claim`: who wants or has an address. Only this file writes it, by way of claim-rows.ts.
import type { Claim, ClaimChange, ClaimPhase, ClaimPolicy, FollowedOwner } from '../../ipam/claim.ts'
import { IpamError } from '../../ipam/errors.ts'
import type { SurveyClaim } from '../../ipam/survey.ts'
import type { EniMode, NodeName, OwnerRef, PodName } from '../../ipam/types.ts'
import type { FoundClaim, NewClaim, PlacedClaim, SeenClaim } from '../../ports.ts'
import type { Database } from '../../sqlite/database.ts'
import type { Ipv4 } from '../../value/ipv4.ts'
import type { Millis } from '../../value/millis.ts'
import { type Columns, claimRows } from './claim-rows.ts'

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

const table = claimRows({ table: 'claim', noun: 'claim', fromRow, columnsOf, beforeChange: takeFromOther })

export const findClaim = (db: Database, { name, namespace }: PodName) =>
  table.one(db, 'namespace = ? AND name = ?', namespace, name)
export const findClaimOf = (db: Database, address: Ipv4) => table.one(db, 'address = ?', address)
export const findClaimByKey = (db: Database, key: number) => table.one(db, 'key = ?', key)
export const claimsWhere = (db: Database, phase: ClaimPhase) => table.all(db, 'phase = ?', phase)
export const claimNames = (db: Database, phase: ClaimPhase) => table.names(db, 'phase = ?', phase)
export const { change: changeClaim, expired: expiredClaims, ofOwner: claimsOfOwner } = table

/** Static ones whose pod is on the node, or whose address is on one of its ENIs. */
export function placedClaims(db: Database, node: NodeName): readonly PlacedClaim[] {
  // From the node to its claims, never through all there are: the order of CROSS JOINs stays as it is written.
  const rows = db.all<ClaimRow & { placed_on: string | null; placed_eni: number | null }>(
    `SELECT claim.*, eni.node AS placed_on, eni.key AS placed_eni
     FROM claim LEFT JOIN ip ON ip.address = claim.address LEFT JOIN eni ON eni.key = ip.eni
     WHERE claim.key IN (
       SELECT key FROM claim WHERE policy = 'Never' AND node = ?
       UNION SELECT claim.key FROM eni CROSS JOIN ip ON ip.eni = eni.key CROSS JOIN claim ON claim.address = ip.address
         WHERE claim.policy = 'Never' AND eni.node = ?)
     ORDER BY claim.key`,
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

export function untimedClaims(db: Database, of: 'all' | 'own'): readonly PodName[] {
  const condition = `phase = 'Retained' AND expires_at IS NULL AND (? = 'all' OR expire_after IS NOT NULL)`
  return table.names(db, condition, of)
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

/** Static ones of pods on the node that have no address, and none on its way. */
export function waitingClaims(db: Database, node: NodeName): readonly Claim[] {
  // The plus: found by the node, not among all that have no address.
  const condition = `node = ? AND policy = 'Never' AND phase = 'Pending' AND +address IS NULL
    AND NOT EXISTS (SELECT 1 FROM intent WHERE token = claim.reserve_token AND state IN ('recorded', 'accepted'))`
  return table.all(db, condition, node)
}

/** The one for which the call of that token was made, if it has no address yet. */
export function findWaiting(db: Database, token: string): Claim | undefined {
  const condition = `reserve_token = ? AND policy = 'Never' AND phase = 'Pending' AND address IS NULL`
  return table.one(db, condition, token)
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

const empty = {
  ...{ generation: 1, podUid: undefined, node: undefined, address: undefined, eniId: undefined },
  ...{ subnetId: undefined, zone: undefined, reservation: undefined, nominatedAddress: undefined },
  ...{ nominatedSubnets: [], retainedAt: undefined, expiresAt: undefined, reason: '', message: '' },
} as const

export function addClaim(db: Database, now: Millis, claim: NewClaim): Claim {
  return insert(db, now, { ...empty, ...claim, phase: 'Pending' })
}

export function restoreClaim(db: Database, now: Millis, claim: FoundClaim): Claim {
  const kept = { policy: 'Never', mode: 'shared', phase: 'Retained', retainedAt: now } as const
  return insert(db, now, { ...empty, ...claim, ...kept })
}

function insert(db: Database, now: Millis, claim: Mutable & PodName & Pick<Claim, 'uid' | 'ipUid'>): Claim {
  const { ipUid: ip_uid, name, namespace, uid } = claim
  return table.insert(db, now, { namespace, name, uid, ip_uid }, claim)
}

/** Of two pool pods the address is the one's that shows it now. */
function takeFromOther(db: Database, now: Millis, from: Claim, { address, policy }: Mutable): void {
  if (address === undefined || policy !== 'Immediate' || address === from.address) return
  db.run(
    `UPDATE claim SET address = NULL, eni_id = NULL, phase = 'Pending', changed_at = ? WHERE address = ? AND policy = 'Immediate'`,
    now,
    address,
  )
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

/** Throws `conflict` when it has changed since `claim` was read. */
export function removeClaim(db: Database, claim: SeenClaim): void {
  table.unchanged(db, claim)
  db.run(`DELETE FROM claim WHERE key = ?`, claim.key)
}

type Mutable = Required<ClaimChange>

function columnsOf(claim: Mutable): Columns {
  return {
    policy: claim.policy,
    mode: claim.mode,
    phase: claim.phase,
    generation: claim.generation,
    pod_uid: claim.podUid ?? null,
    node: claim.node ?? null,
    address: claim.address ?? null,
    eni_id: claim.eniId ?? null,
    subnet_id: claim.subnetId ?? null,
    zone: claim.zone ?? null,
    reservation: claim.reservation ?? null,
    reserve_token: claim.reserveToken ?? null,
    nominated_address: claim.nominatedAddress ?? null,
    nominated_subnets: JSON.stringify(claim.nominatedSubnets),
    expire_after: claim.expireAfter ?? null,
    retained_at: claim.retainedAt ?? null,
    expires_at: claim.expiresAt ?? null,
    owner: claim.owner === undefined ? null : JSON.stringify(claim.owner),
    reason: claim.reason,
    message: claim.message,
  }
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
