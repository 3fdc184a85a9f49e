// What happens to pods with public addresses, drawn apart from the rest: a world without them is as it would be without this file.
import { pick, type Random, randomInt } from '../../../internal/base/random.ts'
import { type EipWish, eipWishOf } from '../../../internal/ipam/eip-wish.ts'
import type { Millis } from '../../../internal/value/millis.ts'
import { logUniform, stream } from './chance.ts'
import { eipPoints } from './crash-targets.ts'
import type { Happening } from './draw.ts'
import type { ClaimShape } from './draw-claims.ts'
import type { EipWhat } from './eip-happenings.ts'
import type { ClaimWhat } from './happenings.ts'
import type { Asks, Place } from './static-pods.ts'

export interface EipShape {
  readonly eips: boolean
  /** What ip-masq-agent's ConfigMap says before any leader; undefined: there is none. */
  readonly masqConfig: string | undefined
  readonly createMasqConfig: boolean
}

const masqConfigs = [
  '{"NonMasqueradeCIDRs":["172.16.0.0/16","10.67.0.0/16"],"NonMasqueradeSrcCIDRs":["172.16.0.2/32"],"MasqLinkLocal":true,"ResyncInterval":"1m0s","MasqLinkLocalIPv6":false}',
  '{"NonMasqueradeCIDRs":["172.16.0.0/16"],"MasqLinkLocal":true}',
  '{\n  "NonMasqueradeCIDRs": ["10.0.0.0/8"],\n  "NonMasqueradeSrcCIDRs": ["192.168.1.0/24", "10.0.0.7/32"]\n}\n',
  '# ours\nnonMasqueradeCIDRs:\n  - 10.0.0.0/8 # the VPC\nnonMasqueradeSrcCIDRs:\n  - 192.168.7.9/32 # printer\nmasqLinkLocal: true\n',
  'nonMasqueradeCIDRs:\n  - 10.0.0.0/8\nresyncInterval: 60s\n',
]

export function drawEipShape(seed: number): EipShape {
  const random = stream(seed, 'eips')
  const eips = random.next() < 1 / 3
  return {
    eips,
    masqConfig: eips && random.next() < 0.85 ? pick(random, masqConfigs) : undefined,
    createMasqConfig: random.next() < 0.5,
  }
}

/** Of users. */
export const userEips: readonly string[] = [0, 1, 2, 3, 4, 5].map((n) => `eip-user000${n}`)

/** What the pods of a name say of a public address: their names tell, so that the next one of a name says the same. */
function wishOf(name: string, expireAfter: Millis | undefined): EipWish {
  const expiry = expireAfter === undefined ? undefined : `${Math.ceil(expireAfter / 1000)}s`
  const never = { policy: 'Never', expiry }
  const immediate = { policy: undefined, expiry: undefined }
  const listed = (...which: readonly number[]) => which.map((n) => userEips[n]).join(',')
  const said: Readonly<Record<string, Parameters<typeof eipWishOf>[0]>> = {
    pub: { attributes: '{"Bandwidth":"100","ISP":"BGP"}', ids: undefined, ...immediate },
    kept: { attributes: '', ids: undefined, ...never },
    own: { attributes: undefined, ids: listed(0, 1, 2), ...immediate },
    mine: { attributes: undefined, ids: listed(3, 4), ...never },
    any: { attributes: undefined, ids: listed(1, 5), ...immediate },
  }
  const [form = ''] = name.split('-')
  const annotations = said[form]
  const wish = annotations && eipWishOf(annotations, { name, controllerKind: 'StatefulSet' })
  if (wish === undefined || 'fault' in wish) throw new Error(`nobody knows what ${name} asks for`)
  return wish
}

type Weights = readonly (readonly [kind: Kind, weight: number])[]
type Kind = EipWhat['kind'] | 'end-static' | 'force-delete'

const usual: Readonly<Record<Kind, number>> = {
  'start-eip': 12,
  'end-static': 10,
  'force-delete': 3,
  'release-eip': 4,
  'deny-eips': 2,
  'eip-quota': 1.5,
  'no-balance': 1,
  'fail-eip-tasks': 2,
  'eip-unbound': 1.2,
  'eip-bound-elsewhere': 1,
  'eip-released': 1,
  'eip-trouble': 1.2,
  'masq-edited': 1,
  'die-at-eip': 8,
}
const always: ReadonlySet<string> = new Set(['start-eip', 'end-static'])

