// What must hold of the plan for every pool, and a naive second model that plans one address after the other.
import assert from 'node:assert/strict'
import { test } from 'node:test'
import fc from 'fast-check'
import { planNode } from '../../internal/ipam/plan-node.ts'
import type { NodePool, PoolEni } from '../../internal/ipam/pool.ts'
import { type EniMode, eniModes } from '../../internal/ipam/types.ts'
import type { Ipv4 } from '../../internal/value/ipv4.ts'
import { addressOf, type EniShort, poolOf, subnet, zone } from './pools.ts'
import { byText, tellAction } from './tell-action.ts'

const anyEni = (slot: number, most: number): fc.Arbitrary<EniShort> =>
  fc
    .record({
      mode: fc.constantFrom('shared', 'shared', 'exclusive'),
      bound: fc.nat(most),
      moving: fc.nat(2),
      kind: fc.constantFrom(
        'calm',
        'assigning',
        'unassigning',
        'available',
        'doomed',
        'deleting',
        'creating',
      ),
      subnetId: fc.constantFrom('subnet-a', 'subnet-b'),
    })
    .map(({ mode, bound: some, moving, kind, subnetId }): EniShort => {
      const place = { slot, mode, subnetId } as const
      const bound = mode === 'exclusive' ? 1 : some
      const room = mode === 'exclusive' ? 0 : Math.max(0, Math.min(moving, most - bound))
      switch (kind) {
        case 'assigning':
          return { ...place, bound, assigning: room }
        case 'unassigning':
          return { ...place, bound, unassigning: room }
        case 'available':
          return { ...place, bound, state: 'available' }
        case 'doomed':
          return { ...place, goal: 'delete' }
        case 'deleting':
          return { ...place, goal: 'delete', state: 'deleting', busy: true }
        case 'creating':
          return { ...place, state: 'creating', expected: Math.max(1, bound), busy: true }
        default:
          return { ...place, bound }
      }
    })

/** Maxima that were lowered below what there is among them. */
const anyCase = fc
  .record({
    instanceEnis: fc.integer({ min: 0, max: 4 }),
    ipsPerEni: fc.integer({ min: 0, max: 6 }),
    // What somebody has lowered them by.
    lower: fc.record({ shared: fc.nat(2), exclusive: fc.nat(2), ips: fc.constantFrom(0, 0, 2) }),
  })
  .chain(({ instanceEnis, ipsPerEni: quotaIpsPerEni, lower }) =>
    fc.record({
      instanceEnis: fc.constant(instanceEnis),
      quotaIpsPerEni: fc.constant(quotaIpsPerEni),
      maxEnis: fc.constant(Math.max(0, instanceEnis - lower.shared)),
      maxExclusive: fc.constant(Math.max(0, instanceEnis - lower.exclusive)),
      ipsPerEni: fc.constant(Math.max(0, quotaIpsPerEni - lower.ips)),
      slots: fc
        .subarray(Array.from({ length: instanceEnis }, (_, i) => i + 1))
        .chain((slots) => fc.tuple(...slots.map((slot) => anyEni(slot, quotaIpsPerEni)))),
      pods: fc.nat(30),
      exclusivePods: fc.nat(5),
      minWarm: fc.nat(5),
      minWarmEnis: fc.nat(2),
      maxPods: fc.option(fc.nat(20), { nil: undefined }),
      availableA: fc.oneof(fc.nat(12), fc.constant(1000)),
      availableB: fc.oneof(fc.nat(12), fc.constant(1000)),
      zoneOfB: fc.constantFrom(zone, 'elsewhere'),
      returns: fc.array(fc.tuple(fc.integer({ min: 1, max: 4 }), fc.integer({ min: 1, max: 6 })), {
        maxLength: 4,
      }),
    }),
  )
type Case = typeof anyCase extends fc.Arbitrary<infer T> ? T : never

