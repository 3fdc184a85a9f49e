// What became of a cloud call: kind × state × what the cloud shows → settlement.
import assert from 'node:assert/strict'
import { test } from 'node:test'
import fc from 'fast-check'
import {
  type EniMemory,
  type Intent,
  type IntentKind,
  type SettlePolicy,
  settleIntent,
} from '../../internal/ipam/settle-intent.ts'
import type { CloudEni, CloudIp } from '../../internal/ipam/types.ts'
import { mac, nth } from '../given.ts'
import { T0 } from './pools.ts'

const policy: SettlePolicy = { staleFor: 5000, giveUpAfter: 60_000 }
const here = 'ins-1'

interface Row {
  readonly kind: IntentKind
  readonly state: Intent['state']
  /** Milliseconds since it was last sent or answered; and since it was made, when that is longer. */
  readonly age?: number
  readonly made?: number
  /** Milliseconds since what the cloud shows has spoken against it. */
  readonly missing?: number
  readonly resent?: number
  /** "state instance"; absent: the ENI is not in the answer. */
  readonly shows?: string
  /** Last bytes of addresses shown, "5 pending". */
  readonly ips?: readonly string[]
  /** Of the intent; of the ledger. */
  readonly names?: readonly number[]
  readonly known?: readonly number[]
  /** Milliseconds before it was made since which all that it takes away had been there. */
  readonly there?: number
  /** Last bytes of addresses that left the ENI lately. */
  readonly left?: readonly number[]
  readonly want: string
}

const accepted = 'accepted'
const recorded = 'recorded'