/** Beside what happens anyhow, until `endAt`; ids go on from there. */
export function drawEipHappenings(
  seed: number,
  shape: EipShape & ClaimShape & { readonly exclusiveEnis: boolean },
  others: readonly Happening[],
  endAt: Millis,
): readonly Happening[] {
  if (!shape.eips) return []
  const random = stream(seed, 'eip happenings')
  const density = 0.4 + random.next() * 0.6
  const kinds: Weights = Object.entries(usual).flatMap(([name, weight]): [Kind, number][] =>
    always.has(name) || random.next() < density
      ? [[name as Kind, weight * 4 ** (random.next() * 2 - 1)]]
      : [],
  )
  const happenings: Happening[] = []
  const add = (at: Millis, what: EipWhat | ClaimWhat) =>
    happenings.push({ id: others.length + happenings.length, at, ...what })
  // Some roles may do nothing with EIPs.
  if (random.next() < 0.1) add(0, { kind: 'deny-eips', actions: [...eipActions], forMs: endAt })
  const nodes = others.flatMap((one) => (one.kind === 'add-node' ? [one] : []))
  for (let i = randomInt(random, 10, 40); i > 0; i--) {
    const at = Math.floor(random.next() ** 1.2 * endAt)
    const there = nodes.flatMap((one) => (one.at <= at ? [one.node] : []))
    add(at, drawWhat(drawKind(random, kinds), { random, shape, nodes: there }))
  }
  return happenings
}

function drawKind(random: Random, kinds: Weights): Kind {
  let roll = random.next() * kinds.reduce((sum, [, weight]) => sum + weight, 0)
  for (const [kind, weight] of kinds) {
    roll -= weight
    if (roll < 0) return kind
  }
  return 'start-eip'
}

function drawName(random: Random): string {
  const form = pick(random, ['pub', 'pub', 'kept', 'kept', 'kept', 'own', 'mine', 'any']) ?? 'pub'
  const last = { pub: 3, kept: 3, own: 3, mine: 1, any: 2 }[form] ?? 0
  const nth = randomInt(random, 0, last)
  return `${form}-${form === 'any' ? 'abc'[nth] : nth}`
}

const eipActions = [
  'AllocateAddresses',
  'DescribeAddresses',
  'AssociateAddress',
  'DisassociateAddress',
  'ReleaseAddresses',
] as const

function drawPlace(random: Random): Place | 'never' {
  return pick(random, ['node', 'zone', 'zone', 'anywhere', 'anywhere', 'never', 'never'] as const) ?? 'zone'
}

interface Context {
  readonly random: Random
  readonly nodes: readonly string[]
  readonly shape: ClaimShape & { readonly exclusiveEnis: boolean }
}

/** With an address that is kept, or one of the pool, or an ENI of their own (E7). */
function drawAsks(name: string, { random, shape }: Context): Asks {
  const keepsIp = random.next() < (shape.staticIps ? 0.5 : 0.1)
  const isExclusive = !keepsIp && shape.exclusiveEnis && random.next() < 0.3
  const expireAfter = random.next() < 0.25 ? logUniform(random, 300, 1200) * 1000 : undefined
  return {
    keepsIp,
    wants: isExclusive ? 'exclusive' : 'shared',
    expireAfter,
    eip: { wish: wishOf(name, expireAfter) },
  }
}

function drawWhat(kind: Kind, context: Context): EipWhat | ClaimWhat {
  const { random, nodes } = context
  const name = drawName(random)
  const forMs = logUniform(random, 1000, 1_800_000)
  switch (kind) {
    case 'start-eip':
      return { kind, name, node: pick(random, nodes) ?? 'node-1', asks: drawAsks(name, context) }
    case 'end-static':
      return { kind, name, place: drawPlace(random) }
    case 'force-delete':
      return { kind, name, place: drawPlace(random), heardAfterMs: logUniform(random, 10, 120_000) }
    case 'release-eip':
      return { kind, name, force: random.next() < 0.25 }
    case 'deny-eips': {
      // Who may not unbind holds up most.
      const one = pick(random, [...eipActions, 'DisassociateAddress']) ?? eipActions[0]
      return { kind, actions: random.next() < 0.4 ? [...eipActions] : [one], forMs }
    }
    case 'eip-quota':
      return { kind, most: randomInt(random, 5, 9), forMs }
    case 'no-balance':
      return { kind, forMs }
    case 'fail-eip-tasks':
      return { kind, rate: Number((0.1 + random.next() * 0.6).toFixed(2)), forMs }
    case 'eip-bound-elsewhere':
    case 'eip-trouble':
      return { kind, forMs }
    case 'eip-unbound':
    case 'eip-released':
    case 'masq-edited':
      return { kind }
    case 'die-at-eip':
      return {
        kind,
        point: pick(random, eipPoints) ?? '',
        skip: random.next() < 0.6 ? 0 : randomInt(random, 1, 5),
      }
  }
}
