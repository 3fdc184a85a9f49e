// The scripted tour (`npm start`): what the system does, step by step, on real packets. Each step proves something and
// says so in a line; the first that cannot ends the tour with its name.

import { readFileSync, rmSync } from 'node:fs'
import { networkNames } from '../../internal/ipam/names.ts'
import { annotateNec } from './annotate.ts'
import { auditCluster } from './audit.ts'
import type { DevCluster } from './cluster.ts'
import type { DevLeader } from './leader.ts'
import {
  countReturns,
  eipInCloud,
  eipOf,
  enisInCloud,
  historyOf,
  lastWords,
  openIntents,
  ping,
  podsWithAddresses,
  podWithAddress,
  usedPerEni,
} from './look.ts'
import { createPod, deletePod, listPods } from './pods.ts'
import { formatPools, type PoolLine, readPools } from './pools.ts'

/** Shorter than by default, so that nobody has to wait. */
const releaseSeconds = 2
const nodeFlags = [`--release-interval=${releaseSeconds}s`, '--cooldown=3s']

interface Step {
  readonly title: string
  /** Returns what is worth saying. */
  readonly run: (tour: Tour) => Promise<string>
}

interface Tour {
  readonly cluster: DevCluster
  /** Resolves when `probe` gives a value; rejects with what was so at last. */
  until<T>(what: string, probe: () => Promise<T | undefined> | T | undefined, seconds?: number): Promise<T>
  pool(node: string): PoolLine
}

/** Runs all steps; false when one failed. `say` gets whole lines. */
export async function runTour(cluster: DevCluster, say: (line: string) => void): Promise<boolean> {
  const tour = createTour(cluster)
  const begun = Date.now()
  for (const [i, step] of steps.entries()) {
    const started = Date.now()
    const number = `${i + 1}/${steps.length}`.padStart(5)
    try {
      const found = await step.run(tour)
      say(`${number}  ${step.title}: ${found}  (${((Date.now() - started) / 1000).toFixed(1)} s)`)
    } catch (error) {
      say(`${number}  ${step.title}: FAILED: ${(error as Error).message}`)
      say(formatPools(readPools(cluster)))
      say(lastWords(cluster))
      return false
    }
  }
  say(`the tour took ${((Date.now() - begun) / 1000).toFixed(1)} s`)
  return true
}

const steps: readonly Step[] = [
  { title: 'three nodes in two zones join and fill their pools', run: joinAndFill },
  { title: 'a pod gets a warm address', run: warmPod },
  { title: 'pods ping each other within a node, across nodes and across zones', run: pingEverywhere },
  { title: 'a burst of pods makes a second and a third ENI, fullest first', run: burst },
  { title: 'pods end, their addresses return to the pool', run: podsEnd },
  { title: 'slow release gives one address back at a time', run: slowRelease },
  { title: 'quick release gives the rest back at once, emptied ENIs are deleted', run: quickRelease },
  { title: 'settings change by annotation, the pool follows at once', run: liveSettings },
  { title: 'a pod with an ENI of its own, and pods on shared ones, reach each other', run: exclusivePod },
  { title: 'a static pod moves between nodes and keeps its address', run: staticPod },
  { title: 'a pod with an EIP is reached from outside, and what it sends leaves with it', run: eipPod },
  { title: 'the leader is killed amid a scale-up, and recovers', run: killLeader },
  { title: 'a node agent is killed, its pods keep talking', run: killAgent },
  { title: 'cloud and API server are out, warm pods start and end all the same', run: outage },
  { title: 'the leader is lost with its disk amid a scale-up, a standby takes over', run: loseLeader },
  { title: 'ledger, cloud and kernels agree', run: finalAudit },
]

async function joinAndFill({ cluster, until, pool }: Tour): Promise<string> {
  const nodes = await Promise.all([1, 2, 3].map(() => cluster.addNode(nodeFlags)))
  await until(
    'every node has 5 idle addresses',
    () => nodes.every(({ name }) => pool(name).idle >= 5) || undefined,
  )
  return nodes.map(({ name, zone }) => `${name} in ${zone}: ${pool(name).bound} bound`).join(', ')
}

async function warmPod({ cluster, until }: Tour): Promise<string> {
  await createPod(cluster.kube, 'first', 'node-1')
  const pod = await until('the pod has an address', () => podWithAddress(cluster.kube, 'first'))
  const owner = historyOf(cluster, 'node-1', pod.address ?? '')
  return `first = ${pod.address} on node-1, and node.db remembers: ${owner}`
}

