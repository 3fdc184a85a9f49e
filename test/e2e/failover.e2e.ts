// Leaders on three "machines" (state directories that see nothing of each other), as the built executable: one is lost with its
// disk, one is stopped for longer than its lease while pods start, one ends as it is asked to. Each way to the API server and to
// the cloud is watched, so that what a deposed leader sends is known and not guessed.
import assert from 'node:assert/strict'
import { existsSync, readdirSync, readFileSync, rmSync } from 'node:fs'
import { get } from 'node:http'
import { join } from 'node:path'
import { after, before } from 'node:test'
import { auditCluster } from '../../cmd/dev/audit.ts'
import { type DevCluster, startDevCluster } from '../../cmd/dev/cluster.ts'
import type { DevLeader } from '../../cmd/dev/leader.ts'
import { lastWords, openIntents, ping, podsWithAddresses } from '../../cmd/dev/look.ts'
import { createPod, listPods, type SeenPod } from '../../cmd/dev/pods.ts'
import { formatPools, readPools } from '../../cmd/dev/pools.ts'
import { runCommand } from '../../internal/linux/command.ts'
import { sandboxFault } from '../../internal/linux/sandbox.ts'
import { copyOfExecutable } from './executable.ts'
import { explainSkip, missingPieces } from './pieces.ts'
import { changes, type RecordingProxy, recordingProxy, type Target } from './recording-proxy.ts'
import { freePort, temporaryFolder, until } from './service.ts'
import { story } from './steps.ts'

const unfit = await sandboxFault(runCommand).catch((error: Error) => error.message)
const missing =
  explainSkip(missingPieces('iproute2', 'executable')) ||
  (unfit === undefined ? false : `no sandbox: ${unfit}`)
const step = story(missing, () => `${formatPools(readPools(cluster))}\n${lastWords(cluster)}`)

/** A leader, and what it sends. */
interface Machine {
  readonly name: string
  readonly leader: DevLeader
  readonly kube: RecordingProxy
  readonly cloud: RecordingProxy
  readonly healthPort: number
}

const nodes = ['node-1', 'node-2', 'node-3']
const closing: (() => unknown)[] = []
let cluster: DevCluster
let first: Machine
let second: Machine

before(async () => {
  if (missing) return
  const directory = temporaryFolder('failover')
  cluster = await startDevCluster({
    directory,
    leaderFlags: ['--reconcile-interval=5s'],
    nodeFlags: ['--report-interval=2s', '--cooldown=2s'],
    logLevel: 'info',
    program: [copyOfExecutable()],
  })
  await cluster.haltLeader() // those of the machines below are watched
  first = await machine('a')
})

after(async () => {
  await cluster?.close()
  for (const close of closing) close()
})

async function machine(name: string): Promise<Machine> {
  const { directory, vpcUrl } = cluster
  const way = async (target: Target) => {
    const proxy = await recordingProxy(target)
    closing.push(proxy.close)
    return proxy
  }
  const kube = await way({ socketPath: join(directory, 'kube.sock') })
  const cloud = await way({ url: vpcUrl })
  const healthPort = await freePort()
  const leader = cluster.addLeader(`machine-${name}`, [
    `--kube-server=${kube.url}`,
    `--vpc-endpoint=${cloud.url}`,
    `--listen-health=127.0.0.1:${healthPort}`,
  ])
  return { name, leader, kube, cloud, healthPort }
}

step('one leads; 24 pods on three nodes run', async () => {
  cluster.lookAt(first.leader)
  await leads(first)
  for (const _ of nodes) await cluster.addNode()
  await Promise.all(numbered('run', 24).map((name, i) => createPod(cluster.kube, name, nodes[i % 3])))
  await addressed(numbered('run', 24))
  await settled()
})