function givenPool(given: Case): NodePool {
  const { maxEnis, maxExclusive, ipsPerEni, quotaIpsPerEni, instanceEnis, minWarm, maxPods, slots } = given
  return poolOf({
    ...{ maxEnis, ipsPerEni, quotaIpsPerEni, instanceEnis, minWarm, enis: slots },
    ...(maxPods === undefined ? {} : { maxPods }),
    exclusive: { maxEnis: maxExclusive, minWarm: given.minWarmEnis, maxWarm: given.minWarmEnis },
  })
}

test('[P1][P2][P12][P14][P15][X2][X3] planNode() agrees with a naive second model on every pool', () => {
  fc.assert(
    fc.property(anyCase, (given) => {
      const { ipsPerEni, instanceEnis } = given
      const pool = givenPool(given)
      const pods = { shared: given.pods, exclusive: given.exclusivePods }
      const subnets = [
        subnet('subnet-a', given.availableA),
        subnet('subnet-b', given.availableB, given.zoneOfB),
      ]
      const returned = new Set(given.returns.map(([slot, n]) => addressOf(slot, n)))
      const { actions, shortages } = planNode(pool, { pods, returned, zone, subnets })
      const ofMode = (mode: EniMode) => pool.enis.filter((eni) => eni.mode === mode)

      // One thing at a time for each ENI, and nothing for a busy one.
      const touched = actions.flatMap((action) => ('eni' in action ? [action.eni] : []))
      assert.equal(new Set(touched).size, touched.length)
      const busy = new Set(pool.enis.filter((eni) => eni.busy).map(({ key }) => key))
      assert.ok(touched.every((key) => !busy.has(key)))

      // Room: neither ENI nor node nor subnet ever gets more than it can hold.
      const held = pool.enis.map((eni) => ({ eni, ips: eni.ips.length + eni.expectedIps }))
      const added = (key: number) =>
        actions.reduce((sum, a) => sum + (a.kind === 'assign' && a.eni === key ? a.count : 0), 0)
      for (const { eni, ips } of held)
        assert.ok(added(eni.key) === 0 || (eni.mode === 'shared' && ips + added(eni.key) <= ipsPerEni))
      const created = actions.filter((action) => action.kind === 'create')
      const createdOf = (mode: EniMode) => created.filter((action) => action.mode === mode)
      assert.ok(pool.enis.length + created.length <= instanceEnis || created.length === 0)
      for (const mode of eniModes) {
        const made = createdOf(mode).length
        assert.ok(made === 0 || ofMode(mode).length + made <= pool[mode].maxEnis)
      }
      assert.ok(createdOf('exclusive').every(({ ips }) => ips === 0))
      assert.ok(createdOf('shared').every(({ ips }) => ips > 0 && ips <= ipsPerEni))
      const places = [...pool.enis.map(({ slot }) => slot), ...created.map(({ slot }) => slot)]
      assert.equal(new Set(places).size, places.length)
      assert.ok(places.every((slot) => slot >= 1 && slot <= instanceEnis))
      const spentIn = (id: string) =>
        created.filter(({ subnetId }) => subnetId === id).reduce((sum, { ips }) => sum + ips + 1, 0) +
        pool.enis.filter(({ subnetId }) => subnetId === id).reduce((sum, { key }) => sum + added(key), 0)
      for (const { id, available, zone: at } of subnets) {
        assert.ok(!created.some(({ subnetId }) => subnetId === id) || at === zone)
        assert.ok(spentIn(id) <= available, `${spentIn(id)} of ${available} taken in ${id}`)
      }

      // Growth: as far as it must, never further.
      const serves = (eni: PoolEni) =>
        eni.goal === 'delete'
          ? 0
          : eni.expectedIps +
            eni.ips.filter((i) => i.state !== 'unassigning' && !returned.has(i.address)).length
      const within = naiveMaxima(pool, pods, serves)
      const surplus = new Set(eniModes.flatMap((mode) => naiveSurplus(ofMode(mode), within[mode], serves)))
      const laterOn = (eni: PoolEni) =>
        eni.mode === 'shared' &&
        eni.goal === 'serve' &&
        !surplus.has(eni) &&
        (eni.busy || eni.state !== 'attached')
          ? Math.max(0, ipsPerEni - eni.ips.length - eni.expectedIps)
          : 0
      for (const mode of eniModes) {
        const have = ofMode(mode).reduce((sum, eni) => sum + serves(eni), 0)
        const most = Math.min(pool[mode].maxEnis * pool[mode].ipsPerEni, given.maxPods ?? 1000)
        const wanted = Math.min(pods[mode] + pool[mode].minWarm, most)
        const grown =
          mode === 'exclusive'
            ? createdOf(mode).length
            : actions.reduce(
                (sum, a) => sum + (a.kind === 'create' ? a.ips : a.kind === 'assign' ? a.count : 0),
                0,
              )
        assert.ok(grown <= Math.max(0, wanted - have))
        const later = subnets.reduce((sum, { id, available }) => {
          const there = ofMode(mode).filter(({ subnetId }) => subnetId === id)
          const room = there.reduce((n, eni) => n + laterOn(eni), 0)
          return sum + Math.min(room, available - spentIn(id))
        }, 0)
        // A place that one kind waits for, with a subnet that is full, is not taken by the other.
        const isKept = shortages.some((each) => each.mode !== mode && each.why !== 'node-full')
        const hasPlace =
          !isKept &&
          ofMode(mode).length + createdOf(mode).length < within[mode] &&
          pool.enis.length + created.length < instanceEnis

        // Shortages: what pods cannot have, and what subnets cannot give, is told; that of warm ones for want of places is not.
        const shortage = shortages.filter((each) => each.mode === mode)
        assert.ok(shortage.length <= 1 && shortage.every(({ count }) => count > 0))
        const [told] = shortage
        const forPods = Math.min(pods[mode], most)
        const lacking = Math.max(0, forPods - have - grown - later) + Math.max(0, pods[mode] - most)
        assert.ok((told?.count ?? 0) >= lacking, 'what pods cannot have is told')
        const isStarvedBy = (takenIn: (id: string) => number): boolean =>
          mode === 'shared' &&
          subnets.some(({ id, available }) => {
            const there = ofMode(mode).filter((eni) => eni.subnetId === id && !surplus.has(eni))
            const roomOf = (eni: PoolEni) => ipsPerEni - eni.ips.length - eni.expectedIps - added(eni.key)
            const usable = there.filter(({ goal }) => goal === 'serve')
            return usable.reduce((sum, eni) => sum + Math.max(0, roomOf(eni)), 0) > available - takenIn(id)
          })
        const addedIn = (id: string) =>
          ofMode(mode).reduce(
            (sum, eni) => sum + (eni.subnetId === id && !surplus.has(eni) ? added(eni.key) : 0),
            0,
          )
        const isStarved = isStarvedBy(addedIn)
        if (have + grown + later < wanted && (isStarved || (hasPlace && ipsPerEni > 0)))
          assert.ok(told !== undefined && told.why !== 'node-full', 'what subnets cannot give is told')
        if (told?.why === 'node-full') assert.equal(told.count, lacking)
        if (told?.why === 'no-subnet-in-zone') assert.ok(subnets.every(({ zone: at }) => at !== zone))
        if (told?.why === 'subnets-full') {
          const least = mode === 'shared' ? 2 : 1
          const zoned = subnets.filter(({ zone: at }) => at === zone)
          const claimed = (id: string) =>
            pool.enis.filter(({ subnetId }) => subnetId === id).reduce((sum, eni) => sum + laterOn(eni), 0)
          const isFull = zoned.every(({ id, available }) => available - spentIn(id) - claimed(id) < least)
          // New ENIs of the other kind may have had what its own would take.
          assert.ok(isFull || (isStarvedBy(spentIn) && !hasPlace), 'a subnet could give one')
        }
      }

      // Least ENIs: none is made while an attached one has room that its subnet can give.
      if (createdOf('shared').length > 0) {
        for (const { eni, ips } of held) {
          if (eni.goal === 'delete' || eni.mode === 'exclusive' || surplus.has(eni)) continue
          const id = eni.subnetId
          const spent = pool.enis.filter((e) => e.subnetId === id).reduce((n, e) => n + added(e.key), 0)
          const claimed = pool.enis.filter((e) => e.subnetId === id).reduce((n, e) => n + laterOn(e), 0)
          const left = (subnets.find((s) => s.id === id)?.available ?? 0) - spent - claimed
          const calm = eni.state === 'attached' && !eni.busy
          assert.ok(!calm || ips + added(eni.key) >= ipsPerEni || left <= 0)
        }
      }

      // Where subnets have enough for all, places go one by one to whoever is served first.
      if (given.availableA === 1000 && given.availableB === 1000) {
        const grants = naivePlaces(pool, pods, serves)
        assert.deepEqual(
          { shared: createdOf('shared').length, exclusive: createdOf('exclusive').length },
          grants,
        )
      }

      // Nothing that serves is taken away, and what is returned is never more than was given up.
      for (const action of actions) {
        const eni = 'eni' in action ? pool.enis.find(({ key }) => key === action.eni) : undefined
        if (action.kind === 'unassign') {
          assert.equal(eni?.mode, 'shared')
          assert.ok(action.addresses.length > 0 && action.addresses.length <= 10)
          assert.ok(action.addresses.every((address) => returned.has(address)))
        }
        if (action.kind === 'detach' || action.kind === 'delete') {
          assert.ok(eni)
          const isReturned = eni.mode === 'exclusive' && eni.ips.every(({ address }) => returned.has(address))
          const isUnused = eni.state === 'available' && !eni.served
          const isBeyond = ofMode(eni.mode).length > within[eni.mode]
          assert.ok(
            eni.goal === 'delete' || eni.ips.length === 0 || isReturned || (isUnused && isBeyond),
            `${action.kind} ${eni.key}`,
          )
        }
      }
      for (const mode of eniModes) {
        const gone = actions.filter(
          (a) =>
            a.kind === 'delete' &&
            pool.enis.some(({ key, goal, mode: of }) => key === a.eni && of === mode && goal === 'serve'),
        )
        assert.ok(gone.length <= Math.max(0, ofMode(mode).length - within[mode]))
      }
    }),
    { numRuns: 3000 },
  )
})