async function pingEverywhere({ cluster, until }: Tour): Promise<string> {
  await Promise.all([
    createPod(cluster.kube, 'same-node', 'node-1'),
    createPod(cluster.kube, 'same-zone', 'node-2'),
    createPod(cluster.kube, 'other-zone', 'node-3'),
  ])
  const names = ['first', 'same-node', 'same-zone', 'other-zone']
  const pods = await until('all have addresses', () => podsWithAddresses(cluster.kube, names))
  const pairs = pods.flatMap((from) => pods.filter((to) => to !== from).map((to) => ({ from, to })))
  const reports = await Promise.all(pairs.map(({ from, to }) => ping(cluster, from, to.address ?? '', 2)))
  const lost = reports.reduce((sum, { sent, received }) => sum + sent - received, 0)
  if (lost > 0) throw new Error(`${lost} of ${reports.length * 2} packets were lost`)
  const slowest = Math.max(...reports.map(({ meanMs }) => meanMs ?? 0))
  return `${pairs.length} pairs, no packet lost, slowest ${slowest.toFixed(2)} ms`
}

async function burst({ cluster, until, pool }: Tour): Promise<string> {
  const names = numbered('burst', 20)
  await Promise.all(names.map((name) => createPod(cluster.kube, name, 'node-1')))
  await until('all have addresses', () => podsWithAddresses(cluster.kube, names), 60)
  await until('the pool is warm again', () => pool('node-1').idle >= 5 || undefined, 60)
  const used = usedPerEni(cluster, 'node-1')
  if (used.length !== 3) throw new Error(`there are ${used.length} ENIs, not 3`)
  return `22 pods on 3 ENIs of 9 addresses, in use: ${used.join(' + ')}`
}

async function podsEnd({ cluster, until, pool }: Tour): Promise<string> {
  const before = pool('node-1')
  await Promise.all(numbered('burst', 20).map((name) => deletePod(cluster.kube, name)))
  await until('their addresses are free', () => pool('node-1').inUse === 2 || undefined)
  const after = pool('node-1')
  return `in use ${before.inUse} → ${after.inUse}; ${after.cooling} of the ${after.idle} idle cool down before they get a new owner`
}

async function slowRelease({ cluster, until, pool }: Tour): Promise<string> {
  // Freed addresses rest for their cooldown first; those that were never used go one by one.
  const start = pool('node-1').bound
  const first = await until(
    'one address less',
    () => (pool('node-1').bound < start ? pool('node-1').bound : undefined),
    40,
  )
  const between = countReturns(cluster, 'node-1')
  if (between > 2) throw new Error(`${between} addresses went in one interval`)
  return `bound ${start} → ${first}, one every ${releaseSeconds} s here (2 minutes by default)`
}

async function quickRelease({ cluster, until, pool }: Tour): Promise<string> {
  await cluster.restartAgent('node-1', [...nodeFlags, '--enable-quick-release'])
  const before = pool('node-1').bound
  await until(
    'only the warm ones are left',
    () => (pool('node-1').idle === 5 && pool('node-1').enis <= 1) || undefined,
    90,
  )
  await until(
    'the cloud has the rest back',
    () => (enisInCloud(cluster, 'node-1') === 1 ? true : undefined),
    60,
  )
  return `bound ${before} → ${pool('node-1').bound}, ENIs in the cloud 3 → 1`
}

async function liveSettings({ cluster, until, pool }: Tour): Promise<string> {
  const set = (min: number | null, max: number | null) =>
    annotateNec(cluster.kube, 'node-1', {
      'route-eni-ip-min-warm-target': min,
      'route-eni-ip-max-warm-target': max,
    })
  const start = pool('node-1').bound
  const reach = async (idle: number) => {
    const began = Date.now()
    await until(`${idle} are idle`, () => pool('node-1').idle === idle || undefined, 60)
    return `bound ${pool('node-1').bound} after ${((Date.now() - began) / 1000).toFixed(1)} s`
  }
  await set(7, 8)
  const raised = await reach(7)
  await set(1, 2)
  const lowered = await reach(2)
  // Until they are certainly gone they take room on their ENI, and whoever wants more gets another one.
  await until('the cloud has the rest back', () => openIntents(cluster) === 0 || undefined)
  const refusal = await set(3, 2).then(
    () => undefined,
    (error: Error) => error.message,
  )
  if (refusal === undefined) throw new Error('a minimum above the maximum was not refused')
  await set(null, null)
  const back = await reach(5)
  return `bound ${start}; 7 to 8 idle wanted: ${raised}; 1 to 2: ${lowered}; none said: ${back}; 3 to 2 is refused`
}

