// Static addresses on the built executable: a set of pods that is rolled, drained and scheduled anew again and again keeps its addresses,
// and each address answers from the pod that has it, and from no other. Counted are packets that arrive in the pods' own namespaces.
import assert from 'node:assert/strict'
import { after, before } from 'node:test'
import { auditCluster } from '../../cmd/dev/audit.ts'
import { type DevCluster, startDevCluster } from '../../cmd/dev/cluster.ts'
import { lastWords, ping, podsWithAddresses } from '../../cmd/dev/look.ts'
import { createPod, deletePod, listPods, type SeenPod } from '../../cmd/dev/pods.ts'
import { formatPools, readPools } from '../../cmd/dev/pools.ts'
import { query } from '../../cmd/dev/query.ts'
import { pick, seededRandom } from '../../internal/base/random.ts'
import { runCommand } from '../../internal/linux/command.ts'
import { sandboxFault } from '../../internal/linux/sandbox.ts'
import { inSandbox } from './crash-matrix/in-sandbox.ts'
import { copyOfExecutable } from './executable.ts'
import { explainSkip, missingPieces } from './pieces.ts'
import { temporaryFolder, until } from './service.ts'
import { story } from './steps.ts'

const rounds = Number(process.env['STATIC_ROUNDS'] ?? 100)
const size = Number(process.env['PODS'] ?? 30)
const random = seededRandom(Number(process.env['SEED'] ?? 1))

const unfit = await sandboxFault(runCommand).catch((error: Error) => error.message)
const missing =
  explainSkip(missingPieces('iproute2', 'executable')) ||
  (unfit === undefined ? false : `no sandbox: ${unfit}`)
const step = story(missing, () => `${formatPools(readPools(cluster))}\n${lastWords(cluster)}`)

/** Three nodes of one zone; the third node of the cluster is in another. */
const homes = ['node-1', 'node-2', 'node-4'] as const
const set = Array.from({ length: size }, (_, i) => `web-${i}`)

let cluster: DevCluster
let promised: ReadonlyMap<string, string>
/** Pings from it. */
let witness: SeenPod

before(async () => {
  if (missing) return
  cluster = await startDevCluster({
    directory: temporaryFolder('static'),
    leaderFlags: ['--reconcile-interval=2s', '--enable-static-ip'],
    nodeFlags: ['--cooldown=1s', '--report-interval=1s'],
    logLevel: 'info',
    program: [copyOfExecutable()],
  })
})

after(async () => {
  await cluster?.close()
})

step('[S1] nodes hold nothing until pods come, and then exactly what they need', async () => {
  for (let i = 0; i < 4; i++) await cluster.addNode()
  assert.deepEqual(new Set(readPools(cluster).map(({ bound }) => bound)), new Set([0]))
  await createPod(cluster.kube, 'witness', 'node-3')
  const began = Date.now()
  await Promise.all(set.map((name, i) => createPod(cluster.kube, name, homes[i % homes.length], 'static')))
  const pods = await addressed(set)
  process.stdout.write(`# ${size} static pods run ${Date.now() - began} ms after they were made\n`)
  promised = new Map(pods.map(({ address, name }) => [name, address ?? '']))
  assert.equal(new Set(promised.values()).size, size)
  const [found] = await addressed(['witness'])
  assert.ok(found !== undefined)
  witness = found
  await answers(set)
})

step(
  `[S4] ${rounds} times rolled, drained and scheduled anew, every pod has the address that it had`,
  async (t) => {
    const began = Date.now()
    const moves: number[] = []
    let restarted = 0
    for (let round = 1; round <= rounds; round++) {
      const moved = await roundOf(round)
      restarted += moved.length
      const asked = Date.now()
      const pods = await addressed(moved.map(({ name }) => name))
      moves.push(Date.now() - asked)
      for (const { address, name, node } of pods) {
        assert.equal(address, promised.get(name), `${name} on ${node} in round ${round}`)
        assert.equal(node, moved.find((one) => one.name === name)?.node)
      }
      await answers(moved.map(({ name }) => name))
    }
    await answers(set)
    const sorted = moves.toSorted((a, b) => a - b)
    t.diagnostic(
      `${restarted} restarts in ${((Date.now() - began) / 1000).toFixed(0)} s; all of a round run after ${sorted[sorted.length >> 1]} ms (median), ${sorted.at(-1)} ms at most; 0 conflicts`,
    )
  },
)

