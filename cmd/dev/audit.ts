// Three views of the dev cluster side by side: the ledger, the cloud and the kernels. What one has and another lacks is a leak
// or a double.
import { clusterTag } from '../../internal/leader/intent-runner.ts'
import { openDatabase } from '../../internal/sqlite/database.ts'
import type { DevCluster } from './cluster.ts'
import { clusterId } from './topology.ts'

export interface DevAudit {
  readonly enis: number
  readonly addresses: number
  readonly pods: number
  /** Owned in one view and unknown in another. */
  readonly leaks: readonly string[]
  /** An address with two owners. */
  readonly doubles: readonly string[]
}

/** All three as they are now; meaningful when nothing is under way. */
export async function auditCluster(cluster: DevCluster): Promise<DevAudit> {
  const ledger = readRows(cluster.leaderDb, 'leader', {
    enis: `SELECT id AS item FROM eni`,
    ips: `SELECT address AS item FROM ip`,
    open: `SELECT kind || ' of ' || coalesce(eni_id, node) AS item FROM intent WHERE state IN ('recorded', 'accepted')`,
  })
  const cloud = cluster.cloud.admin.audit(Date.now())
  const ours = cloud.enis.filter(({ tags }) => tags[clusterTag] === clusterId)
  const ids = new Set(ours.map(({ id }) => id))
  const bound = cloud.ips
    .filter(({ eniId, primary }) => ids.has(eniId) && !primary)
    .map(({ address }) => address)
  const kernels = await Promise.all(
    cluster
      .nodes()
      .map(async ({ name }) => ({ name, ...(await cluster.host.call('kernel', { node: name })) })),
  )
  const attached = cluster.nodes().flatMap(({ name }) => {
    const rows = readRows(cluster.nodeDb(name), 'node', { items: `SELECT address AS item FROM attachment` })
    return rows.items.map((item) => ({ name, item }))
  })
  const linked = kernels.flatMap(({ pods }) => Object.values(pods).flat() as string[])
  const ruled = kernels.flatMap(({ rules }) => rules)
  const owners = attached.map(({ item }) => item)
  return {
    enis: ledger.enis.length,
    addresses: ledger.ips.length,
    pods: owners.length,
    leaks: [
      ...cloud.faults,
      ...ledger.open.map((item) => `unsettled: ${item}`),
      ...missing('ENI in the cloud, not in the ledger', [...ids], ledger.enis),
      ...missing('ENI in the ledger, not in the cloud', ledger.enis, [...ids]),
      ...missing('address in the cloud, not in the ledger', bound, ledger.ips),
      ...missing('address in the ledger, not in the cloud', ledger.ips, bound),
      ...missing('address of a pod, not bound', owners, bound),
      ...missing('address of a pod, without a link', owners, linked),
      ...missing('link of nobody', linked, owners),
      ...missing('rule of nobody', ruled, owners),
      ...missing('address of a pod, without a rule', owners, ruled),
    ],
    doubles: [...twice('handed out twice', owners), ...twice('linked twice', linked)],
  }
}

function readRows<K extends string>(
  path: string,
  kind: string,
  queries: Record<K, string>,
): Record<K, string[]> {
  const db = openDatabase({ path, kind, migrations: [], readonly: true })
  try {
    const rows = Object.entries<string>(queries).map(([key, sql]) => [
      key,
      db.all<{ item: string }>(sql).map(({ item }) => item),
    ])
    return Object.fromEntries(rows) as Record<K, string[]>
  } finally {
    db.close()
  }
}

function missing(what: string, all: readonly string[], known: readonly string[]): string[] {
  const there = new Set(known)
  return all.filter((item) => !there.has(item)).map((item) => `${what}: ${item}`)
}

function twice(what: string, all: readonly string[]): string[] {
  return [...new Set(all.filter((item, i) => all.indexOf(item) !== i))].map((item) => `${what}: ${item}`)
}
