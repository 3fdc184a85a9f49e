// Three views of the dev cluster side by side: the ledger, the cloud and the kernels. What one has and another lacks is a leak
// or a double.
import { existsSync } from 'node:fs'
import { clusterTag, purposeOf } from '../../internal/ipam/eni-tags.ts'
import type { DevCluster } from './cluster.ts'
import { query } from './query.ts'
import { clusterId } from './topology.ts'

export interface DevAudit {
  readonly enis: number
  readonly addresses: number
  readonly pods: number
  /** Addresses that the cloud keeps for static pods. */
  readonly reservations: number
  /** Owned in one view and unknown in another. */
  readonly leaks: readonly string[]
  /** An address with two owners. */
  readonly doubles: readonly string[]
}

/** All three as they are now; meaningful when nothing is under way. */
export async function auditCluster(cluster: DevCluster): Promise<DevAudit> {
  const ledger = (sql: string) => items(cluster.leaderDb, 'leader', sql)
  const enis = ledger(`SELECT id AS item FROM eni`)
  const ips = ledger(`SELECT address AS item FROM ip`)
  const kept = ledger(`SELECT address AS item FROM claim WHERE reservation IS NOT NULL`)
  const promised = ledger(`SELECT address AS item FROM claim WHERE address IS NOT NULL`)
  const open = ledger(
    `SELECT kind || ' of ' || coalesce(eni_id, node) AS item FROM intent WHERE state IN ('recorded', 'accepted')`,
  )
  const cloud = cluster.cloud.admin.audit(cluster.clock.now())
  const ours = cloud.enis.filter(({ tags }) => tags[clusterTag] === clusterId)
  const ids = new Set(ours.map(({ id }) => id))
  const exclusive = new Set(ours.flatMap((eni) => (purposeOf(eni).mode === 'exclusive' ? [eni.id] : [])))
  const bound = cloud.ips
    .filter(({ eniId, primary }) => ids.has(eniId) && primary === exclusive.has(eniId))
    .map(({ address }) => address)
  const reserved = cloud.reservations
    .filter(({ tags }) => tags[clusterTag] === clusterId)
    .map(({ address }) => address)
  // One without a database has no agent, and no pods.
  const nodes = cluster.nodes().flatMap(({ name }) => (existsSync(cluster.nodeDb(name)) ? [name] : []))
  const kernels = await Promise.all(nodes.map((node) => cluster.host.call('kernel', { node })))
  const owners = nodes.flatMap((node) =>
    items(cluster.nodeDb(node), 'node', `SELECT address AS item FROM attachment`),
  )
  const sharing = nodes.flatMap((node) =>
    items(
      cluster.nodeDb(node),
      'node',
      `SELECT a.address AS item FROM attachment a JOIN ip ON ip.address = a.address JOIN eni ON eni.id = ip.eni_id WHERE eni.mode = 'shared'`,
    ),
  )
  const exclusives = (which: 'IN' | 'NOT IN') =>
    nodes.flatMap((node) =>
      items(
        cluster.nodeDb(node),
        'node',
        `SELECT mac AS item FROM eni WHERE mode = 'exclusive' AND primary_ip ${which} (SELECT address FROM attachment)`,
      ),
    )
  const here = new Set(kernels.flatMap((kernel) => kernel.macs))
  const linked = kernels.flatMap((kernel) => kernel.linked)
  const ruled = kernels.flatMap((kernel) => kernel.ruled)
  return {
    enis: enis.length,
    addresses: ips.length,
    pods: owners.length,
    reservations: reserved.length,
    leaks: [
      ...cloud.faults,
      ...open.map((item) => `unsettled: ${item}`),
      ...missing('ENI in the cloud, not in the ledger', [...ids], enis),
      ...missing('ENI in the ledger, not in the cloud', enis, [...ids]),
      ...missing('address in the cloud, not in the ledger', bound, ips),
      ...missing('address in the ledger, not in the cloud', ips, bound),
      ...missing('reservation in the cloud, of no claim', reserved, kept),
      ...missing('reservation of a claim, not in the cloud', kept, reserved),
      ...missing('address of a pod, not bound', owners, bound),
      ...missing('address of a pod, without a link', sharing, linked),
      ...missing('link of nobody', linked, sharing),
      ...missing('rule of nobody', ruled, sharing),
      ...missing('address of a pod, without a rule', sharing, ruled),
      ...exclusives('IN')
        .filter((mac) => here.has(mac))
        .map((mac) => `ENI of a pod, not in its namespace: ${mac}`),
      ...exclusives('NOT IN')
        .filter((mac) => !here.has(mac))
        .map((mac) => `ENI of nobody, not on its node: ${mac}`),
    ],
    doubles: [
      ...twice('handed out twice', owners),
      ...twice('linked twice', linked),
      ...twice('promised twice', promised),
    ],
  }
}

function items(path: string, kind: 'leader' | 'node', sql: string): readonly string[] {
  return query<{ item: string }>(path, kind, sql).map(({ item }) => item)
}

function missing(what: string, all: readonly string[], known: readonly string[]): string[] {
  const there = new Set(known)
  return all.filter((item) => !there.has(item)).map((item) => `${what}: ${item}`)
}

function twice(what: string, all: readonly string[]): string[] {
  return [...new Set(all.filter((item, i) => all.indexOf(item) !== i))].map((item) => `${what}: ${item}`)
}
