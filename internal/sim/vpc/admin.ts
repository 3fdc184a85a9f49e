// The side entrance of the simulated cloud: what a person does in the console, and what the machine room knows.
import type { Database } from '../../sqlite/database.ts'
import { type Cidr, cidrContains, cidrRange, parseCidr } from '../../value/cidr.ts'
import { type Ipv4, ipv4FromNumber, parseIpv4 } from '../../value/ipv4.ts'
import type { Millis } from '../../value/millis.ts'
import {
  dropEip,
  type EipTrouble,
  type MadeEip,
  makeEip,
  type NewAdminEip,
  troubleEip,
} from './admin-eips.ts'
import { ApiError } from './api-error.ts'
import { type Audit, audit } from './audit.ts'
import { insertEni, unplace } from './eni-table.ts'
import { type FabricEni, fabricEnis } from './fabric-view.ts'
import { newId, newMac, newUuid } from './ids.ts'
import {
  findInstance,
  findInstanceType,
  getInstance,
  type InstanceType,
  putInstanceType,
  usualTypes,
} from './instance-table.ts'
import { insertIp } from './ip-table.ts'
import { findReservation, type ReservationRow, release, reserve } from './reservation-table.ts'
import { claimableNumber, freeNumber, getSubnet } from './subnet-table.ts'
import { deleteTags, insertTags } from './tag-table.ts'
import { removeEni } from './tasks.ts'
import type { World } from './world.ts'

export interface NewVpc {
  readonly id?: string
  readonly name?: string
  readonly cidr: string
}

export interface NewSubnet {
  readonly id?: string
  readonly name?: string
  readonly vpcId: string
  readonly cidr: string
  readonly zone: string
}

export interface NewInstance {
  readonly id?: string
  readonly name?: string
  readonly instanceType: string
  readonly subnetId: string
  /** Of the primary ENI; any free one when absent. */
  readonly address?: string
}

export interface MadeInstance {
  readonly id: string
  readonly eniId: string
  readonly mac: string
  readonly address: Ipv4
}

export interface NewReservedIp {
  readonly id?: string
  readonly subnetId: string
  /** Any free one when absent. */
  readonly address?: string
  readonly name?: string
  readonly tags?: Readonly<Record<string, string>>
}

export interface MadeReservedIp {
  readonly id: string
  readonly address: Ipv4
}

/** Making something with an id that exists returns the one that exists: seeding twice is harmless. */
export interface Admin {
  createVpc(vpc: NewVpc, at: Millis): string
  createSubnet(subnet: NewSubnet, at: Millis): string
  /** A running instance with its primary ENI, at once. Throws ApiError. */
  createInstance(instance: NewInstance, at: Millis): MadeInstance
  setInstanceState(id: string, state: string, at: Millis): void
  /** Its primary ENI goes with it, the others are set free. */
  terminateInstance(id: string, at: Millis): void
  setInstanceType(type: InstanceType): void
  /** As after a resize: the instance was shut down for it. */
  resizeInstance(id: string, instanceType: string): void
  /** Throws ApiError. */
  reserveIp(reservation: NewReservedIp, at: Millis): MadeReservedIp
  /** Throws ApiError while an ENI has the address. */
  releaseReservation(id: string, at: Millis): void
  /** As if it had long been there. Throws ApiError. */
  createEip(eip: NewAdminEip, at: Millis): MadeEip
  /** In arrears or blocked it cannot be bound, and carries no packets where it is. */
  troubleEip(id: string, trouble: EipTrouble, at: Millis): void
  /** Throws ApiError unless it is bound to nothing. */
  releaseEip(id: string, at: Millis): void
  /** As in the console: these tags of a reservation, and no others. Throws ApiError. */
  tagReservation(id: string, tags: Readonly<Record<string, string>>, at: Millis): void
  audit(at: Millis): Audit
  /** What is plugged in where, for a fabric. */
  fabric(): FabricEni[]
}

/** One transaction at a moment. */
export type Write = <T>(at: Millis, work: () => T) => T

