// How the node's pool follows the NEC: rows, and what no NEC whatsoever may do.
import assert from 'node:assert/strict'
import { test } from 'node:test'
import fc from 'fast-check'
import type { LocalIp } from '../../internal/ipam/choose-address.ts'
import { planSync, type SyncChange } from '../../internal/ipam/plan-sync.ts'
import type { PublishedEni } from '../../internal/ipam/types.ts'
import { addressOf, localIps, publishedEni, T0 } from './pools.ts'

interface Row {
  readonly does: string
  readonly ips?: readonly string[]
  /** Known ENIs; "2 u" is not published. */
  readonly enis?: readonly string[]
  readonly nec: readonly PublishedEni[]
  readonly want: readonly string[]
  readonly disputed?: readonly string[]
}

const rows: readonly Row[] = [
  {
    does: 'takes up ENI and addresses',
    nec: [publishedEni(1, '1', '2')],
    want: ['keep-eni 1', 'add-ip 1.1', 'add-ip 1.2'],
  },
  {
    does: 'does nothing when all is as published',
    ips: ['1.1'],
    enis: ['1'],
    nec: [publishedEni(1, '1')],
    want: [],
  },
  {
    does: 'forgets what is idle and no longer published',
    ips: ['1.1', '1.2'],
    enis: ['1'],
    nec: [publishedEni(1, '1')],
    want: ['forget-ip 1.2'],
  },
  {
    does: '[P16] keeps what cools until it has rested, and hands it out no more',
    ips: ['1.1 c1', '1.2 c0', '1.3 c5 u', '1.4 c5 r'],
    enis: ['1'],
    nec: [publishedEni(1)],
    want: ['unpublish-ip 1.1', 'forget-ip 1.2', 'forget-ip 1.4'],
  },
  {
    does: '[P3] forgets what was returned and is taken',
    ips: ['1.1 r'],
    enis: ['1'],
    nec: [publishedEni(1)],
    want: ['forget-ip 1.1'],
  },
  {
    does: '[R7] keeps what is in use, whatever the NEC says',
    ips: ['1.1 *'],
    enis: ['1'],
    nec: [],
    want: ['unpublish-ip 1.1', 'unpublish-eni 1'],
  },
  { does: '[R7] marks it once', ips: ['1.1 * u'], enis: ['1'], nec: [publishedEni(1)], want: [] },
  {
    does: '[R7] takes it back when it is published again',
    ips: ['1.1 * u'],
    enis: ['1'],
    nec: [publishedEni(1, '1')],
    want: ['publish-ip 1.1'],
  },
  {
    does: '[P3] makes a returned address usable under a new grant only',
    ips: ['1.1 r', '1.2 r'],
    enis: ['1'],
    nec: [publishedEni(1, '1:1', '1.2:2')],
    want: ['renew-ip 1.2'],
  },
  {
    does: '[R7] ignores a grant from the past',
    ips: ['1.1'],
    enis: ['1'],
    nec: [publishedEni(1, '1:0')],
    want: [],
  },
  {
    does: 'moves an idle address to its new ENI',
    ips: ['1.1'],
    enis: ['1', '2'],
    nec: [publishedEni(1), publishedEni(2, '1.1:2')],
    want: ['renew-ip 1.1'],
  },
  {
    does: '[R1] leaves an address in use on its ENI and says so',
    ips: ['1.1 *'],
    enis: ['1', '2'],
    nec: [publishedEni(1), publishedEni(2, '1.1:2')],
    want: [],
    disputed: ['1.1'],
  },
  {
    does: '[R1] takes an address published on two ENIs once',
    nec: [publishedEni(1, '1'), publishedEni(2, '1.1:2')],
    want: ['keep-eni 1', 'keep-eni 2', 'add-ip 1.1'],
  },
  { does: 'drops an ENI that is gone', enis: ['1'], nec: [], want: ['unpublish-eni 1'] },
  { does: 'does not drop it twice over', enis: ['1 u'], nec: [publishedEni(1)], want: ['keep-eni 1'] },
  {
    does: 'drops what went before it takes up what came, since addresses are used again',
    ips: ['1.1'],
    enis: ['1'],
    nec: [publishedEni(2, '1')],
    want: ['forget-ip 1.1', 'unpublish-eni 1', 'keep-eni 2', 'add-ip 2.1'],
  },
]

