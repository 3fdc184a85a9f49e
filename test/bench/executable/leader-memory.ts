// Memory of a leader that has started, read Kubernetes and filled the pool of one node.
import { mkdirSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import { setTimeout as pause } from 'node:timers/promises'
import { serveKubeApi } from '../../../internal/apiserver/http-server.ts'
import { openSqliteStorage } from '../../../internal/apiserver/sqlite-storage.ts'
import { systemClock } from '../../../internal/base/clock.ts'
import { silentLog } from '../../../internal/base/log.ts'
import { systemRandom } from '../../../internal/base/random.ts'
import { connectKube } from '../../../internal/kube/connect.ts'
import { necPath } from '../../../internal/kube/nec-api.ts'
import { startService } from '../../../internal/linux/service.ts'
import { serveVpcSim } from '../../../internal/sim/vpc/server.ts'
import { openVpcSim } from '../../../internal/sim/vpc/sim.ts'
import { decodeNec } from '../../../internal/wire/nec.ts'

const zone = 'ap-guangzhou-3'
const vpc = { id: 'vpc-bench001', name: 'bench', cidr: '10.0.0.0/16' }
const subnet = { id: 'subnet-bench001', cidr: '10.0.1.0/24', zone, vpcId: vpc.id }

/** Resident megabytes. */
export async function leaderMemory(executable: string, parent: string): Promise<number> {
  const clock = systemClock
  const directory = join(parent, 'leader')
  mkdirSync(directory)
  await using stack = new AsyncDisposableStack()
  const storage = openSqliteStorage({ path: join(directory, 'kube.db'), clock })
  stack.defer(() => storage.close())
  const socketPath = join(directory, 'kube.sock')
  const api = await serveKubeApi({ storage, clock, log: silentLog, listen: [{ socketPath }] })
  stack.defer(() => api.close())
  const kube = await connectKube({ socketPath }, clock)
  stack.defer(() => kube.close())
  const sim = openVpcSim({ path: ':memory:', random: systemRandom, latency: { minMs: 1, maxMs: 5 } })
  stack.defer(() => sim.close())
  sim.credentials.add('AKIDbench', 'bench')
  sim.admin.createVpc(vpc, clock.now())
  sim.admin.createSubnet(subnet, clock.now())
  const instance = sim.admin.createInstance(
    { instanceType: 'S5.MEDIUM4', subnetId: subnet.id, name: 'bench' },
    clock.now(),
  )
  const server = await serveVpcSim({ sim, clock, tcp: { host: '127.0.0.1', port: 0 } })
  stack.defer(() => server.close())
  await kube.call({
    doing: 'register a node',
    method: 'POST',
    path: '/api/v1/nodes',
    body: {
      apiVersion: 'v1',
      kind: 'Node',
      metadata: { name: 'bench' },
      spec: { providerID: `qcloud:///${zone}/${instance.id}` },
    },
  })
  const leader = startService({
    command: [
      executable,
      'leader',
      '--cluster-id=cls-bench',
      `--region=${sim.region}`,
      `--subnets=${subnet.id}`,
      `--state-dir=${directory}`,
      `--kube-server=unix://${socketPath}`,
      `--vpc-endpoint=${server.url}`,
      '--credentials=environment',
      '--listen-health=127.0.0.1:0',
    ],
    env: { ...process.env, TENCENTCLOUD_SECRET_ID: 'AKIDbench', TENCENTCLOUD_SECRET_KEY: 'bench' },
    logFile: join(directory, 'leader.log'),
  })
  stack.defer(async () => {
    leader.kill('SIGTERM')
    await leader.exited
  })
  for (let tries = 0; ; tries += 1) {
    if (tries > 300) throw new Error('Cannot measure the leader: it does not fill the pool of its node')
    await pause(50)
    const nec = await kube.call({ doing: 'read the NEC', path: necPath('bench') }).catch(() => undefined)
    const bound = decodeNec(nec)?.publication?.enis.flatMap(({ ips }) => ips).length ?? 0
    if (bound >= 5) return residentMegabytes(leader.pid)
  }
}

/** Of a process of ours. */
export function residentMegabytes(pid: number): number {
  return Number(/^VmRSS:\s+(\d+)/m.exec(readFileSync(`/proc/${pid}/status`, 'utf8'))?.[1]) / 1024
}
