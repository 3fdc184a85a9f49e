// The leader's database is lost, and then damaged, under 100 running pods of the built executable: the one that is made anew
// says the same, row for row, and nobody's packets miss anything. And what people do in the console is found, and put right.
import assert from 'node:assert/strict'
import { closeSync, globSync, openSync, readFileSync, rmSync, statSync, writeSync } from 'node:fs'
import { after, before } from 'node:test'
import { isDeepStrictEqual } from 'node:util'
import { auditCluster } from '../../cmd/dev/audit.ts'
import { type DevCluster, startDevCluster } from '../../cmd/dev/cluster.ts'
import { lastWords, openIntents, ping, podsWithAddresses } from '../../cmd/dev/look.ts'
import { createPod, type SeenPod } from '../../cmd/dev/pods.ts'
import { formatPools, readPools } from '../../cmd/dev/pools.ts'
import { query } from '../../cmd/dev/query.ts'
import { clusterId, podSubnets, vpc } from '../../cmd/dev/topology.ts'
import { runCommand } from '../../internal/linux/command.ts'
import { sandboxFault } from '../../internal/linux/sandbox.ts'
import { cloudConsole } from '../sim/world/console.ts'
import { copyOfExecutable } from './executable.ts'
import { explainSkip, missingPieces } from './pieces.ts'
import { temporaryFolder, until } from './service.ts'
import { story } from './steps.ts'

const unfit = await sandboxFault(runCommand).catch((error: Error) => error.message)
const missing =
  explainSkip(missingPieces('iproute2', 'executable')) ||
  (unfit === undefined ? false : `no sandbox: ${unfit}`)
const step = story(missing, () => `${formatPools(readPools(cluster))}\n${lastWords(cluster)}`)

/** 27 addresses each: 20 pods, 5 warm ones. */
const nodes = ['node-1', 'node-2', 'node-3', 'node-4', 'node-5']
const podsPerNode = 20
const names = nodes.flatMap((node) => Array.from({ length: podsPerNode }, (_, i) => `pod-${node}-${i}`))
const program = copyOfExecutable()

let cluster: DevCluster
let pods: readonly SeenPod[]
let before1: Dump

before(async () => {
  if (missing) return
  cluster = await startDevCluster({
    directory: temporaryFolder('recover'),
    leaderFlags: ['--reconcile-interval=2s', '--survey-interval=10s'],
    nodeFlags: ['--report-interval=2s'],
    logLevel: 'info',
    program: [program],
  })
})

after(async () => {
  await cluster?.close()
})

step(`${names.length} pods run on ${nodes.length} nodes`, async (t) => {
  for (const _ of nodes) await cluster.addNode()
  await Promise.all(names.map((name) => createPod(cluster.kube, name, name.slice(4).replace(/-\d+$/, ''))))
  await until(
    'every pod has its address',
    async () => (await podsWithAddresses(cluster.kube, names)) !== undefined,
    [],
    120_000,
  )
  pods = (await podsWithAddresses(cluster.kube, names)) ?? []
  await quiet()
  before1 = dump()
  t.diagnostic(
    `ledger: ${before1.nodes.length} nodes, ${before1.enis.length} ENIs, ${before1.addresses.length} addresses, ${before1.addresses.filter(({ pod_uid }) => pod_uid !== null).length} with a pod`,
  )
  assert.equal(before1.addresses.filter(({ pod_uid }) => pod_uid !== null).length, names.length)
})

step('[R4] rm leader.db, leader --recover: the same rows, no ping lost, no leak, no double', async (t) => {
  const pinging = pingPairs()
  await cluster.haltLeader()
  const gone = globSync(`${cluster.leaderDb}*`)
  for (const file of gone) rmSync(file)
  const startedAt = performance.now()
  cluster.resumeLeader(['--recover'])
  await rebuilt()
  const took = performance.now() - startedAt
  await pinging.report(t, 'while the ledger was away and rebuilt')
  await quiet()
  assert.deepEqual(dump(), before1)
  t.diagnostic(`rebuilt and serving ${Math.round(took)} ms after the start; removed: ${gone.length} files`)
  await sound(t)
})

step('[R4] what was rebuilt is served from: a pod more gets its address', async () => {
  await createPod(cluster.kube, 'one-more', 'node-1')
  await until('it has one', async () => (await podsWithAddresses(cluster.kube, ['one-more'])) !== undefined)
  await until('the pool is warm again', () => dump().addresses.length > before1.addresses.length)
  await quiet()
})

step('[R4] a damaged leader.db is refused in words; --recover moves it aside', async (t) => {
  const pinging = pingPairs()
  const wanted = dump()
  await cluster.haltLeader()
  const { size } = statSync(cluster.leaderDb)
  for (const end of ['-wal', '-shm']) rmSync(cluster.leaderDb + end, { force: true })
  scribble(cluster.leaderDb, size)
  cluster.resumeLeader()
  await until('the leader says what is wrong', () => /is damaged|not a database/.test(lastWords(cluster)))
  t.diagnostic(
    lastWords(cluster)
      .match(/Cannot open leader database.*/)?.[0]
      ?.slice(0, 300) ?? '',
  )
  await cluster.haltLeader()
  cluster.resumeLeader(['--recover'])
  await rebuilt()
  await pinging.report(t, 'meanwhile')
  await quiet()
  assert.deepEqual(dump(), wanted)
  const aside = globSync(`${cluster.leaderDb}.damaged-*`)
  assert.equal(aside.filter((file) => /damaged-\w+$/.test(file)).length, 1)
  t.diagnostic(`kept: ${aside.map((file) => file.replace(`${cluster.directory}/`, '')).join(', ')}`)
  await sound(t)
})

