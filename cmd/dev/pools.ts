// The nodes' pools as the leader's ledger and the agents' databases have them now.
import { existsSync } from 'node:fs'
import type { DevCluster } from './cluster.ts'
import { query } from './query.ts'

export interface PoolLine {
  readonly node: string
  readonly zone: string
  /** These, up to `returning`, are of shared ENIs. */
  readonly enis: number
  readonly bound: number
  readonly inUse: number
  readonly idle: number
  readonly cooling: number
  readonly returning: number
  readonly exclusive: number
  readonly exclusiveInUse: number
}

export function readPools(cluster: DevCluster): readonly PoolLine[] {
  return cluster.nodes().map(({ name, zone }) => ({ node: name, zone, ...readPool(cluster.nodeDb(name)) }))
}

const nothing = {
  enis: 0,
  bound: 0,
  inUse: 0,
  idle: 0,
  cooling: 0,
  returning: 0,
  exclusive: 0,
  exclusiveInUse: 0,
}

function readPool(path: string): Omit<PoolLine, 'node' | 'zone'> {
  if (!existsSync(path)) return nothing
  try {
    return query<typeof nothing>(path, 'node', counts, Date.now())[0] ?? nothing
  } catch {
    return nothing // it is being made just now
  }
}

const shared = `eni.mode = 'shared'`
// What is kept for one pod is no part of the pool.
const ofPool = `${shared} AND ip.claim_name IS NULL`
const idle = `${ofPool} AND ip.state = 'usable' AND a.address IS NULL`

const counts = `SELECT count(DISTINCT eni.id) FILTER (WHERE ${shared}) AS enis,
  count(*) FILTER (WHERE ${shared} AND ip.state = 'usable') AS bound, count(a.address) FILTER (WHERE ${shared}) AS inUse,
  count(*) FILTER (WHERE ${idle}) AS idle, count(*) FILTER (WHERE ${idle} AND cooling_until > ?) AS cooling,
  count(*) FILTER (WHERE ${ofPool} AND ip.state = 'returning') AS "returning",
  count(DISTINCT eni.id) FILTER (WHERE NOT ${shared}) AS exclusive,
  count(a.address) FILTER (WHERE NOT ${shared}) AS exclusiveInUse
  FROM eni LEFT JOIN ip ON ip.eni_id = eni.id LEFT JOIN attachment a ON a.address = ip.address`

/** One line a node. */
export function formatPools(pools: readonly PoolLine[]): string {
  const rows = pools.map((pool) => [
    pool.node,
    pool.zone,
    `${pool.enis} ENIs`,
    `${pool.bound} bound`,
    `${pool.inUse} in use`,
    `${pool.idle} idle`,
    pool.cooling > 0 ? `${pool.cooling} cooling` : '',
    pool.returning > 0 ? `${pool.returning} returning` : '',
    pool.exclusive > 0 ? `${pool.exclusive} exclusive, ${pool.exclusiveInUse} in use` : '',
  ])
  const widths = rows[0]?.map((_, column) => Math.max(...rows.map((row) => row[column]?.length ?? 0))) ?? []
  return rows
    .map((row) =>
      row
        .map((cell, i) => cell.padEnd(widths[i] ?? 0))
        .join('  ')
        .trimEnd(),
    )
    .join('\n')
}
