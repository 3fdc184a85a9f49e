// What is not as giveEni() left it (CNI CHECK). What the pod has added is its own affair.
import type { ExclusiveWiring } from '../ipam/types.ts'
import { cidrRange } from '../value/cidr.ts'
import type { LanePool } from './lane-pool.ts'
import { query } from './query.ts'
import { readLinks, rows } from './read-kernel.ts'

/** Sentences, none when all is well. */
export async function inspectEni(lanes: LanePool, wiring: ExclusiveWiring): Promise<readonly string[]> {
  const { address, gateway, ifname, mac, netns, subnetCidr } = wiring
  const [links, defaults] = await query(lanes, netns, [
    `address show dev ${ifname}`,
    `route show default dev ${ifname}`,
  ])
  const [link] = readLinks(links)
  if (link === undefined) return [`link "${ifname}" is missing in the pod`]
  const { bits } = cidrRange(subnetCidr)
  const addressed = rows(rows(links)[0]?.['addr_info']).some(
    ({ local, prefixlen }) => local === address && prefixlen === bits,
  )
  const routed = rows(defaults).some((row) => row['gateway'] === gateway)
  return [
    ...(link.mac === mac ? [] : [`link "${ifname}" in the pod is not ENI ${mac}`]),
    ...(link.up ? [] : [`link "${ifname}" in the pod is down`]),
    ...(addressed ? [] : [`link "${ifname}" in the pod lacks address ${address}/${bits}`]),
    ...(routed ? [] : [`default route via ${gateway} is missing in the pod`]),
  ]
}
