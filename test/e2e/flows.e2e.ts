// The product on a real kube-apiserver: leader and agents are the built executable with only the roles that we ship, the cloud is
// the simulator over HTTP, packets and plugin calls are real.
import assert from 'node:assert/strict'
import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import { after, before } from 'node:test'
import { auditCluster } from '../../cmd/dev/audit.ts'
import { type DevCluster, startDevCluster } from '../../cmd/dev/cluster.ts'
import { countReturns, enisInCloud, lastWords, openIntents, ping, usedPerEni } from '../../cmd/dev/look.ts'
import { createPod, deletePod } from '../../cmd/dev/pods.ts'
import { formatPools, type PoolLine, readPools } from '../../cmd/dev/pools.ts'
import { runCommand } from '../../internal/linux/command.ts'
import { sandboxFault } from '../../internal/linux/sandbox.ts'
import { addressedPods } from './addressed.ts'
import { copyOfExecutable } from './executable.ts'
import { explainSkip, missingPieces } from './pieces.ts'
import { type RealDevApi, startRealDevApi } from './real-dev-api.ts'
import { temporaryFolder, until } from './service.ts'
import { story } from './steps.ts'

const unfit = await sandboxFault(runCommand).catch((error: Error) => error.message)
const missing =
  explainSkip(missingPieces('kube-apiserver', 'iproute2', 'executable')) ||
  (unfit === undefined ? false : `no sandbox: ${unfit}`)
const nodeFlags = ['--report-interval=2s', '--release-interval=2s', '--cooldown=3s']
/** The last one is only there to be deleted. */
const names = ['node-1', 'node-2', 'node-3', 'node-4']
const step = story(missing, () => `${formatPools(readPools(cluster))}\n${lastWords(cluster)}`)

let api: RealDevApi
let cluster: DevCluster

before(async () => {
  if (missing) return
  api = await startRealDevApi(names)
  cluster = await startDevCluster({
    directory: temporaryFolder('flows'),
    api,
    leaderFlags: ['--reconcile-interval=5s'],
    nodeFlags,
    logLevel: 'info',
    program: [copyOfExecutable()],
  })
})

after(async () => {
  await cluster?.close()
  await api?.close()
})

step('[P1] [P2] [K4] nodes join, their NECs appear, and every pool fills to minWarm', async (t) => {
  await Promise.all(names.map(() => cluster.addNode()))
  await until('every node has 5 idle addresses', () => names.every((name) => pool(name).idle === 5))
  await until('the agents have reported', async () =>
    (await necs()).every(({ status }) => status?.node?.idle === 5),
  )
  for (const { metadata, spec, status } of await necs()) {
    const instance = cluster.nodes().find(({ name }) => name === metadata.name)?.instanceId
    assert.equal(spec.instanceID, instance)
    assert.deepEqual([spec.routeENIIPMinWarmTarget, spec.routeENIIPMaxWarmTarget], [5, 5])
    assert.equal(status?.conditions?.find(({ type }) => type === 'Ready')?.status, 'True')
    assert.deepEqual(
      (status?.eniInfos ?? []).flatMap(({ ips }) => ips.map(({ ip }) => ip)).toSorted(),
      boundInCloud(metadata.name),
      `addresses of ${metadata.name} as the cloud has them`,
    )
  }
  t.diagnostic(`kubectl get nec -o wide\n${await api.kubectl('get', 'nec', '-o', 'wide')}`)
})

step('[P11] [D2] pods get warm addresses through the plugin and reach each other everywhere', async (t) => {
  await createPod(cluster.kube, 'one', 'node-1')
  await createPod(cluster.kube, 'two', 'node-1')
  await createPod(cluster.kube, 'three', 'node-2')
  await createPod(cluster.kube, 'four', 'node-3')
  const pods = await addressed(['one', 'two', 'three', 'four'])
  const pairs = pods.flatMap((from) => pods.filter((to) => to !== from).map((to) => ({ from, to })))
  const reports = await Promise.all(pairs.map(({ from, to }) => ping(cluster, from, to.address ?? '', 2)))
  assert.ok(
    reports.every(({ sent, received }) => received === sent),
    JSON.stringify(reports),
  )
  t.diagnostic(`kubectl get nec,pods -o wide\n${await api.kubectl('get', 'nec,pods', '-o', 'wide')}`)
})

step('[R1] [R2] the leader is killed amid a scale-up and recovers', async (t) => {
  const scale = numbered('scale', 16)
  await Promise.all(scale.map((name) => createPod(cluster.kube, name, 'node-2')))
  await until('cloud calls are open', () => openIntents(cluster) > 0)
  const open = openIntents(cluster)
  await cluster.killLeader()
  await addressed(scale)
  await until('the pool is warm again', () => pool('node-2').bound === 17 + 5)
  t.diagnostic(`killed with ${open} cloud calls open`)
})

step('[S9] a Node without pods is deleted; what it held is seen further below', async () => {
  await api.kubectl('delete', 'node', 'node-4')
})

step('[P2] [P12] the pool follows a burst of pods, fullest ENI first', async (t) => {
  const burst = numbered('burst', 14)
  await Promise.all(burst.map((name) => createPod(cluster.kube, name, 'node-1')))
  await addressed(burst)
  await until('the pool is warm again', () => pool('node-1').bound === 16 + 5)
  // Which of the new ENIs was there first is the cloud's choice; the old one was full before.
  assert.equal(usedPerEni(cluster, 'node-1')[0], 9)
  const nec = (await necs()).find(({ metadata }) => metadata.name === 'node-1')
  assert.deepEqual(
    nec?.status?.eniInfos?.map(({ ips }) => ips.length),
    [9, 9, 3],
    'an ENI is filled before the next',
  )
  t.diagnostic(await api.kubectl('get', 'nec', 'node-1', '-o', 'wide'))
})

