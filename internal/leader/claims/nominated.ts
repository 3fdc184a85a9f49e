// What a pod asks for by its annotations (S12): an address, or subnets. What it cannot have is refused with the reason; it gets no other.
import type { Claim } from '../../ipam/claim.ts'
import { podText } from '../../ipam/pod-need.ts'
import type { CloudSubnet } from '../../ipam/types.ts'
import type { LeaderLedger, LedgerNode } from '../../ports.ts'
import { cidrContains } from '../../value/cidr.ts'

export interface Obstacle {
  readonly reason: string
  /** The end of a sentence that begins with what was tried. */
  readonly why: string
}

/** May the claim's address be of the subnet, as far as its pod says? */
export function isNominated(
  { nominatedAddress, nominatedSubnets }: Claim,
  { cidr, id }: CloudSubnet,
): boolean {
  const isOfThese = nominatedSubnets.length === 0 || nominatedSubnets.includes(id)
  return isOfThese && (nominatedAddress === undefined || cidrContains(cidr, nominatedAddress))
}

/** Why nothing that would do can be had on the node, whatever is free; undefined when something can. */
export function refuseNominated(
  claim: Claim,
  { name: node, zone }: LedgerNode,
  subnets: readonly CloudSubnet[],
  ledger: Pick<LeaderLedger, 'claimOf'>,
): Obstacle | undefined {
  const { nominatedAddress: address, nominatedSubnets } = claim
  const wanted = subnets.filter((subnet) => isNominated(claim, subnet))
  if (wanted.length === 0) {
    const of = nominatedSubnets.length === 0 ? '' : `${nominatedSubnets.join(', ')}: `
    if (address === undefined)
      return { reason: 'NominatedSubnetRefused', why: `${of}none of them is a container subnet` }
    const why = `${of}no container subnet that it may use contains ${address}`
    return { reason: 'NominatedAddressRefused', why }
  }
  const holder = address === undefined ? undefined : ledger.claimOf(address)
  if (holder !== undefined && holder.key !== claim.key)
    return { reason: 'AddressTaken', why: `pod ${podText(holder)} has ${address}` }
  if (wanted.some((subnet) => subnet.zone === zone)) return undefined
  // Without a wish there is nothing that the pod could have said otherwise.
  if (address === undefined && nominatedSubnets.length === 0) return undefined
  const zones = [...new Set(wanted.map((subnet) => subnet.zone))].join(', ')
  const what = address ?? wanted.map(({ id }) => id).join(', ')
  return {
    reason: 'StaticIPInOtherZone',
    why: `${what} is in zone ${zones}, and node ${node} in zone ${zone}; let the pod be scheduled there`,
  }
}