for (const row of rows) {
  test(row.does.replace(/^((?:\[\w+\] )?)/, '$1planSync() '), () => {
    const enis = (row.enis ?? []).map((short) => {
      const [slot, mark] = short.split(' ')
      return { id: `eni-${slot}`, published: mark !== 'u' }
    })
    const { changes, disputed } = planSync(localIps(...(row.ips ?? [])), enis, row.nec, T0)
    assert.deepEqual(changes.map(tell), row.want)
    assert.deepEqual(disputed.map(short), row.disputed ?? [])
  })
}

function tell(change: SyncChange): string {
  if (change.kind === 'keep-eni') return `keep-eni ${change.eni.slot}`
  if (change.kind === 'unpublish-eni') return `unpublish-eni ${change.eniId.slice('eni-'.length)}`
  return `${change.kind} ${short(change.address)}`
}

const short = (address: string) => address.slice('10.0.'.length)

const anyLocal = fc.uniqueArray(
  fc
    .record({
      slot: fc.integer({ min: 1, max: 3 }),
      n: fc.integer({ min: 1, max: 9 }),
      grant: fc.integer({ min: 1, max: 4 }),
      inUse: fc.boolean(),
      returning: fc.boolean(),
      published: fc.boolean(),
    })
    .map(
      ({ slot, n, grant, inUse, returning, published }): LocalIp => ({
        address: addressOf(0, n),
        eniId: `eni-${slot}`,
        grant,
        state: returning && !inUse ? 'returning' : 'usable',
        published,
        inUse,
        coolingUntil: 0,
      }),
    ),
  { selector: ({ address }) => address },
)

const anyNec = fc.array(
  fc.tuple(
    fc.integer({ min: 1, max: 3 }),
    fc.array(fc.tuple(fc.integer({ min: 1, max: 9 }), fc.integer({ min: 1, max: 6 }))),
  ),
  { maxLength: 3 },
)

test('[R7] planSync() never forgets or moves an address in use, and repeats nothing', () => {
  fc.assert(
    fc.property(anyLocal, anyNec, (local, shorts) => {
      const nec = [...new Map(shorts).entries()].map(([slot, ips]) =>
        publishedEni(slot, ...ips.map(([n, grant]) => `0.${n}:${grant}`)),
      )
      const enis = [...new Set(local.map(({ eniId }) => eniId))].map((id) => ({ id, published: true }))
      const { changes, disputed } = planSync(local, enis, nec, T0)
      const inUse = new Map(local.filter((ip) => ip.inUse).map((ip) => [ip.address, ip]))
      for (const change of changes) {
        if (change.kind === 'forget-ip') assert.ok(!inUse.has(change.address))
        if (change.kind === 'renew-ip') {
          assert.equal(inUse.get(change.address)?.eniId ?? change.eniId, change.eniId)
        }
      }
      for (const address of disputed) assert.ok(inUse.has(address))

      // Applied, the same NEC asks for nothing more.
      const after = new Map(local.map((ip) => [ip.address, ip]))
      const known = new Map(enis.map(({ id, published }) => [id, published]))
      for (const change of changes) apply(change, after, known)
      const again = planSync(
        [...after.values()],
        [...known].map(([id, published]) => ({ id, published })),
        nec,
        T0,
      )
      assert.deepEqual(
        again.changes.filter(({ kind }) => kind !== 'unpublish-eni'),
        [],
      )

      // And what is idle afterwards is what is published, no more.
      const wanted = new Set(nec.flatMap(({ ips }) => ips.map(({ address }) => address)))
      for (const ip of after.values()) assert.ok(ip.inUse || wanted.has(ip.address))
      for (const address of wanted) assert.ok(after.has(address))
    }),
    { numRuns: 600 },
  )
})

function apply(change: SyncChange, ips: Map<string, LocalIp>, enis: Map<string, boolean>): void {
  switch (change.kind) {
    case 'keep-eni':
      return void enis.set(change.eni.id, true)
    case 'unpublish-eni':
      return void enis.set(change.eniId, false)
    case 'forget-ip':
      return void ips.delete(change.address)
    case 'add-ip':
    case 'renew-ip': {
      const { address, eniId, grant } = change
      assert.ok(enis.get(eniId), 'its ENI is there first')
      const inUse = ips.get(address)?.inUse ?? false
      return void ips.set(address, {
        address,
        eniId,
        grant,
        state: 'usable',
        published: true,
        inUse,
        coolingUntil: 0,
      })
    }
    default: {
      const ip = ips.get(change.address)
      if (ip !== undefined) ips.set(change.address, { ...ip, published: change.kind === 'publish-ip' })
    }
  }
}
