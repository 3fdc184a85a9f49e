// What the pools of a node may hold: what its instance takes, what the leader's settings were when the node came, what its NEC's
// annotations say instead, and how many pods the kubelet runs at all.
import type { NodeBounds, NodeDefaults, NodeOverrides } from './types.ts'

/** What an instance takes, for pods: its own ENI and the primary addresses are not counted. */
export interface NodeQuota {
  /** Of the CVM; empty when nobody has asked yet. */
  readonly instanceType: string
  readonly enis: number
  readonly ipsPerEni: number
  /** For pods (E5); 0: nobody has asked yet. */
  readonly eips: number
}

export interface BoundsSource {
  readonly quota: NodeQuota
  readonly defaults: NodeDefaults
  readonly overrides: NodeOverrides
  /** The kubelet runs no more; undefined when the node does not say. */
  readonly maxPods: number | undefined
}

/** Of the leader, for all nodes. */
export interface ClusterLimits {
  /** A lower maximum of ENIs than instances have; undefined: none. */
  readonly maxEnisPerNode: number | undefined
  /** Without them no pod gets an ENI of its own. */
  readonly exclusiveEnis: boolean
}

/** Annotations above what the instance takes mean as much as it takes. */
export function boundsOf(
  { quota, defaults, overrides, maxPods }: BoundsSource,
  limits: ClusterLimits,
): NodeBounds {
  const instanceEnis = Math.min(quota.enis, limits.maxEnisPerNode ?? Number.POSITIVE_INFINITY)
  const most = (wanted: number | undefined, quotaOf: number) => Math.min(wanted ?? quotaOf, quotaOf)
  const podCap = maxPods === undefined ? {} : { maxPods }
  return {
    instanceEnis,
    shared: {
      ...(overrides.sharedWarm ?? defaults.shared),
      maxEnis: most(overrides.maxSharedEnis, instanceEnis),
      ipsPerEni: most(overrides.maxIpsPerEni, quota.ipsPerEni),
      ...podCap,
    },
    exclusive: {
      ...(limits.exclusiveEnis
        ? (overrides.exclusiveWarm ?? defaults.exclusive)
        : { minWarm: 0, maxWarm: 0 }),
      maxEnis: limits.exclusiveEnis ? most(overrides.maxExclusiveEnis, instanceEnis) : 0,
      ipsPerEni: 1,
      ...podCap,
    },
  }
}
