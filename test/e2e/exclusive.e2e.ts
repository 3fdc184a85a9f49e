// Pods with an ENI of their own on the built executable: real packets between them and pods on shared ENIs, and nothing left of any
// of them, however often they come and go, and however often agents are killed meanwhile.
import assert from 'node:assert/strict'
import { rmSync } from 'node:fs'
import { after, before } from 'node:test'
import { annotateNec } from '../../cmd/dev/annotate.ts'
import { auditCluster, type DevAudit } from '../../cmd/dev/audit.ts'
import { type DevCluster, startDevCluster } from '../../cmd/dev/cluster.ts'
import { enisInCloud, lastWords, ping } from '../../cmd/dev/look.ts'
import { createPod, deletePod, listPods, type SeenPod } from '../../cmd/dev/pods.ts'
import { formatPools, readPools } from '../../cmd/dev/pools.ts'
import { query } from '../../cmd/dev/query.ts'
import { pick, randomInt, seededRandom } from '../../internal/base/random.ts'
import { runCommand } from '../../internal/linux/command.ts'
import { sandboxFault } from '../../internal/linux/sandbox.ts'
import { addressedPods } from './addressed.ts'
import { inSandbox } from './crash-matrix/in-sandbox.ts'
import { copyOfExecutable } from './executable.ts'
import { explainSkip, missingPieces } from './pieces.ts'
import { temporaryFolder, until } from './service.ts'
import { story } from './steps.ts'

const rounds = Number(process.env['EXCLUSIVE_ROUNDS'] ?? 50)
const kills = Number(process.env['EXCLUSIVE_KILLS'] ?? 25)
const random = seededRandom(Number(process.env['SEED'] ?? 1))

const unfit = await sandboxFault(runCommand).catch((error: Error) => error.message)
const missing =
  explainSkip(missingPieces('iproute2', 'executable')) ||
  (unfit === undefined ? false : `no sandbox: ${unfit}`)
const step = story(missing, () => `${formatPools(readPools(cluster))}\n${lastWords(cluster)}`)
const nodes = ['node-1', 'node-2', 'node-3'] as const
const shared = nodes.map((node) => `shared-${node}`)

let cluster: DevCluster
/** Kernels and cloud while nobody has an ENI of his own. */
let quiet: string

before(async () => {
  if (missing) return
  cluster = await startDevCluster({
    directory: temporaryFolder('exclusive'),
    leaderFlags: ['--reconcile-interval=2s', '--ip-min-warm-target=2', '--ip-max-warm-target=2'],
    nodeFlags: ['--cooldown=1s', '--release-interval=1s', '--report-interval=1s'],
    logLevel: 'info',
    program: [copyOfExecutable()],
  })
})

after(async () => {
  await cluster?.close()
})

step('nodes join, and a pod on a shared ENI runs on each', async () => {
  await Promise.all(nodes.map(() => cluster.addNode()))
  await Promise.all(nodes.map((node) => createPod(cluster.kube, `shared-${node}`, node)))
  await addressed(shared)
  await until('the pools are as wanted', () => readPools(cluster).every(({ bound }) => bound === 1 + 2))
  quiet = await steady()
  for (const sign of ['link-netns', 'lookup', 'eth1', 'alias tke-eni', 'default via', 'AVAILABLE'])
    assert.ok(quiet.includes(sign), `a look shows "${sign}"`)
})

step(
  '[X1] [X3] pods with an ENI of their own and pods on shared ones reach each other everywhere',
  async (t) => {
    const own = [
      ['own-a', 'node-1'],
      ['own-b', 'node-1'],
      ['own-c', 'node-2'],
      ['own-d', 'node-3'],
    ] as const
    await Promise.all(own.map(([name, node]) => createPod(cluster.kube, name, node, 'tke-direct-eni')))
    const pods = await addressed([...shared, ...own.map(([name]) => name)])
    const slowest = await allReach(pods)
    for (const pod of pods.filter(({ name }) => name.startsWith('own'))) {
      const { gateway, mac } = exclusiveEni(pod)
      const said = await inPod(pod, 'ip -o link show dev eth0; ip -o -4 address show dev eth0; ip route')
      assert.match(said, new RegExp(` ${mac} .*alias tke-eni .* default/${pod.name}`))
      assert.match(said, new RegExp(` inet ${pod.address}/24 `))
      assert.match(said, new RegExp(`^default via ${gateway} dev eth0`, 'm'))
      await inSandbox(cluster.host, inNode(pod.node, 'ping', '-q', '-c', '2', '-W', '1', pod.address ?? ''))
    }
    t.diagnostic(`${pods.length * (pods.length - 1)} pairs, slowest round trip ${slowest.toFixed(2)} ms`)
  },
)

