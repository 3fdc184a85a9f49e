// Which address a new pod gets: rows, and a naive second model.
import assert from 'node:assert/strict'
import { test } from 'node:test'
import fc from 'fast-check'
import { chooseAddress, chooseClaimed, isIdle, type LocalIp } from '../../internal/ipam/choose-address.ts'
import { ipv4ToNumber } from '../../internal/value/ipv4.ts'
import { addressOf, localEnis, localIps, T0 } from './pools.ts'

for (const row of [
  { does: '[P11] gives the only idle address', ips: ['1.1 *', '1.2'], want: '10.0.1.2' },
  { does: '[P11] gives none of an empty pool', ips: [], want: undefined },
  { does: '[P11] gives none when all are in use', ips: ['1.1 *', '1.2 *'], want: undefined },
  { does: '[P3] never gives one that was given up', ips: ['1.1 r'], want: undefined },
  { does: '[R7] never gives one that is no longer published', ips: ['1.1 u'], want: undefined },
  {
    does: '[P12] prefers the ENI with most addresses in use',
    ips: ['1.1', '1.2', '2.1 *', '2.2'],
    want: '10.0.2.2',
  },
  {
    does: '[P12] prefers the lower slot among equals',
    ips: ['2.1', '1.1'],
    want: '10.0.1.1',
  },
  {
    does: '[P16] prefers an emptier ENI to an address that cools down',
    ips: ['1.1 *', '1.2 *', '1.3 c10', '2.1'],
    want: '10.0.2.1',
  },
  { does: '[P16] gives an address whose cooldown is over', ips: ['1.1 c0'], want: '10.0.1.1' },
  {
    does: '[P16] gives the one that has cooled longest when all cool down',
    ips: ['1.1 c30', '2.1 c10', '2.2 *', '1.2 c20'],
    want: '10.0.2.1',
  },
  {
    does: '[P16] takes the lower address when two have cooled as long',
    ips: ['1.10 c5', '1.9 c5'],
    want: '10.0.1.9',
  },
  { does: 'waits for an ENI that is not set up', ips: ['3.1'], want: undefined },
  { does: 'rolls among equals, low', ips: ['1.1', '1.2', '1.3'], roll: 0, want: '10.0.1.1' },
  { does: 'rolls among equals, high', ips: ['1.10', '1.9', '1.3'], roll: 0.999, want: '10.0.1.10' },
]) {
  test(row.does.replace(/^((?:\[\w+\] )?)/, '$1chooseAddress() '), () => {
    assert.equal(chooseAddress(localIps(...row.ips), localEnis(1, 2), T0, row.roll ?? 0), row.want)
  })
}

for (const row of [
  { does: 'gives no other pod what an EIP is on', ips: ['1.1 e1', '1.2 e'], pod: '2', want: undefined },
  {
    does: 'gives none to a pod of which no uid is known',
    ips: ['1.1 e1', '1.2 e'],
    pod: '',
    want: undefined,
  },
  { does: 'gives its pod that again', ips: ['1.1', '1.2 e1 c9', '1.3 *'], pod: '1', want: '10.0.1.2' },
  {
    does: 'gives its pod another while it is not free',
    ips: ['1.1', '1.2 e1 u'],
    pod: '1',
    want: '10.0.1.1',
  },
  { does: 'passes over it for others', ips: ['1.1 e1', '1.2'], pod: '2', want: '10.0.1.2' },
])
  test(`[E7] chooseAddress() ${row.does}`, () => {
    assert.equal(chooseAddress(localIps(...row.ips), localEnis(1), T0, 0, row.pod), row.want)
  })

const anyIp: fc.Arbitrary<LocalIp> = fc
  .record({
    slot: fc.integer({ min: 1, max: 3 }),
    n: fc.integer({ min: 1, max: 40 }),
    state: fc.constantFrom('usable', 'usable', 'usable', 'returning' as const),
    published: fc.boolean(),
    inUse: fc.boolean(),
    cools: fc.integer({ min: -2, max: 3 }),
  })
  .map(({ slot, n, state, published, inUse, cools }) => ({
    address: addressOf(slot, n),
    eniId: `eni-${slot}`,
    grant: 1,
    state: state === 'returning' && !inUse ? 'returning' : 'usable',
    published,
    inUse,
    coolingUntil: T0 + cools,
  }))

