// Subnets and what is free in them.
import { type Random, randomInt } from '../../base/random.ts'
import type { Database } from '../../sqlite/database.ts'
import type { Cidr } from '../../value/cidr.ts'
import { type Ipv4, ipv4ToNumber } from '../../value/ipv4.ts'
import { ApiError } from './api-error.ts'

export interface SubnetRow {
  readonly id: string
  readonly vpc_id: string
  readonly name: string
  readonly cidr: Cidr
  readonly first_number: number
  readonly size: number
  readonly zone: string
  readonly created_at: number
}

/** Network, gateway and broadcast are the cloud's own. */
const reservedCount = 3

/** Throws ResourceNotFound. */
export function getSubnet(db: Database, id: string): SubnetRow {
  const row = db.get<SubnetRow>('SELECT * FROM subnet WHERE id = ?', id)
  if (row === undefined) throw new ApiError('ResourceNotFound', `The subnet \`${id}\` does not exist.`)
  return row
}

export function usableCount(subnet: SubnetRow): number {
  return subnet.size - reservedCount
}

export function freeCount(db: Database, subnet: SubnetRow): number {
  const used = db.get<{ n: number }>(
    `SELECT (SELECT count(*) FROM ip WHERE subnet_id = s.id) + (SELECT count(*) FROM reservation r
       WHERE r.subnet_id = s.id AND NOT EXISTS (SELECT 1 FROM ip WHERE ip.vpc_id = r.vpc_id AND ip.number = r.number)) AS n
     FROM subnet s WHERE id = ?`,
    subnet.id,
  )
  return usableCount(subnet) - (used?.n ?? 0)
}

/** The number of `address`, wanted by name, which may be a reserved one. Throws Range, Reserved or ResourceInUse. */
export function claimableNumber(db: Database, subnet: SubnetRow, address: Ipv4): number {
  const number = ipv4ToNumber(address)
  const last = subnet.first_number + subnet.size - 1
  if (number < subnet.first_number || number > last)
    throw new ApiError(
      'InvalidParameterValue.Range',
      `The address \`${address}\` is not in \`${subnet.cidr}\`.`,
    )
  if (number <= subnet.first_number + 1 || number === last)
    throw new ApiError('InvalidParameterValue.Reserved', `The address \`${address}\` is reserved.`)
  const taken = db.get('SELECT 1 FROM ip WHERE vpc_id = ? AND number = ?', subnet.vpc_id, number)
  if (taken !== undefined) throw new ApiError('ResourceInUse', `The address \`${address}\` is in use.`)
  return number
}

/** A free number of the subnet that is not reserved: the next one after a random place. Throws ResourceInsufficient.Subnet. */
export function freeNumber(db: Database, random: Random, subnet: SubnetRow): number {
  const first = subnet.first_number + 2
  const last = subnet.first_number + subnet.size - 2
  const start = randomInt(random, first, last)
  const number = firstGap(db, subnet, start, last) ?? firstGap(db, subnet, first, start - 1)
  if (number === undefined)
    throw new ApiError('ResourceInsufficient.Subnet', `The subnet \`${subnet.id}\` has no free address.`)
  return number
}

/** Who keeps numbers of a VPC from being chosen. */
const takers = ['ip', 'reservation'] as const

function firstGap(db: Database, subnet: SubnetRow, from: number, to: number): number | undefined {
  if (from > to) return undefined
  const vpc = subnet.vpc_id
  const taken = takers.some((table) =>
    db.get(`SELECT 1 FROM ${table} WHERE vpc_id = ? AND number = ?`, vpc, from),
  )
  if (!taken) return from
  const gaps = takers.flatMap((table) => {
    const gap = db.get<{ n: number }>(
      `SELECT i.number + 1 AS n FROM ${table} i WHERE i.vpc_id = ? AND i.number >= ? AND i.number < ?
         AND ${takers.map((other) => `NOT EXISTS (SELECT 1 FROM ${other} j WHERE j.vpc_id = i.vpc_id AND j.number = i.number + 1)`).join(' AND ')}
       ORDER BY i.number LIMIT 1`,
      vpc,
      from,
      to,
    )
    return gap === undefined ? [] : [gap.n]
  })
  return gaps.length === 0 ? undefined : Math.min(...gaps)
}
