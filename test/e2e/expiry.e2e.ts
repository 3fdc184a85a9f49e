// Expiry of kept addresses on the built executable: their time goes on while the leader is killed and while its machine restarts, and no
// clock that is set makes it pass. Five minutes are the least that may be set: what passes while no leader runs is passed at once here, and
// where one runs, its clocks, the API server's and the cloud's go faster (EXPIRY_RATE=1: as always).
import assert from 'node:assert/strict'
import { after, before, describe } from 'node:test'
import { auditCluster } from '../../cmd/dev/audit.ts'
import { type DevCluster, startDevCluster } from '../../cmd/dev/cluster.ts'
import { lastWords } from '../../cmd/dev/look.ts'
import { deletePod } from '../../cmd/dev/pods.ts'
import { query } from '../../cmd/dev/query.ts'
import { runCommand } from '../../internal/linux/command.ts'
import { sandboxFault } from '../../internal/linux/sandbox.ts'
import { addressedPods } from './addressed.ts'
import { type MachineClock, startMachineClock } from './clock/machine-clock.ts'
import { copyOfExecutable } from './executable.ts'
import { explainSkip, missingPieces } from './pieces.ts'
import { temporaryFolder, until } from './service.ts'
import { type Step, story } from './steps.ts'

const unfit = await sandboxFault(runCommand).catch((error: Error) => error.message)
const missing =
  explainSkip(missingPieces('root', 'unshare', 'cc', 'iproute2', 'executable')) ||
  (unfit === undefined ? false : `no sandbox: ${unfit}`)
const fast = Number(process.env['EXPIRY_RATE'] ?? 20)

const minute = 60_000
const year = 365 * 24 * 60 * minute

interface SeenClaim {
  readonly phase: string
  readonly address: string | null
  /** By the ledger's own clock. */
  readonly left: number | null
}

class World {
  readonly step: Step
  #cluster: DevCluster | undefined
  #clock: MachineClock | undefined

  constructor(rate: number) {
    this.step = story(missing, () => lastWords(this.cluster))
    before(async () => {
      if (missing) return
      this.#clock = await startMachineClock(copyOfExecutable(), rate)
      this.#cluster = await startDevCluster({
        directory: temporaryFolder('expiry'),
        leaderFlags: ['--reconcile-interval=1s', '--enable-static-ip', '--claim-expired-duration=5m'],
        nodeFlags: ['--cooldown=1s', '--report-interval=1s'],
        logLevel: 'info',
        program: this.#clock.program,
        clock: this.#clock.world,
      })
      await this.cluster.addNode()
    })
    after(async () => {
      await this.#cluster?.close()
      await this.#clock?.stop()
    })
  }

  get cluster(): DevCluster {
    return this.#cluster ?? assert.fail('nothing was started')
  }

  get clock(): MachineClock {
    return this.#clock ?? assert.fail('nothing was started')
  }

  /** Static pods that run until `end`; `keepFor`: their own time. */
  async run(names: readonly string[], keepFor?: string): Promise<void> {
    for (const name of names) await this.#createPod(name, keepFor)
    await addressedPods(this.cluster, names)
    const bound = () => names.every((name) => this.claim(name)?.phase === 'Bound')
    await until(`${names.join(', ')} are bound`, bound)
  }

  async end(...names: readonly string[]): Promise<void> {
    for (const name of names) await deletePod(this.cluster.kube, name)
    const kept = () => names.every((name) => this.claim(name)?.phase === 'Retained')
    await until(`${names.join(', ')} are retained`, kept)
  }

  async gone(...names: readonly string[]): Promise<void> {
    const all = () => names.every((name) => this.claim(name) === undefined)
    await until(`the claims of ${names.join(', ')} are gone`, all)
  }

  /** Kept after the leader has looked several times; the answer is how much of its time each has left. */
  async kept(...names: readonly string[]): Promise<readonly number[]> {
    const phases = () => names.map((name) => this.claim(name)?.phase)
    for (let look = 0; look < 3; look++) {
      const before = this.ticked()
      await until('the leader has looked what expires', () => this.ticked() !== before)
      assert.deepEqual(new Set(phases()), new Set(['Retained']), `${names.join()} after look ${look}`)
    }
    return names.map((name) => this.claim(name)?.left ?? Number.POSITIVE_INFINITY)
  }

  /** The machine of the leader and all others are so much later when it starts again. */
  async restartAfter(ms: number, meanwhile: () => Promise<void> = async () => {}): Promise<void> {
    await this.cluster.haltLeader()
    this.clock.pass(ms)
    await meanwhile()
    this.cluster.resumeLeader()
  }

  claim(name: string): SeenClaim | undefined {
    const [claim] = this.#query<SeenClaim>(
      `SELECT phase, address, expires_at - (SELECT json_extract(value, '$.now') FROM meta WHERE key = 'expiry-clock') AS left
       FROM claim WHERE name = ?`,
      name,
    )
    return claim
  }

  /** Changes whenever time has been counted. */
  ticked(): string | undefined {
    return this.#query<{ value: string }>(`SELECT value FROM meta WHERE key = 'expiry-clock'`)[0]?.value
  }

  #query<T>(sql: string, ...values: readonly string[]): readonly T[] {
    try {
      return query<T>(this.cluster.leaderDb, 'leader', sql, ...values)
    } catch {
      return [] // it is being made just now
    }
  }

  async #createPod(name: string, keepFor: string | undefined): Promise<void> {
    const annotations = {
      'tke.cloud.tencent.com/vpc-ip-claim-delete-policy': 'Never',
      ...(keepFor !== undefined && { 'tke.cloud.tencent.com/claim-expired-duration': keepFor }),
    }
    await this.cluster.kube.call({
      doing: `create pod "${name}"`,
      method: 'POST',
      path: '/api/v1/namespaces/default/pods',
      body: {
        apiVersion: 'v1',
        kind: 'Pod',
        metadata: { name, annotations },
        spec: { nodeName: 'node-1', containers: [{ name: 'main', image: 'none' }] },
      },
    })
  }
}

