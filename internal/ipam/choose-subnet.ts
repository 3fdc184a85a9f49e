// Which subnet a new ENI is made in: of the container subnets in the node's zone, the one with most free addresses (P15).
import type { CloudSubnet } from './types.ts'

/** The subnet of `zone` with most available addresses (ties by id), when it has `least`. */
export function chooseSubnet(
  subnets: readonly CloudSubnet[],
  zone: string,
  least: number,
): CloudSubnet | undefined {
  return subnets
    .filter((subnet) => subnet.zone === zone && subnet.available >= least)
    .toSorted((a, b) => b.available - a.available || (a.id < b.id ? -1 : 1))[0]
}
