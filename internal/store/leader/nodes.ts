// Table `node`: the nodes whose pools the leader keeps.
import type { NodeDefaults, NodeName, NodeOverrides } from '../../ipam/types.ts'
import type { LedgerNode, NodeChange } from '../../ports.ts'
import type { Database } from '../../sqlite/database.ts'

interface NodeRow {
  readonly name: string
  readonly uid: string
  readonly instance_id: string
  readonly zone: string
  readonly phase: LedgerNode['phase']
  readonly max_enis: number
  readonly ips_per_eni: number
  readonly min_warm: number
  readonly max_warm: number
  readonly exclusive_max_enis: number
  readonly exclusive_min_warm: number
  readonly exclusive_max_warm: number
  readonly max_pods: number | null
  readonly instance_type: string
  readonly instance_enis: number
  readonly quota_enis: number
  readonly quota_ips_per_eni: number
  readonly quota_eips: number
  readonly defaults: string
  readonly overrides: string
}

export function listNodes(db: Database): readonly LedgerNode[] {
  return db.all<NodeRow>(`SELECT * FROM node ORDER BY name`).map(fromRow)
}

export function findNode(db: Database, name: NodeName): LedgerNode | undefined {
  const row = db.get<NodeRow>(`SELECT * FROM node WHERE name = ?`, name)
  return row === undefined ? undefined : fromRow(row)
}

/** A node seen before (it left, and is back) gets its new identity and keeps nothing else of the old one. */
export function addNode(db: Database, node: LedgerNode, now: number): void {
  db.run(
    `INSERT INTO node (name, uid, instance_id, zone, phase, max_enis, ips_per_eni, min_warm, max_warm, defaults, added_at)
     VALUES (?, ?, ?, ?, ?, 0, 0, 0, 0, ?, ?)`,
    node.name,
    node.uid,
    node.instanceId,
    node.zone,
    node.phase,
    JSON.stringify(node.defaults),
    now,
  )
  setBounds(db, node.name, node)
}

export function setBounds(
  db: Database,
  name: NodeName,
  { shared, exclusive, instanceEnis, quota, overrides }: NodeChange,
): void {
  db.run(
    `UPDATE node SET max_enis = ?, ips_per_eni = ?, min_warm = ?, max_warm = ?, exclusive_max_enis = ?, exclusive_min_warm = ?,
       exclusive_max_warm = ?, max_pods = ?, instance_enis = ?, instance_type = ?, quota_enis = ?, quota_ips_per_eni = ?,
       quota_eips = ?, overrides = ? WHERE name = ?`,
    shared.maxEnis,
    shared.ipsPerEni,
    shared.minWarm,
    shared.maxWarm,
    exclusive.maxEnis,
    exclusive.minWarm,
    exclusive.maxWarm,
    shared.maxPods ?? null,
    instanceEnis,
    quota.instanceType,
    quota.enis,
    quota.ipsPerEni,
    quota.eips,
    JSON.stringify(overrides),
    name,
  )
}

export function setPhase(db: Database, name: NodeName, phase: LedgerNode['phase']): void {
  db.run(`UPDATE node SET phase = ? WHERE name = ?`, phase, name)
}

export function removeNode(db: Database, name: NodeName): void {
  db.run(`DELETE FROM node WHERE name = ?`, name)
}

function fromRow(row: NodeRow): LedgerNode {
  const podCap = row.max_pods === null ? {} : { maxPods: row.max_pods }
  return {
    name: row.name,
    uid: row.uid,
    instanceId: row.instance_id,
    zone: row.zone,
    phase: row.phase,
    instanceEnis: row.instance_enis,
    shared: {
      minWarm: row.min_warm,
      maxWarm: row.max_warm,
      maxEnis: row.max_enis,
      ipsPerEni: row.ips_per_eni,
      ...podCap,
    },
    exclusive: {
      minWarm: row.exclusive_min_warm,
      maxWarm: row.exclusive_max_warm,
      maxEnis: row.exclusive_max_enis,
      ipsPerEni: 1,
      ...podCap,
    },
    quota: {
      instanceType: row.instance_type,
      enis: row.quota_enis,
      ipsPerEni: row.quota_ips_per_eni,
      eips: row.quota_eips,
    },
    defaults: JSON.parse(row.defaults) as NodeDefaults,
    overrides: JSON.parse(row.overrides) as NodeOverrides,
  }
}
