// How the node's pool follows the NEC: rows, and what no NEC whatsoever may do.
import assert from 'node:assert/strict'
import { test } from 'node:test'
import fc from 'fast-check'
import type { LocalIp } from '../../internal/ipam/choose-address.ts'
import { planSync, type SyncChange } from '../../internal/ipam/plan-sync.ts'
import type { PublishedEni } from '../../internal/ipam/types.ts'
import type { Ipv4 } from '../../internal/value/ipv4.ts'
import { known } from '../given.ts'
import { addressOf, localIps, publishedEni, T0 } from './pools.ts'

interface Row {
  readonly does: string
  readonly ips?: readonly string[]
  /** Known ENIs; "2 u" is not published. */
  readonly enis?: readonly string[]
  readonly nec: readonly PublishedEni[]
  readonly want: readonly string[]
  readonly disputed?: readonly string[]
  /** The pod that has what is in use. */
  readonly holder?: string
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
    does: '[E7] learns of EIPs that come and go',
    ips: ['1.1 e1 *', '1.2 *', '1.3 e2', '1.4 e', '1.5'],
    enis: ['1'],
    nec: [
      exposed(publishedEni(1, '1', '2', '3', '4', '5:2', '6'), { 1: '1', 2: '2', 3: '', 5: '3', 6: '4' }),
    ],
    want: [
      ...[
        'expose-ip 1.2 to pod 2',
        'expose-ip 1.3 to none',
        'expose-ip 1.4 no more',
        'renew-ip 1.5 to pod 3',
      ],
      'add-ip 1.6 to pod 4',
    ],
  },
  {
    does: '[P16] keeps what cools until it has rested, and hands it out no more',
    ips: ['1.1 c1', '1.2 c0', '1.3 c5 u', '1.4 c5 r'],
    enis: ['1'],
    nec: [publishedEni(1)],
    // Also what was given back: it was bound again at once, and came back without its cooldown.
    want: ['unpublish-ip 1.1', 'forget-ip 1.2', 'unpublish-ip 1.4'],
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
    does: '[P11] drops an ENI only when its last address has moved: a row that stayed kept that from every pod',
    ips: ['1.1 u', '2.1 *'],
    enis: ['1', '2 u'],
    nec: [publishedEni(3, '1.1:2')],
    want: ['unpublish-ip 2.1', 'unpublish-eni 2', 'keep-eni 3', 'renew-ip 1.1', 'unpublish-eni 1'],
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
  {
    does: '[S4] takes up whom an address is for',
    nec: [publishedEni(1, '1', '2:1:web-0')],
    want: ['keep-eni 1', 'add-ip 1.1', 'add-ip 1.2 for web-0'],
  },
  {
    does: '[S4] follows a claim of an idle address, which comes, goes or changes',
    ips: ['1.1', '1.2 =web-0', '1.3 =web-1', '1.4 =web-2'],
    enis: ['1'],
    nec: [publishedEni(1, '1:1:web-0', '2', '3:1:web-3', '4:1:web-2')],
    want: ['claim-ip 1.1 for web-0', 'claim-ip 1.2 for any', 'claim-ip 1.3 for web-3'],
  },
  {
    does: '[S4] follows a claim with its new binding',
    ips: ['1.1 r =web-0', '1.2 r'],
    enis: ['1'],
    nec: [publishedEni(1, '1:2:web-1', '2:2:web-0')],
    want: ['renew-ip 1.1 for web-1', 'renew-ip 1.2 for web-0'],
  },
  {
    does: '[R1] leaves an address in use to its pod, and says that it is claimed for another',
    ips: ['1.1 *', '1.2 * =web-0'],
    holder: 'web-0',
    enis: ['1'],
    nec: [publishedEni(1, '1:1:web-1', '2:2:web-1')],
    want: [],
    disputed: ['1.1 web-1', '1.2 web-1'],
  },
  {
    does: '[S4] follows a claim of an address in use for the pod that has it',
    ips: ['1.1 *', '1.2 * =web-0', '1.3 * =web-0'],
    holder: 'web-0',
    enis: ['1'],
    nec: [publishedEni(1, '1:1:web-0', '2', '3:2:web-0')],
    want: ['claim-ip 1.1 for web-0', 'claim-ip 1.2 for any', 'renew-ip 1.3 for web-0'],
  },
  {
    does: '[S6] leaves an address whose claim is let go to who has it, and to nobody after that',
    ips: ['1.1 * =web-0', '1.2 =web-0'],
    holder: 'web-0',
    enis: ['1'],
    nec: [publishedEni(1, '1:1:web-0 (released)', '2:1:web-0 (released)')],
    want: ['claim-ip 1.1 for web-0 (released)', 'claim-ip 1.2 for web-0 (released)'],
  },
  {
    does: '[R1] says that an address in use is let go by another than has it',
    ips: ['1.1 * =web-0'],
    holder: 'web-0',
    enis: ['1'],
    nec: [publishedEni(1, '1:1:web-1 (released)')],
    want: [],
    disputed: ['1.1 web-1 (released)'],
  },
  {
    does: '[S4] takes a pod whose name nobody has told for the one that it is claimed for',
    ips: ['1.1 *'],
    holder: '',
    enis: ['1'],
    nec: [publishedEni(1, '1:1:web-0')],
    want: ['claim-ip 1.1 for web-0'],
  },
  {
    does: '[S4] publishes again what was claimed',
    ips: ['1.1 u =web-0'],
    enis: ['1'],
    nec: [publishedEni(1, '1:1:web-1')],
    want: ['claim-ip 1.1 for web-1', 'publish-ip 1.1'],
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
    const holder = row.holder === undefined ? undefined : { namespace: 'shop', name: row.holder }
    const { changes, disputed } = planSync(localIps(...(row.ips ?? [])), enis, row.nec, () => holder, T0)
    assert.deepEqual(changes.map(tell), row.want)
    assert.deepEqual(
      disputed.map(({ address, claim }) => [short(address), claim?.name ?? []].flat().join(' ')),
      row.disputed ?? [],
    )
  })
}