/** Between `least` and `most` minutes are left. */
function about(left: number | undefined, least: number, most: number): void {
  assert.ok(left !== undefined && left >= least * minute && left <= most * minute, `${left} ms are left`)
}

describe('expiry, whatever becomes of the leader, its machine and the clocks', () => {
  const world = new World(1)
  const { step } = world

  step('[S5] the time of an address begins when its pod ends', async () => {
    await world.run(['brief-0', 'brief-1', 'runs-0'])
    await world.run(['later-0'], '10m')
    await world.end('brief-0', 'brief-1', 'later-0')
    const [brief, , later] = await world.kept('brief-0', 'brief-1', 'later-0')
    about(brief, 4.5, 5)
    about(later, 9.5, 10)
  })

  step('[S5] a leader that is killed again and again takes nothing early', async () => {
    for (let i = 0; i < 3; i++) {
      await world.cluster.killLeader()
      const [brief] = await world.kept('brief-0', 'brief-1', 'later-0')
      about(brief, 4, 5)
    }
  })

  step('[S5] the time while no leader runs counts, and what has passed is stored', async () => {
    await world.restartAfter(2 * minute)
    const [brief, , later] = await world.kept('brief-0', 'brief-1', 'later-0')
    about(brief, 2, 3)
    about(later, 7, 8)
    await world.cluster.killLeader()
    about((await world.kept('brief-0'))[0], 2, 3)
  })

  step('[S4] [S5] a pod that comes back begins the time anew', async () => {
    const before = world.claim('brief-1')?.address
    await world.run(['brief-1'])
    assert.equal(world.claim('brief-1')?.address, before)
    await world.end('brief-1')
    about((await world.kept('brief-1'))[0], 4.5, 5)
  })

  step('[S5] the machine restarts: the time goes on, and nothing is taken early', async () => {
    const holder = await leaseHolder(world.cluster)
    await world.restartAfter(minute, world.clock.reboot)
    const [brief] = await world.kept('brief-0', 'brief-1', 'later-0')
    about(brief, 1, 2)
    assert.notEqual(await leaseHolder(world.cluster), holder, 'it is another boot')
  })

  step('[S5] the machine restarts after the time of one is over: that one goes', async () => {
    const address = world.claim('brief-0')?.address
    await world.restartAfter(2 * minute, world.clock.reboot)
    await world.gone('brief-0')
    assert.ok(!inCloud(world.cluster, address), `${address} is free`)
    const [brief, later] = await world.kept('brief-1', 'later-0')
    about(brief, 1, 2)
    about(later, 4, 5)
  })

  for (const { whose, set } of [
    { whose: 'its machine', set: (ms: number) => world.clock.setMachine(ms) },
    { whose: 'the API server and the cloud', set: (ms: number) => world.clock.setWorld(ms) },
  ])
    step(`[S5] [R1] the clock of ${whose} is set a year ahead, and back`, async () => {
      for (const jump of [year, -year]) {
        set(jump)
        await world.kept('brief-1', 'later-0')
        await world.cluster.killLeader()
        const [brief] = await world.kept('brief-1', 'later-0')
        about(brief, 0.5, 2)
      }
    })

  step('[S5] [R1] all clocks are set a year ahead while the leader runs', async () => {
    world.clock.pass(year)
    const [brief, later] = await world.kept('brief-1', 'later-0')
    about(brief, 0.5, 2)
    about(later, 3, 5)
  })

  step('[S5] those that are due after all that go, each in its time', async () => {
    await world.restartAfter(2 * minute)
    await world.gone('brief-1')
    about((await world.kept('later-0'))[0], 0.5, 3)
    await world.restartAfter(3 * minute)
    await world.gone('later-0')
    assert.equal(world.claim('runs-0')?.phase, 'Bound')
  })

  step('[S5] the time when nothing waited counts for nobody', async () => {
    await world.restartAfter(60 * minute)
    await world.end('runs-0')
    about((await world.kept('runs-0'))[0], 4.5, 5)
  })

  step('[R1] nothing is lost and nothing doubled', () => balanced(world))
})

