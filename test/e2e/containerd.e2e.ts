// Containers of a real runtime (containerd, runc) on two nodes of a dev cluster: their addresses come from our pool, through our
// plugin and agent, in a configuration list with portmap.
import assert from 'node:assert/strict'
import { mkdirSync, symlinkSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { after, before } from 'node:test'
import { auditCluster } from '../../cmd/dev/audit.ts'
import { type DevCluster, type DevNode, startDevCluster } from '../../cmd/dev/cluster.ts'
import { lastWords, usedPerEni } from '../../cmd/dev/look.ts'
import { formatPools, type PoolLine, readPools } from '../../cmd/dev/pools.ts'
import { netnsPath, nodeNetns } from '../../internal/sim/fabric/fabric-lines.ts'
import { addNetwork, type CniCall, deleteNetwork } from '../../internal/sim/kubelet/cni-chain.ts'
import { callOurs, conflistOf, pluginsOf } from './cni-calls.ts'
import { type Container, type Containerd, startContainerd } from './containerd.ts'
import { copyOfExecutable } from './executable.ts'
import { explainSkip, missingPieces } from './pieces.ts'
import { childOf, type Service, temporaryFolder, until } from './service.ts'
import { story } from './steps.ts'

const missing = explainSkip(
  missingPieces('root', 'containerd', 'runc', 'busybox', 'cni-plugins', 'iptables', 'iproute2', 'executable'),
)
const step = story(missing, () => `${formatPools(readPools(cluster))}\n${lastWords(cluster)}`)

/** A node of the cluster: containerd and our agent on a machine that has the node's network. */
interface Node {
  readonly name: string
  readonly address: string
  readonly runtime: Containerd
  agent: Service
}

interface Running {
  readonly node: Node
  readonly container: Container
  readonly address: string
}

let cluster: DevCluster
let executable: string
let one: Node
let two: Node
const running = new Map<string, Running>()

before(async () => {
  if (missing) return
  executable = copyOfExecutable()
  cluster = await startDevCluster({
    directory: temporaryFolder('runtime'),
    leaderFlags: ['--reconcile-interval=5s', '--ip-min-warm-target=7', '--ip-max-warm-target=7'],
    nodeFlags: [],
    logLevel: 'info',
    program: [executable],
  })
  // Two addresses an ENI, so that few containers need several ENIs.
  cluster.cloud.admin.setInstanceType({ name: 'S5.MEDIUM4', cpu: 2, memoryGb: 4, enis: 5, ipsPerEni: 3 })
  const [first, second] = await Promise.all([cluster.joinNode(), cluster.joinNode()])
  ;[one, two] = await Promise.all([startNode(first), startNode(second)])
})

after(async () => {
  for (const node of [one, two]) await node?.runtime.stop()
  await cluster?.close()
})

step('[D6] [P1] agents fill their pools and install plugin and network configuration', async () => {
  for (const { name, runtime } of [one, two]) {
    await until(`${name} has 7 idle addresses`, () => pool(name).idle === 7)
    assert.equal((await runtime.machine.run('readlink', '/opt/cni/bin/tke-route-eni')).trim(), executable)
    const { plugins } = await conflistOf(runtime.machine)
    assert.deepEqual(
      plugins.map(({ type }) => type),
      ['tke-route-eni', 'portmap'],
    )
  }
})

step('[P11] [P12] [D2] containers on two nodes and several ENIs reach each other', async () => {
  for (const id of ['a1', 'a2', 'a3']) await start(one, id)
  for (const id of ['b1', 'b2']) await start(two, id)
  assert.deepEqual(usedPerEni(cluster, 'node-1'), [2, 1, 0, 0])
  const addresses = [...running.values()].map(({ address }) => address)
  assert.equal(new Set(addresses).size, 5)
  const pairs = [...running.keys()].flatMap((from) => [...running.keys()].map((to) => ({ from, to })))
  await Promise.all(
    pairs.filter(({ from, to }) => from !== to).map(({ from, to }) => assertReaches(from, to)),
  )
  for (const { node, address } of running.values()) {
    const traces = await tracesOf(node, address)
    assert.match(traces, new RegExp(`from ${address} lookup \\d+`))
    assert.match(traces, new RegExp(`to ${address} lookup main`))
    assert.match(traces, new RegExp(`${address} dev tke\\S+`))
  }
})

step('[R3] the agent is killed and started again while containers talk', async () => {
  const talking = get('a1').container.exec('ping', '-c', '30', '-i', '0.1', '-W', '2', get('b1').address)
  one.agent.signal('SIGKILL')
  assert.equal(await one.agent.exit, 137)
  await assert.rejects(one.runtime.startContainer('refused'), /agent at ".*" cannot be reached/)
  one.agent = startAgent(one)
  const { stdout } = await talking
  assert.match(stdout, / 30 packets received/)
  assert.deepEqual([pool('node-1').inUse, pool('node-1').bound], [3, 7])
  await until(
    'it serves',
    async () => (await callOurs(one.runtime.machine, { COMMAND: 'STATUS' }, v11)).code === 0,
  )
  await start(one, 'a4')
  await assertReaches('a4', 'b2')
  await stop('a4')
})

step('[R3] containers start and end while leader, API server and cloud are down', async () => {
  await cluster.haltLeader()
  await cluster.api.interrupt()
  cluster.cloud.setFaults({ outage: 'reset' })
  await start(one, 'a5')
  await start(two, 'b5')
  await assertReaches('a5', 'b5')
  await stop('a5')
  await stop('b5')
  cluster.cloud.setFaults({ outage: 'off' })
  await cluster.api.resume()
  cluster.resumeLeader()
})

step('[D6] VERSION and STATUS answer, CHECK tells what is broken, a repeated ADD mends it', async () => {
  const { machine } = one.runtime
  const version = await callOurs(machine, { COMMAND: 'VERSION' }, v11)
  assert.deepEqual(version.answer.supportedVersions?.slice(-2), ['1.0.0', '1.1.0'])
  assert.equal((await callOurs(machine, { COMMAND: 'STATUS' }, v11)).code, 0)
  const { container, address } = get('a1')
  const env = sandboxOf(container)
  const cached = await machine.run('cat', `/var/lib/cni/results/tke-eni-default-${container.id}-eth0`)
  const { result: prevResult } = JSON.parse(cached) as { result: object }
  const check = () => callOurs(machine, { ...env, COMMAND: 'CHECK' }, { prevResult })
  assert.deepEqual(await check(), { code: 0, answer: {} })
  await machine.run('ip', 'rule', 'del', 'to', address)
  assert.match((await check()).answer.msg ?? '', /Cannot confirm the pod's network: .*rule/)
  const again = await callOurs(machine, { ...env, COMMAND: 'ADD' })
  assert.equal(again.answer.ips?.[0]?.address, `${address}/32`)
  assert.deepEqual(await check(), { code: 0, answer: {} })
  await assertReaches('a1', 'b1')
})

step(
  '[R9] a late DEL of an old sandbox leaves the new one of the pod alone, DEL may be repeated',
  async () => {
    const { machine } = one.runtime
    for (const name of ['old', 'new']) await machine.run('ip', 'netns', 'add', name)
    const before = pool('node-1').inUse
    const env = (id: string) => ({
      CONTAINERID: `sandbox-${id}`,
      NETNS: `/run/netns/${id}`,
      IFNAME: 'eth0',
      ARGS: 'IgnoreUnknown=1;K8S_POD_NAMESPACE=default;K8S_POD_NAME=again;K8S_POD_UID=uid-again',
    })
    await callOurs(machine, { ...env('old'), COMMAND: 'ADD' })
    const { answer } = await callOurs(machine, { ...env('new'), COMMAND: 'ADD' })
    const address = answer.ips?.[0]?.address.split('/')[0] ?? ''
    for (let i = 0; i < 2; i++) {
      assert.deepEqual(await callOurs(machine, { ...env('old'), COMMAND: 'DEL' }), { code: 0, answer: {} })
    }
    assert.equal(pool('node-1').inUse, before + 1)
    assert.match(await tracesOf(one, address), new RegExp(`from ${address} lookup`))
    const ping = await get('b1').container.exec('ping', '-c', '1', '-W', '2', address)
    assert.equal(ping.code, 0, ping.stdout)
    for (let i = 0; i < 2; i++) {
      assert.deepEqual(await callOurs(machine, { ...env('new'), COMMAND: 'DEL' }), { code: 0, answer: {} })
    }
    assert.equal(pool('node-1').inUse, before)
    assert.equal(await tracesOf(one, address), '')
    for (const name of ['old', 'new']) await machine.run('ip', 'netns', 'del', name)
  },
)

step('[D6] GC frees what the runtime does not know, and nothing else', async () => {
  const { machine } = one.runtime
  await machine.run('ip', 'netns', 'add', 'ghost')
  const before = pool('node-1').inUse
  const ghost = { CONTAINERID: 'ghost', NETNS: '/run/netns/ghost', IFNAME: 'eth0' }
  const { answer } = await callOurs(machine, { ...ghost, COMMAND: 'ADD' })
  assert.equal(pool('node-1').inUse, before + 1)
  const known = (await one.runtime.list()).map((id) => ({ containerID: `default-${id}`, ifname: 'eth0' }))
  const gc = await callOurs(machine, { COMMAND: 'GC' }, { ...v11, 'cni.dev/valid-attachments': known })
  assert.equal(gc.code, 0, JSON.stringify(gc.answer))
  assert.equal(pool('node-1').inUse, before)
  assert.equal(await tracesOf(one, answer.ips?.[0]?.address.split('/')[0] ?? ''), '')
  await machine.run('ip', 'netns', 'del', 'ghost')
  await assertReaches('a1', 'b1')
})

step('[D6] with portmap in the chain a host port of the node leads to the pod', async () => {
  const { machine } = one.runtime
  const folder = join(machine.folder, 'www')
  mkdirSync(folder)
  const page = 'served by the pod'
  writeFileSync(join(folder, 'index.html'), page)
  await machine.run('ip', 'netns', 'add', 'web')
  const list = await conflistOf(machine)
  const call: CniCall = {
    containerId: 'web',
    netns: '/run/netns/web',
    ifname: 'eth0',
    pod: { namespace: 'default', name: 'web', uid: 'uid-web' },
    portMappings: [{ hostPort: 18_080, containerPort: 80, protocol: 'tcp' }],
  }
  const result = await addNetwork(pluginsOf(machine), list, call)
  const address = result.ips?.[0]?.address.split('/')[0] ?? ''
  const web = machine.start(
    'web server',
    inNamespace('web', 'busybox', 'httpd', '-f', '-p', '80', '-h', folder),
  )
  await until('the pod serves', async () => (await fetch('b1', address, 80)).endsWith(page), [web], 5000)
  assert.match(await fetch('b1', one.address, 18_080), new RegExp(`${page}$`))
  await web.stop()
  await deleteNetwork(pluginsOf(machine), list, call, result)
  assert.doesNotMatch(await machine.run('iptables-save', '-t', 'nat'), /18080/)
  assert.equal(await tracesOf(one, address), '')
  await machine.run('ip', 'netns', 'del', 'web')
})

step(
  '[P13] [D2] stopped containers leave no link, rule or route, and their addresses in the pool',
  async (t) => {
    const had = [...running.values()]
    for (const id of [...running.keys()]) await stop(id)
    for (const { node, address } of had) assert.equal(await tracesOf(node, address), '')
    for (const { name, runtime } of [one, two]) {
      assert.deepEqual(await runtime.list(), [])
      assert.doesNotMatch(await runtime.machine.run('ip', '-o', 'link'), /: tke/)
      const { inUse, bound } = pool(name)
      assert.deepEqual({ inUse, bound }, { inUse: 0, bound: 7 })
    }
    const { leaks, doubles, ...counts } = await auditCluster(cluster)
    assert.deepEqual({ leaks, doubles }, { leaks: [], doubles: [] })
    t.diagnostic(`${counts.enis} ENIs, ${counts.addresses} addresses: 0 leaks, 0 doubles`)
  },
)

/** STATUS and GC are of this version. */
const v11 = { cniVersion: '1.1.0' }

async function startNode({ name, address }: DevNode): Promise<Node> {
  const [cniConfDir, cniBinDir] = [temporaryFolder('cni-conf'), temporaryFolder('cni-bin')]
  symlinkSync('/usr/lib/cni/portmap', join(cniBinDir, 'portmap'))
  const sandbox = childOf(cluster.host.pid) ?? 0
  const netns = join(`/proc/${sandbox}/root`, netnsPath(nodeNetns(name)))
  const runtime = await startContainerd({ name, netns, cniConfDir, cniBinDir })
  const node = { name, address, runtime }
  return { ...node, agent: startAgent(node) }
}

function startAgent({ name, runtime }: Pick<Node, 'name' | 'runtime'>): Service {
  const state = join(cluster.directory, 'nodes', name)
  return runtime.machine.start(`agent of ${name}`, [
    executable,
    'node',
    `--node-name=${name}`,
    `--state-dir=${state}`,
    ...cluster.api.agentFlags(name),
    '--install-cni',
    '--cooldown=2s',
    '--report-interval=2s',
  ])
}

async function start(node: Node, id: string): Promise<void> {
  const container = await node.runtime.startContainer(id)
  const { stdout } = await container.exec('ip', '-4', '-o', 'addr', 'show', 'dev', 'eth0')
  const address = /inet ([\d.]+)\/32/.exec(stdout)?.[1]
  assert.ok(address !== undefined, stdout)
  running.set(id, { node, container, address })
}

async function stop(id: string): Promise<void> {
  const { node, container, address } = get(id)
  running.delete(id)
  await container.stop()
  assert.equal(await tracesOf(node, address), '', `nothing is left of ${address}`)
}

function get(id: string): Running {
  const found = running.get(id)
  assert.ok(found !== undefined, `container ${id} runs`)
  return found
}

/** What the runtime says of a container when it calls a plugin. */
function sandboxOf({ id, pid }: Container) {
  return { CONTAINERID: `default-${id}`, NETNS: `/proc/${pid}/ns/net`, IFNAME: 'eth0' }
}

async function assertReaches(from: string, to: string): Promise<void> {
  const { code, stdout, stderr } = await get(from).container.exec(
    'ping',
    '-c',
    '1',
    '-W',
    '2',
    get(to).address,
  )
  assert.equal(code, 0, `${from} reaches ${to}: ${stdout}${stderr}`)
}

/** The answer that a container gets at "/". (A static busybox's wget looks for name services and crashes without.) */
async function fetch(from: string, address: string, port: number): Promise<string> {
  const script = `printf 'GET / HTTP/1.0\\r\\n\\r\\n' | nc -w 2 ${address} ${port}`
  return (await get(from).container.exec('sh', '-c', script)).stdout
}

/** Rules and routes of the node that name the address. */
async function tracesOf({ runtime }: Node, address: string): Promise<string> {
  const [rules, routes] = await Promise.all([
    runtime.machine.run('ip', 'rule'),
    runtime.machine.run('ip', 'route', 'show', 'table', 'all'),
  ])
  return `${rules}${routes}`
    .split('\n')
    .filter((line) => line.split(/\s/).includes(address))
    .join('\n')
}

function inNamespace(name: string, ...command: readonly string[]): readonly string[] {
  return ['nsenter', `--net=/run/netns/${name}`, '--', ...command]
}

function pool(node: string): PoolLine {
  const line = readPools(cluster).find((each) => each.node === node)
  assert.ok(line !== undefined, `a pool of ${node}`)
  return line
}