const rows: readonly Row[] = [
  // create
  { kind: 'create', state: accepted, shows: 'pending', want: 'wait' },
  { kind: 'create', state: accepted, shows: 'available', ips: ['5', '6'], want: 'done' },
  { kind: 'create', state: accepted, shows: 'available', ips: ['5', '6 pending'], want: 'wait' },
  { kind: 'create', state: recorded, shows: 'available', ips: ['5', '6'], want: 'done' },
  // Fewer addresses than asked for: so it is when two reads apart in time agree.
  { kind: 'create', state: accepted, shows: 'available', ips: ['5'], age: 4999, want: 'wait' },
  { kind: 'create', state: accepted, shows: 'available', ips: ['5'], want: 'doubt' },
  { kind: 'create', state: accepted, shows: 'available', ips: ['5'], missing: 4999, want: 'doubt' },
  { kind: 'create', state: accepted, shows: 'available', ips: ['5'], missing: 5000, want: 'done' },
  // Ever more seldom, and not for ever.
  { kind: 'create', state: recorded, missing: 9999, resent: 1, want: 'doubt' },
  { kind: 'create', state: recorded, missing: 10_000, resent: 1, want: 'resend, same token' },
  { kind: 'create', state: recorded, missing: 60_000, age: 60_000, resent: 4, want: 'resend, same token' },
  { kind: 'create', state: recorded, missing: 59_999, age: 60_000, resent: 5, want: 'doubt' },
  { kind: 'create', state: recorded, missing: 60_000, age: 60_000, resent: 5, want: 'failed' },
  { kind: 'create', state: recorded, want: 'doubt' },
  { kind: 'create', state: recorded, missing: 4999, want: 'doubt' },
  { kind: 'create', state: recorded, missing: 5000, age: 4999, want: 'doubt' },
  { kind: 'create', state: recorded, missing: 5000, want: 'resend, same token' },
  { kind: 'create', state: accepted, age: 60_000, missing: 59_999, want: 'doubt' },
  { kind: 'create', state: accepted, age: 60_000, missing: 60_000, want: 'gone' },
  // attach
  { kind: 'attach', state: accepted, shows: `available ${here}`, want: 'done' },
  { kind: 'attach', state: recorded, shows: `available ${here}`, want: 'done' },
  { kind: 'attach', state: accepted, shows: 'attaching', want: 'wait' },
  { kind: 'attach', state: accepted, shows: `attaching ${here}`, age: 10 * 60_000, want: 'wait' },
  { kind: 'attach', state: accepted, shows: 'available', age: 59_999, want: 'wait' },
  { kind: 'attach', state: accepted, shows: 'available', age: 60_000, want: 'resend, new token' },
  { kind: 'attach', state: recorded, shows: 'available', age: 4999, want: 'wait' },
  { kind: 'attach', state: recorded, shows: 'available', age: 5000, want: 'resend, same token' },
  { kind: 'attach', state: recorded, shows: 'available ins-other', want: 'failed' },
  { kind: 'attach', state: accepted, shows: 'available', age: 60_000, resent: 5, want: 'doubt' },
  {
    kind: 'attach',
    state: accepted,
    shows: 'available',
    age: 60_000,
    resent: 5,
    missing: 5000,
    want: 'failed',
  },
  { kind: 'attach', state: accepted, age: 60_000, missing: 59_999, want: 'doubt' },
  { kind: 'attach', state: accepted, age: 60_000, missing: 60_000, want: 'gone' },
  // assign
  { kind: 'assign', state: accepted, shows: 'available', ips: ['5', '6'], names: [5, 6], want: 'done' },
  {
    kind: 'assign',
    state: accepted,
    shows: 'available',
    ips: ['5', '6 pending'],
    names: [5, 6],
    want: 'wait',
  },
  {
    kind: 'assign',
    state: accepted,
    shows: 'available',
    ips: ['5'],
    names: [5, 6],
    age: 29_999,
    want: 'wait',
  },
  {
    kind: 'assign',
    state: accepted,
    shows: 'available',
    ips: ['5'],
    names: [5, 6],
    age: 30_000,
    want: 'doubt',
  },
  {
    kind: 'assign',
    state: accepted,
    shows: 'available',
    ips: ['5'],
    names: [5, 6],
    age: 30_000,
    missing: 5000,
    want: 'done',
  },
  {
    kind: 'assign',
    state: accepted,
    shows: 'available',
    ips: ['4'],
    names: [5, 6],
    age: 30_000,
    want: 'doubt',
  },
  {
    kind: 'assign',
    state: accepted,
    shows: 'available',
    ips: ['4'],
    names: [5, 6],
    age: 30_000,
    missing: 5000,
    want: 'failed',
  },
  // However long it takes: once forgotten, one that comes later would be lost.
  {
    kind: 'assign',
    state: accepted,
    shows: 'available',
    ips: ['5', '6 pending'],
    names: [5, 6],
    age: 90_000,
    want: 'wait',
  },
  { kind: 'assign', state: recorded, shows: 'available', ips: ['4'], known: [4], age: 4999, want: 'wait' },
  {
    kind: 'assign',
    state: recorded,
    shows: 'available',
    ips: ['4'],
    known: [4],
    age: 5000,
    want: 'resend, same token',
  },
  {
    kind: 'assign',
    state: recorded,
    shows: 'available',
    ips: ['4', '5 pending'],
    known: [4],
    age: 5000,
    want: 'wait',
  },
  {
    kind: 'assign',
    state: recorded,
    shows: 'available',
    ips: ['4', '5', '6'],
    known: [4],
    age: 5000,
    want: 'done',
  },
  { kind: 'assign', state: recorded, shows: 'available', ips: ['4', '5'], known: [4], want: 'doubt' },
  {
    kind: 'assign',
    state: recorded,
    shows: 'available',
    ips: ['4', '5'],
    known: [4],
    missing: 5000,
    want: 'done',
  },
  {
    kind: 'assign',
    state: recorded,
    shows: 'available',
    ips: ['4'],
    known: [4],
    age: 60_000,
    missing: 5000,
    resent: 5,
    want: 'failed',
  },
  // A lost answer whose addresses come one by one: those still on their way must not be forgotten.
  { kind: 'assign', state: recorded, shows: 'available', ips: ['5', '6 pending'], age: 5000, want: 'wait' },
  // An unknown address in a view from before the call may be one that was unassigned just before.
  { kind: 'assign', state: recorded, shows: 'available', ips: ['5'], age: 4999, want: 'wait' },
  { kind: 'assign', state: recorded, missing: 5000, want: 'doubt' },
  { kind: 'assign', state: recorded, age: 60_000, missing: 60_000, want: 'gone' },
  // An address that left the ENI just before is in old views as if it had come back.
  { kind: 'assign', state: accepted, shows: 'available', ips: ['5'], names: [5], age: 1, want: 'done' },
  {
    ...{ kind: 'assign', state: accepted, shows: 'available', ips: ['5'], names: [5], age: 4999 },
    left: [5],
    want: 'wait',
  },
  {
    ...{ kind: 'assign', state: accepted, shows: 'available', ips: ['5'], names: [5], age: 5000 },
    left: [5],
    want: 'done',
  },
  // unassign
  { kind: 'unassign', state: accepted, shows: 'available', ips: ['4'], names: [5], age: 5000, want: 'done' },
  { kind: 'unassign', state: accepted, shows: 'available', ips: ['4'], names: [5], age: 4999, want: 'wait' },
  {
    kind: 'unassign',
    state: accepted,
    shows: 'available',
    ips: ['4'],
    names: [5],
    age: 10,
    made: 5000,
    want: 'done',
  },
  {
    kind: 'unassign',
    state: accepted,
    shows: 'available',
    ips: ['5 deleting'],
    names: [5],
    age: 90_000,
    want: 'wait',
  },
  {
    kind: 'unassign',
    state: accepted,
    shows: 'available',
    ips: ['5'],
    names: [5],
    age: 59_999,
    want: 'wait',
  },
  {
    kind: 'unassign',
    state: accepted,
    shows: 'available',
    ips: ['5'],
    names: [5],
    age: 60_000,
    want: 'resend, new token, 5',
  },
  {
    kind: 'unassign',
    state: recorded,
    shows: 'available',
    ips: ['5', '6'],
    names: [5, 6],
    age: 5000,
    want: 'resend, same token, 5, 6',
  },
  // What is gone is not named again: the API would refuse the whole call.
  {
    kind: 'unassign',
    state: recorded,
    shows: 'available',
    ips: ['4', '6'],
    names: [5, 6],
    age: 5000,
    want: 'resend, same token, 6',
  },
  // Given up: only when two reads apart in time show that the address is there, and nothing happens to it.
  {
    kind: 'unassign',
    state: accepted,
    shows: 'available',
    ips: ['5'],
    names: [5],
    age: 60_000,
    resent: 5,
    want: 'doubt',
  },
  {
    kind: 'unassign',
    state: accepted,
    shows: 'available',
    ips: ['5'],
    names: [5],
    age: 60_000,
    resent: 5,
    missing: 5000,
    want: 'failed',
  },
  {
    kind: 'unassign',
    state: accepted,
    shows: 'available',
    ips: ['5 deleting'],
    names: [5],
    age: 60_000,
    resent: 5,
    missing: 5000,
    want: 'wait',
  },
  // What had been there for so long is in every view from before.
  { kind: 'unassign', state: accepted, shows: 'available', names: [5], age: 1, there: 5000, want: 'done' },
  { kind: 'unassign', state: recorded, shows: 'available', names: [5], age: 1, there: 5000, want: 'done' },
  { kind: 'unassign', state: accepted, shows: 'available', names: [5], age: 1, there: 4999, want: 'wait' },
  {
    ...{ kind: 'unassign', state: accepted, shows: 'available', names: [5], age: 1, there: 5000 },
    ips: ['5 deleting'],
    want: 'wait',
  },
  { kind: 'unassign', state: recorded, missing: 5000, names: [5], want: 'doubt' },
  { kind: 'unassign', state: recorded, age: 60_000, missing: 60_000, names: [5], want: 'gone' },
  // detach
  { kind: 'detach', state: accepted, shows: 'available', age: 5000, want: 'done' },
  { kind: 'detach', state: accepted, shows: 'available', age: 4999, want: 'wait' },
  { kind: 'detach', state: accepted, shows: 'available', age: 1, there: 5000, want: 'done' },
  { kind: 'detach', state: accepted, shows: 'available', age: 1, there: 4999, want: 'wait' },
  { kind: 'detach', state: accepted, shows: `detaching ${here}`, age: 90_000, want: 'wait' },
  { kind: 'detach', state: recorded, shows: `available ${here}`, age: 5000, want: 'resend, same token' },
  { kind: 'detach', state: accepted, shows: `available ${here}`, age: 60_000, want: 'resend, new token' },
  { kind: 'detach', state: accepted, missing: 5000, want: 'gone' },
  { kind: 'detach', state: accepted, shows: 'available ins-other', age: 5000, want: 'done' },
  {
    kind: 'detach',
    state: recorded,
    shows: `available ${here}`,
    age: 60_000,
    resent: 5,
    missing: 5000,
    want: 'failed',
  },
  // delete
  { kind: 'delete', state: accepted, shows: 'deleting', age: 90_000, want: 'wait' },
  { kind: 'delete', state: accepted, shows: 'available', age: 60_000, want: 'resend, new token' },
  { kind: 'delete', state: recorded, shows: 'available', age: 5000, want: 'resend, same token' },
  { kind: 'delete', state: accepted, want: 'doubt' },
  { kind: 'delete', state: accepted, missing: 4999, want: 'doubt' },
  { kind: 'delete', state: accepted, missing: 5000, want: 'gone' },
  { kind: 'delete', state: recorded, shows: 'available ins-other', want: 'failed' },
  { kind: 'delete', state: recorded, shows: `available ${here}`, age: 5000, want: 'resend, same token' },
]

