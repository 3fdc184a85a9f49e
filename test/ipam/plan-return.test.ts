// Which idle addresses a node gives back, and when: rows, and a second model that lives through time.
import assert from 'node:assert/strict'
import { test } from 'node:test'
import fc from 'fast-check'
import type { LocalIp } from '../../internal/ipam/choose-address.ts'
import { planReturn, type ReturnPolicy } from '../../internal/ipam/plan-return.ts'
import { addressOf, localEnis, localIps, T0 } from './pools.ts'

const minute = 60_000
const every = 2 * minute

interface Row {
  readonly does: string
  readonly ips: readonly string[]
  readonly pods?: number
  readonly maxWarm: number
  readonly quick?: boolean
  /** Milliseconds since the timer was set; absent: it is not. */
  readonly since?: number
  readonly maxEnis?: number
  readonly ipsPerEni?: number
  readonly maxPods?: number
  /** By slot. */
  readonly mostOn?: Readonly<Record<number, number>>
  readonly want: readonly string[]
  /** Age of the timer afterwards. */
  readonly timer: number | undefined
}

const rows: readonly Row[] = [
  { does: '[P3] keeps the warm maximum', ips: ['1.1', '1.2'], maxWarm: 2, want: [], timer: undefined },
  { does: '[P3] begins to wait when surplus appears', ips: ['1.1', '1.2'], maxWarm: 1, want: [], timer: 0 },
  {
    does: '[P3] waits out two minutes',
    ips: ['1.1', '1.2'],
    maxWarm: 1,
    since: every - 1,
    want: [],
    timer: every - 1,
  },
  {
    does: '[P3] gives back one when slow',
    ips: ['1.1', '1.2', '1.3'],
    maxWarm: 0,
    since: every,
    want: ['1.1'],
    timer: 0,
  },
  {
    does: '[P4] gives back the surplus when quick',
    ips: ['1.1', '1.2', '1.3'],
    maxWarm: 1,
    quick: true,
    since: every,
    want: ['1.1', '1.2'],
    timer: 0,
  },
  {
    does: '[P4] waits two minutes when quick, too',
    ips: ['1.1', '1.2'],
    maxWarm: 0,
    quick: true,
    want: [],
    timer: 0,
  },
  {
    does: '[P3] forgets the timer when the surplus is gone',
    ips: ['1.1'],
    maxWarm: 1,
    since: 5 * minute,
    want: [],
    timer: undefined,
  },
  {
    does: '[P1] counts pods that have no address yet',
    ips: ['1.1', '1.2', '1.3'],
    pods: 3,
    maxWarm: 0,
    since: every,
    want: [],
    timer: undefined,
  },
  {
    does: '[P1] counts addresses in use whose pod is not seen yet',
    ips: ['1.1 *', '1.2 *', '1.3'],
    pods: 0,
    maxWarm: 1,
    since: every,
    want: [],
    timer: undefined,
  },
  {
    does: '[P3] never gives back one in use',
    ips: ['1.1 *', '1.2 *', '1.3'],
    pods: 0,
    maxWarm: 0,
    since: every,
    want: ['1.3'],
    timer: 0,
  },
  {
    does: '[P16] never gives back one that cools down',
    ips: ['1.1 c1', '1.2'],
    maxWarm: 0,
    since: every,
    want: ['1.2'],
    timer: 0,
  },
  {
    does: '[P16] gives nothing back while all cool down',
    ips: ['1.1 c1', '1.2 c1'],
    maxWarm: 0,
    since: every,
    want: [],
    timer: 0,
  },
  {
    does: '[P3] does not count what is given back already',
    ips: ['1.1 r', '1.2'],
    maxWarm: 1,
    since: every,
    want: [],
    timer: undefined,
  },
  {
    does: '[R7] does not count what is no longer published',
    ips: ['1.1 u *', '1.2'],
    pods: 0,
    maxWarm: 1,
    since: every,
    want: [],
    timer: undefined,
  },
  {
    does: '[P12] drains the ENI with fewest in use',
    ips: ['1.1 *', '1.2', '2.1', '2.2'],
    pods: 1,
    maxWarm: 2,
    since: every,
    want: ['2.1'],
    timer: 0,
  },
  {
    does: '[P12] drains the smaller ENI among those unused',
    ips: ['1.1', '2.1', '2.2'],
    maxWarm: 2,
    since: every,
    want: ['1.1'],
    timer: 0,
  },
  {
    does: '[P12] drains the later slot among equals',
    ips: ['1.1', '2.1'],
    maxWarm: 1,
    since: every,
    want: ['2.1'],
    timer: 0,
  },
  {
    does: '[P5] gives back at once what is beyond max bindable',
    ips: ['1.1', '1.2', '1.3', '1.4'],
    maxWarm: 9,
    maxEnis: 1,
    ipsPerEni: 2,
    want: ['1.1', '1.2'],
    timer: 0,
  },
  {
    does: '[P5] gives back cooling ones, too, but none in use',
    ips: ['1.1 *', '1.2 *', '1.3 c9', '1.4 *'],
    pods: 3,
    maxWarm: 9,
    maxEnis: 1,
    ipsPerEni: 2,
    want: ['1.3'],
    timer: 0,
  },
  {
    does: '[P8] drains the emptiest ENI wholly and at once when the maximum of ENIs is lowered',
    ips: ['1.1 *', '1.2', '2.1', '2.2 c9', '2.3'],
    pods: 1,
    maxWarm: 9,
    maxEnis: 1,
    want: ['2.1', '2.2', '2.3'],
    timer: 0,
  },
  {
    does: '[P8] drains as many ENIs as there are too many',
    ips: ['1.1 *', '2.1', '2.2', '3.1'],
    pods: 1,
    maxWarm: 9,
    maxEnis: 1,
    want: ['3.1', '2.1', '2.2'],
    timer: 0,
  },
  {
    does: '[P8] gives back what pods leave idle on an ENI beyond the maximum, and nothing in use',
    ips: ['1.1 *', '1.2 *', '1.3', '2.1 *', '2.2'],
    pods: 3,
    maxWarm: 9,
    maxEnis: 1,
    want: ['2.2'],
    timer: 0,
  },
  {
    // It took the idle ones of the next ENI instead, and the leader bound them again.
    does: '[P8] waits for the pods of the emptiest ENI, and leaves the next one alone',
    ips: ['1.1 *', '1.2 *', '1.3', '2.1 *'],
    pods: 3,
    maxWarm: 9,
    maxEnis: 1,
    want: [],
    timer: undefined,
  },
  {
    does: '[P8] does not count an ENI whose addresses are all given back',
    ips: ['1.1 *', '1.2', '2.1 r', '2.2 r'],
    pods: 1,
    maxWarm: 9,
    maxEnis: 1,
    want: [],
    timer: undefined,
  },
  {
    does: '[P8] gives back all idle ones when no ENI is allowed any more',
    ips: ['1.1', '2.1 c9'],
    maxWarm: 9,
    maxEnis: 0,
    want: ['2.1', '1.1'],
    timer: 0,
  },
  {
    does: '[P8] gives back at once what is beyond a lowered maximum of addresses on each ENI',
    ips: ['1.1 *', '1.2', '1.3', '1.4', '2.1', '2.2'],
    pods: 1,
    maxWarm: 9,
    ipsPerEni: 2,
    want: ['1.2', '1.3'],
    timer: 0,
  },
  {
    does: '[P8] takes nothing in use below a lowered maximum of addresses',
    ips: ['1.1 *', '1.2 *', '1.3 *', '1.4'],
    pods: 3,
    maxWarm: 9,
    ipsPerEni: 2,
    want: ['1.4'],
    timer: 0,
  },
  {
    does: '[P14] gives back at once what is beyond the pods that can be on the node',
    ips: ['1.1 *', '1.2', '2.1', '2.2'],
    pods: 1,
    maxWarm: 9,
    maxPods: 2,
    want: ['2.1', '2.2'],
    timer: 0,
  },
  {
    does: '[S4] counts no claimed address, in use or not',
    ips: ['1.1 * =web-0', '1.2 =web-1', '1.3'],
    maxWarm: 1,
    since: every,
    want: [],
    timer: undefined,
  },
  {
    does: '[S4] gives back none that is claimed, whatever maximum was lowered, but makes room beside it',
    ips: ['1.1 =web-0', '1.2 =web-1', '1.3', '1.4 *', '1.5'],
    pods: 1,
    maxWarm: 9,
    ipsPerEni: 4,
    want: ['1.3'],
    timer: 0,
  },
  {
    does: '[S4] makes room beside what is claimed also when that is given back: without a reservation it stays',
    ips: ['1.1 =web-0 r', '1.2', '1.3'],
    maxWarm: 9,
    ipsPerEni: 2,
    want: ['1.2'],
    timer: 0,
  },
  {
    does: '[S4] counts only what is its own against the most pods that the kubelet runs',
    ips: ['1.1 * =web-0', '1.2 * =web-1', '1.3 * =web-2', '1.4 *', '1.5'],
    pods: 1,
    maxWarm: 9,
    maxPods: 4,
    want: [],
    timer: undefined,
  },
  {
    does: '[S4] gives back all that is idle beside claimed ones where nothing may be',
    ips: ['1.1 =web-0', '1.2 * =web-1', '1.3'],
    maxWarm: 9,
    maxEnis: 0,
    want: ['1.3'],
    timer: 0,
  },
  {
    does: '[P8] drains an ENI without claims first, whether or not their pods are there',
    ips: ['1.1 =web-0', '1.2', '2.1', '2.2', '2.3'],
    maxWarm: 9,
    maxEnis: 1,
    want: ['2.1', '2.2', '2.3'],
    timer: 0,
  },
  {
    does: '[S4] gives back at once what an ENI has too many while claims wait, claimed ones not counted',
    ips: ['1.1', '1.2', '2.1 *', '2.2 c9', '2.3', '2.4 =web-0'],
    pods: 5,
    maxWarm: 9,
    mostOn: { 2: 2 },
    want: ['2.2'],
    timer: 0,
  },
  {
    does: '[S4] counts none that is given back already',
    ips: ['1.1 r', '1.2', '1.3 *'],
    maxWarm: 9,
    mostOn: { 1: 2 },
    want: [],
    timer: undefined,
  },
  {
    does: '[S4][X3] gives back an exclusive ENI whose place claims wait for, and none in use',
    ips: ['1.1', '2.1 *'],
    maxWarm: 9,
    ipsPerEni: 1,
    mostOn: { 1: 0, 2: 0 },
    want: ['1.1'],
    timer: 0,
  },
  {
    does: '[X2][P3] gives back one exclusive ENI when slow',
    ips: ['1.1 *', '2.1', '3.1'],
    pods: 1,
    maxWarm: 0,
    ipsPerEni: 1,
    since: every,
    want: ['3.1'],
    timer: 0,
  },
  {
    does: '[X2][P4] gives back the surplus of exclusive ENIs when quick',
    ips: ['1.1 *', '2.1', '3.1'],
    pods: 1,
    maxWarm: 0,
    ipsPerEni: 1,
    quick: true,
    since: every,
    want: ['3.1', '2.1'],
    timer: 0,
  },
  {
    does: '[X2][P16] never gives back an exclusive ENI that cools down',
    ips: ['1.1 c1', '2.1'],
    maxWarm: 0,
    ipsPerEni: 1,
    since: every,
    want: ['2.1'],
    timer: 0,
  },
  {
    does: '[X2][P8] gives back exclusive ENIs beyond a lowered maximum at once, and none in use',
    ips: ['1.1', '2.1 *', '3.1 c9'],
    pods: 1,
    maxWarm: 9,
    maxEnis: 1,
    ipsPerEni: 1,
    want: ['3.1', '1.1'],
    timer: 0,
  },
  {
    does: '[R1] starts anew when the clock was set back behind its timer',
    ips: ['1.1', '1.2'],
    maxWarm: 0,
    since: -365 * 24 * 60 * minute,
    want: [],
    timer: 0,
  },
  {
    does: '[R1] takes a cooldown longer than any for a clock that was set back',
    ips: ['1.1 c99999999'],
    maxWarm: 0,
    since: every,
    want: ['1.1'],
    timer: 0,
  },
]