step('[X2] a pod beyond the maximum waits, and is told why', async () => {
  await annotateNec(cluster.kube, 'node-1', { 'direct-eni-max-attach': 2 })
  await createPod(cluster.kube, 'own-too-many', 'node-1', 'tke-direct-eni')
  await until('it is told', async () => (await eventsOf('own-too-many')).includes('2 of 2 are in use'))
  await deletePod(cluster.kube, 'own-too-many')
  await annotateNec(cluster.kube, 'node-1', { 'direct-eni-max-attach': null })
})

step('[R4] pods with an ENI of their own run on when node.db is lost, and end as ever', async () => {
  const [stays, ends] = await addressed(['own-a', 'own-b'])
  assert.ok(stays !== undefined && ends !== undefined)
  const talking = ping(cluster, stays, ends.address ?? '', 20, 100)
  await cluster.host.call('killAgent', { node: 'node-1' })
  for (const end of ['', '-wal', '-shm']) rmSync(`${cluster.nodeDb('node-1')}${end}`, { force: true })
  await until('they are found', () => owners('node-1').length === 3)
  assert.deepEqual(owners('node-1'), ['own-a', 'own-b', 'shared-node-1'])
  const { received, sent } = await talking
  assert.equal(received, sent)
  await deletePod(cluster.kube, 'own-b')
  await until('one is gone', () => owners('node-1').length === 2)
  await allReach([stays, ...(await addressed(shared))])
  await clean()
})

step('[X1] the ENI of a namespace that dies first serves the next pod', async () => {
  const [pod] = await addressed(['own-c'])
  assert.ok(pod !== undefined)
  const { mac } = exclusiveEni(pod)
  await inSandbox(cluster.host, ['ip', 'netns', 'delete', netnsOf(pod)])
  await until('its link is back on the node', async () => (await linksOf('node-2')).includes(mac))
  await createPod(cluster.kube, 'own-next', 'node-2', 'tke-direct-eni')
  await deletePod(cluster.kube, 'own-c')
  await allReach(await addressed(['own-next', ...shared]))
  await clean()
})

step(`[X1] [D6] ${rounds} times made and deleted, nothing is left behind`, async (t) => {
  await Promise.all(['own-a', 'own-b', 'own-d', 'own-next'].map((name) => deletePod(cluster.kube, name)))
  // One node keeps its ENI; those of the others are given back every fifth time, and made anew.
  await annotateNec(cluster.kube, 'node-2', {
    'direct-eni-min-warm-target': 1,
    'direct-eni-max-warm-target': 1,
  })
  const enis = (node: string) => enisInCloud(cluster, node)
  const before = cloudCalls()
  const began = Date.now()
  const ready = { again: [] as number[], anew: [] as number[] }
  for (let round = 1; round <= rounds; round++) {
    const names = nodes.map((node) => `round-${round}-${node}`)
    const asked = Date.now()
    await Promise.all(names.map((name, i) => createPod(cluster.kube, name, nodes[i], 'tke-direct-eni')))
    const pods = await addressed(names)
    ready[round % 5 === 1 ? 'anew' : 'again'].push(Date.now() - asked)
    await allReach([...pods, ...(await addressed(shared))], 1)
    await Promise.all(names.map((name) => deletePod(cluster.kube, name)))
    await until('they are gone', async () => (await listPods(cluster.kube)).length === shared.length)
    if (round % 5 === 0) await until('ENIs are deleted', () => enis('node-1') + enis('node-3') === 2)
  }
  const took = Date.now() - began
  const calls = cloudCalls()
  await annotateNec(cluster.kube, 'node-2', {
    'direct-eni-min-warm-target': null,
    'direct-eni-max-warm-target': null,
  })
  await sameAs(quiet)
  await clean()
  t.diagnostic(
    `${rounds * nodes.length} pods in ${(took / 1000).toFixed(1)} s; three at once run after ${spread(ready.again)}, with new ENIs after ${spread(ready.anew)}`,
  )
  t.diagnostic(`cloud: ${madeSince(before, calls)}`)
})

