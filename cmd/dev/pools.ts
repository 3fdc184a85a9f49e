// The nodes' pools as the leader's ledger and the agents' databases have them now.
import { existsSync } from 'node:fs'
import type { DevCluster } from './cluster.ts'
import { query } from './query.ts'

export interface PoolLine {
  readonly node: string
  readonly zone: string
  readonly enis: number
  readonly bound: number
  readonly inUse: number
  readonly idle: number
  readonly cooling: number
  readonly returning: number
}

export function readPools(cluster: DevCluster): readonly PoolLine[] {
  return cluster.nodes().map(({ name, zone }) => ({ node: name, zone, ...readPool(cluster.nodeDb(name)) }))
}

const nothing = { enis: 0, bound: 0, inUse: 0, idle: 0, cooling: 0, returning: 0 }

function readPool(path: string): Omit<PoolLine, 'node' | 'zone'> {
  if (!existsSync(path)) return nothing
  try {
    return query<typeof nothing>(path, 'node', counts, Date.now())[0] ?? nothing
  } catch {
    return nothing // it is being made just now
  }
}

const counts = `SELECT (SELECT count(*) FROM eni) AS enis, count(*) FILTER (WHERE ip.state = 'usable') AS bound,
  count(a.address) AS inUse, count(*) FILTER (WHERE ip.state = 'usable' AND a.address IS NULL) AS idle,
  count(*) FILTER (WHERE ip.state = 'usable' AND a.address IS NULL AND cooling_until > ?) AS cooling,
  count(*) FILTER (WHERE ip.state = 'returning') AS "returning"
  FROM ip LEFT JOIN attachment a ON a.address = ip.address`

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