for (const row of rows) {
  const view = row.shows === undefined ? `not shown for ${row.missing ?? 'the first time'}` : `"${row.shows}"`
  const ips = row.ips === undefined ? '' : ` with ${row.ips.join(', ')}`
  const age = row.age === undefined ? '' : ` after ${row.age} ms`
  test(`[R2] settleIntent() ${row.kind}, ${row.state}, ${view}${ips}${age}: ${row.want}`, () => {
    const settlement = settleIntent(intentOf(row), eniOf(row), memoryOf(row), T0, policy)
    assert.equal(tell(settlement), row.want)
  })
}

function tell(settlement: ReturnType<typeof settleIntent>): string {
  if (settlement.kind !== 'resend') return settlement.kind
  const token = `${settlement.sameToken ? 'same' : 'new'} token`
  return ['resend', token, ...settlement.addresses.map((address) => address.split('.').at(-1))].join(', ')
}

function memoryOf({ known = [], left = [] }: Row): EniMemory {
  return { known: new Set(known.map(nth)), left: new Set(left.map(nth)) }
}

function intentOf({
  kind,
  state,
  age = row0,
  made = age,
  missing,
  resent = 0,
  names = [],
  there,
}: Row): Intent {
  return {
    id: 1,
    kind,
    node: 'n1',
    instanceId: here,
    eni: 100,
    eniId: kind === 'create' && state === 'recorded' ? undefined : 'eni-1',
    subnetId: 'subnet-a',
    slot: 1,
    mode: 'shared',
    state,
    count: 2,
    addresses: names.map(nth),
    exact: false,
    token: 'token',
    resent,
    reason: 'a test',
    createdAt: T0 - made,
    changedAt: T0 - age,
    missingSince: missing === undefined ? undefined : T0 - missing,
    ...(there !== undefined && { thereSince: T0 - made - there }),
  }
}

