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

const made = {
  ...{ source: 'created', bandwidth: 5, isp: 'CMCC', chargeType: 'TRAFFIC_POSTPAID_BY_HOUR' },
  ...{ tags: {}, raw: {}, policy: 'Never' },
}

/** A pod that waits for an EIP that is made for it. */
export function pendingEip(name: string, values: ClaimValues = {}): ClaimValues {
  return {
    ...{ namespace: 'default', name, uid: randomUUID(), policy: 'Never', phase: 'Pending' },
    ...{ pod_uid: `pod-${name}`, node: 'node-1', source: 'created', wish: JSON.stringify(made) },
    ...{ created_at: t0, changed_at: t0, ...values },
  }
}

/** A pod that has one: ids and addresses end alike. */
export function boundEip(name: string, last: number, values: ClaimValues = {}): ClaimValues {
  return pendingEip(name, {
    ...{ phase: 'Bound', eip_id: `eip-${last}`, address: `203.0.113.${last}` },
    ...{ private_ip: `10.0.0.${last}`, eni_id: 'eni-1', ...values },
  })
}

/** An EIP that is kept without its pod. */
export function retainedEip(name: string, last: number, values: ClaimValues = {}): ClaimValues {
  const alone = { pod_uid: null, node: null, private_ip: null, eni_id: null, retained_at: t0 }
  return boundEip(name, last, { phase: 'Retained', ...alone, ...values })
}

/** Of one of these EIPs of its user's. */
export function listedEip(ids: readonly string[]): ClaimValues {
  return { source: 'specified', wish: JSON.stringify({ source: 'specified', ids, policy: 'Never' }) }
}

export function insertEip(db: Database, values: ClaimValues): void {
  insert(db, 'eip_claim', values)
}

export function updateEip(db: Database, name: string, values: ClaimValues): void {
  update(db, 'eip_claim', name, values)
}

export function insertClaim(db: Database, values: ClaimValues): void {
  insert(db, 'claim', values)
}

function insert(db: Database, table: string, values: ClaimValues): void {
  const columns = Object.keys(values)
  db.run(
    `INSERT INTO ${table} (${columns.join(', ')}) VALUES (${columns.map(() => '?').join(', ')})`,
    ...Object.values(values),
  )
}

export function updateClaim(db: Database, name: string, values: ClaimValues): void {
  update(db, 'claim', name, values)
}

function update(db: Database, table: string, name: string, values: ClaimValues): void {
  const sets = Object.keys(values).map((column) => `${column} = ?`)
  db.run(`UPDATE ${table} SET ${sets.join(', ')} WHERE name = ?`, ...Object.values(values), name)
}

export function deleteEip(db: Database, name: string): void {
  db.run(`DELETE FROM eip_claim WHERE name = ?`, name)
}

export function deleteClaim(db: Database, name: string): void {
  db.run(`DELETE FROM claim WHERE name = ?`, name)
}
