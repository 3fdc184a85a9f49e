// Pods that keep their addresses: where they run, and what is promised to them. Of two one has a workload, with which its address goes.
import { join } from 'node:path'
import type { DevCluster } from '../../../cmd/dev/cluster.ts'
import { createPod, deletePod, listPods, type SeenPod } from '../../../cmd/dev/pods.ts'
import { query } from '../../../cmd/dev/query.ts'
import { errorCode } from '../../../internal/ipam/errors.ts'
import { run } from '../service.ts'

const workloads = '/apis/apps/v1/namespaces/default/statefulsets'

interface Keeper {
  readonly name: string
  /** Of its StatefulSet. */
  readonly owner: string | undefined
  /** Undefined without a pod. */
  node: string | undefined
  /** As soon as it has one. */
  address: string | undefined
}

interface ClaimRow {
  readonly name: string
  readonly phase: string
  readonly address: string | null
  readonly reservation: string | null
  /** An ENI has it. */
  readonly bound: 0 | 1
  /** It goes with a workload. */
  readonly owned: 0 | 1
}

const claimsSql = `SELECT name, phase, address, reservation, address IN (SELECT address FROM ip) AS bound, owner IS NOT NULL AS owned
  FROM claim WHERE policy = 'Never'`

export class Keepers {
  readonly #cluster: DevCluster
  readonly #executable: string
  readonly #keepers = new Map<string, Keeper>()
  #made = 0

  constructor(cluster: DevCluster, executable: string) {
    this.#cluster = cluster
    this.#executable = executable
  }

  /** Names of those with a pod. */
  running(): readonly string[] {
    return this.#all(({ node }) => node !== undefined).map(({ name }) => name)
  }

  /** Two new ones. */
  async come(node: string): Promise<void> {
    const owner = await this.#makeWorkload(`set-${++this.#made}`)
    for (const [name, uid] of [
      [`keep-${this.#made}-a`, owner],
      [`keep-${this.#made}-b`, undefined],
    ] as const) {
      const keeper: Keeper = { name, owner: uid, node: undefined, address: undefined }
      this.#keepers.set(name, keeper)
      await this.#start(keeper, node)
    }
  }

  /** Those without a pod get one. */
  async return(node: string): Promise<void> {
    for (const keeper of this.#all((one) => one.node === undefined)) await this.#start(keeper, node)
  }

  /** The pods go, and leave their addresses to the next ones. */
  async end(): Promise<void> {
    const { kube } = this.#cluster
    for (const keeper of this.#all(({ node }) => node !== undefined)) {
      await deletePod(kube, keeper.name)
      keeper.node = undefined
    }
  }

  /** No pod of theirs is left. */
  async areGone(): Promise<boolean> {
    const there = await listPods(this.#cluster.kube)
    return !there.some(({ name }) => this.#keepers.get(name)?.node === undefined && this.#keepers.has(name))
  }

  /** Their node has given back what those without a pod had. */
  areReturned(node: string): boolean {
    const sql = `SELECT claim_name AS name FROM ip WHERE claim_name IS NOT NULL AND state <> 'returning'`
    const held = new Set(query<ClaimRow>(this.#cluster.nodeDb(node), 'node', sql).map(({ name }) => name))
    return this.#all((keeper) => keeper.node === undefined).every(({ name }) => !held.has(name))
  }

  /** Those without a pod give up their addresses: some with their workloads, some because somebody deletes the claims. */
  async giveUp(): Promise<void> {
    for (const { name, owner } of this.#all(({ node }) => node === undefined)) {
      if (owner !== undefined) await this.#removeWorkload(name)
      this.#keepers.delete(name)
    }
  }

  /** Those that go with no workload: of parked addresses none is known any more when the ledger was lost. The leader may die of it. */
  async deleteClaims(): Promise<boolean> {
    const left = this.#claims().filter(({ name }) => !this.#keepers.has(name))
    const byHand = left.filter(({ owned }) => owned === 0).map(({ name }) => name)
    if (byHand.length > 0) {
      const stateDir = join(this.#cluster.directory, 'leader')
      await run([this.#executable, 'delete', 'vipc', ...byHand, '--no-wait', `--state-dir=${stateDir}`])
    }
    return left.length === 0
  }

  amiss(pods: readonly SeenPod[]): readonly string[] {
    const claims = new Map(this.#claims().map((claim) => [claim.name, claim]))
    const unknown = [...claims.keys()].filter((name) => !this.#keepers.has(name))
    return [
      ...unknown.map((name) => `claim too many: ${name}`),
      ...[...this.#keepers.values()].flatMap((keeper) => {
        const pod = pods.find(({ name }) => name === keeper.name)
        return amissOf(keeper, claims.get(keeper.name), pod)
      }),
    ]
  }

  #all(which: (keeper: Keeper) => boolean): readonly Keeper[] {
    return [...this.#keepers.values()].filter(which)
  }

  #claims(): readonly ClaimRow[] {
    return query<ClaimRow>(this.#cluster.leaderDb, 'leader', claimsSql)
  }

  async #start(keeper: Keeper, node: string): Promise<void> {
    const { name, owner: uid } = keeper
    const owner = uid && { apiVersion: 'apps/v1', kind: 'StatefulSet', name: workloadOf(name), uid }
    await createPod(this.#cluster.kube, name, node, owner ? { owner, expireAfter: '1h' } : 'static')
    keeper.node = node
  }

  async #makeWorkload(name: string): Promise<string> {
    const template = { spec: { containers: [{ name: 'main', image: 'none' }] } }
    const body = {
      apiVersion: 'apps/v1',
      kind: 'StatefulSet',
      metadata: { name },
      spec: { serviceName: '', selector: {}, template },
    }
    const { kube } = this.#cluster
    const made = await kube.call({ doing: `make "${name}"`, method: 'POST', path: workloads, body })
    return (made as { metadata: { uid: string } }).metadata.uid
  }

  async #removeWorkload(pod: string): Promise<void> {
    const name = workloadOf(pod)
    const request = { doing: `delete "${name}"`, method: 'DELETE', path: `${workloads}/${name}` } as const
    try {
      await this.#cluster.kube.call(request)
    } catch (error) {
      if (errorCode(error) !== 'not_found') throw error
    }
  }
}

function workloadOf(pod: string): string {
  return pod.replace('keep-', 'set-').replace(/-a$/, '')
}

function amissOf(keeper: Keeper, claim: ClaimRow | undefined, pod: SeenPod | undefined): readonly string[] {
  const { name, node } = keeper
  const wanted = node === undefined ? 'Retained' : 'Bound'
  if (claim?.phase !== wanted || claim.address === null) return [`claim of ${name}: ${claim?.phase}`]
  if (node !== undefined && pod?.address !== claim.address) return [`${name} does not show ${claim.address}`]
  if (node === undefined && claim.reservation !== null && claim.bound === 1) return [`${name} is not at rest`]
  keeper.address ??= claim.address
  return keeper.address === claim.address ? [] : [`${name} had ${keeper.address}, and has ${claim.address}`]
}