/** ENIs beyond the maximum are those that serve with least, and of equals the last. */
function naiveSurplus(
  enis: readonly PoolEni[],
  most: number,
  serves: (eni: PoolEni) => number,
): readonly PoolEni[] {
  const left = enis.filter(({ goal }) => goal === 'serve')
  const surplus: PoolEni[] = []
  while (left.length > most) {
    const [worst] = left.toSorted((a, b) => serves(a) - serves(b) || b.slot - a.slot)
    if (worst === undefined) break
    surplus.push(worst)
    left.splice(left.indexOf(worst), 1)
  }
  return surplus
}

/** How many ENIs each kind may have: the instance's places are dealt out one by one, to pods with an ENI, pods that wait, warm ENIs. */
function naiveMaxima(
  pool: NodePool,
  pods: Readonly<Record<EniMode, number>>,
  serves: (eni: PoolEni) => number,
): Record<EniMode, number> {
  const there = (mode: EniMode) => pool.enis.filter((eni) => eni.mode === mode && eni.goal === 'serve')
  const needed = {
    shared: naiveNeed(there('shared').map(serves), pods.shared, pool.shared),
    exclusive: Math.min(pods.exclusive, pool.exclusive.maxEnis, pool.exclusive.maxPods ?? 1000),
  }
  const got = { shared: 0, exclusive: 0 }
  for (const mode of eniModes) got[mode] = Math.min(needed[mode], there(mode).length)
  const deal = (mode: EniMode, goal: number) => {
    while (got[mode] < goal && got.shared + got.exclusive < pool.instanceEnis) got[mode]++
  }
  for (const mode of eniModes) deal(mode, needed[mode])
  for (const mode of eniModes) deal(mode, Math.min(there(mode).length, pool[mode].maxEnis))
  const most = (mode: EniMode) =>
    there(mode).length > got[mode] ? Math.min(got[mode], pool[mode].maxEnis) : pool[mode].maxEnis
  return { shared: most('shared'), exclusive: most('exclusive') }
}

