// Where a static address is against where its pod is: what the claim shows of it (S10, S11).
import type { Ipv4 } from '../value/ipv4.ts'
import type { Claim, ClaimPhase } from './claim.ts'
import { type PoolTrouble, troubleReason } from './pool-condition.ts'
import type { EipId, EniId, NodeName } from './types.ts'

export interface Placement {
  readonly node: { readonly name: NodeName; readonly zone: string }
  /** The ENI of the pod's node that has the address; undefined while none has. */
  readonly eniId: EniId | undefined
  /** Another node whose ENI has it, or is given it. */
  readonly elsewhere:
    | {
        readonly node: NodeName
        /** A pod of that node may have it still. */
        readonly inUse: boolean
        /** It cannot be taken off that ENI. */
        readonly trouble: PoolTrouble | undefined
        /** An EIP is on it, and leaves it first. */
        readonly eip: EipId | undefined
      }
    | undefined
  /** What keeps the node's pool from growing; undefined when nothing does. */
  readonly trouble: { readonly reason: string; readonly message: string } | undefined
}

export interface PlacementVerdict {
  readonly phase: Extract<ClaimPhase, 'Attaching' | 'Bound'>
  readonly eniId: EniId | undefined
  readonly reason: string
  readonly message: string
  /** It will not come by itself: somebody has to do something. */
  readonly warns: boolean
}

export function judgePlacement(
  claim: Claim,
  { elsewhere, eniId, node, trouble }: Placement,
): PlacementVerdict {
  if (eniId !== undefined) return { phase: 'Bound', eniId, ...standing(claim, eniId), warns: false }
  const waits = (reason: string, message: string, warns: boolean): PlacementVerdict => ({
    phase: 'Attaching',
    eniId: undefined,
    reason,
    message,
    warns,
  })
  const { address, subnetId, zone } = claim
  if (zone !== undefined && zone !== node.zone)
    return waits(
      'StaticIPInOtherZone',
      `Cannot bind ${address} to node ${node.name}, which is in zone ${node.zone}: it is of subnet ${subnetId} in zone ${zone}; let the pod be scheduled there, or delete its claim for a new address`,
      true,
    )
  if (elsewhere?.trouble !== undefined)
    return waits(troubleReason(elsewhere.trouble.code), elsewhere.trouble.message, true)
  if (elsewhere?.inUse)
    return waits(
      'StaticIPInUse',
      `Cannot bind ${address} to node ${node.name} yet: node ${elsewhere.node} has not given it back`,
      false,
    )
  if (elsewhere?.eip !== undefined)
    return waits(
      'StaticIPHasEIP',
      `Cannot bind ${address} to node ${node.name} yet: ${elsewhere.eip} has to leave it first; see the EIPClaim of the pod`,
      false,
    )
  if (trouble !== undefined) return waits(trouble.reason, trouble.message, true)
  const from = elsewhere === undefined ? '' : ` from node ${elsewhere.node}`
  return waits('Attaching', `${address} is on its way${from} to node ${node.name}`, false)
}

function standing(
  { address, reservation }: Claim,
  eniId: EniId,
): Pick<PlacementVerdict, 'reason' | 'message'> {
  return reservation === undefined ? parked(address, eniId) : { reason: '', message: '' }
}

/** What a claim says whose address is on an ENI, and kept by nothing else (S13). */
export function parked(
  address: Ipv4 | undefined,
  eniId: EniId | undefined,
): Pick<PlacementVerdict, 'reason' | 'message'> {
  const where = eniId === undefined ? 'its ENI' : `ENI ${eniId}`
  return { reason: 'Parked', message: `no reservation keeps ${address}: it stays on ${where}` }
}
