// Rows of claims for tests, as the leader's loops would write them.
import { randomUUID } from 'node:crypto'
import type { Database, SqlValue } from '../../../internal/sqlite/database.ts'

export type ClaimValues = Readonly<Record<string, SqlValue>>

/** Of 2026-01-01T00:00:00Z. */
export const t0 = Date.UTC(2026, 0, 1)

const common = {
  namespace: 'default',
  policy: 'Never',
  mode: 'shared',
  created_at: t0,
  changed_at: t0,
}

/** A pod that waits for an address. */
export function pending(name: string, values: ClaimValues = {}): ClaimValues {
  return {
    ...common,
    name,
    uid: randomUUID(),
    ip_uid: randomUUID(),
    phase: 'Pending',
    pod_uid: `pod-${name}`,
    node: 'node-1',
    ...values,
  }
}

/** A pod that has one. */
export function bound(name: string, address: string, values: ClaimValues = {}): ClaimValues {
  return pending(name, {
    phase: 'Bound',
    address,
    eni_id: 'eni-1',
    subnet_id: 'subnet-a',
    zone: 'zone-a',
    ...values,
  })
}

/** A static address without its pod. */
export function retained(name: string, address: string, values: ClaimValues = {}): ClaimValues {
  return bound(name, address, {
    phase: 'Retained',
    pod_uid: null,
    node: null,
    eni_id: null,
    reservation: `rsv-${name}`,
    retained_at: t0,
    ...values,
  })
}

export function insertClaim(db: Database, values: ClaimValues): void {
  const columns = Object.keys(values)
  db.run(
    `INSERT INTO claim (${columns.join(', ')}) VALUES (${columns.map(() => '?').join(', ')})`,
    ...Object.values(values),
  )
}

export function updateClaim(db: Database, name: string, values: ClaimValues): void {
  const sets = Object.keys(values).map((column) => `${column} = ?`)
  db.run(`UPDATE claim SET ${sets.join(', ')} WHERE name = ?`, ...Object.values(values), name)
}

export function deleteClaim(db: Database, name: string): void {
  db.run(`DELETE FROM claim WHERE name = ?`, name)
}
