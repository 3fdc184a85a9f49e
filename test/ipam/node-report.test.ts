// What a node tells the leader of its two pools.
import assert from 'node:assert/strict'
import { test } from 'node:test'
import { reportOf } from '../../internal/ipam/node-report.ts'
import type { Ipv4 } from '../../internal/value/ipv4.ts'
import { addressOf, localIps } from './pools.ts'

const enis = [
  { id: 'eni-1', mode: 'shared' },
  { id: 'eni-2', mode: 'shared' },
  { id: 'eni-3', mode: 'exclusive' },
  { id: 'eni-4', mode: 'exclusive' },
  { id: 'eni-5', mode: 'exclusive' },
] as const
const none = {
  returned: [],
  inUse: 0,
  idle: 0,
  enisInUse: 0,
  mostInUse: 0,
  exclusiveInUse: 0,
  exclusiveIdle: 0,
  withheld: 0,
  exclusiveWithheld: 0,
}

for (const { does, ips, want } of [
  { does: 'tells of nothing where nothing is', ips: [], want: none },
  { does: 'counts idle addresses', ips: ['1.1', '2.1'], want: { ...none, idle: 2 } },
  {
    does: '[P8] tells how many shared ENIs pods use, and how much of the fullest',
    ips: ['1.1 *', '1.2 *', '1.3', '2.1 *'],
    want: { ...none, inUse: 3, idle: 1, enisInUse: 2, mostInUse: 2 },
  },
  {
    does: '[X3] counts exclusive ENIs apart',
    ips: ['1.1 *', '3.1 *', '4.1', '5.1 *'],
    want: { ...none, inUse: 1, enisInUse: 1, mostInUse: 1, exclusiveInUse: 2, exclusiveIdle: 1 },
  },
  {
    does: 'counts what is in use though it is no longer published, and nothing else of that',
    ips: ['1.1 u *', '1.2 u', '3.1 u *'],
    want: { ...none, inUse: 1, enisInUse: 1, mostInUse: 1, exclusiveInUse: 1 },
  },
  {
    does: '[S4] counts a claimed address that its pod has, and none that waits for its pod',
    ips: ['1.1 * =web-0', '1.2 =web-1', '1.3'],
    want: { ...none, inUse: 1, idle: 1, enisInUse: 1, mostInUse: 1 },
  },
  {
    does: '[S4] names claimed addresses that are given back',
    ips: ['1.1 r =web-0'],
    want: { ...none, returned: [{ address: addressOf(1, 1), grant: 1 }] },
  },
  {
    // They were taken for ready, and pods waited for them.
    does: '[K5] counts apart what no pod can get',
    ips: ['1.1 *', '1.2 !', '1.3', '3.1 !', '4.1'],
    want: {
      ...none,
      ...{ inUse: 1, idle: 1, enisInUse: 1, mostInUse: 1 },
      ...{ exclusiveIdle: 1, withheld: 1, exclusiveWithheld: 1 },
    },
  },
  {
    does: '[K5] does not count what is withheld for its own pod',
    ips: ['1.1 ?!', '1.2'],
    want: { ...none, idle: 1 },
  },
  {
    does: '[P3] names what is given back, of either kind',
    ips: ['1.1 r', '3.1 r', '4.1'],
    want: {
      ...none,
      returned: [
        { address: addressOf(1, 1), grant: 1 },
        { address: addressOf(3, 1), grant: 1 },
      ],
      exclusiveIdle: 1,
    },
  },
])
  test(does.replace(/^((?:\[\w+\])*) ?/, '$1 reportOf() ').trim(), () => {
    const marked = (mark: string) => (address: Ipv4) =>
      ips.some((short) => short.endsWith(mark) && localIps(short)[0]?.address === address)
    const unusable = new Set(
      localIps(...ips)
        .map(({ address }) => address)
        .filter(marked('!')),
    )
    const shown = new Set(
      localIps(...ips)
        .map(({ address }) => address)
        .filter(marked('?!')),
    )
    assert.deepEqual(
      reportOf(localIps(...ips), enis, unusable, (address) => shown.has(address)),
      want,
    )
  })
