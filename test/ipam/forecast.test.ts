// What `tke-eni plan` says: the planners themselves, run until nothing is left to do.
import assert from 'node:assert/strict'
import { test } from 'node:test'
import fc from 'fast-check'
import { forecast } from '../../internal/ipam/forecast.ts'
import type { EniMode, PoolBounds } from '../../internal/ipam/types.ts'
import { nodeBounds, noPool } from '../given.ts'
import { addressOf, type PoolShort, poolOf, subnet, zone } from './pools.ts'

interface Row extends PoolShort {
  readonly does: string
  /** What would be in force; as it is for what is not said. */
  readonly become?: Partial<PoolBounds>
  readonly exclusivelyBecome?: Partial<PoolBounds>
  /** "slot.n" */
  readonly used?: readonly string[]
  readonly pods?: { readonly shared: number; readonly exclusive: number }
  readonly quick?: boolean
  /** ENIs and addresses of the shared pool, and exclusive ENIs, in the end. */
  readonly want: readonly [enis: number, bound: number, exclusive: number]
  /** Minutes that slow release takes. */
  readonly minutes?: number
  readonly calls?: Readonly<Record<string, number>>
}

const full = { enis: [{ slot: 1, bound: 5 }], minWarm: 2, maxWarm: 5 }
const own = { minWarm: 0, maxWarm: 0, maxEnis: 3, ipsPerEni: 1 }

const rows: readonly Row[] = [
  { does: 'has nothing to do inside the bounds', ...full, want: [1, 5, 0], calls: {} },
  {
    does: 'fills the ENI, then makes another one',
    ...full,
    become: { minWarm: 7, maxWarm: 7 },
    want: [2, 7, 0],
    calls: { create: 1, attach: 1 },
  },
  {
    does: 'frees one address each interval when slow',
    ...full,
    become: { minWarm: 0, maxWarm: 2 },
    want: [1, 2, 0],
    minutes: 6,
    calls: { unassign: 3 },
  },
  {
    does: 'frees the surplus in one interval when quick',
    ...full,
    become: { minWarm: 0, maxWarm: 2 },
    quick: true,
    want: [1, 2, 0],
    minutes: 2,
    calls: { unassign: 1 },
  },
  {
    does: '[P5] frees what is beyond a lowered maximum at once, and the ENI with it',
    minWarm: 7,
    enis: [
      { slot: 1, bound: 5 },
      { slot: 2, bound: 2 },
    ],
    used: ['1.1'],
    become: { maxEnis: 1 },
    want: [1, 5, 0],
    minutes: 0,
    calls: { unassign: 1, detach: 1, delete: 1 },
  },
  {
    does: 'counts pods that have no address yet',
    pods: { shared: 6, exclusive: 1 },
    exclusive: own,
    want: [2, 6, 1],
  },
  {
    does: '[X2] makes whole ENIs, and gives back those that are too many',
    exclusive: { ...own, minWarm: 1, maxWarm: 1 },
    enis: [{ slot: 1, bound: 1, mode: 'exclusive' }],
    exclusivelyBecome: { minWarm: 2, maxWarm: 2 },
    want: [0, 0, 2],
    calls: { create: 1, attach: 1 },
  },
]

for (const {
  does,
  want,
  minutes,
  calls,
  quick = false,
  used = [],
  pods,
  become,
  exclusivelyBecome,
  ...short
} of rows)
  test(`forecast() ${does}`, () => {
    const pool = poolOf(short)
    const bounds = nodeBounds(
      { ...pool.shared, ...become },
      { ...noPool, ...pool.exclusive, ...exclusivelyBecome },
    )
    const addresses = used.map((place) => place.split('.').map(Number))
    const found = forecast({
      pool,
      bounds: { ...bounds, instanceEnis: pool.instanceEnis },
      used: new Set(addresses.map(([slot = 0, n = 0]) => addressOf(slot, n))),
      ...(pods === undefined ? {} : { pods }),
      zone,
      subnets: [subnet('subnet-a', 1000)],
      release: { quickRelease: quick, releaseEvery: 120_000 },
    })
    const { shared, exclusive } = found.after
    assert.deepEqual([shared.enis, shared.bound, exclusive.enis], want)
    if (minutes !== undefined) assert.equal(found.releasing, minutes * 60_000)
    if (calls !== undefined) assert.deepEqual(found.calls, calls)
  })

