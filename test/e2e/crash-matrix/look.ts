// Is everything in a dev cluster as it should be? Ledgers, cloud, kernels, Kubernetes, and packets.

import { auditCluster, type DevAudit } from '../../../cmd/dev/audit.ts'
import type { DevCluster } from '../../../cmd/dev/cluster.ts'
import { openIntents, ping } from '../../../cmd/dev/look.ts'
import { listPods, type SeenPod } from '../../../cmd/dev/pods.ts'
import { readPools } from '../../../cmd/dev/pools.ts'
import { query } from '../../../cmd/dev/query.ts'
import { userEips } from '../../../cmd/dev/topology.ts'
import type { Keepers } from './keepers.ts'

export interface Verdict extends DevAudit {
  /** Pods that should run, and those of them that answer a ping. */
  readonly wanted: number
  readonly answering: number
}

export interface Expected {
  readonly cluster: DevCluster
  /** Nodes with an agent. */
  readonly served: readonly string[]
  /** Names of the pods that should run. */
  readonly pods: readonly string[]
  readonly keepers: Keepers
  /** Names of those pods that have public addresses. */
  readonly eips: readonly string[]
  /** Pods that Kubernetes does not know. */
  readonly statics: number
  readonly warm: { readonly min: number; readonly max: number }
}

/** An address with two owners: nothing that comes later makes up for it. */
export class Doubled extends Error {}

/** What is amiss, or the verdict when nothing is. What costs little is asked first. Throws Doubled. */
export async function look(expected: Expected): Promise<Verdict | string[]> {
  const { cluster, eips, keepers, pods, statics } = expected
  cluster.cloud.advance(Date.now())
  refuseDoubles(expected)
  const running = await listPods(cluster.kube)
  const amiss = [
    ...(openIntents(cluster) > 0 ? ['cloud calls are open'] : []),
    ...differences('node', namesOf(cluster.nodes()), leaderRows(cluster, 'SELECT name AS id FROM node')),
    ...differences('pod', pods, namesOf(running)),
    ...namesOf(running.filter(({ address }) => address === undefined)).map((name) => `no address: ${name}`),
    ...keepers.amiss(running),
    ...eipsAmiss(expected, running),
    ...poolsAmiss(expected),
    ...enisAmiss(expected),
  ]
  if (amiss.length > 0) return amiss
  const audit = await auditCluster(cluster)
  if (audit.doubles.length > 0) throw new Doubled(audit.doubles.join('\n'))
  const attachments = audit.pods === running.length + statics ? [] : [`${audit.pods} attachments`]
  const disagreed = [...audit.leaks, ...attachments]
  if (disagreed.length > 0) return disagreed
  const outside = eips.length === 0 ? undefined : (await cluster.host.call('outside', null)).address
  const silent = await Promise.all(
    running.map(async (pod, i) => {
      // One with a public address reaches what is outside, the others reach each other.
      const to = eips.includes(pod.name) ? outside : running.at(i - 1)?.address
      const { received } = await ping(cluster, pod, to ?? '', 1)
      return received === 1 ? [] : [`${pod.name} does not reach ${to}`]
    }),
  )
  if (silent.flat().length > 0) return silent.flat()
  return { ...audit, wanted: running.length, answering: running.length }
}

/** For a report: leaks beside what is still in motion, and what is in quarantine. */
export async function whatDisagrees({ cluster, served }: Expected): Promise<readonly string[]> {
  const { leaks, doubles } = await auditCluster(cluster)
  const held = served.flatMap((node) =>
    query<{ row: string }>(
      cluster.nodeDb(node),
      'node',
      `SELECT kind || ' ' || subject || ': ' || reason AS row FROM quarantine`,
    ).map(({ row }) => `quarantine of ${node}: ${row}`),
  )
  return [...leaks, ...doubles, ...held]
}

/** As the agents' databases have it, at any moment. */
function refuseDoubles({ cluster, served }: Expected): void {
  const owners = served.flatMap((node) =>
    query<{ address: string }>(cluster.nodeDb(node), 'node', 'SELECT address FROM attachment'),
  )
  const addresses = owners.map(({ address }) => address)
  const twice = addresses.filter((address, i) => addresses.indexOf(address) !== i)
  if (twice.length > 0) throw new Doubled(`handed out twice: ${twice.join(', ')}`)
}

interface EipRow {
  readonly name: string
  readonly phase: string
  readonly eip: string | null
  readonly privateIp: string | null
}

/** One for each pod that wants one, on its address, and none else. */
function eipsAmiss({ cluster, eips }: Expected, running: readonly SeenPod[]): readonly string[] {
  const sql = 'SELECT name, phase, eip_id AS eip, private_ip AS privateIp FROM eip_claim'
  const claims = query<EipRow>(cluster.leaderDb, 'leader', sql)
  const isUsers = (id: string) => userEips.some((one) => one === id)
  const inCloud = cluster.cloud.admin.audit(Date.now()).eips.filter(({ id }) => !isUsers(id))
  const claimed = claims.flatMap(({ eip }) => eip ?? [])
  const unbound = claims.filter(({ eip, name, phase, privateIp }) => {
    const pod = running.find((one) => one.name === name)
    const at = inCloud.find(({ id }) => id === eip)
    return (
      phase !== 'Bound' || pod?.address !== privateIp || at?.privateIp !== privateIp || at?.state !== 'BIND'
    )
  })
  return [
    ...differences('EIP claim', eips, namesOf(claims)),
    ...differences(
      'EIP of a claim',
      inCloud.map(({ id }) => id),
      claimed,
    ),
    ...unbound.map(({ name, phase }) => `EIP of ${name}: ${phase}`),
  ]
}

function poolsAmiss({ cluster, served, statics, warm }: Expected): readonly string[] {
  const pools = readPools(cluster).filter(({ node }) => served.includes(node))
  return pools.flatMap(({ node, idle, returning }) => {
    // The leader does not count static pods.
    const isWell = returning === 0 && idle >= warm.min - statics && idle <= warm.max
    return isWell ? [] : [`pool of ${node}: ${idle} idle, ${returning} returning`]
  })
}

/** ENIs of each node as ledger and cloud see them; each node has one. */
function enisAmiss({ cluster }: Expected): readonly string[] {
  const { enis } = cluster.cloud.admin.audit(Date.now())
  return cluster.nodes().flatMap(({ name, instanceId }) => {
    const ledger = leaderRows(cluster, `SELECT id FROM eni WHERE node = '${name}' AND state = 'attached'`)
    const cloud = enis.filter((eni) => eni.instanceId === instanceId && !eni.primary).map(({ id }) => id)
    const none = ledger.length === 0 ? [`no ENI on ${name}`] : []
    return [...none, ...differences(`ENI of ${name} in the ledger`, cloud, ledger)]
  })
}

function leaderRows({ leaderDb }: DevCluster, sql: string): string[] {
  return query<{ id: string }>(leaderDb, 'leader', sql).map(({ id }) => id)
}

function namesOf(items: readonly { readonly name: string }[]): readonly string[] {
  return items.map(({ name }) => name)
}

function differences(what: string, wanted: readonly string[], found: readonly string[]): readonly string[] {
  return [
    ...wanted.filter((item) => !found.includes(item)).map((item) => `${what} missing: ${item}`),
    ...found.filter((item) => !wanted.includes(item)).map((item) => `${what} too many: ${item}`),
  ]
}
