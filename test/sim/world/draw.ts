// What one seed draws: the world it plays in, which faults exist in it at all, and what happens when. All of it is data, so
// that a failing run can be played again without a part of it.
import { pick, type Random, randomInt } from '../../../internal/base/random.ts'
import type { ElectionSettings } from '../../../internal/leader/term.ts'
import { drawAnnotations } from './annotations.ts'
import { logUniform, stream } from './chance.ts'
import { crashTargets, intentPoints } from './crash-targets.ts'
import { type ClaimShape, drawClaimHappenings, drawClaimShape } from './draw-claims.ts'
import { drawEipHappenings, drawEipShape, type EipShape } from './draw-eips.ts'
import type { EipWhat } from './eip-happenings.ts'
import { type ClaimWhat, type HappeningKind, type What, zones } from './happenings.ts'

export interface Plan {
  readonly seed: number
  readonly shape: Shape
  readonly happenings: readonly Happening[]
  /** When all faults end. */
  readonly healAt: number
  /** Of what rates may decide, only this; absent: as they decide. */
  readonly only?: readonly string[]
}

export interface Shape extends ClaimShape, EipShape {
  readonly minWarm: number
  readonly maxWarm: number
  readonly exclusiveEnis: boolean
  readonly exclusiveMinWarm: number
  readonly exclusiveMaxWarm: number
  /** Of the leader, for all nodes. */
  readonly maxEnisPerNode: number | undefined
  readonly quickRelease: boolean
  /** Machines on which a leader runs or stands by. */
  readonly leaders: number
  /** undefined: the one leader needs none. */
  readonly lease: ElectionSettings | undefined
  /** Prefix length of the pods' subnet in each zone. */
  readonly subnetBits: readonly number[]
  /** How long the cloud takes for a transition. */
  readonly cloudMs: { readonly minMs: number; readonly maxMs: number }
  /** A dead process is back after so long at most. */
  readonly restartMs: number
  /** After the last happening the system is watched to the end of time, quiet or not. */
  readonly watchedLong: boolean
}

export type Happening = { readonly id: number; readonly at: number } & (What | ClaimWhat | EipWhat)

/** The plan of `seed`. */
export function draw(seed: number): Plan {
  const random = stream(seed, 'plan')
  const claims = drawClaimShape(seed)
  const isBare = claims.staticIps && claims.noWarm
  const minWarm = randomInt(random, 0, 4)
  const maxWarm = minWarm + randomInt(random, 0, 3)
  const shape: Shape = {
    ...claims,
    ...drawEipShape(seed),
    minWarm: isBare ? 0 : minWarm,
    maxWarm: isBare ? 0 : maxWarm,
    quickRelease: random.next() < 0.3,
    ...drawExclusive(random),
    maxEnisPerNode: random.next() < 0.15 ? randomInt(random, 1, 3) : undefined,
    ...drawLeaders(random),
    subnetBits: zones.map(() => pick(random, [27, 27, 24, 24, 24]) ?? 24),
    cloudMs: { minMs: 50, maxMs: pick(random, [500, 2000, 2000, 8000]) ?? 2000 },
    restartMs: logUniform(random, 500, 60_000),
    watchedLong: random.next() < 0.1,
  }
  const kinds = drawKinds(random)
  const nodes = new Nodes(random)
  const context = { random, nodes, shape }
  const happenings: Happening[] = []
  let at = 0
  const add = (what: What) => happenings.push({ id: happenings.length, at, ...what })
  for (let i = randomInt(random, 1, 3); i > 0; i--) add(nodes.add())
  // Rare points are passed seldom: a death waits for them from the beginning.
  for (let i = randomInt(random, 0, 2); i > 0; i--)
    add({
      kind: 'die-at',
      who: 'leader',
      point: pick(random, intentPoints) ?? '',
      skip: randomInt(random, 0, 1),
    })
  const hurry = pick(random, [1, 1, 1, 4]) ?? 1
  for (let i = randomInt(random, 15, 70); i > 0; i--) {
    at += Math.ceil(randomInt(random, 10, pick(random, [100, 2000, 60_000]) ?? 100) / hurry)
    const what = drawOne(kinds, context)
    if (what !== undefined) add(what)
  }
  at += randomInt(random, 10, 60_000)
  const ofClaims = drawClaimHappenings(seed, shape, happenings, at)
  const before = [...happenings, ...ofClaims]
  const all = [...before, ...drawEipHappenings(seed, shape, before, at)]
  return { seed, shape, happenings: all.toSorted((a, b) => a.at - b.at), healAt: at }
}

/** Two lines for people. */
export function describePlan({ shape, happenings, healAt, only }: Plan): readonly string[] {
  const counts = Map.groupBy(happenings, ({ kind }) => kind)
  const kinds = [...counts].map(([kind, all]) => `${all.length} ${kind}`)
  return [
    `world: ${JSON.stringify(shape)}`,
    `happens: ${kinds.join(', ')}; healthy from ${(healAt / 1000).toFixed(3)} s${only === undefined ? '' : `; of chance only: ${only.join(', ') || 'nothing'}`}`,
  ]
}

