import assert from 'node:assert/strict'
import { test } from 'node:test'
import type { Intent } from '../../internal/ipam/settle-intent.ts'
import { settleMigration } from '../../internal/ipam/settle-migration.ts'
import type { CloudEni, CloudIp } from '../../internal/ipam/types.ts'
import type { Ipv4 } from '../../internal/value/ipv4.ts'
import type { Mac } from '../../internal/value/mac.ts'

const address = '10.0.1.5' as Ipv4
const policy = { staleFor: 5000, giveUpAfter: 60_000 }

function intent(change: Partial<Intent>): Intent {
  return {
    ...{
      id: 1,
      kind: 'migrate',
      node: 'n2',
      instanceId: 'ins-2',
      eni: 2,
      eniId: 'eni-2',
      subnetId: 'subnet-a',
    },
    ...{
      slot: 1,
      mode: 'shared',
      state: 'accepted',
      count: 1,
      addresses: [address],
      exact: false,
      token: 't',
    },
    from: { eni: 1, eniId: 'eni-1', node: 'n1' },
    ...{ resent: 0, reason: '', createdAt: 0, changedAt: 0, missingSince: undefined },
    ...change,
  }
}

function eni(id: string, state: CloudIp['state'] | 'no' | 'gone'): CloudEni | undefined {
  if (state === 'gone') return undefined
  return {
    ...{
      id,
      name: id,
      subnetId: 'subnet-a',
      mac: '20:90:6f:00:00:01' as Mac,
      state: 'available',
      primary: false,
    },
    ...{ instanceId: 'ins', primaryIp: '10.0.1.2' as Ipv4, tags: {} },
    ips: state === 'no' ? [] : [{ address, state }],
  }
}

type Shown = Parameters<typeof eni>[1]
interface Row {
  readonly does: string
  readonly from: Shown
  readonly to: Shown
  readonly intent?: Partial<Intent>
  readonly at?: number
  /** The ENI that it goes to had it just before. */
  readonly left?: boolean
  readonly want: string
}

const recorded = { state: 'recorded' } as const
const rows: readonly Row[] = [
  { does: 'is done when it is there and not here', from: 'no', to: 'available', want: 'done' },
  {
    does: 'is done when it is there and the ENI it left is gone',
    from: 'gone',
    to: 'available',
    want: 'done',
  },
  { does: 'waits while both show it', from: 'available', to: 'available', want: 'wait' },
  { does: 'waits while it leaves', from: 'migrating', to: 'no', want: 'wait' },
  { does: 'waits while it arrives', from: 'no', to: 'pending', want: 'wait' },
  {
    does: 'believes no early view of a call without an answer',
    from: 'no',
    to: 'available',
    intent: recorded,
    at: 4999,
    want: 'wait',
  },
  { does: 'believes a later one', from: 'no', to: 'available', intent: recorded, at: 5000, want: 'done' },
  {
    does: 'believes no early view that may be from before it left the ENI to which it comes back',
    ...{ from: 'no', to: 'available', at: 4999, left: true, want: 'wait' },
  },
  { does: 'believes a later view of it', from: 'no', to: 'available', at: 5000, left: true, want: 'done' },
  { does: 'gives an accepted call time', from: 'available', to: 'no', at: 59_999, want: 'wait' },
  { does: 'sends it again then', from: 'available', to: 'no', at: 60_000, want: 'resend' },
  {
    does: 'sends one without an answer again soon',
    from: 'available',
    to: 'no',
    intent: recorded,
    at: 5000,
    want: 'resend',
  },
  { does: 'doubts that it is on neither', from: 'no', to: 'no', at: 60_000, want: 'doubt' },
  {
    does: 'gives it up when that lasts',
    from: 'no',
    to: 'no',
    intent: { missingSince: 0 },
    at: 60_000,
    want: 'failed',
  },
  {
    does: 'doubts that the ENI it goes to is gone',
    from: 'available',
    to: 'gone',
    at: 60_000,
    want: 'doubt',
  },
  {
    does: 'fails when it is',
    from: 'available',
    to: 'gone',
    intent: { missingSince: 0 },
    at: 60_000,
    want: 'failed',
  },
  {
    does: 'fails after many sendings',
    from: 'available',
    to: 'no',
    intent: { ...recorded, resent: 5, missingSince: 0 },
    at: 60_000,
    want: 'failed',
  },
]

for (const row of rows)
  test(`settleMigration() ${row.does}`, () => {
    const left = row.left ?? false
    const view = { from: eni('eni-1', row.from), to: eni('eni-2', row.to), left }
    const settled = settleMigration(intent(row.intent ?? {}), view, row.at ?? 6000, policy)
    assert.equal(settled.kind, row.want)
  })
