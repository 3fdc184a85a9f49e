// What happens to static pods and their claims, drawn apart from the rest: a world without them is as it would be without this file.
import { pick, type Random, randomInt } from '../../../internal/base/random.ts'
import type { Millis } from '../../../internal/value/millis.ts'
import { logUniform, stream } from './chance.ts'
import { claimPoints } from './crash-targets.ts'
import type { Happening } from './draw.ts'
import type { ClaimWhat } from './happenings.ts'
import type { Place } from './static-pods.ts'

export interface ClaimShape {
  readonly staticIps: boolean
  /** Static worlds may have a pool beside, or not. */
  readonly noWarm: boolean
  readonly claimExpiry: Millis | undefined
}

export function drawClaimShape(seed: number): ClaimShape {
  const random = stream(seed, 'claims')
  return {
    staticIps: random.next() < 0.6,
    noWarm: random.next() < 0.5,
    claimExpiry: random.next() < 0.5 ? logUniform(random, 300_000, 1_200_000) : undefined,
  }
}

type Weights = ReadonlyMap<ClaimWhat['kind'], number>

const usual: Readonly<Record<ClaimWhat['kind'], number>> = {
  'start-static': 10,
  'end-static': 12,
  'force-delete': 3,
  'release-claim': 4,
  'drain-node': 1.5,
  'deny-reserving': 2.5,
  'hand-releases-reservation': 0.7,
  'hand-unassigns-claimed': 0.7,
  'hand-assigns-claimed': 0.7,
  'leader-clock-jumps': 2,
  'die-at-claim': 6,
}
const always: ReadonlySet<string> = new Set(['start-static', 'end-static'])

/** Beside what happens anyhow, until `endAt`; ids go on from there. */
export function drawClaimHappenings(
  seed: number,
  shape: ClaimShape,
  others: readonly Happening[],
  endAt: Millis,
): readonly Happening[] {
  const random = stream(seed, 'claim happenings')
  // Without static addresses the pods are there all the same, now and then: they are told so.
  if (!shape.staticIps && random.next() < 0.8) return []
  const kinds = drawKinds(random)
  const happenings: Happening[] = []
  const add = (at: Millis, what: ClaimWhat) =>
    happenings.push({ id: others.length + happenings.length, at, ...what })
  // Some roles may not reserve addresses at all.
  if (random.next() < 0.2)
    add(0, { kind: 'deny-reserving', actions: ['CreateReserveIpAddresses'], forMs: endAt })
  for (let i = randomInt(random, 8, 40); i > 0; i--) {
    const at = Math.floor(random.next() ** 1.2 * endAt)
    const nodes = others.flatMap((one) => (one.kind === 'add-node' && one.at <= at ? [one.node] : []))
    add(at, drawWhat(drawKind(random, kinds), random, nodes))
  }
  return happenings
}

function drawKinds(random: Random): Weights {
  const density = 0.4 + random.next() * 0.6
  return new Map(
    Object.entries(usual).flatMap(([name, weight]): [ClaimWhat['kind'], number][] => {
      if (!always.has(name) && random.next() >= density) return []
      return [[name as ClaimWhat['kind'], weight * 4 ** (random.next() * 2 - 1)]]
    }),
  )
}

function drawKind(random: Random, kinds: Weights): ClaimWhat['kind'] {
  const total = [...kinds.values()].reduce((sum, weight) => sum + weight, 0)
  let roll = random.next() * total
  for (const [kind, weight] of kinds) {
    roll -= weight
    if (roll < 0) return kind
  }
  return 'start-static'
}

function drawName(random: Random): string {
  return `${pick(random, ['web', 'web', 'db']) ?? 'web'}-${randomInt(random, 0, 4)}`
}

function drawPlace(random: Random): Place | 'never' {
  return pick(random, ['node', 'zone', 'zone', 'zone', 'anywhere', 'never', 'never'] as const) ?? 'zone'
}

function drawWhat(kind: ClaimWhat['kind'], random: Random, nodes: readonly string[]): ClaimWhat {
  const name = drawName(random)
  switch (kind) {
    case 'start-static': {
      const node = pick(random, nodes) ?? 'node-1'
      const expires = random.next() < 0.2
      return {
        kind,
        name,
        node,
        ...(expires && { expireAfter: logUniform(random, 300_000, 1_200_000) }),
      }
    }
    case 'end-static':
      return { kind, name, place: drawPlace(random) }
    case 'release-claim':
      return { kind, name, force: random.next() < 0.15 }
    case 'drain-node':
      return { kind, node: pick(random, nodes) ?? 'node-1', forMs: logUniform(random, 1000, 600_000) }
    case 'deny-reserving': {
      const both = ['CreateReserveIpAddresses', 'DeleteReserveIpAddresses']
      const actions = pick(random, [both, both.slice(0, 1), both.slice(0, 1), both.slice(1)]) ?? both
      return { kind, actions, forMs: logUniform(random, 1000, 1_800_000) }
    }
    case 'hand-releases-reservation':
    case 'hand-unassigns-claimed':
    case 'hand-assigns-claimed':
      return { kind }
    case 'leader-clock-jumps': {
      const byMs = logUniform(random, 60_000, 365 * 86_400_000)
      return { kind, byMs: random.next() < 0.3 ? -byMs : byMs, downMs: logUniform(random, 100, 120_000) }
    }
    case 'die-at-claim':
      return {
        kind,
        point: pick(random, claimPoints) ?? '',
        skip: random.next() < 0.6 ? 0 : randomInt(random, 1, 5),
      }
    case 'force-delete':
      return { kind, name, place: drawPlace(random), heardAfterMs: logUniform(random, 10, 120_000) }
  }
}
