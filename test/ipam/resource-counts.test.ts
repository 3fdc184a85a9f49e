import assert from 'node:assert/strict'
import { test } from 'node:test'
import type { LocalIp } from '../../internal/ipam/choose-address.ts'
import { resourceCounts } from '../../internal/ipam/resource-counts.ts'
import { nodeBounds, nth } from '../given.ts'

const enis = [
  { id: 'eni-s', mode: 'shared' },
  { id: 'eni-x', mode: 'exclusive' },
] as const

function pool(eniId: string, used: number, idle: number, gone = 0): LocalIp[] {
  const one = { eniId, grant: 1, state: 'usable', published: true, inUse: false, coolingUntil: 0 } as const
  const base = eniId === 'eni-s' ? 10 : 100
  return [
    ...Array.from({ length: used }, (_, i) => ({ ...one, address: nth(base + i), inUse: true })),
    ...Array.from({ length: idle }, (_, i) => ({ ...one, address: nth(base + 30 + i) })),
    ...Array.from({ length: gone }, (_, i) => ({
      ...one,
      address: nth(base + 60 + i),
      state: 'returning' as const,
    })),
  ]
}

for (const row of [
  { does: 'what is bound, of what may be', used: 2, idle: 3, gone: 0, maxEnis: 2, want: [18, 5] },
  { does: 'nothing that is on its way back', used: 2, idle: 3, gone: 4, maxEnis: 2, want: [18, 5] },
  { does: 'what pods use beyond lowered bounds', used: 12, idle: 3, gone: 0, maxEnis: 1, want: [12, 12] },
  { does: 'nothing idle beyond lowered bounds', used: 4, idle: 9, gone: 0, maxEnis: 1, want: [9, 9] },
  {
    does: 'what the kubelet can run at most',
    used: 1,
    idle: 8,
    gone: 0,
    maxEnis: 2,
    maxPods: 5,
    want: [5, 5],
  },
  { does: 'nothing where nothing may be', used: 0, idle: 0, gone: 0, maxEnis: 0, want: [0, 0] },
] as const)
  test(`[P17] resourceCounts() counts ${row.does}`, () => {
    const podCap = 'maxPods' in row ? { maxPods: row.maxPods } : {}
    const bounds = nodeBounds({ minWarm: 1, maxWarm: 5, maxEnis: row.maxEnis, ipsPerEni: 9, ...podCap })
    const ips = [...pool('eni-s', row.used, row.idle, row.gone), ...pool('eni-x', 1, 0)]
    const [capacity, allocatable] = row.want
    assert.deepEqual(resourceCounts('shared', bounds, ips, enis), { capacity, allocatable })
  })

test('[X2] [P17] resourceCounts() counts exclusive ENIs apart', () => {
  const bounds = nodeBounds(
    { minWarm: 1, maxWarm: 5, maxEnis: 2, ipsPerEni: 9 },
    { minWarm: 1, maxWarm: 1, maxEnis: 4, ipsPerEni: 1 },
  )
  const ips = [...pool('eni-s', 5, 2), ...pool('eni-x', 1, 1)]
  assert.deepEqual(resourceCounts('exclusive', bounds, ips, enis), { capacity: 4, allocatable: 2 })
})

test('[S1] [P17] resourceCounts() offers all that may be where addresses are bound on demand', () => {
  const bounds = nodeBounds({ minWarm: 0, maxWarm: 0, maxEnis: 2, ipsPerEni: 9 })
  assert.deepEqual(resourceCounts('shared', bounds, [], enis, true), { capacity: 18, allocatable: 18 })
  const used = pool('eni-s', 20, 0)
  assert.deepEqual(resourceCounts('shared', bounds, used, enis, true), { capacity: 20, allocatable: 20 })
})

test('[R3] resourceCounts() offers what is bound while nobody has said what may be', () => {
  const ips = [...pool('eni-s', 5, 2), ...pool('eni-x', 1, 1)]
  assert.deepEqual(resourceCounts('shared', undefined, ips, enis), { capacity: 7, allocatable: 7 })
})
