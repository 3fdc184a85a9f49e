// Table `node`: the nodes whose pools the leader keeps.
import type { NodeName } from '../../ipam/types.ts'
import type { LedgerNode } from '../../ports.ts'
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
    `INSERT INTO node (name, uid, instance_id, zone, phase, max_enis, ips_per_eni, min_warm, max_warm, added_at)
     VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?)`,
    node.name,
    node.uid,
    node.instanceId,
    node.zone,
    node.phase,
    node.limits.maxEnis,
    node.limits.ipsPerEni,
    node.targets.minWarm,
    node.targets.maxWarm,
    now,
  )
}

export function setPhase(db: Database, name: NodeName, phase: LedgerNode['phase']): void {
  db.run(`UPDATE node SET phase = ? WHERE name = ?`, phase, name)
}

export function removeNode(db: Database, name: NodeName): void {
  db.run(`DELETE FROM node WHERE name = ?`, name)
}

function fromRow(row: NodeRow): LedgerNode {
  return {
    name: row.name,
    uid: row.uid,
    instanceId: row.instance_id,
    zone: row.zone,
    phase: row.phase,
    limits: { maxEnis: row.max_enis, ipsPerEni: row.ips_per_eni },
    targets: { minWarm: row.min_warm, maxWarm: row.max_warm },
  }
}