step('[R8] the other one waits: it is alive, not ready, says who leads, and has no database', async (t) => {
  second = await machine('b')
  await until('it is a standby', async () => (await health(second, 'readyz')).text.startsWith('standby'))
  const ready = await health(second, 'readyz')
  assert.match(ready.text, /^standby: \S+ leads$/)
  assert.equal(ready.status, 503)
  assert.equal((await health(second, 'healthz')).status, 200)
  assert.equal((await health(first, 'readyz')).status, 200)
  assert.deepEqual(
    readdirSync(second.leader.directory).filter((name) => name.startsWith('leader.db')),
    [],
  )
  assert.deepEqual(changes([...second.kube.seen, ...second.cloud.seen]), [])
  t.diagnostic(`readyz of the standby: ${ready.text}`)
})

step(
  '[R8] [R4] the leader dies amid growth and its disk is lost: the standby takes over, no pod notices, nothing is lost',
  async (t) => {
    const talking = await talk()
    const grown = numbered('grown', 18)
    await Promise.all(grown.map((name) => createPod(cluster.kube, name, 'node-1')))
    await until('cloud calls are open', () => openIntents(cluster) > 0)
    const killed = Date.now()
    await first.leader.halt()
    rmSync(first.leader.directory, { recursive: true })
    cluster.lookAt(second.leader)
    await leads(second)
    const led = Date.now()
    const had = usable()
    await until('a node has more addresses', () => usable() > had)
    const bound = Date.now()
    await addressed(grown)
    const all = Date.now()
    const lost = await talking.end()
    const seconds = (at: number) => `${((at - killed) / 1000).toFixed(1)} s`
    t.diagnostic(
      `after the kill: the standby leads and has rebuilt its ledger: ${seconds(led)}; first growth: ${seconds(bound)}; all ${grown.length} pods have addresses: ${seconds(all)}`,
    )
    t.diagnostic(`pings: ${lost.sent} sent, ${lost.sent - lost.received} lost`)
    assert.equal(lost.received, lost.sent)
    await settled(t.diagnostic.bind(t))
  },
)

step(
  '[R8] a leader that was stopped for longer than its lease writes nothing when it goes on, and ends with a sentence',
  async (t) => {
    const talking = await talk()
    first.leader.resume() // on a disk that is as new
    await until('it is a standby', async () => (await health(first, 'readyz')).text.startsWith('standby'))
    const burst = numbered('burst', 12)
    await Promise.all(burst.map((name) => createPod(cluster.kube, name, 'node-2')))
    await until('cloud calls are open', () => openIntents(cluster) > 0)
    const stopped = Date.now()
    second.leader.signal('SIGSTOP')
    const more = numbered('more', 12)
    await Promise.all(more.map((name) => createPod(cluster.kube, name, 'node-3')))
    cluster.lookAt(first.leader)
    await leads(first)
    await addressed([...burst, ...more])
    const worked = Date.now()
    const before = { kube: second.kube.seen.length, cloud: second.cloud.seen.length }
    const log = readFileSync(second.leader.logFile, 'utf8').length
    const ended = second.leader.ended()
    const pid = second.leader.pid()
    second.leader.signal('SIGCONT')
    const status = await ended
    await until(
      'it has been started again, and waits',
      async () => second.leader.pid() !== pid && (await health(second, 'readyz')).text.startsWith('standby'),
    )
    const said = readFileSync(second.leader.logFile, 'utf8').slice(log)
    const sentence = said.split('\n').find((line) => line.startsWith('tke-eni:'))
    const sent = [...second.kube.seen.slice(before.kube), ...second.cloud.seen.slice(before.cloud)]
    t.diagnostic(
      `the other one led and 24 pods had addresses ${((worked - stopped) / 1000).toFixed(1)} s after the stop; resumed, it ended with ${status}: ${sentence}`,
    )
    t.diagnostic(
      `requests of it since: ${sent.length}, of which change something: ${
        changes(sent)
          .map(({ method, path, action, status: code }) => `${method} ${action ?? path} -> ${code}`)
          .join(', ') || 'none'
      }`,
    )
    assert.equal(status, 1)
    assert.match(sentence ?? '', /^tke-eni: Cannot go on leading: /)
    assert.deepEqual(changes(sent), [])
    const lost = await talking.end()
    t.diagnostic(`pings: ${lost.sent} sent, ${lost.sent - lost.received} lost`)
    assert.equal(lost.received, lost.sent)
    await settled(t.diagnostic.bind(t))
  },
)

