// Table `eip_claim`: which pods have, or want, public addresses. Only this file writes it, by way of claim-rows.ts.
import type { ClaimPhase, ClaimPolicy, FollowedOwner } from '../../ipam/claim.ts'
import type { EipAct, EipClaim, EipClaimChange } from '../../ipam/eip-claim.ts'
import type { EipWish } from '../../ipam/eip-wish.ts'
import { IpamError } from '../../ipam/errors.ts'
import { podText } from '../../ipam/pod-need.ts'
import type { PodName } from '../../ipam/types.ts'
import type { FoundEipClaim, LedgerEips, NewEipClaim } from '../../ports.ts'
import type { Database } from '../../sqlite/database.ts'
import type { Ipv4 } from '../../value/ipv4.ts'
import type { Millis } from '../../value/millis.ts'
import { type Columns, claimRows } from './claim-rows.ts'

export interface EipClaimRow {
  readonly key: number
  readonly namespace: string
  readonly name: string
  readonly uid: string
  readonly policy: ClaimPolicy
  readonly phase: ClaimPhase
  readonly generation: number
  readonly pod_uid: string | null
  readonly node: string | null
  readonly source: EipWish['source']
  readonly wish: string
  readonly eip_id: string | null
  readonly address: Ipv4 | null
  readonly private_ip: Ipv4 | null
  readonly eni_id: string | null
  readonly allocate_token: string | null
  readonly acted: EipAct | null
  readonly acted_at: number | null
  readonly answered: number
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

const table = claimRows({ table: 'eip_claim', noun: 'EIP claim', fromRow: fromEipRow, columnsOf })

export function ledgerEips(db: Database): LedgerEips {
  return {
    claim: (pod) => findEipClaim(db, pod),
    ofEip: (eip) => table.one(db, 'eip_id = ?', eip),
    onAddress: (privateIp) => table.one(db, 'private_ip = ?', privateIp),
    where: (phase) => table.all(db, 'phase = ?', phase),
    names: (phase) => table.names(db, 'phase = ?', phase),
    byEip() {
      const sql = `SELECT eip_id, namespace, name FROM eip_claim WHERE eip_id IS NOT NULL`
      const rows = db.all<PodName & { eip_id: string }>(sql)
      return new Map(rows.map(({ eip_id, name, namespace }) => [eip_id, { namespace, name }]))
    },
    tokens() {
      const sql = `SELECT allocate_token AS token, eip_id FROM eip_claim WHERE allocate_token IS NOT NULL`
      const rows = db.all<{ token: string; eip_id: string | null }>(sql)
      return new Map(rows.map(({ eip_id, token }) => [token, eip_id ?? undefined]))
    },
    ofOwner: (uid) => table.ofOwner(db, uid),
    expired: (limit) => table.expired(db, limit),
    any: () => db.get(`SELECT 1 FROM eip_claim LIMIT 1`) !== undefined,
  }
}

export const findEipClaim = (db: Database, { name, namespace }: PodName) =>
  table.one(db, 'namespace = ? AND name = ?', namespace, name)
export const changeEipClaim = table.change

/** Policy and time are as the wish says. */
export function addEipClaim(db: Database, now: Millis, { wish, ...claim }: NewEipClaim): EipClaim {
  return insert(db, now, { ...emptyClaim, ...claim, ...keepingOf(wish), wish, phase: 'Pending' })
}

export function restoreEipClaim(db: Database, now: Millis, { wish, ...claim }: FoundEipClaim): EipClaim {
  const retainedAt = claim.phase === 'Retained' ? now : undefined
  return insert(db, now, { ...emptyClaim, ...claim, ...keepingOf(wish), wish, retainedAt })
}

function keepingOf({ expireAfter, policy }: EipWish): Pick<EipClaim, 'policy' | 'expireAfter'> {
  return { policy, expireAfter }
}

type Mutable = Required<EipClaimChange>

const emptyClaim = {
  ...{ generation: 1, eipId: undefined, address: undefined, privateIp: undefined, eniId: undefined },
  ...{ allocateToken: undefined, acted: undefined, actedAt: undefined, answered: false },
  ...{ retainedAt: undefined, expiresAt: undefined, reason: '', message: '' },
} as const

function insert(db: Database, now: Millis, claim: Mutable & PodName & Pick<EipClaim, 'uid'>): EipClaim {
  const { name, namespace, uid } = claim
  return table.insert(db, now, { namespace, name, uid }, claim)
}

/** Throws `conflict` when it has changed since `claim` was read, and unless it is let go: what is in the cloud would be nobody's. */
export function removeEipClaim(db: Database, now: Millis, claim: EipClaim): void {
  const current = table.unchanged(db, claim)
  if (current.phase !== 'Releasing') {
    const message = `Cannot remove the EIP claim of ${podText(claim)}: it is ${current.phase}, not let go`
    throw new IpamError('conflict', message)
  }
  // What is kept of its end bears the time of its last change.
  db.run(`UPDATE eip_claim SET changed_at = ? WHERE key = ?`, now, claim.key)
  db.run(`DELETE FROM eip_claim WHERE key = ?`, claim.key)
}

function columnsOf(claim: Mutable): Columns {
  return {
    policy: claim.policy,
    phase: claim.phase,
    generation: claim.generation,
    pod_uid: claim.podUid ?? null,
    node: claim.node ?? null,
    source: claim.wish.source,
    wish: JSON.stringify(claim.wish),
    eip_id: claim.eipId ?? null,
    address: claim.address ?? null,
    private_ip: claim.privateIp ?? null,
    eni_id: claim.eniId ?? null,
    allocate_token: claim.allocateToken ?? null,
    acted: claim.acted ?? null,
    acted_at: claim.actedAt ?? null,
    answered: Number(claim.answered),
    expire_after: claim.expireAfter ?? null,
    retained_at: claim.retainedAt ?? null,
    expires_at: claim.expiresAt ?? null,
    owner: claim.owner === undefined ? null : JSON.stringify(claim.owner),
    reason: claim.reason,
    message: claim.message,
  }
}

/** Rows that changes keep have no token: what names a call is nobody else's business. */
export function fromEipRow(row: EipClaimRow): EipClaim {
  return {
    key: row.key,
    namespace: row.namespace,
    name: row.name,
    uid: row.uid,
    policy: row.policy,
    phase: row.phase,
    generation: row.generation,
    podUid: row.pod_uid ?? undefined,
    node: row.node ?? undefined,
    wish: wishOf(row.wish),
    eipId: row.eip_id ?? undefined,
    address: row.address ?? undefined,
    privateIp: row.private_ip ?? undefined,
    eniId: row.eni_id ?? undefined,
    allocateToken: row.allocate_token ?? undefined,
    acted: row.acted ?? undefined,
    actedAt: row.acted_at ?? undefined,
    answered: row.answered === 1,
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

/** What is undefined is not in JSON. */
function wishOf(text: string): EipWish {
  const wish = JSON.parse(text) as EipWish
  const { expireAfter } = wish
  return wish.source === 'created'
    ? { ...wish, label: wish.label, expireAfter }
    : { ...wish, ordinal: wish.ordinal, expireAfter }
}