for (const row of rows) {
  test(row.does.replace(/^((?:\[\w+\])+) /, '$1 planReturn() '), () => {
    const { maxWarm, mostOn = {}, quick = false, since, maxEnis = 9, ipsPerEni = 9, maxPods } = row
    const plan = planReturn(
      {
        ips: localIps(...row.ips),
        enis: localEnis(1, 2, 3),
        pods: row.pods ?? 0,
        timerFrom: since === undefined ? undefined : T0 - since,
      },
      {
        ...{ minWarm: 0, maxWarm, maxEnis, ipsPerEni, ...(maxPods === undefined ? {} : { maxPods }) },
        ...{ quickRelease: quick, releaseEvery: every, cooldown: 30_000 },
        mostOn: new Map(Object.entries(mostOn).map(([slot, most]) => [`eni-${slot}`, most])),
      },
      T0,
    )
    assert.deepEqual(
      plan.give.map(({ address }) => address.slice('10.0.'.length)),
      row.want,
    )
    assert.equal(plan.timerFrom === undefined ? undefined : T0 - plan.timerFrom, row.timer)
  })
}

const anyPolicy = fc
  .record({
    minWarm: fc.constant(0),
    maxWarm: fc.nat(4),
    maxEnis: fc.integer({ min: 0, max: 4 }),
    ipsPerEni: fc.oneof(fc.integer({ min: 0, max: 8 }), fc.constant(1)),
    maxPods: fc.option(fc.nat(12), { nil: undefined }),
    quickRelease: fc.boolean(),
    releaseEvery: fc.constant(every),
    cooldown: fc.constant(30_000),
  })
  .map(({ maxPods, ...policy }): ReturnPolicy => (maxPods === undefined ? policy : { ...policy, maxPods }))

