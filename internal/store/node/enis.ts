// Table `eni`: the ENIs published for this node, of both kinds.
import type { EniId, EniMode, PublishedEni } from '../../ipam/types.ts'
import type { NodeEni } from '../../ports.ts'
import type { Database } from '../../sqlite/database.ts'
import type { Cidr } from '../../value/cidr.ts'
import type { Ipv4 } from '../../value/ipv4.ts'
import type { Mac } from '../../value/mac.ts'

interface EniRow {
  readonly id: EniId
  readonly mac: Mac
  readonly primary_ip: Ipv4
  readonly subnet_id: string
  readonly subnet_cidr: Cidr
  readonly gateway: Ipv4
  readonly slot: number
  readonly mode: EniMode
  readonly published: 0 | 1
}

export function listEnis(db: Database): readonly Omit<NodeEni, 'ips'>[] {
  return db.all<EniRow>(`SELECT * FROM eni ORDER BY slot, id`).map(fromRow)
}

export function findEniOf(db: Database, address: Ipv4): Omit<NodeEni, 'ips'> | undefined {
  const row = db.get<EniRow>(
    `SELECT eni.* FROM ip JOIN eni ON eni.id = ip.eni_id WHERE ip.address = ?`,
    address,
  )
  return row === undefined ? undefined : fromRow(row)
}

function fromRow(row: EniRow): Omit<NodeEni, 'ips'> {
  return {
    id: row.id,
    mac: row.mac,
    primaryIp: row.primary_ip,
    subnetId: row.subnet_id,
    subnetCidr: row.subnet_cidr,
    gateway: row.gateway,
    slot: row.slot,
    mode: row.mode,
    published: row.published === 1,
  }
}

export function keepEni(db: Database, eni: Omit<PublishedEni, 'ips'>): void {
  db.run(
    `INSERT INTO eni (id, mac, primary_ip, subnet_id, subnet_cidr, gateway, slot, mode, published)
     VALUES (?, ?, ?, ?, ?, ?, ?, ?, 1)
     ON CONFLICT (id) DO UPDATE SET slot = excluded.slot, published = 1`,
    eni.id,
    eni.mac,
    eni.primaryIp,
    eni.subnetId,
    eni.subnetCidr,
    eni.gateway,
    eni.slot,
    eni.mode,
  )
}

/** An ENI with addresses in use stays known. */
export function unpublishEni(db: Database, id: EniId): void {
  db.run(`UPDATE eni SET published = 0 WHERE id = ?`, id)
  db.run(`DELETE FROM eni WHERE id = ? AND NOT EXISTS (SELECT 1 FROM ip WHERE eni_id = eni.id)`, id)
}
