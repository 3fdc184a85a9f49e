// What instances carry as the documents have it, for a leader that may not ask: the API knows better, instance by instance.
import type { CloudEniQuota } from './types.ts'

/** Least CPUs of a size, and its quotas as the API counts them. Source: VPC-CNI Pod quantity limits (vpc-api.md, part 1). */
const sizes: readonly (readonly [cpus: number, CloudEniQuota])[] = [
  [12, { enis: 8, ipsPerEni: 30 }],
  [8, { enis: 6, ipsPerEni: 20 }],
  [2, { enis: 4, ipsPerEni: 10 }],
]
const smallest: CloudEniQuota = { enis: 2, ipsPerEni: 6 }

export function assumedQuota(cpus: number): CloudEniQuota {
  return sizes.find(([least]) => cpus >= least)?.[1] ?? smallest
}
