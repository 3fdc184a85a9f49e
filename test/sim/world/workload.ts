// What happens to the system in one run: pods come and go, processes die, clouds and API servers fail; then all is
// healthy again and has time to settle.
import { pick, type Random, randomInt } from '../../../internal/base/random.ts'
import type { PodFact } from '../../../internal/ipam/types.ts'
import { noFaults } from '../../../internal/sim/vpc/settings.ts'
import { quietFaults, Watchman } from './invariants.ts'
import { type Plant, type SimNode, World } from './world.ts'

export interface RunResult {
  readonly seed: number
  readonly faults: readonly string[]
  readonly trace: readonly string[]
  readonly steps: number
  readonly crashes: number
  readonly virtualMs: number
}

const settleMs = 45 * 60_000

/** One seed, to its end or to the first fault. */
export async function runSeed(seed: number, plant: Plant = {}): Promise<RunResult> {
  const world = new World(seed, plant)
  const startedAt = world.clock.now()
  const watchman = new Watchman(world)
  let steps = 0
  const result = (faults: readonly string[]): RunResult => {
    world.close()
    return {
      seed,
      faults,
      trace: world.trace,
      steps,
      crashes: world.crashes,
      virtualMs: world.clock.now() - startedAt,
    }
  }
  /** Lets `duration` pass, looking after every step. */
  const pass = async (duration: number): Promise<string[]> => {
    let faults: string[] = []
    await world.clock.drive(duration, () => {
      steps++
      faults = watchman.look()
      return faults.length === 0
    })
    return faults
  }
  world.startLeader()
  for (let i = randomInt(world.random, 1, 3); i > 0; i--) world.addNode()
  const actions = randomInt(world.random, 20, 80)
  for (let i = 0; i < actions; i++) {
    happen(world)
    const faults = await pass(randomInt(world.random, 10, pick(world.random, [100, 2000, 60_000]) ?? 100))
    if (faults.length > 0) return result(faults)
  }
  heal(world)
  const faults = await pass(settleMs)
  return result(faults.length > 0 ? faults : quietFaults(world))
}

interface Happening {
  readonly weight: number
  readonly happen: (world: World) => void
}

const happenings: readonly Happening[] = [
  { weight: 30, happen: (world) => startPods(world, 1) },
  { weight: 10, happen: (world) => startPods(world, randomInt(world.random, 5, 15)) },
  { weight: 25, happen: (world) => endPods(world, 1) },
  { weight: 6, happen: (world) => endPods(world, 10) },
  { weight: 6, happen: replaceSandbox },
  { weight: 5, happen: (world) => world.leaderProcess?.kill('killed') },
  { weight: 5, happen: (world) => liveNode(world)?.process?.kill('killed') },
  { weight: 2, happen: (world) => void world.addNode() },
  { weight: 1, happen: (world) => removeNode(world) },
  { weight: 1, happen: (world) => reboot(world) },
  { weight: 2, happen: withNode((world, node) => world.loseNodeDatabase(node)) },
  { weight: 1, happen: withNode((world, node) => world.backUpNode(node)) },
  { weight: 1, happen: withNode((world, node) => world.restoreNode(node)) },
  { weight: 2, happen: (world) => world.loseLeaderDatabase() },
  { weight: 1, happen: (world) => world.backUpLeader() },
  { weight: 1, happen: (world) => world.restoreLeader() },
  { weight: 1, happen: ({ hands }) => hands.detachEni() },
  { weight: 1, happen: ({ hands }) => hands.deleteEni() },
  { weight: 1, happen: ({ hands }) => hands.moveEni() },
  { weight: 2, happen: ({ hands }) => hands.unassign() },
  { weight: 1, happen: ({ hands }) => hands.assign() },
  { weight: 2, happen: ({ hands }) => hands.makeOrphan() },
  { weight: 1, happen: ({ hands }) => hands.makeForeign() },
  { weight: 3, happen: (world) => world.kube.breakWatches() },
  { weight: 3, happen: kubeOutage },
  { weight: 3, happen: cloudOutage },
  { weight: 4, happen: cloudFaults },
  { weight: 3, happen: crashPoints },
]