step(
  `[R1] [R2] ${kills} times with SIGKILL of agents at random moments, nothing is left behind`,
  async (t) => {
    const before = cloudCalls()
    const began = Date.now()
    let killed = 0
    for (let round = 1; round <= kills; round++) {
      const names = nodes.map((node) => `kill-${round}-${node}`)
      const killing = killSoon(randomInt(random, 0, 3000)).then(() => killed++)
      await Promise.all(names.map((name, i) => createPod(cluster.kube, name, nodes[i], 'tke-direct-eni')))
      // Some are deleted before they have an ENI.
      if (random.next() < 0.7) {
        const pods = await addressed(names)
        if (round % 5 === 0) await allReach([...pods, ...(await addressed(shared))], 1)
      } else await pause(randomInt(random, 0, 2500))
      const again = killSoon(randomInt(random, 0, 300)).then(() => killed++)
      await Promise.all(names.map((name) => deletePod(cluster.kube, name)))
      await until('they are gone', async () => (await listPods(cluster.kube)).length === shared.length)
      await Promise.all([killing, again])
    }
    const took = Date.now() - began
    await sameAs(quiet)
    await allReach(await addressed(shared))
    const { enis, addresses, pods } = await clean()
    t.diagnostic(`${kills * nodes.length} pods and ${killed} kills in ${(took / 1000).toFixed(1)} s`)
    t.diagnostic(
      `cloud: ${madeSince(before, cloudCalls())}; audit: ${enis} ENIs, ${addresses} addresses, ${pods} pods: 0 leaks, 0 doubles`,
    )
  },
)

async function killSoon(afterMs: number): Promise<void> {
  const node = pick(random, nodes) ?? nodes[0]
  await pause(afterMs)
  await cluster.host.call('killAgent', { node })
}

const addressed = (wanted: readonly string[]) => addressedPods(cluster, wanted)

/** Every pod pings every other; the slowest mean. */
async function allReach(pods: readonly SeenPod[], count = 2): Promise<number> {
  const pairs = pods.flatMap((from) => pods.filter((to) => to !== from).map((to) => ({ from, to })))
  const reports = await Promise.all(pairs.map(({ from, to }) => ping(cluster, from, to.address ?? '', count)))
  for (const [i, { received, sent }] of reports.entries())
    assert.equal(received, sent, `${pairs[i]?.from.name} pings ${pairs[i]?.to.name}`)
  return Math.max(...reports.map(({ meanMs }) => meanMs ?? 0))
}

function exclusiveEni({ address, node }: SeenPod): { readonly mac: string; readonly gateway: string } {
  const [eni] = query<{ mac: string; gateway: string }>(
    cluster.nodeDb(node ?? ''),
    'node',
    `SELECT mac, gateway FROM eni WHERE mode = 'exclusive' AND primary_ip = ?`,
    address ?? '',
  )
  assert.ok(eni !== undefined, `${address} is the primary address of an exclusive ENI`)
  return eni
}

/** Pods that have something on the node, by name. */
function owners(node: string): readonly string[] {
  try {
    return query<{ pod: string }>(
      cluster.nodeDb(node),
      'node',
      `SELECT pod_name AS pod FROM attachment ORDER BY pod`,
    ).map(({ pod }) => pod)
  } catch {
    return [] // it is being made just now
  }
}