async function exclusivePod({ cluster, until, pool }: Tour): Promise<string> {
  await createPod(cluster.kube, 'own', 'node-1', networkNames.exclusive)
  const own = await until('the pod has an address', () => podWithAddress(cluster.kube, 'own'), 60)
  const names = ['first', 'same-zone', 'other-zone']
  const others = await until('the others are there', () => podsWithAddresses(cluster.kube, names))
  const reports = await Promise.all(
    others.flatMap((other) => [
      ping(cluster, own, other.address ?? '', 2),
      ping(cluster, other, own.address ?? '', 2),
    ]),
  )
  const lost = reports.reduce((sum, { sent, received }) => sum + sent - received, 0)
  if (lost > 0) throw new Error(`${lost} of ${reports.length * 2} packets were lost`)
  const { exclusive, enis } = pool('node-1')
  return `own = ${own.address}, the primary address of its ENI; ${reports.length} pairs, no packet lost; node-1 has ${enis} shared and ${exclusive} exclusive ENI`
}

async function staticPod({ cluster, until }: Tour): Promise<string> {
  const [from] = await until('a pod that pings', () => podsWithAddresses(cluster.kube, ['other-zone']))
  if (from === undefined) throw new Error('the pod is gone')
  const homes = ['node-1', 'node-2', 'node-1']
  const took: string[] = []
  let address: string | undefined
  for (const node of homes) {
    const began = Date.now()
    await createPod(cluster.kube, 'keeper', node, 'static')
    const pod = await until('the pod has an address', () => podWithAddress(cluster.kube, 'keeper'), 60)
    took.push(`${((Date.now() - began) / 1000).toFixed(1)} s`)
    if (address !== undefined && pod.address !== address)
      throw new Error(`it had ${address}, and has ${pod.address} on ${node}`)
    address = pod.address
    const { received, sent } = await ping(cluster, from, address ?? '', 3)
    if (received < sent) throw new Error(`${sent - received} of ${sent} packets to it on ${node} were lost`)
    await deletePod(cluster.kube, 'keeper')
    await until('the pod is gone', async () => {
      const left = await listPods(cluster.kube)
      return left.some(({ name }) => name === 'keeper') ? undefined : true
    })
  }
  return `keeper = ${address} on ${homes.join(', ')}; it answered pings there, ready after ${took.join(', ')}`
}

async function eipPod({ cluster, until }: Tour): Promise<string> {
  const { host } = cluster
  const [without] = await until('a pod without', () => podsWithAddresses(cluster.kube, ['first']))
  if (without === undefined) throw new Error('the pod is gone')
  const outside = await host.call('outside', null).then(
    (found) => found.address,
    (error: Error) => error,
  )
  if (outside instanceof Error) return `left out: ${outside.message}`
  await createPod(cluster.kube, 'public', 'node-1', 'with-eip')
  const began = Date.now()
  const pod = await until('the pod has an address', () => podWithAddress(cluster.kube, 'public'))
  const { address, id } = await until('its EIP is bound', () => eipOf(cluster, 'public'), 60)
  const took = ((Date.now() - began) / 1000).toFixed(1)
  const into = () => host.call('pingFromOutside', { to: address, count: 3, intervalMs: 50 })
  await until('packets come in', async () => ((await into()).received === 3 ? true : undefined))
  const [out, other] = await Promise.all([
    ping(cluster, pod, outside, 3, 50),
    ping(cluster, without, outside, 3, 50),
  ])
  if (out.received < out.sent || other.received > 0)
    throw new Error(`${out.received} of its packets came back, and ${other.received} of a pod without an EIP`)
  await deletePod(cluster.kube, 'public')
  await until('the EIP is released', () => (eipInCloud(cluster, id) ? undefined : true), 60)
  return `public = ${pod.address} has ${address} after ${took} s; 3 packets in and 3 out, of a pod without an EIP none; released with the pod`
}

async function killLeader({ cluster, until, pool }: Tour): Promise<string> {
  const names = numbered('scale', 16)
  await Promise.all(names.map((name) => createPod(cluster.kube, name, 'node-2')))
  const open = await until('cloud calls are open', () => openIntents(cluster) || undefined, 20)
  await cluster.killLeader()
  const killedAt = Date.now()
  await until('all have addresses', () => podsWithAddresses(cluster.kube, names), 60)
  const recovered = ((Date.now() - killedAt) / 1000).toFixed(1)
  await until('the pool is warm again', () => pool('node-2').idle >= 5 || undefined, 60)
  return `killed with ${open} calls open; 16 pods have addresses ${recovered} s later`
}

