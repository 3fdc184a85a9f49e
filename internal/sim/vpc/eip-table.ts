// EIPs: rows, what they are bound to, and how the API prints them.
import type { Database } from '../../sqlite/database.ts'
import { type Ipv4, ipv4FromNumber, ipv4ToNumber } from '../../value/ipv4.ts'
import { formatTime, type Millis } from '../../value/millis.ts'
import { ApiError } from './api-error.ts'
import type { IpRow, PublicSide } from './ip-table.ts'
import { id } from './shape.ts'
import { renderTags } from './tag-table.ts'
import type { Fields } from './world.ts'

export type EipState = 'CREATING' | 'UNBIND' | 'BINDING' | 'BIND' | 'BIND_ENI' | 'UNBINDING' | 'OFFLINING'

export const isps = ['BGP', 'CMCC', 'CTCC', 'CUCC'] as const

export type Isp = (typeof isps)[number]

/** As a parameter; also as short as the documents' samples have them (eip-xxx1). */
export const eipId = id('eip', 'InvalidParameterValue.AddressIdMalformed', '4,8')

export interface EipRow {
  readonly seq: number
  readonly id: string
  readonly number: number
  readonly address: Ipv4
  readonly name: string
  readonly isp: Isp
  readonly charge_type: string
  readonly bandwidth: number
  readonly package_id: string | null
  readonly is_arrears: number
  readonly is_blocked: number
  readonly state: EipState
  readonly task_id: number | null
  readonly vpc_id: string | null
  readonly private_number: number | null
  readonly eni_id: string | null
  readonly created_at: Millis
}

export type NewEip = Pick<
  EipRow,
  | 'id'
  | 'number'
  | 'name'
  | 'isp'
  | 'charge_type'
  | 'bandwidth'
  | 'package_id'
  | 'state'
  | 'task_id'
  | 'created_at'
>

export function insertEip(db: Database, eip: NewEip): void {
  db.run(
    `INSERT INTO eip (id, number, address, name, isp, charge_type, bandwidth, package_id, state, task_id, created_at)
     VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)`,
    eip.id,
    eip.number,
    ipv4FromNumber(eip.number),
    eip.name,
    eip.isp,
    eip.charge_type,
    eip.bandwidth,
    eip.package_id,
    eip.state,
    eip.task_id,
    eip.created_at,
  )
}

export function findEip(db: Database, id: string): EipRow | undefined {
  return db.get<EipRow>('SELECT * FROM eip WHERE id = ?', id)
}

/** Throws InvalidAddressId.NotFound. */
export function getEip(db: Database, id: string): EipRow {
  const row = findEip(db, id)
  if (row !== undefined) return row
  throw new ApiError('InvalidAddressId.NotFound', `The EIP \`${id}\` does not exist.`)
}

/** Throws MutexTaskRunning while it is on its way from one state to another, else AddressStatusNotPermit. */
export function refuseUnless(eip: EipRow, ...states: readonly EipState[]): void {
  if (states.includes(eip.state)) return
  const moves = !['UNBIND', 'BIND', 'BIND_ENI'].includes(eip.state)
  throw new ApiError(
    moves ? 'OperationDenied.MutexTaskRunning' : 'UnsupportedOperation.AddressStatusNotPermit',
    `The EIP \`${eip.id}\` is in state ${eip.state}.`,
  )
}

/** Puts it on a private address, where it will be once the task is done. */
export function placeEip(db: Database, eip: EipRow, ip: IpRow, taskId: number): void {
  db.run(
    `UPDATE eip SET state = 'BINDING', task_id = ?, vpc_id = ?, private_number = ?, eni_id = ? WHERE id = ?`,
    taskId,
    ip.vpc_id,
    ip.number,
    ip.eni_id,
    eip.id,
  )
}

/** The one on a private address, also on its way there or from there. */
export function eipOf(db: Database, ip: Pick<IpRow, 'vpc_id' | 'number'>): EipRow | undefined {
  return db.get<EipRow>('SELECT * FROM eip WHERE vpc_id = ? AND private_number = ?', ip.vpc_id, ip.number)
}

/** Those on an ENI, by the numbers of their private addresses; not those that are still on their way there. */
export function eipsOf(db: Database, eniId: string): ReadonlyMap<number, PublicSide> {
  const rows = db.all<EipRow>(`SELECT * FROM eip WHERE eni_id = ? AND state <> 'BINDING'`, eniId)
  return new Map(rows.map((row) => [row.private_number ?? 0, row]))
}

/** Those of an instance count, whatever ENI of it they are on. */
export function countEips(db: Database, instanceId: string): number {
  const sql = `SELECT count(*) AS n FROM eip JOIN eni ON eni.id = eip.eni_id WHERE eni.instance_id = ?`
  return db.get<{ n: number }>(sql, instanceId)?.n ?? 0
}