export function createAdmin(world: World, write: Write, onChange: (enis: readonly string[]) => void): Admin {
  const { db } = world
  if (db.get('SELECT 1 FROM instance_type') === undefined)
    db.transaction(() => {
      for (const type of usualTypes) putInstanceType(db, type)
    })
  return {
    createVpc: (vpc, at) => write(at, () => createVpc(world, vpc, at)),
    createSubnet: (subnet, at) => write(at, () => createSubnet(world, subnet, at)),
    createInstance(instance, at) {
      const made = write(at, () => createInstance(world, instance, at))
      onChange([made.eniId])
      return made
    },
    setInstanceState(id, state, at) {
      write(at, () => {
        getInstance(db, id)
        db.run('UPDATE instance SET state = ? WHERE id = ?', state, id)
      })
    },
    terminateInstance(id, at) {
      onChange(write(at, () => terminateInstance(world, id)))
    },
    setInstanceType: (type) => putInstanceType(db, type),
    resizeInstance: (id, instanceType) =>
      void db.run(`UPDATE instance SET type = ? WHERE id = ?`, instanceType, id),
    reserveIp: (reservation, at) => write(at, () => reserveIp(world, reservation, at)),
    releaseReservation: (id, at) => write(at, () => release(db, reservationOf(db, id))),
    createEip: (eip, at) => write(at, () => makeEip(world, eip, at)),
    troubleEip(id, trouble, at) {
      const eni = write(at, () => troubleEip(db, id, trouble))
      if (eni !== null) onChange([eni])
    },
    releaseEip: (id, at) => write(at, () => dropEip(db, id)),
    tagReservation(id, tags, at) {
      write(at, () => {
        reservationOf(db, id)
        deleteTags(db, id)
        insertTags(
          db,
          id,
          Object.entries(tags).map(([Key, Value]) => ({ Key, Value })),
        )
      })
    },
    audit: (at) => audit(world, at),
    fabric: () => fabricEnis(db),
  }
}

function createVpc({ db, random }: World, vpc: NewVpc, at: Millis): string {
  const id = vpc.id ?? newId(random, 'vpc')
  if (db.get('SELECT 1 FROM vpc WHERE id = ?', id) !== undefined) return id
  block(vpc.cidr)
  db.run(
    'INSERT INTO vpc (id, name, cidr, default_group, created_at) VALUES (?, ?, ?, ?, ?)',
    id,
    vpc.name ?? id,
    vpc.cidr,
    newId(random, 'sg'),
    at,
  )
  return id
}

function createSubnet({ db, random }: World, subnet: NewSubnet, at: Millis): string {
  const id = subnet.id ?? newId(random, 'subnet')
  if (db.get('SELECT 1 FROM subnet WHERE id = ?', id) !== undefined) return id
  const vpc = db.get<{ cidr: Cidr }>('SELECT cidr FROM vpc WHERE id = ?', subnet.vpcId)
  if (vpc === undefined) throw new ApiError('ResourceNotFound', `The VPC \`${subnet.vpcId}\` does not exist.`)
  const cidr = block(subnet.cidr)
  const { first, size } = cidrRange(cidr)
  const inside =
    cidrContains(vpc.cidr, ipv4FromNumber(first)) && cidrContains(vpc.cidr, ipv4FromNumber(first + size - 1))
  if (!inside) throw new ApiError('InvalidParameterValue.Range', `\`${cidr}\` is not inside \`${vpc.cidr}\`.`)
  const other = db.get<{ id: string }>(
    'SELECT id FROM subnet WHERE vpc_id = ? AND first_number < ? AND first_number + size > ?',
    subnet.vpcId,
    first + size,
    first,
  )
  if (other !== undefined)
    throw new ApiError('InvalidParameterValue.SubnetConflict', `\`${cidr}\` overlaps \`${other.id}\`.`)
  db.run(
    `INSERT INTO subnet (id, vpc_id, name, cidr, first_number, size, zone, created_at)
     VALUES (?, ?, ?, ?, ?, ?, ?, ?)`,
    id,
    subnet.vpcId,
    subnet.name ?? id,
    cidr,
    first,
    size,
    subnet.zone,
    at,
  )
  return id
}

