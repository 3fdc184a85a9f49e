// What is not as giveEni() left it (CNI CHECK). What the pod has added is its own affair.
import type { ExclusiveWiring } from '../ipam/types.ts'
import { cidrRange } from '../value/cidr.ts'
import { type EniLink, findEniLink } from './eni-link.ts'
import type { LanePool } from './lane-pool.ts'
import { query } from './query.ts'
import { rows } from './read-kernel.ts'

/** Sentences, none when all is well. The lanes have detailedOptions. */
export async function inspectEni(lanes: LanePool, wiring: ExclusiveWiring): Promise<readonly string[]> {
  const { address, gateway, ifname, netns, subnetCidr } = wiring
  const [links, defaults] = await query(lanes, netns, [
    `address show dev ${ifname}`,
    `route show default dev ${ifname}`,
  ])
  const [link] = rows(links)
  if (link === undefined) return [`link "${ifname}" is missing in the pod`]
  const { bits } = cidrRange(subnetCidr)
  const addressed = rows(link['addr_info']).some(
    ({ local, prefixlen }) => local === address && prefixlen === bits,
  )
  const routed = rows(defaults).some((row) => row['gateway'] === gateway)
  return [
    ...linkFaults(link, wiring, findEniLink(links, wiring)).map(
      (fault) => `link "${ifname}" in the pod ${fault}`,
    ),
    ...(addressed ? [] : [`link "${ifname}" in the pod lacks address ${address}/${bits}`]),
    ...(routed ? [] : [`default route via ${gateway} is missing in the pod`]),
  ]
}

function linkFaults(
  { flags, mtu: mtuNow }: ReturnType<typeof rows>[number],
  { mac, mtu }: ExclusiveWiring,
  eni: EniLink | undefined,
): readonly string[] {
  const has = (flag: string): boolean => Array.isArray(flags) && flags.includes(flag)
  return [
    ...(eni === undefined ? [`is not ENI ${mac}`] : []),
    ...(eni === undefined || eni.mac === mac ? [] : [`has MAC ${eni.mac} instead of ${mac}`]),
    ...(has('UP') ? [] : ['is down']),
    ...(mtuNow === mtu ? [] : [`has MTU ${mtuNow} instead of ${mtu}`]),
    ...(has('NOARP') ? ['does not use ARP'] : []),
    ...(has('MULTICAST') ? [] : ['takes no multicast']),
    ...(has('PROMISC') ? ['is promiscuous'] : []),
    ...(has('ALLMULTI') ? ['takes all multicast'] : []),
  ]
}