/** What one that is bound is called: where its ENI is decides. */
const boundState = `CASE WHEN EXISTS (SELECT 1 FROM eni WHERE eni.id = eip.eni_id AND eni.instance_id IS NOT NULL
  AND eni.state <> 'ATTACHING') THEN 'BIND' ELSE 'BIND_ENI' END`

/** EIPs on an ENI; all of them without `addresses`. */
export interface EipsOfEni {
  readonly eniId: string
  readonly addresses?: readonly Ipv4[]
}

function onEni({ eniId, addresses }: EipsOfEni): { sql: string; values: string[] } {
  if (addresses === undefined) return { sql: 'eni_id = ?', values: [eniId] }
  const numbers = JSON.stringify(addresses.map(ipv4ToNumber))
  return {
    sql: 'eni_id = ? AND private_number IN (SELECT value FROM json_each(?))',
    values: [eniId, numbers],
  }
}

/** Throws `code` while a task of its own runs on one of them. */
export function refuseBusyEips(db: Database, which: EipsOfEni, code: string): void {
  const { sql, values } = onEni(which)
  const busy = db.get<{ id: string }>(
    `SELECT id FROM eip WHERE ${sql} AND task_id IS NOT NULL ORDER BY seq`,
    ...values,
  )
  if (busy !== undefined) throw new ApiError(code, `The EIP \`${busy.id}\` has a running task.`)
}

/** Their private addresses are about to go: they leave with the task of the ENI. */
export function startLeaving(db: Database, which: EipsOfEni): void {
  const { sql, values } = onEni(which)
  db.run(`UPDATE eip SET state = 'UNBINDING' WHERE ${sql} AND task_id IS NULL`, ...values)
}

/** They stay after all. */
export function stopLeaving(db: Database, which: EipsOfEni): void {
  const { sql, values } = onEni(which)
  db.run(
    `UPDATE eip SET state = ${boundState} WHERE ${sql} AND state = 'UNBINDING' AND task_id IS NULL`,
    ...values,
  )
}

/** Its ENI has come to an instance, or has left one. */
export function followEni(db: Database, eniId: string): void {
  db.run(`UPDATE eip SET state = ${boundState} WHERE eni_id = ? AND state IN ('BIND', 'BIND_ENI')`, eniId)
}

const nowhere = `state = 'UNBIND', task_id = NULL, vpc_id = NULL, private_number = NULL, eni_id = NULL`

/** Their private addresses go now. A task that is about one of them will find that it is not. */
export function unbindEips(db: Database, which: EipsOfEni): void {
  const { sql, values } = onEni(which)
  db.run(`UPDATE eip SET ${nowhere} WHERE ${sql}`, ...values)
}

/** The end of a task of their own. False when there is none left that it is about. */
export function endBinding(db: Database, taskId: number, to: 'bound' | 'unbound'): boolean {
  const set = to === 'bound' ? `state = ${boundState}, task_id = NULL` : nowhere
  return db.run(`UPDATE eip SET ${set} WHERE task_id = ?`, taskId) > 0
}

/** The Address of the API. */
export function renderEip(db: Database, row: EipRow): Fields {
  const at = placeOf(db, row)
  return {
    AddressId: row.id,
    AddressName: row.name,
    AddressStatus: row.state,
    AddressIp: row.state === 'CREATING' ? '' : row.address,
    InstanceId: at?.instance_id ?? '',
    CreatedTime: formatTime(row.created_at),
    NetworkInterfaceId: row.eni_id,
    PrivateAddressIp: at?.private_ip ?? null,
    IsArrears: row.is_arrears === 1,
    IsBlocked: row.is_blocked === 1,
    IsEipDirectConnection: false,
    AddressType: 'EIP',
    CascadeRelease: false,
    EipAlgType: { Ftp: false, Sip: false },
    InternetServiceProvider: row.isp,
    LocalBgp: false,
    Bandwidth: row.bandwidth,
    InternetChargeType: row.charge_type,
    TagSet: renderTags(db, row.id),
    DeadlineDate: null,
    InstanceType: at === undefined ? null : at.instance_id === null ? 'ENI' : 'CVM',
    Egress: 'center_egress1',
    AntiDDoSPackageId: '',
    RenewFlag: null,
    BandwidthPackageId: row.package_id,
    UnVpcId: '',
    DedicatedClusterId: '',
  }
}

interface EipPlace {
  readonly private_ip: Ipv4
  readonly instance_id: string | null
}

function placeOf(db: Database, { eni_id, vpc_id, private_number }: EipRow): EipPlace | undefined {
  if (eni_id === null) return undefined
  return db.get<EipPlace>(
    `SELECT ip.address AS private_ip, eni.instance_id AS instance_id FROM ip JOIN eni ON eni.id = ip.eni_id
     WHERE ip.vpc_id = ? AND ip.number = ?`,
    vpc_id,
    private_number,
  )
}
