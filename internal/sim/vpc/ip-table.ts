// Addresses: rows and how the API prints them.
import type { Database } from '../../sqlite/database.ts'
import { type Ipv4, ipv4FromNumber } from '../../value/ipv4.ts'
import type { Millis } from '../../value/millis.ts'
import type { Fields } from './world.ts'

export type IpState = 'PENDING' | 'AVAILABLE' | 'MIGRATING' | 'DELETING'

export interface IpRow {
  readonly vpc_id: string
  readonly number: number
  readonly address: Ipv4
  readonly subnet_id: string
  readonly eni_id: string
  readonly is_primary: number
  readonly state: IpState
  readonly description: string
  readonly created_at: Millis
}

/** The primary first, the others in the order of their numbers. */
export function ipsOf(db: Database, eniId: string): IpRow[] {
  return db.all<IpRow>('SELECT * FROM ip WHERE eni_id = ? ORDER BY is_primary DESC, number', eniId)
}

export function insertIp(db: Database, ip: Omit<IpRow, 'address'>): Ipv4 {
  const address = ipv4FromNumber(ip.number)
  db.run(
    `INSERT INTO ip (vpc_id, number, address, subnet_id, eni_id, is_primary, state, description, created_at)
     VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?)`,
    ip.vpc_id,
    ip.number,
    address,
    ip.subnet_id,
    ip.eni_id,
    ip.is_primary,
    ip.state,
    ip.description,
    ip.created_at,
  )
  return address
}

/** The addresses an ENI has or is about to get by a migration. */
export function countIps(db: Database, eniId: string): number {
  const own = db.get<{ n: number }>('SELECT count(*) AS n FROM ip WHERE eni_id = ?', eniId)?.n ?? 0
  const coming = db.get<{ n: number }>(
    `SELECT count(*) AS n FROM task WHERE state = 'RUNNING' AND target_id = ?`,
    eniId,
  )
  return own + (coming?.n ?? 0)
}

/** What an address shows of its EIP. */
export interface PublicSide {
  readonly id: string
  readonly address: Ipv4
  readonly is_blocked: number
}

/** The PrivateIpAddressSpecification of the API. */
export function renderIp(ip: IpRow, eip?: PublicSide): Fields {
  return {
    PrivateIpAddress: ip.address,
    Primary: ip.is_primary === 1,
    PublicIpAddress: eip?.address ?? '',
    AddressId: eip?.id ?? '',
    Description: ip.description,
    IsWanIpBlocked: eip?.is_blocked === 1,
    State: ip.state,
    QosLevel: 'DEFAULT',
  }
}
