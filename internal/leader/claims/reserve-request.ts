// What the cloud is asked for to keep an address for a claim.
import type { Claim } from '../../ipam/claim.ts'
import { reservationTags } from '../../ipam/reservation-tags.ts'
import type { SubnetId } from '../../ipam/types.ts'
import type { ReserveIp } from '../../ports.ts'
import type { Ipv4 } from '../../value/ipv4.ts'

/** `address` undefined: the VPC chooses. */
export function reserveRequest(
  claim: Claim,
  subnetId: SubnetId,
  address: Ipv4 | undefined,
  clusterId: string,
): ReserveIp {
  const { expireAfter, name, namespace, owner } = claim
  const token = claim.reserveToken ?? ''
  return {
    subnetId,
    address,
    name: `${clusterId}-claim`.slice(-60),
    description: 'kept by tke-eni for a pod',
    tags: reservationTags({ clusterId, namespace, name, token, expireAfter, owner }),
    clientToken: token,
  }
}