step(
  '[R8] a leader that is asked to end hands over at once; the ledger of the past is set aside',
  async (t) => {
    const asked = Date.now()
    await first.leader.close()
    cluster.lookAt(second.leader)
    await leads(second)
    t.diagnostic(`the other one leads ${((Date.now() - asked) / 1000).toFixed(1)} s after SIGTERM`)
    const aside = readdirSync(second.leader.directory).filter((name) => /^leader\.db\.stale-\d+$/.test(name))
    assert.equal(aside.length, 1)
    await createPod(cluster.kube, 'last', 'node-1')
    await addressed(['last'])
    await settled(t.diagnostic.bind(t))
  },
)

/** Resolves once its health says that it leads, and has read what it needs. */
async function leads({ name, ...rest }: Machine): Promise<void> {
  await until(`machine ${name} leads`, async () => (await health({ name, ...rest }, 'readyz')).status === 200)
}

function health({ healthPort }: Machine, path: string): Promise<{ status: number; text: string }> {
  return new Promise((resolve) => {
    const asked = get(
      { host: '127.0.0.1', port: healthPort, path: `/${path}`, agent: false },
      async (answer) => {
        let text = ''
        for await (const chunk of answer) text += String(chunk)
        resolve({ status: answer.statusCode ?? 0, text: text.trim() })
      },
    )
    asked.on('error', () => resolve({ status: 0, text: '' }))
    asked.setTimeout(2000, () => asked.destroy())
  })
}

interface Talk {
  /** Ends it; how many packets went and came back in all. */
  end(): Promise<{ sent: number; received: number }>
}

/** Pods on different nodes ping each other, ten times a second, without a pause until it ends. */
async function talk(): Promise<Talk> {
  const pods = await addressed(['run-1', 'run-2', 'run-3'])
  const sum = { sent: 0, received: 0 }
  let ended = false
  const keepOn = async (from: SeenPod, to: string) => {
    while (!ended) {
      const { sent, received } = await ping(cluster, from, to, 20, 100)
      sum.sent += sent
      sum.received += received
    }
  }
  const talking = Promise.all(pods.map((pod, i) => keepOn(pod, pods[(i + 1) % pods.length]?.address ?? '')))
  talking.catch(() => {}) // heard by whoever ends it
  return {
    async end() {
      ended = true
      await talking
      return sum
    },
  }
}

async function addressed(names: readonly string[]): Promise<readonly SeenPod[]> {
  let pods: readonly SeenPod[] | undefined
  await until(`${names[0]} and ${names.length - 1} more have addresses`, async () => {
    pods = await podsWithAddresses(cluster.kube, names)
    return pods !== undefined
  })
  return pods ?? []
}

/** Addresses that the nodes have: what the cloud bound for a leader that died is none before the next one finds it. */
function usable(): number {
  return readPools(cluster).reduce((sum, { bound }) => sum + bound, 0)
}

/** Ledger, cloud and kernels agree in the end: no leak, no double, no pod without an address. */
async function settled(say: (line: string) => void = () => {}): Promise<void> {
  let audit = await auditCluster(cluster)
  await until('all is settled', async () => {
    if (!existsSync(cluster.leaderDb)) return false
    audit = await auditCluster(cluster)
    return audit.leaks.length === 0 && audit.doubles.length === 0
  }).catch(() => {})
  say(
    `audit: ${audit.enis} ENIs, ${audit.addresses} addresses, ${audit.pods} pods, ${audit.leaks.length} leaks, ${audit.doubles.length} doubles`,
  )
  assert.deepEqual({ leaks: audit.leaks, doubles: audit.doubles }, { leaks: [], doubles: [] })
  assert.deepEqual(
    (await listPods(cluster.kube)).filter(({ address }) => address === undefined),
    [],
  )
}

function numbered(name: string, count: number): string[] {
  return Array.from({ length: count }, (_, i) => `${name}-${i + 1}`)
}
