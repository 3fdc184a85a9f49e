// The executable as a leader, with a cluster and a cloud around it: an API server in this process, the simulated cloud in another.
import { mkdirSync, rmSync } from 'node:fs'
import { request } from 'node:http'
import { join } from 'node:path'
import { setTimeout as pause } from 'node:timers/promises'
import { serveKubeApi } from '../../../internal/apiserver/http-server.ts'
import { openSqliteStorage } from '../../../internal/apiserver/sqlite-storage.ts'
import { issueCertificate, makeAuthority } from '../../../internal/apiserver/tls/certificate.ts'
import { systemClock } from '../../../internal/base/clock.ts'
import { silentLog } from '../../../internal/base/log.ts'
import { connectKube } from '../../../internal/kube/connect.ts'
import { type ServiceProcess, startService } from '../../../internal/linux/service.ts'
import type { Stats } from '../../../internal/sim/vpc/stats.ts'
import { freePort } from '../../e2e/service.ts'
import { type ClaimsClient, claimsClient, group } from './claims-client.ts'
import { clusterId, type KeptClaim, podSubnet, zone } from './kept-claims.ts'
import { prepareCloud, prepareLedger } from './prepare.ts'

export interface ClaimsLeader {
  readonly client: ClaimsClient
  readonly healthPort: number
  pid(): number
  /** Milliseconds from its start until it is ready and answers who asks for claims. */
  start(): Promise<number>
  stop(): Promise<void>
  /** Takes away the ledger of one that is stopped. */
  loseLedger(): void
  /** Calls that the cloud has had, by action. */
  cloudCalls(): Promise<Stats>
  close(): Promise<void>
}

const nodes = 20
const key = { TENCENTCLOUD_SECRET_ID: 'AKIDbench', TENCENTCLOUD_SECRET_KEY: 'bench' }
const hour = 3_600_000

/** With a ledger and a cloud that have `claims`, on a small cluster without pods. It has not been started yet. */
export async function prepareLeader(
  executable: string,
  directory: string,
  claims: readonly KeptClaim[],
): Promise<ClaimsLeader> {
  mkdirSync(directory)
  const stack = new AsyncDisposableStack()
  await prepareLedger(join(directory, 'leader.db'), claims)
  const prepared = prepareCloud(join(directory, 'cloud.db'), claims, nodes)
  const [simPort, healthPort, apiPort] = await Promise.all([freePort(), freePort(), freePort()])
  const validity = { from: Date.now() - hour, to: Date.now() + 24 * hour }
  const authority = makeAuthority('front-proxy-ca', validity)
  const client = claimsClient(
    apiPort,
    issueCertificate(authority, 'front-proxy-ca', ['front-proxy-client'], validity, 'client'),
  )
  stack.defer(() => client.close())

  const storage = openSqliteStorage({ path: join(directory, 'kube.db'), clock: systemClock })
  stack.defer(() => storage.close())
  const socketPath = join(directory, 'kube.sock')
  const api = await serveKubeApi({ storage, clock: systemClock, log: silentLog, listen: { socketPath } })
  stack.defer(() => api.close())
  const kube = await connectKube({ socketPath }, systemClock)
  stack.defer(() => kube.close())
  const make = (path: string, body: object) =>
    kube.call({ doing: 'prepare the cluster', method: 'POST', path, body })
  await make('/api/v1/namespaces/kube-system/configmaps', {
    ...{ apiVersion: 'v1', kind: 'ConfigMap' },
    metadata: { name: 'extension-apiserver-authentication' },
    data: {
      'requestheader-client-ca-file': authority.cert,
      'requestheader-allowed-names': '["front-proxy-client"]',
      'requestheader-username-headers': '["X-Remote-User"]',
      'requestheader-group-headers': '["X-Remote-Group"]',
      'requestheader-extra-headers-prefix': '["X-Remote-Extra-"]',
    },
  })
  for (const { name, instanceId } of prepared)
    await make('/api/v1/nodes', {
      ...{ apiVersion: 'v1', kind: 'Node', metadata: { name } },
      spec: { providerID: `qcloud:///${zone}/${instanceId}` },
    })

  const run = (name: string, command: readonly [string, ...string[]]): ServiceProcess =>
    startService({ command, env: { ...process.env, ...key }, logFile: join(directory, `${name}.log`) })
  const sim = run('cloud', [
    ...[executable, 'vpc-sim', `--listen=127.0.0.1:${simPort}`, `--db=${join(directory, 'cloud.db')}`],
    ...['--latency-min=1ms', '--latency-max=5ms'],
    ...[`--secret-id=${key.TENCENTCLOUD_SECRET_ID}`, `--secret-key=${key.TENCENTCLOUD_SECRET_KEY}`],
  ] as [string, ...string[]])
  stack.defer(() => end(sim))
  const cloudCalls = async () =>
    (await (await fetch(`http://127.0.0.1:${simPort}/sim/stats`)).json()) as Stats
  await untilSo('the cloud answers', () => cloudCalls().then(() => true))

  let leader: ServiceProcess | undefined
  stack.defer(async () => leader && end(leader))
  return {
    client,
    healthPort,
    cloudCalls,
    pid: () => leader?.pid ?? 0,
    async start() {
      const begin = performance.now()
      leader = run('leader', [
        ...[executable, 'leader', `--cluster-id=${clusterId}`, '--region=ap-guangzhou'],
        ...[`--subnets=${podSubnet.id}`, `--state-dir=${directory}`, `--kube-server=unix://${socketPath}`],
        ...[`--vpc-endpoint=http://127.0.0.1:${simPort}`, '--credentials=environment', '--enable-static-ip'],
        ...[`--listen-health=127.0.0.1:${healthPort}`, '--reconcile-interval=1s'],
        ...[`--api-bind-port=${apiPort}`, '--api-advertise-address=127.0.0.1'],
      ] as [string, ...string[]])
      await Promise.all([
        untilSo('the leader is ready', () => isReady(healthPort)),
        untilSo('the leader answers', async () => {
          return (await client.call('GET', `${group}/vpcipclaims?limit=1`)).status === 200
        }),
      ])
      return performance.now() - begin
    },
    async stop() {
      if (leader !== undefined) await end(leader)
      leader = undefined
    },
    loseLedger() {
      for (const end of ['', '-wal', '-shm']) rmSync(join(directory, `leader.db${end}`), { force: true })
    },
    close: () => stack.disposeAsync(),
  }
}

async function end(service: ServiceProcess): Promise<void> {
  service.kill('SIGTERM')
  await service.exited
}

/** Asked every 5 ms. */
async function untilSo(what: string, holds: () => Promise<boolean>): Promise<void> {
  const begin = performance.now()
  while (!(await holds().catch(() => false))) {
    if (performance.now() - begin > 120_000) throw new Error(`Cannot wait until ${what}: it takes too long`)
    await pause(5)
  }
}

function isReady(port: number): Promise<boolean> {
  return new Promise((resolve, reject) => {
    const sent = request({ host: '127.0.0.1', port, path: '/readyz', agent: false }, (answer) => {
      answer.resume()
      resolve(answer.statusCode === 200)
    })
    sent.once('error', reject)
    sent.end()
  })
}