/** The nodes as far as the plan knows them. */
class Nodes {
  readonly #names: string[] = []
  readonly #random: Random
  #count = 0

  constructor(random: Random) {
    this.#random = random
  }

  add(): What {
    const node = `node-${++this.#count}`
    this.#names.push(node)
    const zone = randomInt(this.#random, 0, zones.length - 1)
    const type = pick(this.#random, ['SA2.SMALL1', 'S5.MEDIUM4', 'S5.MEDIUM4']) ?? 'SA2.SMALL1'
    const maxPods = this.#random.next() < 0.15 ? { maxPods: randomInt(this.#random, 2, 20) } : {}
    return { kind: 'add-node', node, zone, type, ...maxPods }
  }

  any(): string {
    return pick(this.#random, this.#names) ?? 'node-1'
  }

  /** The last one stays. */
  drop(): string | undefined {
    if (this.#names.length < 2) return undefined
    return this.#names.splice(randomInt(this.#random, 0, this.#names.length - 1), 1)[0]
  }

  get size(): number {
    return this.#names.length
  }
}

/** In half of the worlds there are none. */
function drawExclusive(
  random: Random,
): Pick<Shape, 'exclusiveEnis' | 'exclusiveMinWarm' | 'exclusiveMaxWarm'> {
  const exclusiveMinWarm = pick(random, [0, 0, 1, 1, 2]) ?? 0
  return {
    exclusiveEnis: random.next() < 0.55,
    exclusiveMinWarm,
    exclusiveMaxWarm: exclusiveMinWarm + randomInt(random, 0, 1),
  }
}

function drawLeaders(random: Random): Pick<Shape, 'leaders' | 'lease'> {
  const leaders = pick(random, [1, 1, 1, 2, 2, 3]) ?? 1
  if (leaders === 1 && random.next() < 0.5) return { leaders, lease: undefined }
  const second = random.next() < 0.3 ? 1000 : 4000 // slower ones make shorter runs
  return {
    leaders,
    lease: { leaseDuration: 15 * second, renewDeadline: 10 * second, retryEvery: 2 * second },
  }
}

type Weights = ReadonlyMap<HappeningKind, number>

/** Usual weights; always there are those of `always`. */
const usual: Readonly<Record<HappeningKind, number>> = {
  'start-pods': 36,
  'end-pods': 30,
  'add-node': 2,
  'replace-sandbox': 6,
  annotate: 6,
  'resize-instance': 1,
  'set-max-pods': 1,
  'change-settings': 1,
  'remove-node': 1.5,
  reboot: 1.5,
  'lose-node-database': 2,
  'back-up-node': 1.5,
  'restore-node': 1.5,
  'lose-leader-database': 2,
  'back-up-leader': 1,
  'restore-leader': 1,
  'hand-detaches': 1,
  'hand-deletes': 1,
  'hand-moves': 1,
  'hand-unassigns': 2,
  'hand-assigns': 1,
  'hand-makes-orphan': 2,
  'hand-makes-foreign': 1,
  'lose-leader-machine': 1,
  'delete-lease': 1,
  'cut-off': 3,
  'kill-leader': 5,
  'kill-agent': 5,
  'die-at': 30,
  'stop-process': 3,
  'set-clock': 3,
  'break-watches': 2,
  'deaf-watches': 2,
  'short-list': 5,
  'kube-outage': 2,
  'kube-faults': 3,
  'cloud-outage': 2,
  'cloud-faults': 5,
  'stale-describe': 3,
  'crash-rate': 3,
}
const always: ReadonlySet<HappeningKind> = new Set(['start-pods', 'end-pods'])

/** Swarm: half of the kinds do not exist in a run, and those that do have rates of their own. */
function drawKinds(random: Random): Weights {
  const density = 0.3 + random.next() * 0.6
  return new Map(
    Object.entries(usual).flatMap(([name, weight]): [HappeningKind, number][] => {
      const kind = name as HappeningKind
      if (!always.has(kind) && random.next() >= density) return []
      return [[kind, weight * 4 ** (random.next() * 2 - 1)]]
    }),
  )
}

interface Context {
  readonly random: Random
  readonly nodes: Nodes
  readonly shape: Shape
}

function drawOne(kinds: Weights, context: Context): What | undefined {
  const { random } = context
  const total = [...kinds.values()].reduce((sum, weight) => sum + weight, 0)
  let roll = random.next() * total
  for (const [kind, weight] of kinds) {
    roll -= weight
    if (roll < 0) return drawWhat(kind, context)
  }
  return undefined
}

/** Mostly short, now and then hours. */
function span(random: Random): number {
  return logUniform(random, 100, random.next() < 0.04 ? 3 * 3_600_000 : 120_000)
}

function some(random: Random, most: number): number {
  return random.next() < 0.5 ? 0 : Number((random.next() * most).toFixed(3))
}

function drawPods({ random, shape }: Context) {
  const isExclusive = random.next() < (shape.exclusiveEnis ? 0.3 : 0.02)
  const few = random.next() < 0.7
  if (isExclusive) return { wants: 'exclusive' as const, count: few ? 1 : randomInt(random, 2, 4) }
  return { wants: 'shared' as const, count: few ? 1 : randomInt(random, 2, 15) }
}

function drawSettings({ random, shape }: Context) {
  const minWarm = randomInt(random, 0, 4)
  const { exclusiveMaxWarm, exclusiveMinWarm } = drawExclusive(random)
  return {
    defaults: {
      shared: { minWarm, maxWarm: minWarm + randomInt(random, 0, 3) },
      exclusive: { minWarm: exclusiveMinWarm, maxWarm: exclusiveMaxWarm },
    },
    exclusiveEnis: random.next() < 0.2 ? !shape.exclusiveEnis : shape.exclusiveEnis,
    hot: random.next() < 0.5,
  }
}

function drawWhat(kind: HappeningKind, context: Context): What | undefined {
  const { random, nodes, shape } = context
  const node = nodes.any()
  const who = random.next() < 0.5 ? 'leader' : node
  switch (kind) {
    case 'start-pods':
      return { kind, node, ...drawPods(context) }
    case 'annotate':
      return { kind, node, set: drawAnnotations(random) }
    case 'resize-instance':
      return { kind, node, type: pick(random, ['SA2.SMALL1', 'S5.MEDIUM4', 'SA2.2XLARGE16']) ?? 'SA2.SMALL1' }
    case 'set-max-pods':
      return { kind, node, maxPods: random.next() < 0.3 ? null : randomInt(random, 1, 25) }
    case 'change-settings':
      return { kind, ...drawSettings(context) }
    case 'end-pods':
      return { kind, node, count: random.next() < 0.7 ? 1 : randomInt(random, 2, 15) }
    case 'add-node':
      return nodes.size < 5 ? nodes.add() : undefined
    case 'remove-node': {
      const dropped = nodes.drop()
      return dropped === undefined ? undefined : { kind, node: dropped, whileAttaching: random.next() < 0.5 }
    }
    case 'replace-sandbox':
    case 'lose-node-database':
    case 'back-up-node':
    case 'restore-node':
    case 'reboot':
      return { kind, node }
    case 'kill-agent':
      return { kind, node, downMs: span(random) }
    case 'kill-leader':
    case 'lose-leader-machine':
      return { kind, downMs: span(random) }
    case 'die-at': {
      const point = pick(random, crashTargets) ?? ''
      const skip = random.next() < 0.6 ? 0 : randomInt(random, 1, 5)
      return { kind, who: point.startsWith('leader.') ? 'leader' : node, point, skip }
    }
    case 'cut-off':
      return { kind, who, forMs: span(random) }
    case 'stop-process':
      return { kind, who, forMs: logUniform(random, 100, 300_000) }
    case 'set-clock':
      return { kind, who, byMs: (random.next() < 0.5 ? -1 : 1) * logUniform(random, 1000, 24 * 3_600_000) }
    case 'break-watches':
    case 'delete-lease':
    case 'lose-leader-database':
    case 'back-up-leader':
    case 'restore-leader':
    case 'hand-detaches':
    case 'hand-deletes':
    case 'hand-moves':
    case 'hand-unassigns':
    case 'hand-assigns':
    case 'hand-makes-orphan':
    case 'hand-makes-foreign':
      return { kind }
    case 'deaf-watches':
    case 'kube-outage':
      return { kind, forMs: span(random) }
    case 'short-list':
      return {
        kind,
        of: pick(random, ['nodes', 'pods', 'necs', 'all', 'all'] as const) ?? 'all',
        share: random.next() < 0.3 ? 1 : random.next(),
        forMs: span(random),
      }
    case 'kube-faults':
      return {
        kind,
        forMs: span(random),
        faults: {
          twice: some(random, 0.3),
          swapped: some(random, 0.5),
          lateMs: random.next() < 0.5 ? 50 : logUniform(random, 50, 30_000),
          refused: some(random, 0.5),
          lostAnswers: some(random, 0.3),
        },
      }
    case 'cloud-outage':
      return { kind, how: pick(random, ['reset', 'unavailable'] as const) ?? 'reset', forMs: span(random) }
    case 'cloud-faults':
      return {
        kind,
        forMs: span(random),
        link: {
          throttle: some(random, 0.5),
          lostRequests: some(random, 0.3),
          lostAnswers: some(random, 0.3),
          lateRequests: some(random, 0.1),
          silence: some(random, 1),
          // A lease leaves so much time for what its holder sent last; one leader alone has all the time of the world.
          lateMs: shape.leaders === 1 ? (pick(random, [500, 3000, 20_000]) ?? 500) : 3000,
        },
        failTasks: some(random, 0.2),
        taskDelayMs: random.next() < 0.7 ? 0 : logUniform(random, 100, 20_000),
      }
    case 'stale-describe':
      return { kind, forMs: span(random), staleMs: randomInt(random, 100, 3000) }
    case 'crash-rate':
      return { kind, forMs: span(random), rate: Number((random.next() * 0.05).toFixed(3)) }
  }
}