/** How many addresses the maxima leave, of the ENIs one after the other: the emptiest are those beyond, and what is in use stays. */
function mostKept(ips: readonly LocalIp[], { maxEnis, ipsPerEni, maxPods = 1000 }: ReturnPolicy): number {
  const bound = ips.filter(({ state }) => state === 'usable')
  const slots = [1, 2, 3, 4].filter((slot) => bound.some(({ eniId }) => eniId === `eni-${slot}`))
  const usedOn = (slot: number) => bound.filter((ip) => ip.eniId === `eni-${slot}` && ip.inUse).length
  const boundOn = (slot: number) => bound.filter((ip) => ip.eniId === `eni-${slot}`).length
  const sizeOf = (slot: number) => ips.filter((ip) => ip.eniId === `eni-${slot}`).length
  const fullest = slots.toSorted((a, b) => usedOn(b) - usedOn(a) || sizeOf(b) - sizeOf(a) || a - b)
  let kept = 0
  fullest.forEach((slot, place) => {
    const most = place < maxEnis ? Math.min(boundOn(slot), ipsPerEni) : 0
    kept += Math.max(most, usedOn(slot))
  })
  const inUse = bound.filter((ip) => ip.inUse).length
  return Math.max(inUse, Math.min(kept, maxEnis * ipsPerEni, maxPods))
}

