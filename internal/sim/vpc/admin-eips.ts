// What a person does with EIPs in the console, and what the machine room does to them.
import type { Database } from '../../sqlite/database.ts'
import { type Ipv4, ipv4ToNumber, parseIpv4 } from '../../value/ipv4.ts'
import type { Millis } from '../../value/millis.ts'
import { ApiError } from './api-error.ts'
import { freePublicNumber, isPublicNumber } from './eip-choice.ts'
import { type EipRow, findEip, getEip, type Isp, insertEip, refuseUnless } from './eip-table.ts'
import { removeEip } from './eip-tasks.ts'
import { newId } from './ids.ts'
import { insertTags } from './tag-table.ts'
import type { World } from './world.ts'

export interface NewAdminEip {
  readonly id?: string
  /** Any free one when absent. */
  readonly address?: string
  readonly name?: string
  readonly isp?: Isp
  readonly bandwidth?: number
  readonly tags?: Readonly<Record<string, string>>
}

export interface MadeEip {
  readonly id: string
  readonly address: Ipv4
}

export interface EipTrouble {
  readonly arrears?: boolean
  readonly blocked?: boolean
}

/** One that is there at once, bound to nothing; quotas are not asked. Throws ApiError. */
export function makeEip({ db, random }: World, wanted: NewAdminEip, at: Millis): MadeEip {
  const known = wanted.id === undefined ? undefined : findEip(db, wanted.id)
  if (known !== undefined) return { id: known.id, address: known.address }
  const id = wanted.id ?? newId(random, 'eip')
  insertEip(db, {
    id,
    number: wanted.address === undefined ? freePublicNumber(db, random) : claimed(db, wanted.address),
    name: wanted.name ?? '',
    isp: wanted.isp ?? 'BGP',
    charge_type: 'TRAFFIC_POSTPAID_BY_HOUR',
    bandwidth: wanted.bandwidth ?? 1,
    package_id: null,
    state: 'UNBIND',
    task_id: null,
    created_at: at,
  })
  insertTags(
    db,
    id,
    Object.entries(wanted.tags ?? {}).map(([Key, Value]) => ({ Key, Value })),
  )
  return { id, address: getEip(db, id).address }
}

function claimed(db: Database, text: string): number {
  const address = parseIpv4(text)
  const number = address === undefined ? undefined : ipv4ToNumber(address)
  if (number === undefined || !isPublicNumber(number))
    throw new ApiError('InvalidParameterValue.AddressIpNotAvailable', `\`${text}\` is not to be had here.`)
  if (db.get('SELECT 1 FROM eip WHERE number = ?', number) !== undefined)
    throw new ApiError('InvalidParameterValue.AddressIpNotAvailable', `\`${text}\` is another EIP's.`)
  return number
}

/** Returns the ENI that it is on. Throws InvalidAddressId.NotFound. */
export function troubleEip(db: Database, id: string, { arrears, blocked }: EipTrouble): string | null {
  const eip = getEip(db, id)
  const flag = (wanted: boolean | undefined, present: number) =>
    wanted === undefined ? present : wanted ? 1 : 0
  db.run(
    'UPDATE eip SET is_arrears = ?, is_blocked = ? WHERE id = ?',
    flag(arrears, eip.is_arrears),
    flag(blocked, eip.is_blocked),
    id,
  )
  return eip.eni_id
}

/** At once. Throws ApiError unless it is bound to nothing. */
export function dropEip(db: Database, id: string): void {
  const eip: EipRow = getEip(db, id)
  refuseUnless(eip, 'UNBIND')
  removeEip(db, id)
}
