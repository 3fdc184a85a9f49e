// ENIs: rows, their guards, and how the API prints them.
import type { Database } from '../../sqlite/database.ts'
import type { Millis } from '../../value/millis.ts'
import { ApiError } from './api-error.ts'
import { eipsOf, followEni } from './eip-table.ts'
import { vpcTime } from './ids.ts'
import { ipsOf, renderIp } from './ip-table.ts'
import { renderTags } from './tag-table.ts'
import type { Fields } from './world.ts'

export type EniState = 'PENDING' | 'AVAILABLE' | 'ATTACHING' | 'DETACHING' | 'DELETING'

export interface EniRow {
  readonly seq: number
  readonly id: string
  readonly vpc_id: string
  readonly subnet_id: string
  readonly name: string
  readonly description: string
  readonly mac: string
  readonly is_primary: number
  readonly state: EniState
  readonly qos: string
  readonly groups: string
  readonly instance_id: string | null
  readonly device_index: number | null
  readonly attached_at: Millis | null
  readonly attach_type: number
  readonly created_at: Millis
}

/** Throws ResourceNotFound. */
export function getEni(db: Database, id: string): EniRow {
  const row = db.get<EniRow>('SELECT * FROM eni WHERE id = ?', id)
  if (row === undefined)
    throw new ApiError('ResourceNotFound', `The network interface \`${id}\` does not exist.`)
  return row
}

export function insertEni(db: Database, eni: Omit<EniRow, 'seq' | 'attached_at' | 'attach_type'>): void {
  db.run(
    `INSERT INTO eni (id, vpc_id, subnet_id, name, description, mac, is_primary, state, qos, groups,
       instance_id, device_index, created_at) VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)`,
    eni.id,
    eni.vpc_id,
    eni.subnet_id,
    eni.name,
    eni.description,
    eni.mac,
    eni.is_primary,
    eni.state,
    eni.qos,
    eni.groups,
    eni.instance_id,
    eni.device_index,
    eni.created_at,
  )
}

export function setEniState(db: Database, id: string, state: EniState): void {
  db.run('UPDATE eni SET state = ? WHERE id = ?', state, id)
}

/** Takes the next free place on the instance. */
export function place(db: Database, id: string, instanceId: string, attachType: number): void {
  const taken = db.all<{ i: number }>(
    'SELECT device_index AS i FROM eni WHERE instance_id = ? ORDER BY 1',
    instanceId,
  )
  const used = new Set(taken.map(({ i }) => i))
  let index = 1
  while (used.has(index)) index++
  db.run(
    'UPDATE eni SET instance_id = ?, device_index = ?, attach_type = ? WHERE id = ?',
    instanceId,
    index,
    attachType,
    id,
  )
}

export function unplace(db: Database, id: string): void {
  db.run(
    `UPDATE eni SET state = 'AVAILABLE', instance_id = NULL, device_index = NULL, attached_at = NULL WHERE id = ?`,
    id,
  )
  followEni(db, id)
}

/** The NetworkInterface of the API. */
export function renderEni(db: Database, eni: EniRow): Fields {
  const attached = eni.instance_id !== null
  const eips = eipsOf(db, eni.id)
  return {
    NetworkInterfaceId: eni.id,
    NetworkInterfaceName: eni.name,
    NetworkInterfaceDescription: eni.description,
    SubnetId: eni.subnet_id,
    VpcId: eni.vpc_id,
    GroupSet: JSON.parse(eni.groups) as string[],
    Primary: eni.is_primary === 1,
    MacAddress: eni.mac,
    State: eni.state,
    NetworkInterfaceState: attached && eni.state === 'AVAILABLE' ? 'INUSE' : eni.state,
    PrivateIpAddressSet: ipsOf(db, eni.id).map((ip) => renderIp(ip, eips.get(ip.number))),
    Attachment: attached
      ? {
          DeviceIndex: eni.device_index,
          InstanceAccountId: '100000000001',
          // not yet known while attaching
          AttachTime: vpcTime(eni.attached_at ?? eni.created_at),
          InstanceId: eni.instance_id,
        }
      : null,
    Zone: zoneOf(db, eni),
    CreatedTime: vpcTime(eni.created_at),
    Ipv6AddressSet: [],
    TagSet: renderTags(db, eni.id),
    EniType: eni.is_primary,
    Business: 'cvm',
    CdcId: '',
    AttachType: eni.attach_type,
    ResourceId: null,
    QosLevel: eni.qos,
  }
}

/** The API leaves the zone empty until the ENI is made. */
function zoneOf(db: Database, eni: EniRow): string {
  if (eni.state === 'PENDING') return ''
  return db.get<{ zone: string }>('SELECT zone FROM subnet WHERE id = ?', eni.subnet_id)?.zone ?? ''
}