function tell(change: SyncChange): string {
  if (change.kind === 'keep-eni') return `keep-eni ${change.eni.slot}`
  if (change.kind === 'unpublish-eni') return `unpublish-eni ${change.eniId.slice('eni-'.length)}`
  const claim = 'claim' in change ? ` for ${change.claim?.name ?? 'any'}` : ''
  return `${change.kind} ${short(change.address)}${claim}${tellEip(change)}`
}

function tellEip(change: SyncChange): string {
  if (!('eipFor' in change)) return ''
  const { eipFor } = change
  return eipFor === undefined ? ' no more' : ` to ${eipFor === '' ? 'none' : `pod ${eipFor}`}`
}

/** With EIPs on the addresses, for pods of these uids. */
function exposed(eni: PublishedEni, pods: Readonly<Record<number, string>>): PublishedEni {
  const ips = eni.ips.map((ip) => {
    const eipFor = pods[Number(ip.address.split('.')[3])]
    return { ...ip, ...(eipFor !== undefined && { eipFor }) }
  })
  return { ...eni, ips }
}

const short = (address: string) => address.slice('10.0.'.length)

const web = (n: number) => ({ namespace: 'shop', name: `web-${n}` })

const anyLocal = fc.uniqueArray(
  fc
    .record({
      slot: fc.integer({ min: 1, max: 3 }),
      n: fc.integer({ min: 1, max: 9 }),
      grant: fc.integer({ min: 1, max: 4 }),
      inUse: fc.boolean(),
      returning: fc.boolean(),
      published: fc.boolean(),
      claim: fc.option(fc.integer({ min: 0, max: 1 }), { nil: undefined }),
    })
    .map(
      ({ slot, n, grant, inUse, returning, published, claim }): LocalIp => ({
        address: addressOf(0, n),
        eniId: `eni-${slot}`,
        grant,
        state: returning && !inUse ? 'returning' : 'usable',
        published,
        inUse,
        coolingUntil: 0,
        ...(claim === undefined ? {} : { claim: web(claim) }),
      }),
    ),
  { selector: ({ address }) => address },
)

