// A dev cluster for tests of public addresses, and what kubectl, the cloud and packets show of them.
import assert from 'node:assert/strict'
import { writeFileSync } from 'node:fs'
import { join } from 'node:path'
import type { TestContext } from 'node:test'
import { type DevCluster, startDevCluster } from '../../../cmd/dev/cluster.ts'
import { lastWords, ping } from '../../../cmd/dev/look.ts'
import { listPods } from '../../../cmd/dev/pods.ts'
import { query } from '../../../cmd/dev/query.ts'
import type { Clock } from '../../../internal/base/clock.ts'
import { addressedPods } from '../addressed.ts'
import { kubeBinaries } from '../kube-binaries.ts'
import type { RealDevApi } from '../real-dev-api.ts'
import { type Finished, run, temporaryFolder, until } from '../service.ts'

export const minute = 60_000

export interface SeenEipClaim {
  readonly name: string
  readonly phase: string
  readonly eip: string | null
  readonly address: string | null
  readonly privateIp: string | null
  readonly reason: string
  readonly message: string
}

export interface EipWorldOptions {
  readonly program: readonly [string, ...string[]]
  readonly api?: RealDevApi | undefined
  readonly leaderFlags?: readonly string[]
  readonly clock?: Clock
  readonly nodes: number
}

export class EipWorld {
  readonly cluster: DevCluster
  readonly #folder: string

  static async start(options: EipWorldOptions): Promise<EipWorld> {
    const folder = temporaryFolder('eips')
    const cluster = await startDevCluster({
      directory: folder,
      ...(options.api !== undefined && { api: options.api }),
      leaderFlags: ['--reconcile-interval=1s', '--enable-static-ip', ...(options.leaderFlags ?? [])],
      nodeFlags: ['--cooldown=1s', '--report-interval=1s'],
      statefulSets: true,
      logLevel: 'info',
      program: options.program,
      ...(options.clock !== undefined && { clock: options.clock }),
    })
    const world = new EipWorld(cluster, folder)
    for (let i = 0; i < options.nodes; i++) await cluster.addNode()
    await until('kubectl sees claims', async () => (await world.try('get', 'eipc')).code === 0)
    return world
  }

  constructor(cluster: DevCluster, folder: string) {
    this.cluster = cluster
    this.#folder = folder
  }

  close(): Promise<void> {
    return this.cluster.close()
  }

  /** kubectl as people run it. */
  async try(...args: readonly string[]): Promise<Finished> {
    const { kubectl } = await kubeBinaries()
    return run([kubectl, '--kubeconfig', this.cluster.kubeconfig, ...args])
  }

  /** What it printed. */
  async kubectl(...args: readonly string[]): Promise<string> {
    const { code, stderr, stdout } = await this.try(...args)
    assert.equal(code, 0, `kubectl ${args.join(' ')}: ${stderr}`)
    return stdout
  }

  /** The same, and whoever reads the test's output sees it, too. */
  async show(t: TestContext, ...args: readonly string[]): Promise<string> {
    const { stderr, stdout } = await this.try(...args)
    t.diagnostic(`$ kubectl ${args.join(' ')}\n${stdout}${stderr}`)
    return stdout + stderr
  }

  async apply(name: string, manifest: string | object): Promise<void> {
    const file = join(this.#folder, `${name}.yaml`)
    writeFileSync(file, typeof manifest === 'string' ? manifest : JSON.stringify(manifest))
    await this.kubectl('apply', '-f', file)
  }

  claims(): readonly SeenEipClaim[] {
    return query(
      this.cluster.leaderDb,
      'leader',
      `SELECT name, phase, eip_id AS eip, address, private_ip AS privateIp, reason, message FROM eip_claim ORDER BY name`,
    )
  }

  claim(name: string): SeenEipClaim | undefined {
    return this.claims().find((claim) => claim.name === name)
  }

  eips() {
    const { clock, cloud } = this.cluster
    return cloud.admin.audit(clock.now()).eips
  }

  eip(id: string | null | undefined) {
    return this.eips().find((eip) => eip.id === id)
  }

  async bound(...names: readonly string[]): Promise<readonly SeenEipClaim[]> {
    const all = () => names.every((name) => this.claim(name)?.phase === 'Bound')
    await until(`the EIPs of ${names.join(', ')} are bound`, all, [], 3 * minute)
    return names.map((name) => this.claim(name) ?? assert.fail())
  }

  async phase(name: string, phase: string | undefined): Promise<void> {
    const is = () => this.claim(name)?.phase === phase
    await until(`the claim of ${name} is ${phase ?? 'gone'}`, is, [], 2 * minute)
  }

  async podGone(...names: readonly string[]): Promise<void> {
    const gone = async () => !(await listPods(this.cluster.kube)).some(({ name }) => names.includes(name))
    await until(`${names.join(', ')} are gone`, gone, [], minute)
  }

  /** Packets pass from outside to the pod by its EIP, and from the pod to the outside. */
  async passes(name: string): Promise<void> {
    const [pod] = await addressedPods(this.cluster, [name])
    const { address } = this.claim(name) ?? assert.fail(`${name} has no claim`)
    assert.ok(pod !== undefined && address !== null)
    const { host } = this.cluster
    const into = () => host.call('pingFromOutside', { to: address, count: 3, intervalMs: 50 })
    await until(`packets come in to ${name} by ${address}`, async () => (await into()).received === 3)
    const outside = await host.call('outside', null)
    const { received } = await ping(this.cluster, pod, outside.address, 3, 50)
    assert.equal(received, 3, `what ${name} sends out is answered`)
  }

  async noneComesIn(address: string): Promise<void> {
    const { received } = await this.cluster.host.call('pingFromOutside', {
      to: address,
      count: 2,
      intervalMs: 50,
    })
    assert.equal(received, 0, `nobody answers at ${address}`)
  }

  /** What ip-masq-agent is told. */
  masqConfig(): Promise<string> {
    const path = ['-n', 'kube-system', 'get', 'cm', 'ip-masq-agent-config', '-o', 'jsonpath={.data.config}']
    return this.kubectl(...path)
  }

  async masqConfigIs(what: string, test: (config: string) => boolean): Promise<void> {
    await until(`ip-masq-agent is told ${what}`, async () => test(await this.masqConfig()), [], 3 * minute)
  }

  /** Resolves with the events about the pod once one of the reason is there. */
  async told(pod: string, reason: string): Promise<string> {
    const path = ['get', 'events', `--field-selector=involvedObject.name=${pod},reason=${reason}`]
    const read = () => this.kubectl(...path, '-o', 'jsonpath={range .items[*]}{.message}{"\\n"}{end}')
    await until(`${pod} is told "${reason}"`, async () => (await read()) !== '', [], 2 * minute)
    return read()
  }

  explain(): string {
    return `${JSON.stringify(this.claims(), null, 1)}\n${lastWords(this.cluster)}`
  }
}

/** A pod that asks for an EIP of its own; scheduled to the node when it is given. */
export function eipPod(
  name: string,
  annotations: Readonly<Record<string, string>>,
  nodeName?: string,
): object {
  const keyed = Object.entries(annotations).map(([key, value]) => [`tke.cloud.tencent.com/${key}`, value])
  return {
    apiVersion: 'v1',
    kind: 'Pod',
    metadata: { name, annotations: Object.fromEntries(keyed) },
    spec: { ...(nodeName && { nodeName }), containers: [{ name: 'main', image: 'none' }] },
  }
}