function happen(world: World): void {
  const total = happenings.reduce((sum, { weight }) => sum + weight, 0)
  let roll = world.random.next() * total
  for (const happening of happenings) {
    roll -= happening.weight
    if (roll < 0) return happening.happen(world)
  }
}

function startPods(world: World, count: number): void {
  const node = liveNode(world)
  if (node === undefined) return
  for (let i = 0; i < count; i++) {
    const name = `pod-${randomInt(world.random, 1, 1_000_000)}`
    const pod: PodFact = {
      namespace: 'default',
      name,
      uid: `uid-${name}`,
      node: node.name,
      hostNetwork: false,
      terminal: false,
      deleting: false,
      wantsRouteEni: true,
      ip: undefined,
    }
    world.kube.pods.put(pod.uid, pod)
    node.kubelet.start(pod)
  }
  world.log(`${node.name}: ${count} pods are scheduled`)
}

function endPods(world: World, count: number): void {
  const node = liveNode(world)
  for (const { uid } of node?.kubelet.runningPods().slice(0, count) ?? []) {
    const pod = world.kube.pods.items.get(uid)
    if (pod !== undefined) world.kube.pods.put(uid, { ...pod, deleting: true })
    node?.kubelet.end(uid)
  }
  world.log(`${node?.name}: up to ${count} pods end`)
}

function replaceSandbox(world: World): void {
  const node = liveNode(world)
  const pod = pick(world.random, node?.kubelet.runningPods() ?? [])
  if (pod === undefined) return
  world.log(`${node?.name}: the sandbox of ${pod.name} dies`)
  node?.kubelet.replaceSandbox(pod.uid)
}

function removeNode(world: World): void {
  const node = liveNode(world)
  if (node !== undefined && world.nodes.filter(({ gone }) => !gone).length > 1) world.removeNode(node)
}

function reboot(world: World): void {
  const node = liveNode(world)
  if (node !== undefined) world.reboot(node)
}

function withNode(happen: (world: World, node: SimNode) => void): Happening['happen'] {
  return (world) => {
    const node = liveNode(world)
    if (node !== undefined) happen(world, node)
  }
}

function kubeOutage(world: World): void {
  world.log('the API server is out')
  world.kube.setOutage(true)
  world.clock.after(randomInt(world.random, 100, 90_000), () => {
    world.log('the API server is back')
    world.kube.setOutage(false)
  })
}

function cloudOutage(world: World): void {
  const outage = pick(world.random, ['reset', 'unavailable'] as const) ?? 'reset'
  world.log(`the cloud is out (${outage})`)
  world.cloud.setFaults({ outage })
  world.clock.after(randomInt(world.random, 100, 90_000), () => {
    world.log('the cloud is back')
    world.cloud.setFaults({ outage: 'off' })
  })
}

function cloudFaults(world: World): void {
  const some = (most: number) => (world.random.next() < 0.5 ? { '*': world.random.next() * most } : {})
  const faults = {
    throttle: some(0.5),
    lostRequests: some(0.3),
    lostAnswers: some(0.3),
    failTasks: some(0.2),
    staleDescribeMs: world.random.next() < 0.3 ? randomInt(world.random, 100, 3000) : 0,
    taskDelayMs: world.random.next() < 0.3 ? randomInt(world.random, 100, 20_000) : 0,
  }
  world.log(`the cloud misbehaves: ${JSON.stringify(faults)}`)
  world.cloud.setFaults(faults)
}

function crashPoints(world: World): void {
  world.crash.chance = world.random.next() < 0.5 ? 0 : world.random.next() * 0.1
  world.log(`processes die at ${(world.crash.chance * 100).toFixed(1)} % of their calls`)
}

function heal(world: World): void {
  world.log('everything is healthy again')
  world.crash.chance = 0
  world.cloud.setFaults(noFaults)
  world.kube.setOutage(false)
  world.kube.breakWatches()
  world.hands.repair()
}

function liveNode(world: World) {
  return pick(
    world.random as Random,
    world.nodes.filter(({ gone }) => !gone),
  )
}