/** Seats the pods one by one, on the fullest ENI with a seat, else on a new one, as long as one more may be bound. */
function naiveNeed(
  sizes: readonly number[],
  pods: number,
  { ipsPerEni: perEni, maxEnis, maxPods = 1000 }: NodePool['shared'],
): number {
  const bound = sizes.reduce((sum, size) => sum + size, 0)
  const bindable = Math.min(maxEnis * perEni, maxPods)
  const seats = sizes.toSorted((a, b) => b - a).map((size) => Math.max(size, perEni))
  let enis = 0
  let free = 0
  for (let seated = 0; seated < pods && (seated < bound || seated < bindable); seated++) {
    while (free === 0 && enis < seats.length) free = seats[enis++] ?? 0
    if (free === 0 && enis < maxEnis && perEni > 0) {
      free = perEni
      enis++
    }
    if (free === 0) return enis
    free--
  }
  return enis
}

/** How many ENIs of each kind are made: one address after the other finds a place, pods first. */
function naivePlaces(
  pool: NodePool,
  pods: Readonly<Record<EniMode, number>>,
  serves: (eni: PoolEni) => number,
): Record<EniMode, number> {
  const made = { shared: 0, exclusive: 0 }
  const countOf = (mode: EniMode) => pool.enis.filter((eni) => eni.mode === mode).length
  const within = naiveMaxima(pool, pods, serves)
  const surplus = naiveSurplus(
    pool.enis.filter(({ mode }) => mode === 'shared'),
    within.shared,
    serves,
  )
  let room = pool.enis
    .filter((eni) => eni.mode === 'shared' && eni.goal === 'serve' && !surplus.includes(eni))
    .reduce((sum, eni) => sum + Math.max(0, pool.shared.ipsPerEni - eni.ips.length - eni.expectedIps), 0)
  const have = (mode: EniMode) =>
    pool.enis.filter((eni) => eni.mode === mode).reduce((sum, eni) => sum + serves(eni), 0)
  const mostOf = (mode: EniMode) =>
    Math.min(pool[mode].maxEnis * pool[mode].ipsPerEni, pool[mode].maxPods ?? 1000)
  const one = (mode: EniMode): void => {
    if (mode === 'shared' && room > 0) {
      room--
      return
    }
    // A kind that gives an ENI up for the other one makes none meanwhile, though what it keeps has an address to give back first.
    const isFree =
      pool.enis.length + made.shared + made.exclusive < pool.instanceEnis &&
      countOf(mode) + made[mode] < within[mode]
    if (!isFree) return
    made[mode]++
    if (mode === 'shared') room += pool.shared.ipsPerEni - 1
  }
  const got = { shared: have('shared'), exclusive: have('exclusive') }
  for (const warmToo of [false, true])
    for (const mode of eniModes) {
      const goal = Math.min(pods[mode] + (warmToo ? pool[mode].minWarm : 0), mostOf(mode))
      for (; got[mode] < goal; got[mode]++) one(mode)
    }
  return made
}

test('planNode() repeats itself, whatever the order of ENIs and subnets', () => {
  fc.assert(
    fc.property(anyCase, (given) => {
      const { slots } = given
      const subnets = [subnet('subnet-a', given.availableA), subnet('subnet-b', given.availableA)]
      const pods = { shared: given.pods, exclusive: given.exclusivePods }
      const demand = { pods, returned: new Set<Ipv4>(), zone }
      const one = planNode(givenPool(given), { ...demand, subnets })
      const other = planNode(givenPool({ ...given, slots: slots.toReversed() }), {
        ...demand,
        subnets: subnets.toReversed(),
      })
      assert.deepEqual(
        one.actions.map(tellAction).toSorted(byText),
        other.actions.map(tellAction).toSorted(byText),
      )
      assert.deepEqual(one.shortages, other.shortages)
    }),
    { numRuns: 300 },
  )
})