test('[P3][P4][P5][P8][X2] planReturn() walks every pool down to its bound, at its pace, and takes nothing in use', () => {
  const anyIps = fc.array(fc.record({ slot: fc.integer({ min: 1, max: 4 }), inUse: fc.boolean() }), {
    maxLength: 20,
  })
  fc.assert(
    fc.property(anyIps, fc.nat(12), anyPolicy, (shorts, pods, policy) => {
      let ips: readonly LocalIp[] = shorts.map(({ slot, inUse }, i) => ({
        address: addressOf(slot, i + 1),
        eniId: `eni-${slot}`,
        grant: 1,
        state: 'usable',
        published: true,
        inUse,
        coolingUntil: 0,
      }))
      const inUse = ips.filter((ip) => ip.inUse).length
      const goal = Math.max(inUse, Math.min(mostKept(ips, policy), Math.max(pods, inUse) + policy.maxWarm))
      let timerFrom: number | undefined
      let gaveAt: number | undefined
      for (let now = T0; now <= T0 + 25 * every; now += minute / 2) {
        const bound = ips.filter(({ state }) => state === 'usable').length
        const most = mostKept(ips, policy)
        const plan = planReturn({ ips, enis: localEnis(1, 2, 3, 4), pods, timerFrom }, policy, now)
        timerFrom = plan.timerFrom
        assert.ok(plan.give.every((ip) => !ip.inUse))
        assert.ok(bound - plan.give.length >= goal, 'never below the bound')
        if (bound > most)
          assert.equal(plan.give.length, bound - most, 'what is beyond the maxima goes at once')
        if (plan.give.length > 0 && bound <= most) {
          assert.ok(now - (gaveAt ?? T0) >= every, 'two minutes lie between two releases')
          if (!policy.quickRelease) assert.equal(plan.give.length, 1)
        }
        if (plan.give.length > 0) gaveAt = now
        const given = new Set(plan.give.map(({ address }) => address))
        ips = ips.map((ip) => (given.has(ip.address) ? { ...ip, state: 'returning' } : ip))
      }
      assert.equal(ips.filter(({ state }) => state === 'usable').length, goal)
    }),
    { numRuns: 300 },
  )
})
