// Reserved addresses: rows, whether an ENI has one, and how the API prints them.
import type { Database } from '../../sqlite/database.ts'
import { type Ipv4, ipv4FromNumber } from '../../value/ipv4.ts'
import type { Millis } from '../../value/millis.ts'
import { ApiError } from './api-error.ts'
import { newId, vpcTime } from './ids.ts'
import { claimableNumber, freeNumber, type SubnetRow } from './subnet-table.ts'
import { deleteTags, insertTags, renderTags, type Tag } from './tag-table.ts'
import type { Fields, World } from './world.ts'

export interface ReservationRow {
  readonly seq: number
  readonly id: string
  readonly vpc_id: string
  readonly number: number
  readonly address: Ipv4
  readonly subnet_id: string
  readonly name: string
  readonly description: string
  readonly created_at: Millis
}

export interface NewReservation {
  readonly id?: string
  readonly subnet: SubnetRow
  /** Any free one when absent. */
  readonly address?: Ipv4 | undefined
  readonly name: string
  readonly description: string
  readonly tags: readonly Tag[]
  readonly at: Millis
}

/** Throws Range, Reserved, ResourceInUse, ResourceInsufficient.Subnet and those of tags. */
export function reserve({ db, random }: World, wanted: NewReservation): ReservationRow {
  const { subnet, address, name, description, tags, at } = wanted
  const id = wanted.id ?? newId(random, 'rsvip')
  const number = address === undefined ? freeNumber(db, random, subnet) : claimableNumber(db, subnet, address)
  const kept = db.get('SELECT 1 FROM reservation WHERE vpc_id = ? AND number = ?', subnet.vpc_id, number)
  if (kept !== undefined)
    throw new ApiError('ResourceInUse', `The address \`${address}\` is reserved already.`)
  db.run(
    `INSERT INTO reservation (id, vpc_id, number, address, subnet_id, name, description, created_at)
     VALUES (?, ?, ?, ?, ?, ?, ?, ?)`,
    id,
    subnet.vpc_id,
    number,
    ipv4FromNumber(number),
    subnet.id,
    name,
    description,
    at,
  )
  insertTags(db, id, tags)
  return getReservation(db, subnet.vpc_id, id)
}

export function findReservation(db: Database, id: string): ReservationRow | undefined {
  return db.get<ReservationRow>('SELECT * FROM reservation WHERE id = ?', id)
}

/** Throws ResourceNotFound. */
export function getReservation(db: Database, vpcId: string, id: string): ReservationRow {
  const row = findReservation(db, id)
  if (row?.vpc_id === vpcId) return row
  throw new ApiError('ResourceNotFound', `The reserved address \`${id}\` does not exist in \`${vpcId}\`.`)
}

/** Throws ParameterMismatch while an ENI has the address. */
export function release(db: Database, row: ReservationRow): void {
  const eni = holderOf(db, row)
  if (eni !== undefined)
    throw new ApiError(
      'InvalidParameterValue.ParameterMismatch',
      `The reserved address \`${row.id}\` is bound to \`${eni}\`.`,
    )
  deleteTags(db, row.id)
  db.run('DELETE FROM reservation WHERE id = ?', row.id)
}

/** The ENI that has the address, also one that it is on its way to or from. */
export function holderOf(db: Database, { vpc_id, number }: ReservationRow): string | undefined {
  const ip = db.get<{ eni: string }>(
    'SELECT eni_id AS eni FROM ip WHERE vpc_id = ? AND number = ?',
    vpc_id,
    number,
  )
  return ip?.eni
}

/** The ReserveIpAddressInfo of the API. */
export function renderReservation({ db, settings }: World, row: ReservationRow): Fields {
  const eni = holderOf(db, row)
  return {
    ReserveIpId: row.id,
    VpcId: row.vpc_id,
    ...(settings.limits().hideReservedSubnets ? {} : { SubnetId: row.subnet_id }),
    ReserveIpAddress: row.address,
    ResourceId: eni ?? '',
    IpType: 0,
    State: eni === undefined ? 'UnBind' : 'Bind',
    Name: row.name,
    Description: row.description,
    CreatedTime: vpcTime(row.created_at),
    TagSet: renderTags(db, row.id),
  }
}
