// `--enable-ownerref` on the built executable: kept addresses go with the topmost workload of their pods, of any kind, and only with that.
// Nobody controls workloads here: the test makes their parts and pods, and deletes them in the order a garbage collector would.
import assert from 'node:assert/strict'
import { readFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { after, before, describe } from 'node:test'
import { auditCluster } from '../../cmd/dev/audit.ts'
import { type DevCluster, startDevCluster } from '../../cmd/dev/cluster.ts'
import { lastWords } from '../../cmd/dev/look.ts'
import { deletePod, listPods } from '../../cmd/dev/pods.ts'
import { query } from '../../cmd/dev/query.ts'
import { ownersRbac } from '../../internal/kube/rbac.ts'
import { runCommand } from '../../internal/linux/command.ts'
import { sandboxFault } from '../../internal/linux/sandbox.ts'
import { addressedPods } from './addressed.ts'
import {
  deployment,
  gameSet,
  installKind,
  type Kind,
  type MadeWorkload,
  make,
  makePod,
  replicaSet,
  statefulSet,
  tournament,
  uninstallKind,
  unmake,
} from './cascade/workloads.ts'
import { copyOfExecutable } from './executable.ts'
import { explainSkip, missingPieces } from './pieces.ts'
import { type RealDevApi, startRealDevApi } from './real-dev-api.ts'
import { temporaryFolder, until } from './service.ts'
import { story } from './steps.ts'

const unfit = await sandboxFault(runCommand).catch((error: Error) => error.message)
const sandbox = unfit === undefined ? false : `no sandbox: ${unfit}`
const homes = ['node-1', 'node-2'] as const

interface SeenClaim {
  readonly name: string
  readonly phase: string
  readonly address: string | null
  readonly owner: string | null
}

describe('cascade on the embedded API server', () => {
  tell(explainSkip(missingPieces('iproute2', 'executable')) || sandbox, undefined)
})
describe('cascade on a real kube-apiserver', () => {
  const missing = missingPieces('kube-apiserver', 'iproute2', 'executable')
  tell(explainSkip(missing) || sandbox, () => startRealDevApi(homes))
})

function tell(missing: string | false, startApi: (() => Promise<RealDevApi>) | undefined): void {
  const step = story(missing, () => `${JSON.stringify(claims(), null, 1)}\n${lastWords(cluster)}`)
  let api: RealDevApi | undefined
  let cluster: DevCluster
  let settings: string
  let addresses: ReadonlyMap<string, string> = new Map()
  const made = new Map<string, MadeWorkload>()

  before(async () => {
    if (missing) return
    const directory = temporaryFolder('cascade')
    settings = join(directory, 'leader.yaml')
    writeFileSync(settings, 'enable-static-ip: true\n')
    api = await startApi?.()
    cluster = await startDevCluster({
      directory,
      ...(api !== undefined && { api }),
      leaderFlags: ['--reconcile-interval=1s', `--config=${settings}`],
      nodeFlags: ['--cooldown=1s', '--report-interval=1s'],
      logLevel: 'info',
      program: [copyOfExecutable()],
    })
    for (const _ of homes) await cluster.addNode()
    await until('the leader has its ledger', hasLedger)
  })
  after(async () => {
    await cluster?.close()
    await api?.close()
  })

  step('claims are made before the setting is on', async () => {
    const old = await workload(deployment, 'old')
    await pods(await workload(replicaSet, 'old-1', old), 'old-0', 'old-1')
    await bound('old-0', 'old-1')
    assert.deepEqual(ownersOf('old-0', 'old-1'), [null, null])
  })

  step('[S7] the setting is turned on while the leader runs', async () => {
    if (api !== undefined) await api.grant(ownersRbac())
    writeFileSync(settings, 'enable-static-ip: true\nenable-ownerref: true\n')
    cluster.leader.signal('SIGHUP')
    await until('the leader has read it', () =>
      readFileSync(cluster.leader.logFile, 'utf8').includes('"enable-ownerref"'),
    )
  })

  step('[S7] claims name the topmost workload of their pods, of whatever kind', async (t) => {
    await installKind(cluster.kube, gameSet)
    if (api !== undefined) await api.grant(roleFor('games', gameSet))
    const web = await workload(deployment, 'web')
    await pods(await workload(replicaSet, 'web-1', web), 'web-a', 'web-b')
    const lobby = await workload(gameSet, 'lobby')
    await pods(lobby, 'lobby-0')
    await pods(await workload(statefulSet, 'arena', lobby), 'arena-0', 'arena-1')
    await pods(undefined, 'alone')
    await bound('web-a', 'web-b', 'lobby-0', 'arena-0', 'arena-1', 'alone')
    assert.deepEqual(ownersOf('web-a', 'web-b', 'lobby-0', 'arena-0', 'arena-1', 'alone'), [
      ...['Deployment/web', 'Deployment/web', 'GameSet/lobby', 'GameSet/lobby', 'GameSet/lobby'],
      null,
    ])
    if (api !== undefined)
      t.diagnostic(`kubectl get vipc -o wide\n${await api.kubectl('get', 'vipc', '-o', 'wide')}`)
  })

  step('[S4] their pods end, and all addresses are kept', async () => {
    await end('old-0', 'web-a', 'web-b', 'lobby-0', 'arena-0', 'arena-1', 'alone')
    await retained('old-0', 'web-a', 'web-b', 'lobby-0', 'arena-0', 'arena-1', 'alone')
    for (const { address } of kept()) assert.ok(inCloud(address), `${address} is kept in the cloud`)
  })

  step('[S7] a rollout replaces what is between: the addresses stay', async () => {
    await workload(replicaSet, 'web-2', its('web'))
    await remove('web-1')
    await remove('arena')
    await others()
    await retained('web-a', 'web-b', 'arena-0', 'arena-1')
    await pods(its('web-2'), 'web-a')
    await bound('web-a')
    await end('web-a')
    await retained('web-a')
  })

  step('[S7] the Deployment goes, and with it its addresses alone', async () => {
    await remove('web')
    await remove('web-2')
    await released('web-a', 'web-b')
    await retained('old-0', 'lobby-0', 'arena-0', 'arena-1', 'alone')
  })

  step('[S7] the custom workload goes, and what its parts had with it', async () => {
    await remove('lobby')
    await released('lobby-0', 'arena-0', 'arena-1')
    await retained('old-0', 'alone')
  })

  step('[S7] the address of a pod that runs on stays until it ends', async () => {
    const orphaned = await workload(deployment, 'orphaned')
    await pods(await workload(replicaSet, 'orphaned-1', orphaned), 'orphaned-a')
    await bound('orphaned-a')
    await remove('orphaned')
    await remove('orphaned-1')
    await others()
    assert.equal(claimOf('orphaned-a')?.phase, 'Bound')
    await end('orphaned-a')
    await released('orphaned-a')
  })

  step('[S7] claims from before the setting stay, also of pods that come back', async () => {
    await pods(its('old-1'), 'old-0')
    await bound('old-0')
    assert.deepEqual(ownersOf('old-0'), [null])
    await end('old-0', 'old-1')
    await remove('old')
    await remove('old-1')
    await others()
    await retained('old-0', 'old-1')
  })

  step('[S7] what goes while no leader runs is known to the next one', async () => {
    for (const name of ['away', 'again']) await pods(await workload(statefulSet, name), `${name}-0`)
    await bound('away-0', 'again-0')
    await end('away-0', 'again-0')
    await retained('away-0', 'again-0')
    await cluster.haltLeader()
    await remove('away')
    await remove('again')
    await workload(statefulSet, 'again') // of the same name, and another one
    cluster.resumeLeader()
    await released('away-0', 'again-0')
    await retained('old-0', 'alone')
  })

  step('[S7] a workload that is made anew under the same name has no claim to the addresses', async () => {
    await pods(its('again'), 'again-0')
    await bound('again-0')
    await end('again-0')
    await retained('again-0')
    await remove('again')
    await workload(statefulSet, 'again')
    await released('again-0')
  })

  if (startApi !== undefined) {
    step('[S7] a kind that the leader may not see is said on the pod, and its addresses stay', async (t) => {
      await installKind(cluster.kube, tournament)
      await pods(await workload(tournament, 'cup'), 'cup-0')
      await bound('cup-0')
      assert.deepEqual(ownersOf('cup-0'), [null])
      const said = async () => api?.kubectl('get', 'events', '--field-selector=reason=OwnerUnknown') ?? ''
      await until('the event is there', async () => /pod\/cup-0/.test(await said()))
      t.diagnostic(`kubectl get events --field-selector=reason=OwnerUnknown\n${await said()}`)
      await end('cup-0')
      await remove('cup')
      await others()
      await retained('cup-0')
    })
  }

  step('[S7] a kind is uninstalled, and its workloads with it', async () => {
    if (api === undefined) await installKind(cluster.kube, tournament)
    else await api.grant(roleFor('tournaments', tournament))
    await pods(await workload(tournament, 'league'), 'league-0')
    await bound('league-0')
    assert.deepEqual(ownersOf('league-0'), ['Tournament/league'])
    await end('league-0')
    await retained('league-0')
    await others() // by now its kind is watched
    await uninstallKind(cluster.kube, tournament)
    await released('league-0')
  })

  step('[R1] what was released is nobody’s, and what is kept is in the cloud', async (t) => {
    let audit = await auditCluster(cluster)
    const settled = async () => {
      audit = await auditCluster(cluster)
      return audit.leaks.length === 0
    }
    await until('all is settled', settled, [], 60_000).catch(() => {})
    assert.deepEqual([audit.leaks, audit.doubles], [[], []])
    const { reservations } = cluster.cloud.admin.audit(Date.now())
    assert.deepEqual(
      new Set(reservations.map(({ address }) => String(address))),
      new Set(kept().map(({ address }) => address)),
    )
    t.diagnostic(`${kept().length} claims kept, ${reservations.length} reservations: 0 leaks, 0 doubles`)
  })

  function its(name: string): MadeWorkload {
    const found = made.get(name)
    if (found === undefined) throw new Error(`Cannot find workload "${name}": it was not made`)
    return found
  }

  async function workload(kind: Kind, name: string, owner?: MadeWorkload): Promise<MadeWorkload> {
    const one = await make(cluster.kube, kind, name, owner)
    made.set(name, one)
    return one
  }

  const remove = (name: string) => unmake(cluster.kube, its(name))

  async function pods(owner: MadeWorkload | undefined, ...names: readonly string[]): Promise<void> {
    for (const [i, name] of names.entries())
      await makePod(cluster.kube, name, homes[i % homes.length] ?? homes[0], owner)
  }

  /** What was to come of it has come: a workload that went after it has taken its address along. */
  let barriers = 0
  async function others(): Promise<void> {
    const name = `barrier-${++barriers}`
    await pods(await workload(deployment, name), `${name}-a`)
    await bound(`${name}-a`)
    await end(`${name}-a`)
    await retained(`${name}-a`)
    await remove(name)
    await released(`${name}-a`)
  }

  function claims(): readonly SeenClaim[] {
    const owner = `json_extract(owner, '$.kind') || '/' || json_extract(owner, '$.name') AS owner`
    return query(
      cluster.leaderDb,
      'leader',
      `SELECT name, phase, address, ${owner} FROM claim WHERE policy = 'Never' ORDER BY name`,
    )
  }
  function hasLedger(): boolean {
    try {
      return claims().length === 0
    } catch {
      return false // it is being made just now
    }
  }
  const kept = () => claims().filter(({ address }) => address !== null)
  const claimOf = (name: string) => claims().find((claim) => claim.name === name)
  const ownersOf = (...names: readonly string[]) => names.map((name) => claimOf(name)?.owner)

  /** A pod keeps the address it had. */
  async function bound(...names: readonly string[]): Promise<void> {
    const before = new Map(kept().map(({ name, address }) => [name, address]))
    await addressedPods(cluster, names)
    await until(`${names.join(', ')} are bound`, () =>
      names.every((name) => claimOf(name)?.phase === 'Bound'),
    )
    for (const name of names) {
      const had = before.get(name) ?? undefined
      if (had !== undefined) assert.equal(claimOf(name)?.address, had, name)
    }
  }

  async function end(...names: readonly string[]): Promise<void> {
    await Promise.all(names.map((name) => deletePod(cluster.kube, name)))
    const gone = async () => !(await listPods(cluster.kube)).some(({ name }) => names.includes(name))
    await until(`${names.join(', ')} are gone`, gone)
  }

  async function retained(...names: readonly string[]): Promise<void> {
    const all = () => names.every((name) => claimOf(name)?.phase === 'Retained')
    await until(`${names.join(', ')} are retained`, all, [], 30_000)
    addresses = new Map(kept().map(({ name, address }) => [name, address ?? '']))
  }

  async function released(...names: readonly string[]): Promise<void> {
    await until(`the claims of ${names.join(', ')} are gone`, () =>
      names.every((name) => claimOf(name) === undefined),
    )
    for (const name of names) {
      const address = addresses.get(name) ?? ''
      const taken = kept().some((claim) => claim.address === address)
      assert.ok(taken || !inCloud(address), `${address} of ${name} is free`)
    }
  }

  /** Reserved, or on an ENI. */
  function inCloud(address: string | null): boolean {
    const { ips, reservations } = cluster.cloud.admin.audit(Date.now())
    return [...ips, ...reservations].some((one) => one.address === address)
  }
}

/** As docs/install.md tells to write one. */
function roleFor(name: string, { apiVersion, resource }: Kind): string {
  return JSON.stringify({
    apiVersion: 'rbac.authorization.k8s.io/v1',
    kind: 'ClusterRole',
    metadata: {
      name: `tke-eni-owners-${name}`,
      labels: { 'tke-eni.cloud.tencent.com/aggregate-to-owners': 'true' },
    },
    rules: [
      { apiGroups: [apiVersion.split('/')[0]], resources: [resource], verbs: ['get', 'list', 'watch'] },
    ],
  })
}
