// Single looks at a dev cluster's parts: its pods, the agents' databases, the leader's, the cloud.
import { globSync, readFileSync } from 'node:fs'
import type { KubeClient } from '../../internal/kube/client.ts'
import type { DevCluster } from './cluster.ts'
import { listPods, type SeenPod } from './pods.ts'
import { query } from './query.ts'

/** The pods in the order of `names`; undefined until all have addresses. */
export async function podsWithAddresses(
  kube: KubeClient,
  names: readonly string[],
): Promise<readonly SeenPod[] | undefined> {
  const pods = new Map((await listPods(kube)).map((pod) => [pod.name, pod]))
  const found = names.flatMap((name) => pods.get(name) ?? [])
  return found.length === names.length && found.every(({ address }) => address !== undefined)
    ? found
    : undefined
}

/** The pod once it has an address. */
export async function podWithAddress(kube: KubeClient, name: string): Promise<SeenPod | undefined> {
  return (await podsWithAddresses(kube, [name]))?.[0]
}

export function ping(cluster: DevCluster, from: SeenPod, to: string, count: number, intervalMs = 200) {
  return cluster.host.call('ping', {
    node: from.node ?? '',
    pod: `default/${from.name}`,
    to,
    count,
    intervalMs,
  })
}

/** Who had the address last, and since when. */
export function historyOf(cluster: DevCluster, node: string, address: string): string {
  const [row] = query<{ pod: string; time: string }>(
    cluster.nodeDb(node),
    'node',
    `SELECT pod, time FROM v_history WHERE address = ? AND event = 'attached'`,
    address,
  )
  if (row === undefined) throw new Error(`${address} has no history`)
  return `${row.pod} since ${row.time}`
}

/** Addresses in use on each shared ENI of the node, in the order of slots. */
export function usedPerEni(cluster: DevCluster, node: string): readonly number[] {
  const rows = query<{ used: number }>(
    cluster.nodeDb(node),
    'node',
    `SELECT in_use AS used FROM v_eni WHERE mode = 'shared' ORDER BY slot`,
  )
  return rows.map(({ used }) => used)
}

/** How many addresses the node has given back. */
export function countReturns(cluster: DevCluster, node: string): number {
  const rows = query<{ n: number }>(
    cluster.nodeDb(node),
    'node',
    `SELECT count(*) AS n FROM ip_history WHERE event = 'returned'`,
  )
  return rows[0]?.n ?? 0
}

/** Cloud calls of the leader that are not settled. */
export function openIntents(cluster: DevCluster): number {
  const rows = query<{ n: number }>(
    cluster.leaderDb,
    'leader',
    `SELECT count(*) AS n FROM intent WHERE state IN ('recorded', 'accepted')`,
  )
  return rows[0]?.n ?? 0
}

/** The EIP of the pod of that name, once it is bound. */
export function eipOf(
  cluster: DevCluster,
  pod: string,
): { readonly id: string; readonly address: string } | undefined {
  return query<{ id: string; address: string }>(
    cluster.leaderDb,
    'leader',
    `SELECT eip_id AS id, address FROM eip_claim WHERE name = ? AND phase = 'Bound'`,
    pod,
  )[0]
}

export function eipInCloud(cluster: DevCluster, eip: string): boolean {
  return cluster.cloud.admin.audit(cluster.clock.now()).eips.some(({ id }) => id === eip)
}

/** ENIs of the node in the cloud, its primary one not counted. */
export function enisInCloud(cluster: DevCluster, node: string): number {
  const instance = cluster.nodes().find(({ name }) => name === node)?.instanceId
  return cluster.cloud.admin
    .audit(cluster.clock.now())
    .enis.filter(({ instanceId, primary }) => instanceId === instance && !primary).length
}

/** The end of each log, for whoever has to find out why. */
export function lastWords(cluster: DevCluster): string {
  const logs = [
    ...globSync(`${cluster.directory}/*/leader.log`).toSorted(),
    ...cluster.nodes().map(({ name }) => `${cluster.directory}/nodes/${name}/node.log`),
  ]
  return logs
    .flatMap((path) => {
      try {
        return [`--- ${path}`, ...readFileSync(path, 'utf8').trim().split('\n').slice(-6)]
      } catch {
        return [`--- ${path} is not there`]
      }
    })
    .join('\n')
}