function createInstance({ db, random }: World, instance: NewInstance, at: Millis): MadeInstance {
  const id = instance.id ?? newId(random, 'ins')
  if (findInstance(db, id) !== undefined) return madeInstance({ db }, id)
  if (findInstanceType(db, instance.instanceType) === undefined)
    throw new ApiError('InvalidParameterValue', `There is no instance type \`${instance.instanceType}\`.`)
  const subnet = getSubnet(db, instance.subnetId)
  const vpc = db.get<{ default_group: string }>('SELECT default_group FROM vpc WHERE id = ?', subnet.vpc_id)
  db.run(
    `INSERT INTO instance (id, name, uuid, type, zone, vpc_id, subnet_id, state, created_at)
     VALUES (?, ?, ?, ?, ?, ?, ?, 'RUNNING', ?)`,
    id,
    instance.name ?? id,
    newUuid(random),
    instance.instanceType,
    subnet.zone,
    subnet.vpc_id,
    subnet.id,
    at,
  )
  const eniId = newId(random, 'eni')
  insertEni(db, {
    id: eniId,
    vpc_id: subnet.vpc_id,
    subnet_id: subnet.id,
    name: 'primary',
    description: '',
    mac: newMac(random, true),
    is_primary: 1,
    state: 'AVAILABLE',
    qos: 'DEFAULT',
    groups: JSON.stringify([vpc?.default_group]),
    instance_id: id,
    device_index: 0,
    created_at: at,
  })
  const wanted = instance.address === undefined ? undefined : parseIpv4(instance.address)
  insertIp(db, {
    vpc_id: subnet.vpc_id,
    number: wanted === undefined ? freeNumber(db, random, subnet) : claimableNumber(db, subnet, wanted),
    subnet_id: subnet.id,
    eni_id: eniId,
    is_primary: 1,
    state: 'AVAILABLE',
    description: '',
    created_at: at,
  })
  return madeInstance({ db }, id)
}

function madeInstance({ db }: Pick<World, 'db'>, id: string): MadeInstance {
  const made = db.get<Omit<MadeInstance, 'id'>>(
    `SELECT eni.id AS eniId, eni.mac AS mac, ip.address AS address FROM eni
     JOIN ip ON ip.eni_id = eni.id AND ip.is_primary = 1 WHERE eni.instance_id = ? AND eni.is_primary = 1`,
    id,
  )
  if (made === undefined) throw new Error(`instance "${id}" has no primary ENI`)
  return { id, ...made }
}

/** Running attachments find no instance when they end, and fail. */
function terminateInstance({ db }: World, id: string): string[] {
  getInstance(db, id)
  const enis = db.all<{ id: string; is_primary: number; state: string }>(
    'SELECT id, is_primary, state FROM eni WHERE instance_id = ?',
    id,
  )
  for (const eni of enis) {
    if (eni.is_primary === 1) removeEni(db, eni.id)
    else if (eni.state === 'PENDING')
      db.run('UPDATE eni SET instance_id = NULL, device_index = NULL WHERE id = ?', eni.id)
    else unplace(db, eni.id)
  }
  db.run('DELETE FROM instance WHERE id = ?', id)
  return enis.map((eni) => eni.id)
}

function reserveIp(world: World, reservation: NewReservedIp, at: Millis): MadeReservedIp {
  const { db } = world
  const { id, subnetId, address, name = '', tags = {} } = reservation
  const known = id === undefined ? undefined : findReservation(db, id)
  const wanted = address === undefined ? undefined : parseIpv4(address)
  if (address !== undefined && wanted === undefined)
    throw new ApiError('InvalidParameterValue.Malformed', `The address \`${address}\` is malformed.`)
  const made =
    known ??
    reserve(world, {
      ...(id === undefined ? {} : { id }),
      subnet: getSubnet(db, subnetId),
      address: wanted,
      name,
      description: '',
      tags: Object.entries(tags).map(([Key, Value]) => ({ Key, Value })),
      at,
    })
  return { id: made.id, address: made.address }
}

function reservationOf(db: Database, id: string): ReservationRow {
  const row = findReservation(db, id)
  if (row === undefined)
    throw new ApiError('ResourceNotFound', `The reserved address \`${id}\` does not exist.`)
  return row
}

function block(text: string): Cidr {
  const cidr = parseCidr(text)
  if (cidr === undefined)
    throw new ApiError('InvalidParameterValue.Malformed', `The block \`${text}\` is malformed.`)
  return cidr
}
