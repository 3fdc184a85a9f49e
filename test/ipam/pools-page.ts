// The tables of docs/pools.md: what settings mean in bound addresses and ENIs, found by the planners themselves.
import { forecast } from '../../internal/ipam/forecast.ts'
import { boundsOf } from '../../internal/ipam/node-bounds.ts'
import type { NodePool } from '../../internal/ipam/pool.ts'
import type { EniMode, NodeBounds, NodeOverrides, WarmTargets } from '../../internal/ipam/types.ts'
import { addressOf, type EniShort, poolOf, subnet, zone } from './pools.ts'

interface Instance {
  readonly enis: number
  readonly ipsPerEni: number
}

interface Case {
  readonly instance: Instance
  readonly warm: WarmTargets
  readonly exclusive?: WarmTargets
  readonly overrides?: NodeOverrides
  readonly maxPods?: number
}

interface Size {
  readonly ips: number
  readonly enis: number
  readonly exclusive: number
  readonly calls: number
}

const small: Instance = { enis: 3, ipsPerEni: 9 }
const large: Instance = { enis: 7, ipsPerEni: 29 }
const warm = (minWarm: number, maxWarm: number): WarmTargets => ({ minWarm, maxWarm })

const sharedCases: readonly Case[] = [
  { instance: small, warm: warm(0, 0) },
  { instance: small, warm: warm(5, 5) },
  { instance: small, warm: warm(1, 10) },
  { instance: small, warm: warm(5, 5), overrides: { maxIpsPerEni: 4 } },
  { instance: small, warm: warm(5, 5), overrides: { maxSharedEnis: 1 } },
  { instance: small, warm: warm(5, 5), maxPods: 16 },
  { instance: large, warm: warm(5, 5) },
  { instance: large, warm: warm(10, 30) },
]

const exclusiveCases: readonly Case[] = [
  { instance: small, warm: warm(5, 5), exclusive: warm(0, 0) },
  { instance: small, warm: warm(5, 5), exclusive: warm(1, 1) },
  { instance: small, warm: warm(5, 5), exclusive: warm(1, 1), overrides: { maxExclusiveEnis: 1 } },
  { instance: large, warm: warm(5, 5), exclusive: warm(1, 2) },
]

/** By name. */
export const poolTables: Readonly<Record<'shared' | 'exclusive' | 'changes', string>> = {
  shared: table(
    [
      'ENIs × addresses',
      'min–max warm',
      'besides',
      'pods',
      'addresses',
      'ENIs',
      'calls',
      'addresses, coming from more',
      'ENIs, coming from more',
    ],
    sharedCases.flatMap((each) => podCounts(each).map((pods) => sharedRow(each, pods))),
  ),
  exclusive: table(
    [
      'ENIs',
      'min–max warm',
      'besides',
      'shared pods',
      'exclusive pods',
      'shared ENIs',
      'exclusive ENIs',
      'exclusive pods that wait',
    ],
    exclusiveCases.flatMap((each) =>
      [0, 1, 3].flatMap((own) => [1, 12].map((pods) => exclusiveRow(each, pods, own))),
    ),
  ),
  changes: table(
    ['change on a node of 3 × 9', 'addresses', 'ENIs', 'calls', 'what is freed goes', 'with quick release'],
    changeRows(),
  ),
}

function sharedRow(each: Case, pods: number): readonly unknown[] {
  const grown = grow(each, { shared: pods, exclusive: 0 })
  const after = shrink(each, pods)
  const { instance, warm } = each
  return [
    `${instance.enis} × ${instance.ipsPerEni}`,
    `${warm.minWarm}–${warm.maxWarm}`,
    besides(each),
    pods,
    grown.ips,
    grown.enis,
    grown.calls,
    after.ips,
    after.enis,
  ]
}

function exclusiveRow(each: Case, shared: number, exclusive: number): readonly unknown[] {
  const grown = grow(each, { shared, exclusive })
  const { instance, exclusive: own = warm(0, 0) } = each
  return [
    instance.enis,
    `${own.minWarm}–${own.maxWarm}`,
    besides(each),
    shared,
    exclusive,
    grown.enis,
    grown.exclusive,
    Math.max(0, exclusive - grown.exclusive),
  ]
}

/** A node on which nothing is bound, and so many pods at once. */
function grow(each: Case, pods: Readonly<Record<EniMode, number>>): Size {
  return sizeOf(foretell(emptyPool(each), boundsFor(each), new Set(), pods))
}

/** Where as many pods as it can carry were, and all but so many have ended: those that came last went first. */
function shrink(each: Case, pods: number): Size {
  const bounds = boundsFor(each)
  const most = Math.min(bounds.shared.maxEnis * bounds.shared.ipsPerEni, bounds.shared.maxPods ?? 1000)
  const { pool, used } = loaded(each, most, pods)
  return sizeOf(foretell(pool, bounds, used, { shared: pods, exclusive: 0 }))
}

interface Change {
  readonly says: string
  readonly each: Case
  readonly bound: number
  readonly pods: number
  readonly become: Partial<Case>
}

