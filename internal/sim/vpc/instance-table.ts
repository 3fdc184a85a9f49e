// Instances (CVMs), their types and quotas.
import type { Database } from '../../sqlite/database.ts'
import type { Millis } from '../../value/millis.ts'
import { ApiError } from './api-error.ts'

export interface InstanceRow {
  readonly id: string
  readonly name: string
  readonly uuid: string
  readonly type: string
  readonly zone: string
  readonly vpc_id: string
  readonly subnet_id: string
  readonly state: string
  readonly created_at: Millis
}

/** ENIs with the primary one, addresses of an ENI with its primary one. */
export interface InstanceType {
  readonly name: string
  readonly cpu: number
  readonly memoryGb: number
  readonly enis: number
  readonly ipsPerEni: number
  /** On all its ENIs together; as the documents have it by CPUs when absent. */
  readonly eips?: number
}

export interface InstanceQuota extends InstanceType {
  readonly eips: number
}

/** The families' documented quotas, by vCPU. */
export const usualTypes: readonly InstanceType[] = [
  { name: 'SA2.SMALL1', cpu: 1, memoryGb: 1, enis: 2, ipsPerEni: 6 },
  { name: 'SA2.MEDIUM4', cpu: 2, memoryGb: 4, enis: 4, ipsPerEni: 10 },
  { name: 'SA2.LARGE8', cpu: 4, memoryGb: 8, enis: 4, ipsPerEni: 10 },
  { name: 'SA2.2XLARGE16', cpu: 8, memoryGb: 16, enis: 6, ipsPerEni: 20 },
  { name: 'SA2.4XLARGE32', cpu: 16, memoryGb: 32, enis: 8, ipsPerEni: 40 },
  { name: 'S5.MEDIUM4', cpu: 2, memoryGb: 4, enis: 4, ipsPerEni: 10 },
  { name: 'S5.LARGE8', cpu: 4, memoryGb: 8, enis: 4, ipsPerEni: 10 },
  { name: 'S5.2XLARGE16', cpu: 8, memoryGb: 16, enis: 6, ipsPerEni: 20 },
  { name: 'S5.4XLARGE32', cpu: 16, memoryGb: 32, enis: 8, ipsPerEni: 40 },
]

export function putInstanceType(db: Database, type: InstanceType): void {
  db.run(
    `INSERT INTO instance_type (name, cpu, memory_gb, enis, ips_per_eni, eips) VALUES (?, ?, ?, ?, ?, ?)
     ON CONFLICT (name) DO UPDATE SET cpu = excluded.cpu, memory_gb = excluded.memory_gb,
       enis = excluded.enis, ips_per_eni = excluded.ips_per_eni, eips = excluded.eips`,
    type.name,
    type.cpu,
    type.memoryGb,
    type.enis,
    type.ipsPerEni,
    type.eips ?? Math.min(Math.floor(type.cpu / 6), 8) + 2,
  )
}

export function findInstanceType(db: Database, name: string): InstanceQuota | undefined {
  return db.get<InstanceQuota>(
    `SELECT name, cpu, memory_gb AS memoryGb, enis, ips_per_eni AS ipsPerEni, eips FROM instance_type WHERE name = ?`,
    name,
  )
}

export function findInstance(db: Database, id: string): InstanceRow | undefined {
  return db.get<InstanceRow>('SELECT * FROM instance WHERE id = ?', id)
}

/** Throws ResourceNotFound. */
export function getInstance(db: Database, id: string): InstanceRow {
  const row = findInstance(db, id)
  if (row === undefined) throw new ApiError('ResourceNotFound', `The instance \`${id}\` does not exist.`)
  return row
}

/** What an instance may carry. Its type is a foreign key: always there. */
export function quotaOf(db: Database, instance: InstanceRow): InstanceQuota {
  const type = findInstanceType(db, instance.type)
  if (type === undefined) throw new Error(`instance "${instance.id}" has no type`)
  return type
}

/** How many addresses an ENI may hold where it is now. */
export function ipQuota(db: Database, instanceId: string | null, ipsPerFreeEni: number): number {
  const instance = instanceId === null ? undefined : findInstance(db, instanceId)
  return instance === undefined ? ipsPerFreeEni : quotaOf(db, instance).ipsPerEni
}

export function countEnis(db: Database, instanceId: string): number {
  return db.get<{ n: number }>('SELECT count(*) AS n FROM eni WHERE instance_id = ?', instanceId)?.n ?? 0
}
