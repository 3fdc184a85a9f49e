// The real leader and the real agents are killed with SIGKILL again and again, at random moments, while pods come and go.
// Afterwards ledger, cloud and kernels must agree: nothing lost, nothing given twice.
import assert from 'node:assert/strict'
import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { test } from 'node:test'
import { auditCluster } from '../../cmd/dev/audit.ts'
import { type DevCluster, startDevCluster } from '../../cmd/dev/cluster.ts'
import { createPod, deletePod, listPods } from '../../cmd/dev/pods.ts'
import { pick, type Random, randomInt, seededRandom } from '../../internal/base/random.ts'
import { copyOfExecutable } from './executable.ts'

const kills = Number(process.env['KILLS'] ?? 50)
const seed = Number(process.env['SEED'] ?? 1)
const most = 40

test(`[R1] [R2] ${kills} times SIGKILL at random moments while pods churn: 0 leaks, 0 doubles`, {
  timeout: 600_000,
}, async (t) => {
  const directory = mkdtempSync(join(tmpdir(), 'tke-eni-kill-'))
  t.after(() => rmSync(directory, { recursive: true, force: true }))
  const cluster = await startDevCluster({
    directory,
    kubeListen: { host: '127.0.0.1', port: 0 },
    leaderFlags: ['--reconcile-interval=2s', '--ip-min-warm-target=2', '--ip-max-warm-target=3'],
    nodeFlags: ['--cooldown=2s', '--release-interval=1s', '--report-interval=1s', '--enable-quick-release'],
    logLevel: 'info',
    program: [copyOfExecutable()],
  })
  t.after(() => cluster.close())
  for (let i = 0; i < 3; i++) await cluster.addNode()
  const random = seededRandom(seed)
  const churn = new Churn(cluster, random)
  const victims = { leader: 0, agent: 0 }
  for (let i = 0; i < kills; i++) {
    await churn.some()
    await wait(randomInt(random, 0, 1200))
    if (random.next() < 0.5) {
      await cluster.killLeader()
      victims.leader++
    } else {
      const node = pick(random, cluster.nodes())?.name ?? ''
      await cluster.host.call('killAgent', { node })
      victims.agent++
    }
  }
  const audit = await settled(cluster)
  t.diagnostic(
    `killed: leader ${victims.leader}, agents ${victims.agent}; pods made ${churn.made}, ended ${churn.ended}`,
  )
  t.diagnostic(
    `audit: ${audit.enis} ENIs, ${audit.addresses} addresses, ${audit.pods} pods, ${audit.leaks.length} leaks, ${audit.doubles.length} doubles`,
  )
  assert.deepEqual({ leaks: audit.leaks, doubles: audit.doubles }, { leaks: [], doubles: [] })
  const waiting = (await listPods(cluster.kube)).filter(({ address }) => address === undefined)
  assert.deepEqual(waiting, [], 'every pod has an address in the end')
})

/** Random pods on random nodes, never more than the nodes can carry. */
class Churn {
  made = 0
  ended = 0
  readonly #cluster: DevCluster
  readonly #random: Random
  readonly #alive: string[] = []

  constructor(cluster: DevCluster, random: Random) {
    this.#cluster = cluster
    this.#random = random
  }

  async some(): Promise<void> {
    for (let n = randomInt(this.#random, 1, 6); n > 0; n--) {
      if (this.#alive.length > 0 && this.#random.next() < this.#alive.length / most) await this.#end()
      else await this.#make()
    }
  }

  async #make(): Promise<void> {
    const name = `churn-${++this.made}`
    await createPod(this.#cluster.kube, name, pick(this.#random, this.#cluster.nodes())?.name)
    this.#alive.push(name)
  }

  async #end(): Promise<void> {
    const [name] = this.#alive.splice(randomInt(this.#random, 0, this.#alive.length - 1), 1)
    if (name === undefined) return
    this.ended++
    await deletePod(this.#cluster.kube, name)
  }
}

/** The audit once it is clean and every pod has its address, or as it is after two minutes. */
async function settled(cluster: DevCluster) {
  for (let left = 240; ; left--) {
    const audit = await auditCluster(cluster)
    const pods = await listPods(cluster.kube)
    const quiet =
      audit.leaks.length === 0 &&
      audit.pods === pods.length &&
      pods.every(({ address }) => address !== undefined)
    if (quiet || left === 0 || audit.doubles.length > 0) return audit
    await wait(500)
  }
}

function wait(ms: number): Promise<void> {
  return new Promise((resolve) => setTimeout(resolve, ms))
}
