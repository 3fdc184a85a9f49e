// How a node's pool is, in a stable reason and a sentence with what is so and what to do: the NEC's condition, and the
// event when it changes (K3).
import type { ErrorCode } from './errors.ts'
import type { NodePlan } from './plan-node.ts'
import type { CloudSubnet } from './types.ts'

export interface PoolCondition {
  readonly ready: boolean
  readonly reason:
    | 'PoolServed'
    | 'ENILimit'
    | 'SubnetExhausted'
    | 'NoSubnetInZone'
    | 'NodeFull'
    | 'PermissionDenied'
    | 'CloudRefused'
    | 'LedgerNotWritable'
    | 'NodeLeaves'
  readonly message: string
}

/** Of a node whose ENIs are taken back. */
export const nodeLeaves: PoolCondition = {
  ready: false,
  reason: 'NodeLeaves',
  message: 'the node has left: its ENIs are taken back',
}

export interface PoolTrouble {
  readonly code: ErrorCode
  readonly message: string
}

/** `trouble` is the last refusal of the cloud that still stands in the way. */
export function poolCondition(
  plan: NodePlan,
  trouble: PoolTrouble | undefined,
  zone: string,
  subnets: readonly CloudSubnet[],
): PoolCondition {
  if (trouble !== undefined) return { ready: false, reason: reasonOf(trouble.code), message: trouble.message }
  const cannot = `Cannot bind ${plan.unmet} more ${plan.unmet === 1 ? 'address' : 'addresses'}`
  switch (plan.obstacle) {
    case undefined:
      return { ready: true, reason: 'PoolServed', message: 'the pool is kept within its bounds' }
    case 'no-subnet-in-zone':
      return {
        ready: false,
        reason: 'NoSubnetInZone',
        message: `${cannot}: none of the container subnets (${listed(subnets)}) is in zone "${zone}" of the node; add one to the leader's subnets`,
      }
    case 'subnets-full':
      return {
        ready: false,
        reason: 'SubnetExhausted',
        message: `${cannot}: the container subnets in zone "${zone}" are used up (${listed(subnets.filter((subnet) => subnet.zone === zone))}); add one to the leader's subnets`,
      }
    case 'node-full':
      return {
        ready: false,
        reason: 'NodeFull',
        message: `${cannot}: there are more pods than the ENIs of the node's instance type carry; schedule fewer here`,
      }
  }
}

function reasonOf(code: ErrorCode): PoolCondition['reason'] {
  if (code === 'eni_quota') return 'ENILimit'
  if (code === 'subnet_full') return 'SubnetExhausted'
  if (code === 'storage') return 'LedgerNotWritable'
  return code === 'denied' ? 'PermissionDenied' : 'CloudRefused'
}

function listed(subnets: readonly CloudSubnet[]): string {
  return subnets.map(({ id, available }) => `"${id}": ${available} free`).join(', ') || 'there is none'
}