const anyPool = fc.uniqueArray(anyIp, { maxLength: 14, selector: ({ address }) => address })

test('[P11][P12][P16] chooseAddress() agrees with a naive second model', () => {
  fc.assert(
    fc.property(
      anyPool,
      fc.subarray([1, 2, 3]),
      fc.double({ min: 0, max: 0.999, noNaN: true }),
      (ips, up, roll) => {
        const ready = new Set(up.map((slot) => `eni-${slot}`))
        const free = ips.filter((ip) => isIdle(ip) && ready.has(ip.eniId))
        const chosen = chooseAddress(ips, localEnis(...up), T0, roll)
        assert.equal(chosen === undefined, free.length === 0)
        if (chosen === undefined) return
        const got = free.find(({ address }) => address === chosen)
        assert.ok(got, 'only what is free, published and set up')
        const rested = free.filter(({ coolingUntil }) => coolingUntil <= T0)
        const inUse = (eniId: string) => ips.filter((ip) => ip.eniId === eniId && ip.inUse).length
        if (rested.length > 0) {
          assert.ok(rested.includes(got), 'a cooling one only when nothing else is idle')
          assert.ok(
            rested.every(({ eniId }) => inUse(eniId) <= inUse(got.eniId)),
            'of the ENI with most in use',
          )
        } else {
          assert.ok(free.every(({ coolingUntil }) => coolingUntil >= got.coolingUntil))
        }
        assert.equal(chooseAddress(ips.toReversed(), localEnis(...up.toReversed()), T0, roll), chosen)
      },
    ),
    { numRuns: 1000 },
  )
})

const web0 = { namespace: 'shop', name: 'web-0' }
for (const { does, ips, want } of [
  { does: 'gives a pod the address of its name', ips: ['1.1', '1.2 =web-1', '1.3 =web-0'], want: '1.3' },
  { does: 'gives it nothing else', ips: ['1.1', '1.2 =web-1'], want: undefined },
  { does: 'gives it at once what its earlier sandbox left', ips: ['1.1 c99 =web-0'], want: '1.1' },
  { does: 'gives none that is in use', ips: ['1.1 * =web-0'], want: undefined },
  { does: 'gives none that was given back', ips: ['1.1 r =web-0'], want: undefined },
  { does: 'gives none that is no longer published', ips: ['1.1 u =web-0'], want: undefined },
  { does: 'gives none of an ENI that is not set up', ips: ['3.1 =web-0'], want: undefined },
])
  test(`[S4] chooseClaimed() ${does}`, () => {
    const chosen = chooseClaimed(localIps(...ips), localEnis(1, 2), web0)
    assert.equal(chosen?.slice('10.0.'.length), want)
  })

test('[S4] chooseClaimed() takes the latest binding, and looks at the namespace', () => {
  const ips = localIps('1.1 =web-0', '1.2 =web-0').map((ip, i) => ({ ...ip, grant: i + 1 }))
  assert.equal(chooseClaimed(ips, localEnis(1), web0), ips[1]?.address)
  assert.equal(chooseClaimed(ips, localEnis(1), { ...web0, namespace: 'other' }), undefined)
})

test('[S4] chooseAddress() gives nobody what is claimed, and counts it as used', () => {
  assert.equal(chooseAddress(localIps('1.1 =web-0', '1.2 c9 =web-1'), localEnis(1), T0, 0), undefined)
  const ips = localIps('1.1', '1.2 =web-0', '2.1', '2.2 * =web-1')
  assert.equal(chooseAddress(ips, localEnis(1, 2), T0, 0), addressOf(2, 1))
})

test('[P11] chooseAddress() reaches every address of the ENI it settles on', () => {
  const ips = localIps('1.1', '1.2', '1.3', '1.4', '2.1')
  const seen = new Set(
    Array.from({ length: 100 }, (_, i) => chooseAddress(ips, localEnis(1, 2), T0, i / 100)),
  )
  assert.deepEqual(
    [...seen].map((address) => (address === undefined ? 0 : ipv4ToNumber(address) % 256)),
    [1, 2, 3, 4],
  )
})