const anyNec = fc.array(
  fc.tuple(
    fc.integer({ min: 1, max: 3 }),
    fc.array(
      fc.tuple(
        fc.integer({ min: 1, max: 9 }),
        fc.integer({ min: 1, max: 6 }),
        fc.constantFrom('', ':web-0', ':web-1'),
      ),
    ),
  ),
  { maxLength: 3 },
)

test('[R7] planSync() never forgets or moves an address in use, and repeats nothing', () => {
  fc.assert(
    fc.property(anyLocal, anyNec, (local, shorts) => {
      const nec = [...new Map(shorts).entries()].map(([slot, ips]) =>
        publishedEni(slot, ...ips.map(([n, grant, claim]) => `0.${n}:${grant}${claim}`)),
      )
      const enis = [...new Set(local.map(({ eniId }) => eniId))].map((id) => ({ id, published: true }))
      const holders = new Map(local.map(({ address, claim }) => [address, claim ?? web(0)]))
      const holderOf = (address: string) => holders.get(address as Ipv4)
      const { changes, disputed } = planSync(local, enis, nec, holderOf, T0)
      const inUse = new Map(local.filter((ip) => ip.inUse).map((ip) => [ip.address, ip]))
      for (const change of changes) {
        if (change.kind === 'forget-ip') assert.ok(!inUse.has(change.address))
        if (change.kind === 'renew-ip') {
          assert.equal(inUse.get(change.address)?.eniId ?? change.eniId, change.eniId)
        }
      }
      for (const { address } of disputed) assert.ok(inUse.has(address))

      // Applied, the same NEC asks for nothing more.
      const after = new Map(local.map((ip) => [ip.address, ip]))
      const knownEnis = new Map(enis.map(({ id, published }) => [id, published]))
      for (const change of changes) apply(change, after, knownEnis)
      const again = planSync(
        [...after.values()],
        [...knownEnis].map(([id, published]) => ({ id, published })),
        nec,
        holderOf,
        T0,
      )
      assert.deepEqual(
        again.changes.filter(({ kind }) => kind !== 'unpublish-eni'),
        [],
      )

      // And what is idle afterwards is what is published, no more.
      const wanted = new Set(nec.flatMap(({ ips }) => ips.map(({ address }) => address)))
      for (const ip of after.values()) assert.ok(ip.inUse || wanted.has(ip.address))
      // What is in use is claimed for nobody but the pod that has it; what is not, for whom it is published.
      for (const { address, claim, inUse } of after.values()) {
        if (inUse) assert.deepEqual(claim ?? holderOf(address), holderOf(address))
        else assert.deepEqual(claim, published(nec, address)?.claim)
      }
      for (const address of wanted) assert.ok(after.has(address))
    }),
    { numRuns: 600 },
  )
})

/** On the last of its ENIs. */
function published(nec: readonly PublishedEni[], address: string) {
  return nec.flatMap(({ ips }) => ips).findLast((one) => one.address === address)
}

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
        ...(change.claim === undefined ? {} : { claim: change.claim }),
      })
    }
    case 'claim-ip': {
      const { claim: _, ...ip } = known(ips.get(change.address))
      return void ips.set(change.address, change.claim === undefined ? ip : { ...ip, claim: change.claim })
    }
    default: {
      const ip = ips.get(change.address)
      if (ip !== undefined) ips.set(change.address, { ...ip, published: change.kind === 'publish-ip' })
    }
  }
}
