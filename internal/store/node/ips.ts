// Table `ip`: the addresses of this node's pool.

import type { LocalIp } from '../../ipam/choose-address.ts'
import { IpamError } from '../../ipam/errors.ts'
import type { BoundIp } from '../../ipam/plan-sync.ts'
import { podText } from '../../ipam/pod-need.ts'
import type { PodName, PodUid } from '../../ipam/types.ts'
import type { Database } from '../../sqlite/database.ts'
import type { Ipv4 } from '../../value/ipv4.ts'
import type { Millis } from '../../value/millis.ts'
import { coolingUntil, remember } from './history.ts'

interface IpRow {
  readonly address: Ipv4
  readonly eni_id: string
  readonly grant: number
  readonly state: LocalIp['state']
  readonly published: 0 | 1
  readonly cooling_until: number
  readonly claim_namespace: string | null
  readonly claim_name: string | null
  readonly eip_for: string | null
  readonly in_use: 0 | 1
}

const columns = `SELECT ip.address, ip.eni_id, ip."grant", ip.state, ip.published, ip.cooling_until, ip.claim_namespace, ip.claim_name, ip.eip_for,
  a.address IS NOT NULL AS in_use FROM ip LEFT JOIN attachment a ON a.address = ip.address`

/** All in no promised order, or the one of `address`. */
export function listIps(db: Database, address?: Ipv4): readonly LocalIp[] {
  const rows =
    address === undefined ? db.all<IpRow>(columns) : db.all<IpRow>(`${columns} WHERE ip.address = ?`, address)
  return rows.map((row) => ({
    address: row.address,
    eniId: row.eni_id,
    grant: row.grant,
    state: row.state,
    published: row.published === 1,
    inUse: row.in_use === 1,
    coolingUntil: row.cooling_until,
    ...(row.claim_name === null || row.claim_namespace === null
      ? {}
      : { claim: { namespace: row.claim_namespace, name: row.claim_name } }),
    ...(row.eip_for !== null && { eipFor: row.eip_for }),
  }))
}

export function addIp(db: Database, now: Millis, ip: BoundIp): void {
  db.run(
    `INSERT INTO ip (address, eni_id, "grant", state, published, cooling_until, changed_at, claim_namespace, claim_name, eip_for)
     VALUES (?, ?, ?, 'usable', 1, ?, ?, ?, ?, ?)`,
    ip.address,
    ip.eniId,
    ip.grant,
    coolingUntil(db, now, ip.address),
    now,
    ip.claim?.namespace ?? null,
    ip.claim?.name ?? null,
    ip.eipFor ?? null,
  )
  const reason = `published by the leader${forWhom(ip.claim)}`
  remember(db, { at: now, address: ip.address, event: 'added', reason })
}

export function renewIp(db: Database, now: Millis, ip: BoundIp): void {
  db.run(
    `UPDATE ip SET eni_id = ?, "grant" = ?, state = 'usable', published = 1, changed_at = ?, claim_namespace = ?, claim_name = ?,
       eip_for = ? WHERE address = ?`,
    ip.eniId,
    ip.grant,
    now,
    ip.claim?.namespace ?? null,
    ip.claim?.name ?? null,
    ip.eipFor ?? null,
    ip.address,
  )
  const reason = `published under a new grant${forWhom(ip.claim)}`
  remember(db, { at: now, address: ip.address, event: 'renewed', reason })
}

/** The schema refuses it for an address that another pod has. */
export function claimIp(db: Database, now: Millis, address: Ipv4, claim: PodName | undefined): void {
  db.run(
    `UPDATE ip SET claim_namespace = ?, claim_name = ?, changed_at = ? WHERE address = ?`,
    claim?.namespace ?? null,
    claim?.name ?? null,
    now,
    address,
  )
  const reason = `published${forWhom(claim) || ' for any pod'}`
  remember(db, { at: now, address, event: claim === undefined ? 'unclaimed' : 'claimed', reason })
}

export function exposeIp(db: Database, address: Ipv4, eipFor: PodUid | undefined): void {
  db.run(`UPDATE ip SET eip_for = ? WHERE address = ?`, eipFor ?? null, address)
}

function forWhom(claim: PodName | undefined): string {
  return claim === undefined ? '' : ` for pod ${podText(claim)}`
}

export function publishIp(db: Database, address: Ipv4, published: boolean): void {
  db.run(`UPDATE ip SET published = ? WHERE address = ?`, published ? 1 : 0, address)
}

/** Not handed out again until then while others are idle. Nothing when the address is not in the pool. */
export function coolIp(db: Database, now: Millis, address: Ipv4, until: Millis): void {
  db.run(`UPDATE ip SET cooling_until = ?, changed_at = ? WHERE address = ?`, until, now, address)
}

/** The foreign key of `attachment` refuses it for an address in use. */
export function forgetIp(db: Database, now: Millis, address: Ipv4): void {
  remember(db, { at: now, address, event: 'forgotten', reason: 'no longer published by the leader' })
  db.run(`DELETE FROM ip WHERE address = ?`, address)
}

export function giveBack(db: Database, now: Millis, addresses: readonly Ipv4[], reason: string): void {
  for (const address of addresses) {
    const changes = db.run(
      `UPDATE ip SET state = 'returning', changed_at = ? WHERE address = ? AND state = 'usable'
         AND NOT EXISTS (SELECT 1 FROM attachment WHERE attachment.address = ip.address)`,
      now,
      address,
    )
    if (changes !== 1) throw new IpamError('conflict', `Cannot give ${address} back: it is not idle`)
    remember(db, { at: now, address, event: 'returned', reason })
  }
}
