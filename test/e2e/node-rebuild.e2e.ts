// A node's database is deleted, damaged and replaced by an old one under twenty running pods of the built executable: the agent
// finds them again in the kernel, no packet is lost, no address is lost or given twice.
import assert from 'node:assert/strict'
import { readFileSync, rmSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { after, before } from 'node:test'
import { isDeepStrictEqual } from 'node:util'
import { auditCluster } from '../../cmd/dev/audit.ts'
import { type DevCluster, startDevCluster } from '../../cmd/dev/cluster.ts'
import { lastWords, ping, podsWithAddresses } from '../../cmd/dev/look.ts'
import { createPod, deletePod, listPods, type SeenPod } from '../../cmd/dev/pods.ts'
import { query } from '../../cmd/dev/query.ts'
import { runCommand } from '../../internal/linux/command.ts'
import { sandboxFault } from '../../internal/linux/sandbox.ts'
import { copyOfExecutable } from './executable.ts'
import { explainSkip, missingPieces } from './pieces.ts'
import { type Finished, output, run, temporaryFolder, until } from './service.ts'
import { story } from './steps.ts'

const unfit = await sandboxFault(runCommand).catch((error: Error) => error.message)
const missing =
  explainSkip(missingPieces('iproute2', 'executable')) ||
  (unfit === undefined ? false : `no sandbox: ${unfit}`)
const step = story(missing, () => lastWords(cluster))
const names = Array.from({ length: 20 }, (_, i) => `web-${i}`)
const folder = temporaryFolder('rebuild')
const leaderBackup = join(folder, 'leader-backup.db')

let executable: string
let cluster: DevCluster
let pods: readonly SeenPod[]
let outside: SeenPod
/** What every rebuild must bring back. */
let known: readonly Attachment[]

before(async () => {
  if (missing) return
  executable = copyOfExecutable()
  cluster = await startDevCluster({
    directory: join(folder, 'cluster'),
    leaderFlags: ['--reconcile-interval=2s', '--ip-min-warm-target=2', '--ip-max-warm-target=3'],
    nodeFlags: ['--cooldown=2s', '--release-interval=1s', '--report-interval=1s', '--enable-quick-release'],
    logLevel: 'info',
    program: [executable],
  })
  await cluster.addNode()
  await cluster.addNode()
})

after(() => cluster?.close())

step('twenty pods run, and their links say whose they are', async () => {
  await Promise.all(names.map((name) => createPod(cluster.kube, name, 'node-1')))
  await createPod(cluster.kube, 'outside', 'node-2')
  await until('every pod has its address', async () => {
    const found = await podsWithAddresses(cluster.kube, ['outside', ...names])
    if (found?.[0] === undefined) return false
    outside = found[0]
    pods = found.slice(1)
    return true
  })
  await allNamed(20)
  known = attachments()
  assert.equal(known.length, 20)
})

step(
  '[R4] the agent is killed and node.db deleted: the same attachments, and pings lose nothing',
  async (t) => {
    const { lost, sent, took } = await underPings(async () => {
      await cluster.host.call('killAgent', { node: 'node-1' })
      const at = performance.now()
      removeDatabase()
      await rebuilt()
      return performance.now() - at
    })
    assert.equal(lost, 0)
    assert.deepEqual(attachments(), known)
    t.diagnostic(`rebuilt ${took.toFixed(0)} ms after the kill; ${sent} pings, ${lost} lost`)
    await cleanAudit()
  },
)

step(
  '[R4] a damaged node.db is refused in words that say how to go on, and going on so loses nothing',
  async (t) => {
    const path = cluster.nodeDb('node-1')
    const { lost, sent } = await underPings(async () => {
      await cluster.host.call('killAgent', { node: 'node-1' })
      damage(path)
      await until('the agent has said so', () => lastLine().includes('tke-eni db rebuild'))
      t.diagnostic(lastLine())
      const check = await db('check', '--db', path)
      assert.equal(check.code, 1)
      t.diagnostic(check.stdout.trim())
      await untilDone('rebuild', '--db', path)
      await rebuilt()
    })
    assert.equal(lost, 0, `${sent} sent`)
    assert.deepEqual(attachments(), known)
    await cleanAudit()
  },
)

step(
  '[R4] a backup of a running agent, restored later: what came and went since is as the kernel has it',
  async (t) => {
    const path = cluster.nodeDb('node-1')
    const backup = join(folder, 'node-backup.db')
    await output([executable, 'db', 'backup', '--db', path, backup])
    await output([executable, 'db', 'backup', '--db', cluster.leaderDb, leaderBackup])
    const gone = names.slice(0, 5)
    const fresh = ['new-0', 'new-1', 'new-2', 'new-3', 'new-4']
    await Promise.all(gone.map((name) => deletePod(cluster.kube, name)))
    await Promise.all(fresh.map((name) => createPod(cluster.kube, name, 'node-1')))
    await until('they have come and gone', async () => {
      const all = await listPods(cluster.kube)
      return (
        all.length === 21 && all.every(({ address }) => address !== undefined) && attachments().length === 20
      )
    })
    await allNamed(20)
    const before = attachments()
    const { lost, sent } = await underPings(async () => {
      await cluster.host.call('killAgent', { node: 'node-1' })
      await untilDone('restore', '--db', path, backup)
      // In this order: what is compared between two looks must not count for the first.
      await until('it is compared', () => meta('restored') === undefined && attachments().length === 20)
    })
    assert.deepEqual(attachments(), before)
    assert.equal(lost, 0, `${sent} sent`)
    t.diagnostic((await output([executable, 'db', 'check', '--db', path])).trim())
    await cleanAudit()
  },
)

step("[R4] a restored backup of the leader's: it reads anew what is, and pods notice nothing", async (t) => {
  const before = await rowsAtRest()
  const { lost, sent } = await underPings(async () => {
    await cluster.haltLeader()
    await untilDone('restore', '--db', cluster.leaderDb, leaderBackup)
    assert.deepEqual(ledgerRows(), [])
    cluster.resumeLeader()
    await until('the ledger is complete', () => ledgerRows().length === before.length)
  })
  assert.deepEqual(ledgerRows(), before)
  assert.equal(lost, 0, `${sent} sent`)
  await createPod(cluster.kube, 'later', 'node-1')
  await until(
    'a new pod is served',
    async () => (await podsWithAddresses(cluster.kube, ['later'])) !== undefined,
  )
  t.diagnostic(`${before.length} addresses read anew; ${sent} pings, ${lost} lost`)
  await cleanAudit()
})

step('db check finds live databases sound, of leader and agents', async () => {
  for (const path of [cluster.leaderDb, cluster.nodeDb('node-1'), cluster.nodeDb('node-2')]) {
    const { code, stdout } = await db('check', '--db', path, '-o', 'json')
    const lines = JSON.parse(stdout) as { ok: boolean }[]
    assert.deepEqual([code, lines.filter(({ ok }) => !ok)], [0, []])
  }
})

step('[R1] the pods end, and nothing is left of them', async (t) => {
  for (const { name } of await listPods(cluster.kube)) await deletePod(cluster.kube, name)
  await until('all are gone', async () => (await listPods(cluster.kube)).length === 0)
  await until('every address is free', () => attachments().length === 0)
  const audit = await cleanAudit()
  t.diagnostic(
    `audit: ${audit.enis} ENIs, ${audit.addresses} addresses, ${audit.pods} pods, ${audit.leaks.length} leaks, ${audit.doubles.length} doubles`,
  )
})

interface Attachment {
  readonly container_id: string
  readonly address: string
}

function attachments(): readonly Attachment[] {
  const columns = 'container_id, ifname, address, pod_namespace, pod_name, pod_uid, netns, host_link'
  try {
    return query(cluster.nodeDb('node-1'), 'node', `SELECT ${columns} FROM attachment ORDER BY container_id`)
  } catch {
    return [] // being made
  }
}

/** Addresses with their ENIs, grants and pods, as the leader has them. */
function ledgerRows(): readonly unknown[] {
  const sql = `SELECT ip.address, ip."grant", ip.pod_uid, eni.id, eni.node, eni.slot, eni.mac, eni.state
    FROM ip JOIN eni ON eni.key = ip.eni ORDER BY ip.number`
  return query(cluster.leaderDb, 'leader', sql)
}

/** What pods have left may be on its way to the cloud: so it would be compared with what is not so any more. */
async function rowsAtRest(): Promise<readonly unknown[]> {
  let rows = ledgerRows()
  let since = Date.now()
  await until('the pools are at rest', () => {
    const now = ledgerRows()
    if (!isDeepStrictEqual(now, rows)) since = Date.now()
    rows = now
    return Date.now() - since > 5000
  })
  return rows
}

function meta(key: string): string | undefined {
  const sql = 'SELECT value FROM meta WHERE key = ?'
  return query<{ value: string }>(cluster.nodeDb('node-1'), 'node', sql, key)[0]?.value
}

async function allNamed(count: number): Promise<void> {
  await until(`${count} links have an alias`, async () => {
    const { linked, named } = await cluster.host.call('kernel', { node: 'node-1' })
    return named.length === count && linked.length === count
  })
}

function removeDatabase(): void {
  for (const end of ['', '-wal', '-shm']) rmSync(`${cluster.nodeDb('node-1')}${end}`, { force: true })
}

async function rebuilt(): Promise<void> {
  await until('the attachments are there again', () => attachments().length === known.length)
}

/** As a failing disk would: what was written is not there any more. */
function damage(path: string): void {
  rmSync(`${path}-wal`, { force: true })
  rmSync(`${path}-shm`, { force: true })
  const bytes = readFileSync(path)
  bytes.fill(0x5a, 100, 3000)
  writeFileSync(path, bytes)
}

function lastLine(): string {
  const log = readFileSync(join(cluster.directory, 'nodes', 'node-1', 'node.log'), 'utf8')
  return log.trim().split('\n').slice(-2).join(' ')
}

function db(...args: readonly string[]): Promise<Finished> {
  return run([executable, 'db', ...args])
}

/** The agent is started again and again, as systemd does: for moments it holds its lock. */
async function untilDone(...args: readonly string[]): Promise<void> {
  await until(`db ${args[0]} is done`, async () => {
    const { code, stderr } = await db(...args)
    if (code !== 0 && !stderr.includes('another process holds it')) throw new Error(stderr)
    return code === 0
  })
}

/** Pings from another node to pods that run through all of it, and between them, until `work` is done. */
async function underPings<T>(work: () => Promise<T>) {
  const targets = pods.slice(10, 16)
  let over = false
  let sent = 0
  let received = 0
  const keepOn = async (from: SeenPod, to: SeenPod) => {
    while (!over) {
      const report = await ping(cluster, from, to.address ?? '', 10, 100)
      sent += report.sent
      received += report.received
    }
  }
  const runs = targets.map((to, i) => keepOn(i % 2 === 0 ? outside : (pods[16] ?? outside), to))
  for (const each of runs) each.catch(() => {}) // awaited below, when the work is done
  try {
    const took = await work()
    return { took, ...(await ended()) }
  } finally {
    over = true
  }

  async function ended() {
    over = true
    await Promise.all(runs)
    return { sent, lost: sent - received }
  }
}

async function cleanAudit() {
  await until('the audit is clean', async () => {
    const { doubles, leaks } = await auditCluster(cluster)
    return leaks.length === 0 && doubles.length === 0
  })
  return auditCluster(cluster)
}