/** Old enough that age alone decides nothing. */
const row0 = 10_000

function eniOf({ shows, ips = [] }: Row): CloudEni | undefined {
  if (shows === undefined) return undefined
  const [state, instanceId] = shows.split(' ')
  return {
    id: 'eni-1',
    name: 'eni-1',
    subnetId: 'subnet-a',
    mac: mac('20:90:6f:00:00:01'),
    state: state as CloudEni['state'],
    primary: false,
    instanceId,
    primaryIp: nth(250),
    ips: ips.map((short) => {
      const [n, ipState = 'available'] = short.split(' ')
      return { address: nth(Number(n)), state: ipState as CloudIp['state'] }
    }),
    tags: {},
  }
}

test('[R2][R7] settleIntent() always comes to an end, and never by what one read did not show', () => {
  const anyRow = fc.record({
    kind: fc.constantFrom<IntentKind>('create', 'attach', 'assign', 'unassign', 'detach', 'delete'),
    state: fc.constantFrom<Intent['state']>('recorded', 'accepted'),
    age: fc.nat(100_000),
    missing: fc.option(fc.nat(10_000), { nil: undefined }),
    shows: fc.option(
      fc.constantFrom('pending', 'available', `available ${here}`, 'attaching', 'detaching', 'deleting'),
      {
        nil: undefined,
      },
    ),
    ips: fc.subarray(['4', '5', '6 pending', '7 deleting']),
    names: fc.subarray([4, 5, 6, 7]),
    known: fc.subarray([4, 5, 6, 7]),
    left: fc.subarray([4, 5, 6, 7]),
    there: fc.nat(10_000),
    resent: fc.nat(6),
  })
  fc.assert(
    fc.property(anyRow, (short) => {
      const { missing, shows, ...rest } = short
      const row: Row = {
        ...rest,
        ...(missing === undefined ? {} : { missing }),
        ...(shows === undefined ? {} : { shows }),
        want: '',
      }
      const settle = (it: Row) => settleIntent(intentOf(it), eniOf(it), memoryOf(it), T0, policy).kind
      const kind = settle(row)
      if (missing === undefined) assert.ok(kind !== 'gone' && kind !== 'failed', 'one read decides nothing')
      if (kind === 'doubt')
        assert.notEqual(settle({ ...row, age: 120_000, missing: 120_000 }), 'doubt', 'doubt ends')
      if (kind === 'gone') assert.ok(shows === undefined && (missing ?? 0) >= policy.staleFor)
      if (kind === 'wait' && short.age >= policy.giveUpAfter && shows?.startsWith('available'))
        assert.ok(
          short.ips.some((ip) => /pending|deleting/.test(ip)),
          'only what moves is waited for that long',
        )
      if (kind === 'resend') assert.ok(short.age >= policy.staleFor, 'never at once')
    }),
    { numRuns: 2000 },
  )
})
