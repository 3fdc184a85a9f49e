// How a node's pool is, in a stable reason and a sentence with what is so and what to do: the NEC's condition, and the
// event when it changes (K3).
import type { ErrorCode } from './errors.ts'
import { necAnnotations, shortName } from './nec-settings.ts'
import type { NodeQuota } from './node-bounds.ts'
import type { Shortage } from './plan-growth.ts'
import type { NodePlan } from './plan-node.ts'
import type { NecCondition } from './publication.ts'
import type { CloudSubnet, EniMode, NodeTerms } from './types.ts'

export interface PoolCondition extends NecCondition {
  readonly type: 'Ready'
  readonly reason:
    | 'PoolServed'
    | 'ENILimit'
    | 'SubnetExhausted'
    | 'NoSubnetInZone'
    | 'NodeFull'
    | 'ExclusiveENIsOff'
    | 'PermissionDenied'
    | 'CloudRefused'
    | 'LedgerNotWritable'
    | 'NodeLeaves'
}

/** Of a node whose ENIs are taken back. */
export const nodeLeaves: PoolCondition = {
  type: 'Ready',
  ok: false,
  reason: 'NodeLeaves',
  message: 'the node has left: its ENIs are taken back',
}

/** What the node is that the pool is of. */
export interface PoolNode extends Pick<NodeTerms, 'instanceEnis' | 'overrides'> {
  readonly zone: string
  readonly quota: NodeQuota
}

export interface PoolTrouble {
  readonly code: ErrorCode
  readonly message: string
}

/** `trouble` is the last refusal of the cloud that still stands in the way. */
export function poolCondition(
  plan: Pick<NodePlan, 'shortages'>,
  trouble: PoolTrouble | undefined,
  node: PoolNode,
  subnets: readonly CloudSubnet[],
): PoolCondition {
  if (trouble !== undefined)
    return { type: 'Ready', ok: false, reason: troubleReason(trouble.code), message: trouble.message }
  const [first] = plan.shortages
  if (first === undefined)
    return { type: 'Ready', ok: true, reason: 'PoolServed', message: 'the pool is kept within its bounds' }
  const messages = plan.shortages.map((shortage) => explain(shortage, node, subnets))
  return { type: 'Ready', ok: false, reason: shortageReasons[first.why], message: messages.join('; ') }
}

const shortageReasons: Readonly<Record<Shortage['why'], PoolCondition['reason']>> = {
  'no-subnet-in-zone': 'NoSubnetInZone',
  'subnets-full': 'SubnetExhausted',
  'node-full': 'NodeFull',
  'not-enabled': 'ExclusiveENIsOff',
}

function explain({ count, mode, why }: Shortage, node: PoolNode, subnets: readonly CloudSubnet[]): string {
  const { zone } = node
  const things = mode === 'shared' ? ['address', 'addresses'] : ['exclusive ENI', 'exclusive ENIs']
  const cannot = `Cannot bind ${count} more ${things[count === 1 ? 0 : 1]}`
  switch (why) {
    case 'no-subnet-in-zone':
      return `${cannot}: none of the container subnets (${listed(subnets)}) is in zone "${zone}" of the node; add one to the leader's subnets`
    case 'subnets-full':
      return `${cannot}: the container subnets in zone "${zone}" are used up (${listed(subnets.filter((subnet) => subnet.zone === zone))}); add one to the leader's subnets`
    case 'not-enabled':
      return `${cannot}: the node may have none; start the leader with --enable-direct-eni, and see the annotation ${shortName(necAnnotations.maxExclusiveEnis)}`
    case 'node-full':
      return `${cannot}: there are more pods than ${limitOf(mode, node)}`
  }
}

/** What an operator has set lower than the instance takes, before the instance itself. */
function limitOf(mode: EniMode, { overrides, quota, instanceEnis }: PoolNode): string {
  const isBelow = (set: number | undefined, most: number) => set !== undefined && set < most
  const annotations =
    mode === 'exclusive'
      ? [isBelow(overrides.maxExclusiveEnis, instanceEnis) ? necAnnotations.maxExclusiveEnis : []]
      : [
          isBelow(overrides.maxSharedEnis, instanceEnis) ? necAnnotations.maxSharedEnis : [],
          isBelow(overrides.maxIpsPerEni, quota.ipsPerEni) ? necAnnotations.maxIpsPerEni : [],
        ]
  const names = annotations.flat().map(shortName).join(' and ')
  if (names !== '') return `${names} of its NEC allows; raise it, or schedule fewer here`
  if (instanceEnis < quota.enis)
    return "the leader's setting max-eni-per-node allows; raise it, or schedule fewer here"
  return "the ENIs of the node's instance type carry; schedule fewer here"
}

/** Of what the cloud or the ledger refuses. */
export function troubleReason(code: ErrorCode): PoolCondition['reason'] {
  if (code === 'eni_quota') return 'ENILimit'
  if (code === 'subnet_full') return 'SubnetExhausted'
  if (code === 'storage') return 'LedgerNotWritable'
  return code === 'denied' || code === 'unauthenticated' ? 'PermissionDenied' : 'CloudRefused'
}

function listed(subnets: readonly CloudSubnet[]): string {
  return subnets.map(({ id, available }) => `"${id}": ${available} free`).join(', ') || 'there is none'
}