async function killAgent({ cluster, until, pool }: Tour): Promise<string> {
  const [from, to] = await until('two pods', () => podsWithAddresses(cluster.kube, ['first', 'other-zone']))
  if (from === undefined || to === undefined) throw new Error('the pods are gone')
  const talking = ping(cluster, from, to.address ?? '', 30, 100)
  await cluster.host.call('killAgent', { node: 'node-1' })
  await cluster.host.call('killAgent', { node: 'node-3' })
  const { sent, received } = await talking
  if (received < sent) throw new Error(`${sent - received} of ${sent} packets were lost`)
  await createPod(cluster.kube, 'after-kill', 'node-3')
  await until('a new pod has an address', () => podWithAddress(cluster.kube, 'after-kill'))
  return `${sent} packets, none lost; the agent is back with ${pool('node-3').inUse} pods and serves new ones`
}

async function outage({ cluster, until, pool }: Tour): Promise<string> {
  await cluster.api.interrupt()
  cluster.cloud.setFaults({ outage: 'reset' })
  const names = ['warm-1', 'warm-2', 'warm-3']
  const addresses = await Promise.all(
    names.map((name) => cluster.host.call('runStatic', { node: 'node-3', name })),
  )
  const report = await cluster.host.call('ping', {
    node: 'node-3',
    pod: 'static/warm-1',
    to: addresses[1] ?? '',
    count: 3,
    intervalMs: 100,
  })
  if (report.received < report.sent) throw new Error('the new pods cannot reach each other')
  await cluster.host.call('endStatic', { node: 'node-3', name: 'warm-3' })
  cluster.cloud.setFaults({ outage: 'off' })
  await cluster.api.resume()
  for (const name of ['warm-1', 'warm-2']) await cluster.host.call('endStatic', { node: 'node-3', name })
  await createPod(cluster.kube, 'after-outage', 'node-2')
  await until('the system works again', () => podWithAddress(cluster.kube, 'after-outage'), 60)
  await until('the pool is warm again', () => pool('node-2').idle >= 5 || undefined, 60)
  return `${names.length} pods got ${addresses.join(', ')} meanwhile and answered pings`
}

async function loseLeader({ cluster, until, pool }: Tour): Promise<string> {
  const standby = cluster.addLeader('leader-2')
  await until('there is a standby', () => said(standby, 'does not lead'))
  const names = numbered('takeover', 8)
  await Promise.all(names.map((name) => createPod(cluster.kube, name, 'node-3')))
  const open = await until('cloud calls are open', () => openIntents(cluster) || undefined, 20)
  await cluster.haltLeader()
  rmSync(cluster.leader.directory, { recursive: true })
  const lostAt = Date.now()
  const seconds = () => `${((Date.now() - lostAt) / 1000).toFixed(1)} s`
  await until('the standby leads', () => said(standby, 'ledger rebuilt'), 60)
  const led = seconds()
  cluster.lookAt(standby)
  await until('all have addresses', () => podsWithAddresses(cluster.kube, names), 60)
  const served = seconds()
  await until('the pool is warm again', () => pool('node-3').idle >= 5 || undefined, 60)
  return `lost with ${open} calls open; the standby has a ledger made anew after ${led}, ${names.length} pods have addresses after ${served}`
}

function said({ logFile }: DevLeader, event: string): true | undefined {
  return readFileSync(logFile, 'utf8').includes(`"msg":"${event}"`) || undefined
}

async function finalAudit({ cluster, until }: Tour): Promise<string> {
  let audit = await auditCluster(cluster)
  await until(
    'all is settled',
    async () => {
      audit = await auditCluster(cluster)
      return audit.leaks.length === 0 || undefined
    },
    60,
  ).catch(() => undefined)
  if (audit.leaks.length + audit.doubles.length > 0)
    throw new Error([...audit.leaks, ...audit.doubles].join('; '))
  return `${audit.enis} ENIs, ${audit.addresses} addresses, ${audit.reservations} reservations, ${audit.pods} pods: 0 leaks, 0 doubles`
}

function createTour(cluster: DevCluster): Tour {
  const pool = (node: string): PoolLine => {
    const line = readPools(cluster).find((each) => each.node === node)
    if (line === undefined) throw new Error(`there is no node "${node}"`)
    return line
  }
  return {
    cluster,
    pool,
    async until(what, probe, seconds = 30) {
      const end = Date.now() + seconds * 1000
      for (;;) {
        const value = await probe()
        if (value !== undefined) return value
        if (Date.now() > end) throw new Error(`${what}: not so after ${seconds} s`)
        await new Promise((resolve) => setTimeout(resolve, 50))
      }
    },
  }
}

function numbered(name: string, count: number): readonly string[] {
  return Array.from({ length: count }, (_, i) => `${name}-${i + 1}`)
}