step('[P13] [P4] pods end, their addresses return to the pool, the surplus to the cloud', async () => {
  await cluster.restartAgent('node-1', [...nodeFlags, '--enable-quick-release'])
  await Promise.all(numbered('burst', 14).map((name) => deletePod(cluster.kube, name)))
  await until('their addresses are free', () => pool('node-1').inUse === 2)
  await until('what is beyond the warm ones is given back', () => pool('node-1').bound === 2 + 5)
  assert.ok(countReturns(cluster, 'node-1') >= 14)
  await until('two ENIs are deleted', () => enisInCloud(cluster, 'node-1') === 1)
})

step('[R3] agents are killed, their pods keep talking, and new pods start', async () => {
  const [from, to] = await addressed(['one', 'four'])
  assert.ok(from !== undefined && to !== undefined)
  const talking = ping(cluster, from, to.address ?? '', 30, 100)
  for (const node of ['node-1', 'node-3']) await cluster.host.call('killAgent', { node })
  const { sent, received } = await talking
  assert.equal(received, sent)
  await createPod(cluster.kube, 'after-kill', 'node-3')
  await addressed(['after-kill'])
})

step('[S9] the ENIs of the deleted Node are detached and deleted, its NEC is gone', async (t) => {
  await until('the cloud has its ENIs back', () => enisInCloud(cluster, 'node-4') === 0)
  await until('its NEC is gone', async () =>
    (await necs()).every(({ metadata }) => metadata.name !== 'node-4'),
  )
  t.diagnostic(`kubectl get nec,pods -o wide\n${await api.kubectl('get', 'nec,pods', '-o', 'wide')}`)
})

step('[K4] until here the API server has refused leader and agents nothing', async () => {
  // Later it does: one that has just started does not know its roles yet.
  const logs = ['leader/leader.log', ...names.map((name) => `nodes/${name}/node.log`)]
  const refused = logs.flatMap((log) =>
    readFileSync(join(cluster.directory, log), 'utf8')
      .split('\n')
      .filter((line) => /"code":"denied"|forbidden/i.test(line)),
  )
  assert.deepEqual(refused, [])
})

step('[R3] warm pods start and end while leader, API server and cloud are down', async () => {
  await cluster.haltLeader()
  await api.interrupt()
  cluster.cloud.setFaults({ outage: 'reset' })
  const warm = ['warm-1', 'warm-2', 'warm-3']
  const node = 'node-3'
  const addresses = await Promise.all(warm.map((name) => cluster.host.call('runStatic', { node, name })))
  const to = addresses[1] ?? ''
  const report = await cluster.host.call('ping', {
    node,
    pod: 'static/warm-1',
    to,
    count: 3,
    intervalMs: 100,
  })
  assert.equal(report.received, report.sent)
  await cluster.host.call('endStatic', { node, name: 'warm-3' })
  cluster.cloud.setFaults({ outage: 'off' })
  await api.resume()
  cluster.resumeLeader()
  for (const name of ['warm-1', 'warm-2']) await cluster.host.call('endStatic', { node, name })
  await createPod(cluster.kube, 'after-outage', 'node-1')
  await addressed(['after-outage'])
  await until('the pool is warm again', () => pool('node-1').bound === 3 + 5)
})

step('[R1] in the end ledger, cloud and kernels agree: 0 leaks, 0 doubles', async (t) => {
  await until(
    'nothing is under way',
    async () => (await auditCluster(cluster)).leaks.length === 0,
    [],
    30_000,
  )
    // What is left is said by the assertion below.
    .catch(() => {})
  const { leaks, doubles, ...counts } = await auditCluster(cluster)
  assert.deepEqual({ leaks, doubles }, { leaks: [], doubles: [] })
  assert.equal(counts.pods, 4 + 16 + 2)
  t.diagnostic(`${counts.enis} ENIs, ${counts.addresses} addresses, ${counts.pods} pods`)
})

interface NecJson {
  readonly metadata: { readonly name: string }
  readonly spec: {
    readonly instanceID?: string
    readonly routeENIIPMinWarmTarget?: number
    readonly routeENIIPMaxWarmTarget?: number
  }
  readonly status?: {
    readonly eniInfos?: readonly { readonly ips: readonly { readonly ip: string }[] }[]
    readonly conditions?: readonly { readonly type: string; readonly status: string }[]
    readonly node?: { readonly idle?: number }
  }
}

async function necs(): Promise<readonly NecJson[]> {
  const list = JSON.parse(await api.kubectl('get', 'nec', '-o', 'json')) as { items: NecJson[] }
  return list.items
}

function boundInCloud(node: string): readonly string[] {
  const instance = cluster.nodes().find(({ name }) => name === node)?.instanceId
  const { enis, ips } = cluster.cloud.admin.audit(Date.now())
  const ours = new Set(
    enis.filter(({ instanceId, primary }) => instanceId === instance && !primary).map(({ id }) => id),
  )
  return ips
    .filter(({ eniId, primary }) => ours.has(eniId) && !primary)
    .map(({ address }) => address)
    .toSorted()
}

function pool(node: string): PoolLine {
  const line = readPools(cluster).find((each) => each.node === node)
  assert.ok(line !== undefined, `a pool of ${node}`)
  return line
}

const addressed = (wanted: readonly string[]) => addressedPods(cluster, wanted)

function numbered(name: string, count: number): readonly string[] {
  return Array.from({ length: count }, (_, i) => `${name}-${i + 1}`)
}