function changeRows(): readonly (readonly unknown[])[] {
  const each: Case = { instance: small, warm: warm(5, 5) }
  const changes: readonly Omit<Change, 'each'>[] = [
    { says: 'min 5, max 5 → 10, 12; 4 pods', bound: 9, pods: 4, become: { warm: warm(10, 12) } },
    { says: 'min 5, max 5 → 0, 0; 4 pods', bound: 9, pods: 4, become: { warm: warm(0, 0) } },
    {
      says: '`max-ip-per-route-eni` 9 → 4; 4 pods',
      bound: 9,
      pods: 4,
      become: { overrides: { maxIpsPerEni: 4 } },
    },
    {
      says: '`route-eni-max-attach` 3 → 1; 9 pods',
      bound: 14,
      pods: 9,
      become: { overrides: { maxSharedEnis: 1 } },
    },
    {
      says: '`route-eni-max-attach` 3 → 2; 18 pods',
      bound: 23,
      pods: 18,
      become: { overrides: { maxSharedEnis: 2 } },
    },
  ]
  return changes.map((change) => changeRow({ ...change, each }))
}

function changeRow({ become, bound, each, pods, says }: Change): readonly unknown[] {
  const { pool, used } = loaded(each, bound, pods)
  const bounds = boundsFor({ ...each, ...become })
  const slow = foretell(pool, bounds, used, { shared: pods, exclusive: 0 })
  const quick = foretell(pool, bounds, used, { shared: pods, exclusive: 0 }, true)
  const { before, after } = slow
  const goes = (releasing: number) =>
    slow.freed === 0 ? '' : releasing === 0 ? 'at once' : `within ${releasing / 60_000} min`
  return [
    says,
    `${before.shared.bound} → ${after.shared.bound}`,
    `${before.shared.enis} → ${after.shared.enis}`,
    sizeOf(slow).calls,
    goes(slow.releasing),
    goes(quick.releasing),
  ]
}

function podCounts({ instance }: Case): readonly number[] {
  return instance === small ? [0, 4, 12, 27] : [0, 20, 150]
}

function boundsFor({ exclusive, instance, maxPods, overrides = {}, warm: shared }: Case): NodeBounds {
  const defaults = { shared, exclusive: exclusive ?? warm(0, 0) }
  const limits = { maxEnisPerNode: undefined, exclusiveEnis: exclusive !== undefined }
  return boundsOf({ quota: { instanceType: '', ...instance, eips: 1 }, defaults, overrides, maxPods }, limits)
}

function besides({ maxPods, overrides = {} }: Case): string {
  return [
    overrides.maxIpsPerEni === undefined ? [] : [`max-ip-per-route-eni ${overrides.maxIpsPerEni}`],
    overrides.maxSharedEnis === undefined ? [] : [`route-eni-max-attach ${overrides.maxSharedEnis}`],
    overrides.maxExclusiveEnis === undefined ? [] : [`direct-eni-max-attach ${overrides.maxExclusiveEnis}`],
    maxPods === undefined ? [] : [`${maxPods} pods at most`],
  ]
    .flat()
    .join(', ')
}

function emptyPool(each: Case, enis: readonly EniShort[] = []): NodePool {
  const { instance } = each
  return { ...poolOf({ enis, quotaIpsPerEni: instance.ipsPerEni }), ...boundsFor(each) }
}

/** `bound` addresses, of which the first `pods` are in use: ENI after ENI, as pods that came one by one leave them. */
function loaded(each: Case, bound: number, pods: number) {
  const { ipsPerEni } = boundsFor(each).shared
  const enis = Array.from({ length: Math.ceil(bound / ipsPerEni) }, (_, i) => ({
    slot: i + 1,
    bound: Math.min(ipsPerEni, bound - i * ipsPerEni),
  }))
  const addresses = enis.flatMap(({ bound: count, slot }) =>
    Array.from({ length: count }, (_, i) => addressOf(slot, i + 1)),
  )
  return { pool: emptyPool(each, enis), used: new Set(addresses.slice(0, pods)) }
}

function foretell(
  pool: NodePool,
  bounds: NodeBounds,
  used: ReturnType<typeof loaded>['used'],
  pods: Readonly<Record<EniMode, number>>,
  quickRelease = false,
) {
  const release = { quickRelease, releaseEvery: 120_000 }
  return forecast({ pool, bounds, used, pods, zone, subnets: [subnet('subnet-a', 100_000)], release })
}

function sizeOf({ after, calls }: ReturnType<typeof foretell>): Size {
  return {
    ips: after.shared.bound,
    enis: after.shared.enis,
    exclusive: after.exclusive.enis,
    calls: Object.values(calls).reduce((sum, count) => sum + count, 0),
  }
}

function table(header: readonly string[], rows: readonly (readonly unknown[])[]): string {
  const line = (cells: readonly unknown[]) => `| ${cells.join(' | ')} |`
  const rule = header.map(() => '---')
  return `${[line(header), `|${rule.join('|')}|`, ...rows.map(line)].join('\n')}\n`
}