describe('expiry while the leader runs', () => {
  const world = new World(fast)
  const { step } = world
  const now = () => world.clock.world.now()
  let endedAt: number

  step(`[S5] with clocks ${fast} times as fast as they are`, async () => {
    await world.run(['a-0', 'b-0', 'c-0'])
    await world.end('a-0')
    endedAt = now()
    await world.kept('a-0')
  })

  step('[S5] an address goes after its five minutes, and not before', async (t) => {
    let seenAt = now()
    const kept = () => {
      const at = now()
      if (world.claim('a-0')?.phase !== 'Retained') return false
      seenAt = at
      return true
    }
    await until('its time is over', () => !kept(), [], 400_000)
    // Seen late by a look of the leader and one of ours.
    const took = now() - endedAt
    assert.ok(took >= 5 * minute - 2000, `${took} ms`)
    assert.ok(seenAt - endedAt <= 5 * minute + fast * 5000, `${seenAt - endedAt} ms`)
    t.diagnostic(`let go between ${seenAt - endedAt} and ${took} ms after its pod`)
    await world.gone('a-0')
  })

  step('[S5] nothing goes while nobody can say whether its pod is back', async () => {
    await world.end('b-0')
    await world.kept('b-0')
    await world.cluster.api.interrupt()
    const silent = now()
    await until('its time would be over', () => now() - silent > 6 * minute, [], 400_000)
    assert.equal(world.claim('b-0')?.phase, 'Retained')
    await world.cluster.api.resume()
    await world.gone('b-0')
  })

  step('[S5] the leader is killed every few moments meanwhile', async (t) => {
    await world.end('c-0')
    endedAt = now()
    let kills = 0
    for (const isKept = () => world.claim('c-0')?.phase === 'Retained'; isKept(); kills++) {
      const before = world.ticked()
      await until('the leader has looked what expires', () => world.ticked() !== before || !isKept())
      await world.cluster.killLeader()
    }
    t.diagnostic(`killed ${kills} times in ${now() - endedAt} ms`)
    assert.ok(now() - endedAt >= 5 * minute - 2000, `${now() - endedAt} ms`)
    await world.gone('c-0')
  })

  step('[R1] nothing is lost and nothing doubled', () => balanced(world))
})

async function leaseHolder({ kube }: DevCluster): Promise<string> {
  const path = '/apis/coordination.k8s.io/v1/namespaces/kube-system/leases/tke-eni-leader'
  const lease = (await kube.call({ doing: 'read the lease', path })) as { spec: { holderIdentity: string } }
  return lease.spec.holderIdentity
}

/** Reserved, or on an ENI. */
function inCloud({ clock, cloud }: DevCluster, address: string | null | undefined): boolean {
  const { ips, reservations } = cloud.admin.audit(clock.now())
  return [...ips, ...reservations].some((one) => one.address === address)
}

async function balanced({ cluster }: World): Promise<void> {
  let audit = await auditCluster(cluster)
  const settled = async () => {
    audit = await auditCluster(cluster)
    return audit.leaks.length === 0
  }
  await until('all is settled', settled, [], 60_000).catch(() => {})
  assert.deepEqual([audit.leaks, audit.doubles], [[], []])
}
