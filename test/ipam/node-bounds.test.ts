// What the pools of a node may hold: rows of an instance, settings, annotations and a kubelet.
import assert from 'node:assert/strict'
import { test } from 'node:test'
import fc from 'fast-check'
import { type BoundsSource, boundsOf, type ClusterLimits } from '../../internal/ipam/node-bounds.ts'
import { maxBindable } from '../../internal/ipam/pool.ts'
import type { NodeBounds, PoolBounds } from '../../internal/ipam/types.ts'

const quota = { instanceType: 'S5.LARGE8', enis: 7, ipsPerEni: 19, eips: 1 }
const defaults = { shared: { minWarm: 5, maxWarm: 6 }, exclusive: { minWarm: 1, maxWarm: 2 } }

interface Row extends Partial<BoundsSource>, Partial<ClusterLimits> {
  readonly does: string
  /** What of either pool differs from all that the instance takes, with the leader's targets. */
  readonly shared?: Partial<PoolBounds>
  readonly exclusive?: Partial<PoolBounds>
  readonly instanceEnis?: number
}

const rows: readonly Row[] = [
  { does: '[P9] takes the targets of the settings and the quotas of the instance' },
  {
    does: '[P6] takes the targets of annotations instead',
    overrides: { sharedWarm: { minWarm: 0, maxWarm: 9 }, exclusiveWarm: { minWarm: 3, maxWarm: 4 } },
    shared: { minWarm: 0, maxWarm: 9 },
    exclusive: { minWarm: 3, maxWarm: 4 },
  },
  {
    does: '[P8] takes the maxima of annotations',
    overrides: { maxSharedEnis: 2, maxIpsPerEni: 10, maxExclusiveEnis: 3 },
    shared: { maxEnis: 2, ipsPerEni: 10 },
    exclusive: { maxEnis: 3 },
  },
  {
    does: '[P8] takes maxima of none',
    overrides: { maxSharedEnis: 0, maxExclusiveEnis: 0 },
    shared: { maxEnis: 0 },
    exclusive: { maxEnis: 0 },
  },
  {
    does: '[P14] takes maxima above the quotas as the quotas',
    overrides: { maxSharedEnis: 100, maxIpsPerEni: 100, maxExclusiveEnis: 100 },
  },
  {
    does: "[P14] takes the cluster's maximum of ENIs for both kinds together",
    maxEnisPerNode: 3,
    overrides: { maxSharedEnis: 5, maxExclusiveEnis: 2 },
    instanceEnis: 3,
    shared: { maxEnis: 3 },
    exclusive: { maxEnis: 2 },
  },
  { does: "[P14] takes a cluster's maximum above the quota as the quota", maxEnisPerNode: 64 },
  {
    does: '[P14] tells both pools how many pods can be on the node',
    maxPods: 30,
    shared: { maxPods: 30 },
    exclusive: { maxPods: 30 },
  },
  {
    does: '[X3] keeps no exclusive ENIs where the cluster has none, whatever annotations say',
    exclusiveEnis: false,
    overrides: { exclusiveWarm: { minWarm: 3, maxWarm: 4 }, maxExclusiveEnis: 3 },
    exclusive: { minWarm: 0, maxWarm: 0, maxEnis: 0 },
  },
  {
    does: 'an instance that takes no ENIs has no pools',
    quota: { instanceType: 'tiny', enis: 0, ipsPerEni: 0, eips: 1 },
    instanceEnis: 0,
    shared: { maxEnis: 0, ipsPerEni: 0 },
    exclusive: { maxEnis: 0 },
  },
]

for (const row of rows)
  test(row.does.replace(/^((?:\[\w+\])*) ?/, '$1 boundsOf() ').trim(), () => {
    const bounds = boundsOf(
      {
        quota: row.quota ?? quota,
        defaults,
        overrides: row.overrides ?? {},
        maxPods: row.maxPods,
      },
      { maxEnisPerNode: row.maxEnisPerNode, exclusiveEnis: row.exclusiveEnis ?? true },
    )
    const want: NodeBounds = {
      instanceEnis: row.instanceEnis ?? quota.enis,
      shared: { ...defaults.shared, maxEnis: 7, ipsPerEni: 19, ...row.shared },
      exclusive: { ...defaults.exclusive, maxEnis: 7, ipsPerEni: 1, ...row.exclusive },
    }
    assert.deepEqual(bounds, want)
  })

test('[P14] boundsOf() never goes beyond the instance, the cluster or the kubelet', () => {
  const some = fc.option(fc.nat(12), { nil: undefined })
  fc.assert(
    fc.property(
      fc.record({ enis: fc.nat(9), ipsPerEni: fc.nat(9), maxShared: fc.nat(12), maxIps: fc.nat(12) }),
      fc.record({
        maxEnisPerNode: some,
        maxPods: some,
        maxExclusive: fc.nat(12),
        exclusiveEnis: fc.boolean(),
      }),
      ({ enis, ipsPerEni, maxShared, maxIps }, { maxEnisPerNode, maxPods, maxExclusive, exclusiveEnis }) => {
        const { shared, exclusive, instanceEnis } = boundsOf(
          {
            quota: { instanceType: 'x', enis, ipsPerEni, eips: 1 },
            defaults,
            overrides: { maxSharedEnis: maxShared, maxIpsPerEni: maxIps, maxExclusiveEnis: maxExclusive },
            maxPods,
          },
          { maxEnisPerNode, exclusiveEnis },
        )
        assert.equal(instanceEnis, Math.min(enis, maxEnisPerNode ?? enis))
        assert.equal(shared.maxEnis, Math.min(instanceEnis, maxShared))
        assert.equal(shared.ipsPerEni, Math.min(ipsPerEni, maxIps))
        assert.equal(exclusive.maxEnis, exclusiveEnis ? Math.min(instanceEnis, maxExclusive) : 0)
        assert.ok(maxBindable(shared) <= Math.min(enis * ipsPerEni, maxPods ?? 1000))
        assert.ok(maxBindable(exclusive) <= Math.min(enis, maxPods ?? 1000))
      },
    ),
  )
})
