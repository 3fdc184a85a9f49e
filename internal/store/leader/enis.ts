// Table `eni`: the ENIs of every node, of both kinds, from the intent to create them until they are deleted.
import { IpamError } from '../../ipam/errors.ts'
import type { EniState, PoolEni } from '../../ipam/pool.ts'
import type { CloudEni, EniId, EniMode, NodeName, PodUid, PublishedEni } from '../../ipam/types.ts'
import type { FoundEni } from '../../ports.ts'
import type { Database } from '../../sqlite/database.ts'
import { type Cidr, gatewayOf } from '../../value/cidr.ts'
import type { Ipv4 } from '../../value/ipv4.ts'
import type { Mac } from '../../value/mac.ts'
import type { Millis } from '../../value/millis.ts'
import { ipsOf } from './ips.ts'

export interface EniRow {
  readonly key: number
  readonly id: EniId | null
  readonly node: NodeName
  readonly slot: number
  readonly mode: EniMode
  readonly subnet_id: string
  readonly subnet_cidr: Cidr
  readonly mac: Mac | null
  readonly primary_ip: Ipv4 | null
  readonly state: EniState
  readonly goal: 'serve' | 'delete'
  readonly served: 0 | 1
  readonly expected_ips: number
  readonly changed_at: Millis
}

export function findEni(db: Database, key: number): EniRow {
  const row = db.get<EniRow>(`SELECT * FROM eni WHERE key = ?`, key)
  if (row === undefined) throw new IpamError('not_found', `Cannot find ENI ${key} in the ledger`)
  return row
}

export function addEni(
  db: Database,
  now: number,
  eni: { node: NodeName; slot: number; mode: EniMode; subnetId: string; cidr: Cidr; ips: number },
): number {
  const row = db.get<{ key: number }>(
    `INSERT INTO eni (node, slot, mode, subnet_id, subnet_cidr, state, expected_ips, changed_at)
     VALUES (?, ?, ?, ?, ?, 'creating', ?, ?) RETURNING key`,
    eni.node,
    eni.slot,
    eni.mode,
    eni.subnetId,
    eni.cidr,
    eni.ips,
    now,
  )
  return row?.key ?? 0
}

/** Enters an ENI that the cloud has already; its addresses are added apart. */
export function enterEni(db: Database, now: number, eni: Omit<FoundEni, 'ips'>): number {
  const row = db.get<{ key: number }>(
    `INSERT INTO eni (id, node, slot, mode, subnet_id, subnet_cidr, mac, primary_ip, state, goal, changed_at, served)
     VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?) RETURNING key`,
    eni.id,
    eni.node,
    eni.slot,
    eni.mode,
    eni.subnetId,
    eni.subnetCidr,
    eni.mac,
    eni.primaryIp,
    eni.state,
    eni.goal,
    now,
    eni.state === 'attached' ? 1 : 0,
  )
  return row?.key ?? 0
}

export function identifyEni(db: Database, key: number, eni: CloudEni): void {
  db.run(`UPDATE eni SET id = ?, mac = ?, primary_ip = ? WHERE key = ?`, eni.id, eni.mac, eni.primaryIp, key)
}

export function setEniState(db: Database, now: number, key: number, state: EniState): void {
  db.run(
    `UPDATE eni SET state = ?, served = max(served, ?), changed_at = ? WHERE key = ?`,
    state,
    state === 'attached' ? 1 : 0,
    now,
    key,
  )
}

export function doomEni(db: Database, key: number): void {
  db.run(`UPDATE eni SET goal = 'delete' WHERE key = ?`, key)
}

export function expectIps(db: Database, key: number, count: number): void {
  db.run(`UPDATE eni SET expected_ips = ? WHERE key = ?`, count, key)
}

export function removeEni(db: Database, key: number): void {
  db.run(`DELETE FROM eni WHERE key = ?`, key)
}

export function poolEnis(db: Database, node: NodeName): readonly PoolEni[] {
  return enisOf(db, node).map((row) => ({
    key: row.key,
    id: row.id ?? undefined,
    slot: row.slot,
    mode: row.mode,
    subnetId: row.subnet_id,
    state: row.state,
    goal: row.goal,
    served: row.served === 1,
    busy: row.busy === 1,
    held: row.held === 1,
    expectedIps: row.expected_ips,
    ips: ipsOf(db, row.key),
  }))
}

/** On its way back to its node. */
const returning: ReadonlySet<EniState> = new Set(['available', 'attaching'])

export function publishedEnis(db: Database, node: NodeName): readonly PublishedEni[] {
  return enisOf(db, node).flatMap((row) => {
    const { id, mac, primary_ip: primaryIp, subnet_cidr: subnetCidr } = row
    const isThere = row.state === 'attached' || (row.served === 1 && returning.has(row.state))
    if (!isThere || row.goal !== 'serve' || row.held === 1) return []
    if (id === null || mac === null || primaryIp === null) return []
    const all = ipsOf(db, row.key)
    const moving = all.some(({ claim, state }) => claim !== undefined && state === 'unassigning')
    const parked = moving ? parkedOn(db, row.key) : new Set()
    const exposed = exposedOn(db, row.key, node)
    const ips = all.filter(({ address, state }) => state === 'bound' || parked.has(address))
    return [
      {
        id,
        mac,
        primaryIp,
        subnetId: row.subnet_id,
        subnetCidr,
        gateway: gatewayOf(subnetCidr),
        slot: row.slot,
        mode: row.mode,
        ips: ips.map(({ address, claim, grant }) => {
          const eipFor = claim === undefined ? exposed.get(address) : undefined
          return { address, grant, ...(claim && { claim }), ...(eipFor !== undefined && { eipFor }) }
        }),
      },
    ]
  })
}

/** No reservation tells whose they are: while they move to another node the NEC of the one that they leave does. It has returned them, and gives them to nobody. */
function parkedOn(db: Database, eni: number): ReadonlySet<Ipv4> {
  const rows = db.all<{ address: Ipv4 }>(
    `SELECT ip.address FROM ip JOIN claim ON claim.address = ip.address
     WHERE eni = ? AND policy = 'Never' AND reservation IS NULL AND phase <> 'Releasing'`,
    eni,
  )
  return new Set(rows.map(({ address }) => address))
}

/** The addresses of the ENI that EIPs are on, or come to, each with its pod; empty: that has gone. */
function exposedOn(db: Database, eni: number, node: NodeName): ReadonlyMap<Ipv4, PodUid> {
  const rows = db.all<{ address: Ipv4; pod: PodUid }>(
    `SELECT ip.address, CASE WHEN held.key IS NULL THEN own.pod_uid ELSE coalesce(held.pod_uid, '') END AS pod
     FROM ip LEFT JOIN eip_claim held ON held.private_ip = ip.address
     LEFT JOIN eip_claim own ON own.node = ? AND own.pod_uid = ip.pod_uid
     WHERE ip.eni = ? AND (held.key IS NOT NULL OR own.key IS NOT NULL)`,
    node,
    eni,
  )
  return new Map(rows.map(({ address, pod }) => [address, pod]))
}

function enisOf(db: Database, node: NodeName): readonly (EniRow & { busy: 0 | 1; held: 0 | 1 })[] {
  return db.all(
    `SELECT eni.*, EXISTS (SELECT 1 FROM intent WHERE eni.key IN (intent.eni, intent.from_eni) AND intent.state IN ('recorded', 'accepted')) AS busy,
       EXISTS (SELECT 1 FROM quarantine WHERE subject = eni.id AND held = 1) AS held
     FROM eni WHERE node = ? ORDER BY slot`,
    node,
  )
}
