// The built executable as leader and agent, and the device manager of a real kubelet on the node: what the scheduler sees of
// the node's pools, while pods come, settings change, the agent is killed and the kubelet is started anew.
import assert from 'node:assert/strict'
import { existsSync, readdirSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import { after, before } from 'node:test'
import { type DevCluster, startDevCluster } from '../../cmd/dev/cluster.ts'
import { lastWords } from '../../cmd/dev/look.ts'
import { createPod } from '../../cmd/dev/pods.ts'
import { formatPools, readPools } from '../../cmd/dev/pools.ts'
import { at, listAt } from '../../internal/kube/json.ts'
import { runCommand } from '../../internal/linux/command.ts'
import { sandboxFault } from '../../internal/linux/sandbox.ts'
import type { ResourceView, TestKubelet } from '../kubelet/test-kubelet.ts'
import { copyOfExecutable } from './executable.ts'
import { explainSkip, missingPieces } from './pieces.ts'
import { realKubelet } from './real-kubelet.ts'
import { temporaryFolder, until } from './service.ts'
import { story } from './steps.ts'

const unfit = await sandboxFault(runCommand).catch((error: Error) => error.message)
const missing =
  explainSkip(missingPieces('root', 'unshare', 'kubelet-devices', 'iproute2', 'executable')) ||
  (unfit === undefined ? false : `no sandbox: ${unfit}`)
const step = story(missing, () => `${formatPools(readPools(cluster))}\n${lastWords(cluster)}`)
const ip = 'tke.cloud.tencent.com/eni-ip'
const eni = 'tke.cloud.tencent.com/direct-eni'

let cluster: DevCluster
let kubelet: TestKubelet

before(async () => {
  if (missing) return
  // A short name: paths of sockets have at most 107 characters.
  const directory = temporaryFolder('res')
  kubelet = realKubelet(join(directory, 'nodes/node-2/kubelet'))
  cluster = await startDevCluster({
    directory,
    kubeListen: { host: '127.0.0.1', port: 0 },
    leaderFlags: ['--reconcile-interval=2s', '--enable-direct-eni', '--manage-taint'],
    nodeFlags: ['--cooldown=1s', '--release-interval=1s', '--report-interval=1s', '--enable-quick-release'],
    logLevel: 'info',
    program: [copyOfExecutable()],
  })
})
after(async () => {
  await cluster?.close()
  await kubelet?.stop()
})

async function shows(resource: string, wanted: (view: ResourceView) => boolean): Promise<void> {
  await until(`the kubelet shows ${resource} as ${wanted}`, async () => {
    const view = (await kubelet.resources())[resource]
    return view !== undefined && wanted(view)
  })
}

const taints = async (node: string) =>
  listAt(await cluster.kube.call({ doing: 'get node', path: `/api/v1/nodes/${node}` }), 'spec', 'taints')
const path = '/apis/networking.tke.cloud.tencent.com/v1/nodeeniconfigs/node-2'
const specOfNec = async () =>
  at(await cluster.kube.call({ doing: 'get NEC', path }), 'spec') as Readonly<Record<string, number>>
const annotate = (annotations: object) =>
  cluster.kube.call({ doing: 'annotate', method: 'PATCH', path, body: { metadata: { annotations } } })

/** Resident, of the agent. */
function agentMemory(): string {
  const pid = readdirSync('/proc').find((entry) => /^\d+$/.test(entry) && isAgent(entry)) ?? ''
  const status = existsSync(`/proc/${pid}/status`) ? readFileSync(`/proc/${pid}/status`, 'utf8') : ''
  return /VmRSS:\s*(.*)/.exec(status)?.[1] ?? 'unknown'
}

function isAgent(pid: string): boolean {
  try {
    const words = readFileSync(`/proc/${pid}/cmdline`, 'utf8').split('\0')
    return words.includes('node') && words.some((word) => word.startsWith(`--state-dir=${cluster.directory}`))
  } catch {
    return false // it has ended
  }
}

step('[K5] a node without an agent is closed to pods', async () => {
  await cluster.joinNode()
  await until('it is closed', async () => (await taints('node-1')).length === 1)
})

step('[P17] the kubelet shows both pools as the NEC has them, and the node is open', async (t) => {
  await cluster.addNode()
  await until('the pool is full', () => readPools(cluster).at(-1)?.idle === 5)
  const before = agentMemory()
  await kubelet.start()
  await shows(ip, ({ allocatable }) => allocatable === 5)
  const spec = await specOfNec()
  const all = await kubelet.resources()
  t.diagnostic(`${JSON.stringify(all)}; agent ${before} without a kubelet, ${agentMemory()} with one`)
  assert.equal(all[ip]?.capacity, (spec['maxRouteENI'] ?? 0) * (spec['maxIPPerENI'] ?? 0))
  await shows(eni, ({ capacity, allocatable }) => capacity === spec['maxDirectENI'] && allocatable === 0)
  await until('the node is open', async () => (await taints('node-2')).length === 0)
})

step('[P17] allocatable follows pods and settings', async () => {
  for (const name of ['a', 'b', 'c']) {
    await kubelet.allocate(name, ip, 1)
    await createPod(cluster.kube, name, 'node-2')
  }
  await shows(ip, ({ allocatable }) => allocatable === 8)
  await annotate({
    'tke.cloud.tencent.com/route-eni-ip-min-warm-target': '0',
    'tke.cloud.tencent.com/route-eni-ip-max-warm-target': '0',
  })
  await shows(ip, ({ allocatable }) => allocatable === 3)
  await createPod(cluster.kube, 'owner', 'node-2', 'tke-direct-eni')
  await shows(eni, ({ allocatable }) => allocatable === 1)
})

step('what pods have stays theirs over kills of the agent and restarts of the kubelet', async () => {
  const before = await Promise.all(['a', 'b', 'c'].map((pod) => kubelet.allocate(pod, ip, 1)))
  await cluster.host.call('killAgent', { node: 'node-2' })
  await shows(ip, ({ allocatable }) => allocatable === 0)
  await shows(ip, ({ allocatable }) => allocatable === 3)
  await kubelet.stop()
  await kubelet.start()
  await shows(ip, ({ allocatable }) => allocatable === 3)
  await shows(eni, ({ allocatable }) => allocatable === 1)
  assert.deepEqual(await Promise.all(['a', 'b', 'c'].map((pod) => kubelet.allocate(pod, ip, 1))), before)
})