/** Which ENIs there are, and which of their addresses pods have. */
const anyPlaces = fc
  .record({
    instanceEnis: fc.integer({ min: 1, max: 5 }),
    ipsPerEni: fc.integer({ min: 1, max: 4 }),
    enis: fc.array(
      fc.record({
        mode: fc.constantFrom('shared' as const, 'exclusive' as const),
        bound: fc.nat(4),
        used: fc.nat(4),
      }),
      { maxLength: 5 },
    ),
    waiting: fc.record({ shared: fc.nat(12), exclusive: fc.nat(4) }),
    sharedWarm: fc.tuple(fc.nat(4), fc.nat(4)),
    exclusiveWarm: fc.tuple(fc.nat(2), fc.nat(2)),
    quick: fc.boolean(),
  })
  .map(({ enis, instanceEnis, ipsPerEni, ...rest }) => ({
    ...{ ...rest, instanceEnis, ipsPerEni },
    enis: enis.slice(0, instanceEnis).map(({ mode, bound, used }, i) => {
      const most = mode === 'exclusive' ? 1 : Math.max(1, Math.min(bound, ipsPerEni))
      return { slot: i + 1, mode, bound: most, used: Math.min(used, most) }
    }),
  }))

test('[X3][P1] leader and agent come to rest together, and no pod waits for a place that a warm ENI holds', () => {
  fc.assert(
    fc.property(anyPlaces, ({ enis, instanceEnis, ipsPerEni, waiting, quick, ...given }) => {
      const warm = ([low, more]: readonly [number, number]) => ({ minWarm: low, maxWarm: low + more })
      const pool = {
        ...poolOf({
          ...{ enis, ipsPerEni, instanceEnis, maxEnis: instanceEnis, ...warm(given.sharedWarm) },
          exclusive: { maxEnis: instanceEnis, ipsPerEni: 1, ...warm(given.exclusiveWarm) },
        }),
      }
      const used = enis.flatMap((eni) =>
        Array.from({ length: eni.used }, (_, i) => addressOf(eni.slot, i + 1)),
      )
      const of = (mode: EniMode) => enis.filter((eni) => eni.mode === mode)
      const usedOf = (mode: EniMode) => of(mode).reduce((sum, eni) => sum + eni.used, 0)
      const pods = {
        shared: usedOf('shared') + waiting.shared,
        exclusive: usedOf('exclusive') + waiting.exclusive,
      }
      const { after, calls } = forecast({
        ...{ pool, bounds: pool, used: new Set(used), pods, zone, subnets: [subnet('subnet-a', 1000)] },
        release: { quickRelease: quick, releaseEvery: 120_000 },
      })
      const all = Object.values(calls).reduce((sum, count) => sum + count, 0)
      assert.ok(all < 200, `they never come to rest: ${JSON.stringify(calls)}`)
      assert.ok((calls.create ?? 0) <= instanceEnis, `${calls.create} ENIs made for ${instanceEnis} places`)

      // Places that pods hold are theirs; the others serve first those that wait for addresses, then those that wait for ENIs.
      const inUse = (mode: EniMode) => of(mode).filter((eni) => eni.used > 0).length
      const seats = inUse('shared') * ipsPerEni
      const wanted = inUse('shared') + Math.ceil(Math.max(0, pods.shared - seats) / ipsPerEni)
      // An exclusive ENI that is there is kept for the pod that waits for it.
      const kept = Math.min(pods.exclusive, of('exclusive').length)
      const keptShared = Math.min(wanted, of('shared').length)
      const free = Math.max(0, instanceEnis - keptShared - kept)
      const sharedEnis = keptShared + Math.min(wanted - keptShared, free)
      const exclusiveEnis = Math.min(pods.exclusive, kept + free - (sharedEnis - keptShared))
      assert.ok(
        after.shared.bound >= Math.min(pods.shared, sharedEnis * ipsPerEni),
        `${after.shared.bound} addresses for ${pods.shared} pods on ${sharedEnis} ENIs`,
      )
      assert.ok(
        after.exclusive.enis >= exclusiveEnis,
        `${after.exclusive.enis} exclusive ENIs instead of ${exclusiveEnis}`,
      )
    }),
    { numRuns: 2000 },
  )
})
