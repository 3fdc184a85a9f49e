// The subnets that the ENIs in a database are in, with what of each is ours. How much is free, the cloud alone knows.
import type { Database } from '../../sqlite/database.ts'
import { type Cidr, cidrRange } from '../../value/cidr.ts'
import type { Millis } from '../../value/millis.ts'
import { equals, type Filter, oneOf, where } from './filter.ts'

export interface Subnet {
  readonly id: string
  readonly cidr: string
  /** Addresses of the block; the VPC keeps some of them for itself. */
  readonly size: number
  readonly nodes: number | null
  readonly enis: number
  /** Primary addresses of shared ENIs, which pods never get. */
  readonly primaryIps: number
  readonly addresses: number
  readonly inUse: number
  readonly idle: number
  readonly cooling: number
  readonly assigning: number
  readonly unassigning: number
  readonly returning: number
}

interface Row {
  readonly id: string
  readonly cidr: Cidr
  readonly nodes: number | null
  readonly enis: number
  readonly primary_ips: number
  readonly addresses: number
  readonly in_use: number
  readonly idle: number
  readonly cooling: number
  readonly assigning: number
  readonly unassigning: number
  readonly returning: number
}

const enis = `eni.subnet_id AS id, eni.subnet_cidr AS cidr, count(DISTINCT CASE WHEN eni.mode = 'shared' THEN eni.primary_ip END) AS primary_ips, count(ip.address) AS addresses`

/** Of a leader's database. */
export function leaderSubnets(db: Database, filter: Filter): readonly Subnet[] {
  const { sql, values } = where(oneOf('eni.subnet_id', filter.names), equals('eni.node', filter.node))
  return db
    .all<Row>(
      `SELECT ${enis}, count(DISTINCT eni.key) AS enis, count(DISTINCT eni.node) AS nodes, count(ip.pod_uid) AS in_use,
         count(CASE WHEN ip.state = 'bound' AND ip.pod_uid IS NULL THEN 1 END) AS idle, 0 AS cooling,
         sum(CASE WHEN ip.number IS (SELECT min(number) FROM ip AS its WHERE its.eni = eni.key) THEN eni.expected_ips ELSE 0 END)
           AS assigning,
         count(CASE WHEN ip.state = 'unassigning' THEN 1 END) AS unassigning, 0 AS "returning"
       FROM eni LEFT JOIN ip ON ip.eni = eni.key ${sql} GROUP BY eni.subnet_id, eni.subnet_cidr ORDER BY eni.subnet_id`,
      ...values,
    )
    .map(fromRow)
}

/** Of a node agent's database. */
export function nodeSubnets(db: Database, filter: Filter, now: Millis): readonly Subnet[] {
  const { sql, values } = where(oneOf('eni.subnet_id', filter.names))
  const free = `a.address IS NULL AND ip.state = 'usable' AND ip.claim_name IS NULL`
  return db
    .all<Row>(
      `SELECT ${enis}, count(DISTINCT eni.id) AS enis, NULL AS nodes, count(a.address) AS in_use,
         count(CASE WHEN ${free} AND ip.cooling_until <= ? THEN 1 END) AS idle,
         count(CASE WHEN ${free} AND ip.cooling_until > ? THEN 1 END) AS cooling, 0 AS assigning, 0 AS unassigning,
         count(CASE WHEN ip.state = 'returning' THEN 1 END) AS "returning"
       FROM eni LEFT JOIN ip ON ip.eni_id = eni.id LEFT JOIN attachment a ON a.address = ip.address
       ${sql} GROUP BY eni.subnet_id, eni.subnet_cidr ORDER BY eni.subnet_id`,
      now,
      now,
      ...values,
    )
    .map(fromRow)
}

function fromRow(row: Row): Subnet {
  return {
    id: row.id,
    cidr: row.cidr,
    size: cidrRange(row.cidr).size,
    nodes: row.nodes,
    enis: row.enis,
    primaryIps: row.primary_ips,
    addresses: row.addresses,
    inUse: row.in_use,
    idle: row.idle,
    cooling: row.cooling,
    assigning: row.assigning,
    unassigning: row.unassigning,
    returning: row.returning,
  }
}