step('[R7] an ENI taken off in the console is put back; pods on it have their network again', async (t) => {
  const wanted = dump()
  const pod = pods.find(({ node }) => node === 'node-5') as SeenPod
  const eni = wanted.addresses.find(({ address }) => address === pod.address)?.['eni']
  const instance = cluster.nodes().find(({ name }) => name === 'node-5')?.instanceId ?? ''
  const console = cloudConsole(cluster.cloud, Date.now)
  assert.ok(console.detach(String(eni), instance))
  const takenAt = performance.now()
  await until('it is in quarantine', async () => (await quarantine()).length > 0)
  t.diagnostic(`tke-eni get quarantine\n${(await quarantine()).join('\n')}`)
  await until('the pod answers again', async () => {
    const { received } = await ping(cluster, pods[0] as SeenPod, pod.address ?? '', 1)
    return received === 1
  })
  t.diagnostic(`taken off ${Math.round((performance.now() - takenAt) / 1000)} s ago`)
  await until('all is as before', () => isDeepStrictEqual(dump(), wanted))
  await until('nothing is in quarantine', async () => (await quarantine()).length === 0)
  await quiet()
  await sound(t)
})

step('[R7] an orphan with our tag is given back, an ENI of others is left alone', async (t) => {
  const wanted = dump()
  const [subnet] = podSubnets
  const console = cloudConsole(cluster.cloud, Date.now)
  const make = (tags: Readonly<Record<string, string>>) =>
    assert.ok(console.create({ vpc: vpc.id, subnet: subnet.id, tags, ips: 2 }))
  make({ 'tke-eni-cluster': clusterId, 'tke-eni-node': 'node-99', 'tke-eni-instance': 'ins-99' })
  make({ 'tke-eni-cluster': 'cls-other' })
  make({})
  const byHand = () => cluster.cloud.admin.audit(Date.now()).enis.filter(({ name }) => name === 'by hand')
  assert.equal(byHand().length, 3)
  await until('the orphan is gone', () => byHand().length === 2)
  await quiet()
  assert.deepEqual(dump(), wanted)
  assert.equal(byHand().length, 2)
  await sound(t)
})

/** As people see it. */
async function quarantine(): Promise<readonly string[]> {
  const { stdout } = await runCommand(program, ['get', 'quarantine', '--db', cluster.leaderDb])
  return stdout
    .split('\n')
    .slice(1)
    .filter((line) => line !== '')
}

type Row = Readonly<Record<string, string | number | null>>

interface Dump {
  readonly nodes: readonly Row[]
  readonly enis: readonly Row[]
  readonly addresses: readonly Row[]
}

/** All but times, keys and what is over. */
function dump(): Dump {
  const all = (sql: string) => query<Row>(cluster.leaderDb, 'leader', sql).map((row) => ({ ...row }))
  return {
    nodes: all(
      `SELECT name, uid, instance_id, zone, phase, max_enis, ips_per_eni, min_warm, max_warm FROM node ORDER BY name`,
    ),
    enis: all(
      `SELECT id, node, slot, subnet_id, subnet_cidr, mac, primary_ip, state, goal FROM eni ORDER BY id`,
    ),
    addresses: all(
      `SELECT address, eni.id AS eni, ip.state, "grant", pod_namespace, pod_name, pod_uid
       FROM ip JOIN eni ON eni.key = ip.eni ORDER BY number`,
    ),
  }
}

/** Ledger, cloud and kernels agree, and go on agreeing. */
async function quiet(): Promise<void> {
  await until(
    'nothing is under way',
    async () => openIntents(cluster) === 0 && (await auditCluster(cluster)).leaks.length === 0,
  )
}

async function rebuilt(): Promise<void> {
  const log = cluster.leader.logFile
  const count = () => readFileSync(log, 'utf8').split('"ledger rebuilt"').length
  const former = rebuildsSeen
  await until('the ledger is rebuilt', () => count() > former)
  rebuildsSeen = count()
}
/** A new cluster's ledger counts as one. */
let rebuildsSeen = 2

/** Ten pairs across nodes, every 50 ms, for as long as the work takes. */
function pingPairs() {
  const pairs = Array.from({ length: 10 }, (_, i) => ({
    from: pods[i * 9] as SeenPod,
    to: pods[(i * 9 + 47) % pods.length]?.address ?? '',
  }))
  const reports = pairs.map(({ from, to }) => ping(cluster, from, to, 300, 50))
  return {
    async report(t: { diagnostic(text: string): void; assert: unknown }, when: string): Promise<void> {
      const all = await Promise.all(reports)
      const sum = (key: 'sent' | 'received') => all.reduce((n, report) => n + report[key], 0)
      t.diagnostic(`ping, ${pairs.length} pairs, ${when}: ${sum('sent')} sent, ${sum('received')} answered`)
      assert.equal(sum('received'), sum('sent'))
    },
  }
}

async function sound(t: { diagnostic(text: string): void }): Promise<void> {
  const audit = await auditCluster(cluster)
  t.diagnostic(
    `audit: ${audit.enis} ENIs, ${audit.addresses} addresses, ${audit.pods} pods, ${audit.leaks.length} leaks, ${audit.doubles.length} doubles`,
  )
  assert.deepEqual({ leaks: audit.leaks, doubles: audit.doubles }, { leaks: [], doubles: [] })
}

/** Overwrites some of every page. */
function scribble(path: string, size: number): void {
  const file = openSync(path, 'r+')
  try {
    for (let at = 100; at < size; at += 4096) writeSync(file, Buffer.alloc(512, 0x5a), 0, 512, at)
  } finally {
    closeSync(file)
  }
}