/** As `ip netns` calls it. */
function netnsOf({ address, node }: SeenPod): string {
  const [row] = query<{ netns: string }>(
    cluster.nodeDb(node ?? ''),
    'node',
    `SELECT netns FROM attachment WHERE address = ?`,
    address ?? '',
  )
  return row?.netns.replace('/run/netns/', '') ?? ''
}

function inPod(pod: SeenPod, script: string): Promise<string> {
  return inSandbox(cluster.host, ['ip', 'netns', 'exec', netnsOf(pod), 'sh', '-ec', script])
}

function inNode(node: string | undefined, ...command: readonly string[]): readonly string[] {
  return ['ip', 'netns', 'exec', `node-${node}`, ...command]
}

function linksOf(node: string): Promise<string> {
  return inSandbox(cluster.host, inNode(node, 'ip', '-o', 'link'))
}

/** All that kernels and cloud have; what differs between two looks is no matter of ours. */
async function everything(): Promise<string> {
  const script = `ip netns | sort
    for netns in vpc ${nodes.map((node) => `node-${node}`).join(' ')}; do
      for what in '-d link' 'rule' '-6 rule' '-d address' 'route show table all' 'neighbour show nud permanent'; do
        echo "== $netns: $what"; ip -n $netns $what
      done
      ls /proc/sys/net/ipv4/conf
    done`
  const kernels = await inSandbox(cluster.host, ['sh', '-c', script])
  const { enis, ips } = cluster.cloud.admin.audit(Date.now())
  const cloud = [
    ...enis.map(({ id, instanceId, state }) => `${id} ${instanceId} ${state}`),
    ...ips.map(({ address, eniId, state }) => `${address} ${eniId} ${state}`),
  ]
  return [kernels, ...cloud.toSorted((a, b) => (a < b ? -1 : 1))].join('\n')
}

/** Everything, once five looks in a row agree. */
async function steady(): Promise<string> {
  let last = ''
  for (let same = 0; same < 5; ) {
    await pause(300)
    const now = await everything()
    same = now === last ? same + 1 : 0
    last = now
  }
  return last
}

/** Waits until kernels and cloud are as they were; shows what is not. */
async function sameAs(before: string): Promise<void> {
  await until('nothing is left', async () => (await everything()) === before, [], 60_000).catch(() => {})
  const now = (await everything()).split('\n')
  const then = before.split('\n')
  const left = now.filter((line) => !then.includes(line))
  const lost = then.filter((line) => !now.includes(line))
  assert.deepEqual({ left, lost }, { left: [], lost: [] })
}

/** Nothing is lost and nothing doubled, within a while; the audit then. */
async function clean(): Promise<DevAudit> {
  let audit: DevAudit | undefined
  const settled = async () => {
    audit = await auditCluster(cluster)
    return audit.leaks.length === 0
  }
  await until('all is settled', settled, [], 30_000).catch(() => {})
  assert.deepEqual([audit?.leaks, audit?.doubles], [[], []])
  return audit ?? (await auditCluster(cluster))
}

async function eventsOf(pod: string): Promise<string> {
  const answer = (await cluster.kube.call({
    doing: 'list events',
    path: '/api/v1/namespaces/default/events',
  })) as { items: { involvedObject: { name: string }; message: string }[] }
  return answer.items
    .filter(({ involvedObject }) => involvedObject.name === pod)
    .map(({ message }) => message)
    .join('\n')
}

function spread(ms: readonly number[]): string {
  const sorted = ms.toSorted((a, b) => a - b)
  return `${sorted[sorted.length >> 1]} ms (median; ${sorted.at(-1)} at most)`
}

type Calls = Readonly<Record<string, number>>

function cloudCalls(): Calls {
  return Object.fromEntries(
    Object.entries(cluster.cloud.stats()).map(([action, { calls }]) => [action, calls]),
  )
}

function madeSince(before: Calls, now: Calls): string {
  const more = Object.entries(now).map(([action, calls]) => [action, calls - (before[action] ?? 0)] as const)
  return more
    .filter(([, calls]) => calls > 0)
    .map(([action, calls]) => `${calls} ${action}`)
    .join(', ')
}

function pause(ms: number): Promise<void> {
  return new Promise((resolve) => setTimeout(resolve, ms))
}
