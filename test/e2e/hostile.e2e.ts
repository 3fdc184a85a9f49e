// Disks that are full, read-only or broken, and files that vanish, under the real leader and the real agents while pods come and
// go. What users see is printed; when the disk is well again, everything is as it should be: 0 leaks, 0 doubles.
import assert from 'node:assert/strict'
import { mkdirSync, readFileSync, rmSync, statSync, symlinkSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { after, before, type TestContext } from 'node:test'
import { auditCluster, type DevAudit } from '../../cmd/dev/audit.ts'
import { type DevCluster, startDevCluster } from '../../cmd/dev/cluster.ts'
import { lastWords, openIntents } from '../../cmd/dev/look.ts'
import { createPod, deletePod, listPods } from '../../cmd/dev/pods.ts'
import { runCommand } from '../../internal/linux/command.ts'
import { sandboxFault } from '../../internal/linux/sandbox.ts'
import { openDatabase } from '../../internal/sqlite/database.ts'
import { leaderMigrations, nodeMigrations } from '../../migrations/index.ts'
import { copyOfExecutable } from './executable.ts'
import { inOwnMounts, remount, unmount } from './hostile/own-mounts.ts'
import { findProcess, limitFiles, readiness } from './hostile/processes.ts'
import { type SmallDisk, smallDisk } from './hostile/small-disk.ts'
import { explainSkip, missingPieces } from './pieces.ts'
import { freePort, run, temporaryFolder, until } from './service.ts'
import { story } from './steps.ts'

inOwnMounts(import.meta.filename)

const unfit = await sandboxFault(runCommand).catch((error: Error) => error.message)
const missing =
  explainSkip(missingPieces('iproute2', 'executable')) ||
  (unfit === undefined ? false : `no sandbox: ${unfit}`)
const step = story(missing, () => lastWords(cluster))

/** The node whose disk is small. */
const victim = 'node-1'
const agentHealth = 9099
const directory = temporaryFolder('hostile')
const folders = { leader: join(directory, 'leader'), agent: join(directory, 'nodes', victim) }
const logs = { leader: join(directory, 'logs', 'leader.log'), agent: join(directory, 'logs', 'node.log') }
type Role = keyof typeof folders

let cluster: DevCluster
let disks: Record<Role, SmallDisk>
let leaderHealth: number
let pods: string[] = []
let made = 0

before(async () => {
  if (missing) return
  leaderHealth = await freePort()
  mkdirSync(join(directory, 'logs'))
  for (const role of ['leader', 'agent'] as const) {
    mkdirSync(folders[role], { recursive: true, mode: 0o755 })
  }
  disks = { leader: await smallDisk(folders.leader), agent: await smallDisk(folders.agent) }
  // What they say is to be read also when their disk is full.
  for (const role of ['leader', 'agent'] as const) {
    writeFileSync(logs[role], '')
    symlinkSync(logs[role], join(folders[role], role === 'leader' ? 'leader.log' : 'node.log'))
  }
  cluster = await startDevCluster({
    directory,
    kubeListen: { host: '127.0.0.1', port: 0 },
    leaderFlags: [
      '--reconcile-interval=2s',
      '--ip-min-warm-target=2',
      '--ip-max-warm-target=3',
      `--listen-health=127.0.0.1:${leaderHealth}`,
    ],
    nodeFlags: [
      '--add-timeout=5s',
      '--cooldown=2s',
      '--release-interval=1s',
      '--report-interval=1s',
      '--enable-quick-release',
    ],
    logLevel: 'info',
    program: [copyOfExecutable()],
  })
  await cluster.addNode([`--listen-health=127.0.0.1:${agentHealth}`])
  await cluster.addNode()
})

after(async () => {
  await cluster?.close()
  for (const folder of Object.values(folders)) await unmount(folder)
})

step('pods run', async (t) => {
  await makePods(victim, 3)
  await makePods('node-2', 3)
  await settled(t)
})

step(
  '[R6] [K3] the disk of the leader is full: it asks nothing of the cloud, says so, and goes on',
  async (t) => {
    const filled = disks.leader.fill()
    const before = bound()
    await makePods('node-2', 6)
    const health = await sees(
      'health of the leader',
      () => readiness(pidOf('leader'), leaderHealth),
      /disk is full/,
    )
    const event = await seesEvent('Node', 'LedgerNotWritable', /disk is full/)
    const pod = await seesEvent('Pod', 'FailedAllocateAddress', /./)
    assert.deepEqual(bound(), before)
    disks.leader.free()
    t.diagnostic(`${filled} bytes took the last of the disk`)
    t.diagnostic(`health of the leader: ${health}`)
    t.diagnostic(`event on the Node: ${event}`)
    t.diagnostic(`event on a Pod that waits: ${pod}`)
    await settled(t)
  },
)

step('[R2] [R6] the disk of the leader gets full while cloud calls are open', async (t) => {
  await makePods(victim, 6)
  await until('cloud calls are open', () => openIntents(cluster) > 0)
  disks.leader.fill()
  await sees('log', () => lineWith('leader', /outcome not stored|settling postponed/), /disk is full/)
  await endPods(victim, 4)
  disks.leader.free()
  await settled(t)
})

step(
  '[R6] [R9] the disk of an agent is full: ADD and DEL fail in words, STATUS is not ready, and it goes on',
  async (t) => {
    disks.agent.fill()
    await endPods(victim, 2)
    await makePods(victim, 3)
    const add = await seesEvent('Pod', 'FailedCreatePodSandBox', /disk is full/)
    const status = await sees('STATUS', cniStatus, /disk is full/)
    const health = await sees('health', () => readiness(pidOf('agent'), agentHealth), /disk is full/)
    const del = await sees('refused DEL', () => lineWith('agent', /"command":"DEL"/), /disk is full/)
    disks.agent.free()
    t.diagnostic(`event on a Pod: ${add}`)
    t.diagnostic(`STATUS: ${status}`)
    t.diagnostic(`health of the agent: ${health}`)
    t.diagnostic(`DEL: ${del}`)
    await settled(t)
  },
)

for (const role of ['leader', 'agent'] as const) {
  step(`[R6] the ${role} is killed while its disk is full, and starts again on it`, async (t) => {
    disks[role].fill()
    await makePods(victim, 1)
    await endPods(victim, 1)
    if (role === 'leader') await cluster.killLeader()
    else await cluster.host.call('killAgent', { node: victim })
    const killed = readFileSync(logs[role], 'utf8').length
    disks[role].fill()
    const full = () => lineWith(role, /is full/, killed)
    t.diagnostic(`the ${role} said: ${await sees('log', full, /is full/)}`)
    disks[role].free()
    await settled(t)
  })

  step(`[R6] somebody keeps the database of the ${role} locked: it says so, and goes on`, async (t) => {
    await serving(role)
    const before = pidOf(role)
    const { path, kind } = { path: databaseOf(role), kind: role === 'leader' ? 'leader' : 'node' }
    const somebody = openDatabase({
      path,
      kind,
      migrations: role === 'leader' ? leaderMigrations : nodeMigrations,
    })
    somebody.script('BEGIN IMMEDIATE')
    await makePods(victim, 1)
    await endPods(victim, 1)
    const port = role === 'leader' ? leaderHealth : agentHealth
    const health = await sees(`health of the ${role}`, () => readiness(pidOf(role), port), /keeps it locked/)
    somebody.close()
    t.diagnostic(`health of the ${role}: ${health}`)
    await settled(t)
    assert.equal(pidOf(role), before, 'it did not end')
  })

  step(
    `[R1] [R6] a commit of the ${role} fails: it ends in a sentence, and a new process goes on`,
    async (t) => {
      const before = pidOf(role)
      await limitFiles(before, statSync(`${databaseOf(role)}-wal`).size)
      await endPods(victim, 1)
      await makePods(victim, 3)
      const sentence = await sees(
        'sentence',
        () => lineWith(role, /^tke-eni: /),
        /reading or writing it failed/,
      )
      t.diagnostic(`the ${role} said: ${sentence}`)
      await settled(t)
      assert.notEqual(pidOf(role), before)
    },
  )

  step(`[R6] the disk of the ${role} is read-only when it starts: it says so until it is not`, async (t) => {
    await serving(role)
    await readOnly(role)
    const sentence = await sees(
      'sentence',
      () => lineWith(role, /^tke-eni: .*read-only|^tke-eni: .*readonly/),
      /./,
    )
    await makePods(victim, 2)
    await endPods(victim, 2)
    await remount(folders[role], 'rw')
    t.diagnostic(`the ${role} said: ${sentence}`)
    await settled(t)
  })

  step(
    `[R6] the database of the ${role} is deleted while it runs: it ends in a sentence, and a new process rebuilds it`,
    async (t) => {
      await serving(role)
      await named()
      for (const end of ['', '-wal', '-shm']) rmSync(`${databaseOf(role)}${end}`)
      await makePods(victim, 2)
      await endPods(victim, 2)
      const sentence = await sees('sentence', () => lineWith(role, /^tke-eni: .*deleted/), /./)
      t.diagnostic(`the ${role} said: ${sentence}`)
      await settled(t)
    },
  )
}

async function makePods(node: string, count: number): Promise<void> {
  for (let i = 0; i < count; i++) {
    const name = `${node}-${++made}`
    await createPod(cluster.kube, name, node)
    pods.push(name)
  }
}

/** The oldest of the node. */
async function endPods(node: string, count: number): Promise<void> {
  const ending = pods.filter((name) => name.startsWith(`${node}-`)).slice(0, count)
  pods = pods.filter((name) => !ending.includes(name))
  await Promise.all(ending.map((name) => deletePod(cluster.kube, name)))
}

/** Links say whose they are a moment after their pods have begun: before that nobody could tell without the database. */
async function named(): Promise<void> {
  const own = pods.filter((name) => name.startsWith(`${victim}-`)).length
  await until(
    `${own} links are named`,
    async () => (await cluster.host.call('kernel', { node: victim })).named.length === own,
    [],
    20_000,
  )
}

/** A leader that was started waits for the lease of the one before. */
async function serving(role: Role): Promise<void> {
  const port = role === 'leader' ? leaderHealth : agentHealth
  await sees(`health of the ${role}`, () => readiness(pidOf(role), port), /^200 /)
}

/** Leader and agent serve, every pod has its address, and three views agree. */
async function settled(t: TestContext): Promise<void> {
  const started = Date.now()
  for (const role of ['leader', 'agent'] as const) await serving(role)
  let audit: DevAudit | undefined
  const quiet = async () => {
    audit = await auditCluster(cluster)
    assert.deepEqual(audit.doubles, [])
    const shown = await listPods(cluster.kube)
    return (
      audit.leaks.length === 0 &&
      audit.pods === pods.length &&
      shown.length === pods.length &&
      shown.every(({ address }) => address !== undefined)
    )
  }
  await until('everything is as it should be', () => quiet().catch(() => false), [], 90_000).catch(() => {})
  assert.ok(audit !== undefined, 'the ledgers can be read')
  const { leaks, doubles, ...counts } = audit
  assert.deepEqual({ leaks, doubles, pods: counts.pods }, { leaks: [], doubles: [], pods: pods.length })
  t.diagnostic(
    `audit after ${((Date.now() - started) / 1000).toFixed(1)} s: ${counts.enis} ENIs, ${counts.addresses} addresses, ${counts.pods} pods, 0 leaks, 0 doubles`,
  )
}

/** What the plugin prints, as container runtimes call it. */
async function cniStatus(): Promise<string> {
  const config = {
    cniVersion: '1.1.0',
    name: 'tke-eni',
    type: 'tke-route-eni',
    socket: join(folders.agent, 'cni.sock'),
  }
  const bin = join(folders.agent, 'cni/bin')
  const { stdout } = await run(
    ['env', '-i', 'CNI_COMMAND=STATUS', `CNI_PATH=${bin}`, join(bin, 'tke-route-eni')],
    {
      input: JSON.stringify(config),
    },
  )
  return stdout.trim()
}

/** What `look` gives, once it is like `wanted`. */
async function sees(what: string, look: () => Promise<string> | string, wanted: RegExp): Promise<string> {
  let seen = ''
  const found = async () => {
    seen = await Promise.resolve()
      .then(look)
      .catch((error: Error) => error.message)
    return wanted.test(seen)
  }
  await until(`${what} is like ${wanted}`, found, [], 60_000).catch((error: Error) => {
    throw new Error(`${error.message}; last seen: ${seen}`)
  })
  return seen
}

const seesEvent = (kind: string, reason: string, wanted: RegExp) =>
  sees(`event of a ${kind}`, () => eventAbout(kind, reason, wanted), /./)

/** An event about an object of this kind, for this reason, that says so. */
async function eventAbout(kind: string, reason: string, wanted: RegExp): Promise<string> {
  const { items } = (await cluster.kube.call({ doing: 'list events', path: '/api/v1/events' })) as {
    items: { reason: string; message: string; involvedObject: { kind: string; name: string } }[]
  }
  const found = items.find(
    (event) => event.reason === reason && event.involvedObject.kind === kind && wanted.test(event.message),
  )
  return found === undefined ? '' : `${found.involvedObject.name}: ${found.reason}: ${found.message}`
}

/** The last line of the log, from some character on, that is like `wanted`, with the one that follows a sentence. */
function lineWith(role: Role, wanted: RegExp, from = 0): string {
  const lines = readFileSync(logs[role], 'utf8').slice(from).split('\n')
  const at = lines.findLastIndex((line) => wanted.test(line))
  return [lines[at] ?? '', ...(lines[at + 1]?.startsWith('  ') ? [lines[at + 1]] : [])].join(' ')
}

function bound(): readonly string[] {
  return cluster.cloud.admin
    .audit(Date.now())
    .ips.map(({ address }) => address)
    .toSorted()
}

function databaseOf(role: Role): string {
  return join(folders[role], role === 'leader' ? 'leader.db' : 'node.db')
}

function pidOf(role: Role): number {
  const pid = findProcess(role === 'leader' ? 'leader' : 'node', `--state-dir=${folders[role]}`)
  assert.ok(pid !== undefined, `the ${role} runs`)
  return pid
}

/** Stops the process so that its files are closed, and makes its disk read-only before it is back. */
async function readOnly(role: Role): Promise<void> {
  if (role === 'leader') {
    await cluster.haltLeader()
    await remount(folders[role], 'ro')
    return cluster.resumeLeader()
  }
  const remounted = async () => {
    await cluster.host.call('killAgent', { node: victim })
    return remount(folders[role], 'ro').then(
      () => true,
      () => false,
    )
  }
  await until('nobody writes to the disk', remounted)
}