step('[S4] without pods the addresses stay promised, and come back with them', async () => {
  const names = set.slice(0, 5)
  await Promise.all(names.map((name) => deletePod(cluster.kube, name)))
  await gone(names)
  // The leader hears of it as everybody does.
  const phases = () => claims().flatMap(({ name, phase }) => (names.includes(name) ? [phase] : []))
  await until('their claims are kept', async () => phases().every((phase) => phase === 'Retained'))
  assert.equal(phases().length, names.length)
  // Others may come meanwhile, and get none of them.
  await Promise.all([1, 2, 3].map((i) => createPod(cluster.kube, `other-${i}`, homes[i - 1])))
  const others = await addressed(['other-1', 'other-2', 'other-3'])
  for (const { address } of others) assert.ok(![...promised.values()].includes(address ?? ''))
  await Promise.all(names.map((name) => createPod(cluster.kube, name, pick(random, homes), 'static')))
  for (const { address, name } of await addressed(names)) assert.equal(address, promised.get(name))
  await answers(names)
})

step('[R1] nothing is lost and nothing doubled', async (t) => {
  let audit = await auditCluster(cluster)
  const settled = async () => {
    audit = await auditCluster(cluster)
    return audit.leaks.length === 0
  }
  await until('all is settled', settled, [], 60_000).catch(() => {})
  assert.deepEqual([audit.leaks, audit.doubles], [[], []])
  const { reservations } = cluster.cloud.admin.audit(Date.now())
  assert.deepEqual(new Set(reservations.map(({ address }) => String(address))), new Set(promised.values()))
  t.diagnostic(
    `${audit.enis} ENIs, ${audit.addresses} addresses, ${reservations.length} reservations: 0 leaks, 0 doubles`,
  )
})

interface Move {
  readonly name: string
  readonly node: string
}

/** Some pods are deleted and made again: a few anywhere, or all of a node on the others. */
async function roundOf(round: number): Promise<readonly Move[]> {
  const where = new Map((await listPods(cluster.kube)).map(({ name, node }) => [name, node ?? '']))
  const drained = round % 5 === 0 ? pick(random, homes) : undefined
  const names =
    drained === undefined
      ? set.filter(() => random.next() < 0.2)
      : set.filter((name) => where.get(name) === drained)
  await Promise.all(names.map((name) => deletePod(cluster.kube, name)))
  await gone(names)
  const left = homes.filter((home) => home !== drained)
  const moves = names.map((name) => ({ name, node: pick(random, left) ?? left[0] ?? '' }))
  const taken = new Map<string, number>()
  for (const [name, node] of where) if (!names.includes(name)) taken.set(node, (taken.get(node) ?? 0) + 1)
  const fitting = moves.map(({ name, node }) => {
    // A node carries 27.
    const home = (taken.get(node) ?? 0) < 25 ? node : (left.find((one) => (taken.get(one) ?? 0) < 25) ?? node)
    taken.set(home, (taken.get(home) ?? 0) + 1)
    return { name, node: home }
  })
  await Promise.all(fitting.map(({ name, node }) => createPod(cluster.kube, name, node, 'static')))
  return fitting
}

async function gone(names: readonly string[]): Promise<void> {
  await until(
    'they are gone',
    async () => !(await listPods(cluster.kube)).some(({ name }) => names.includes(name)),
  )
}

async function addressed(wanted: readonly string[]): Promise<readonly SeenPod[]> {
  if (wanted.length === 0) return []
  let pods: readonly SeenPod[] | undefined
  const all = async () => {
    pods = await podsWithAddresses(cluster.kube, wanted)
    return pods !== undefined
  }
  await until(`${wanted.join(', ')} have addresses`, all, [], 60_000)
  return pods ?? []
}

/** Each pod is asked by its address, and the packets arrive in its own namespace. */
async function answers(names: readonly string[]): Promise<void> {
  const count = 2
  for (const pod of await addressed(names)) {
    const before = await packetsTo(pod)
    const { received, sent } = await ping(cluster, witness, pod.address ?? '', count)
    assert.deepEqual([sent, received], [count, count], `${pod.name} answers at ${pod.address}`)
    assert.ok((await packetsTo(pod)) - before >= count, `what answers at ${pod.address} is ${pod.name}`)
  }
}

/** Packets that have come into the pod's namespace. */
async function packetsTo({ address, node }: SeenPod): Promise<number> {
  const [row] = query<{ netns: string }>(
    cluster.nodeDb(node ?? ''),
    'node',
    `SELECT netns FROM attachment WHERE address = ?`,
    address ?? '',
  )
  const netns = row?.netns.replace('/run/netns/', '') ?? ''
  const text = await inSandbox(cluster.host, ['ip', '-n', netns, '-s', '-j', 'link', 'show', 'dev', 'eth0'])
  const [link] = JSON.parse(text) as { stats64: { rx: { packets: number } } }[]
  return link?.stats64.rx.packets ?? 0
}

function claims(): readonly { name: string; phase: string }[] {
  return query(cluster.leader.db, 'leader', `SELECT name, phase FROM claim WHERE policy = 'Never'`)
}
