// What is not as connectPod() left it (CNI CHECK).

import { mainTable, podRules } from '../ipam/plan-repair.ts'
import { podGateway } from '../ipam/pod-gateway.ts'
import type { PodWiring, Rule } from '../ipam/types.ts'
import type { LanePool } from './lane-pool.ts'
import { podLinkMacs } from './pod-link.ts'
import { query } from './query.ts'
import { readLinks, readRules, rows } from './read-kernel.ts'

/** Sentences, none when all is well. `table` is undefined when the ENI's link is not on the node. */
export async function inspectPod(
  lanes: LanePool,
  wiring: PodWiring,
  table: number | undefined,
): Promise<readonly string[]> {
  return [...(await inspectPodSide(lanes, wiring)), ...(await inspectHostSide(lanes, wiring, table))]
}

async function inspectPodSide(lanes: LanePool, wiring: PodWiring): Promise<readonly string[]> {
  const { address, hostLink, ifname, netns } = wiring
  const [links, gateway, defaults, neighbours] = await query(lanes, netns, [
    `address show dev ${ifname}`,
    `route show ${podGateway} dev ${ifname}`,
    `route show default dev ${ifname}`,
    `neighbour show ${podGateway} dev ${ifname} nud permanent`,
  ])
  const [link] = readLinks(links)
  if (link === undefined) return [`link "${ifname}" is missing in the pod`]
  const { hostMac, podMac } = podLinkMacs(hostLink)
  const addresses = rows(rows(links)[0]?.['addr_info']).flatMap(({ family, local }) =>
    family === 'inet' ? [local] : [],
  )
  return [
    ...(link.mac === podMac ? [] : [`link "${ifname}" in the pod is not the one made for it`]),
    ...(link.up ? [] : [`link "${ifname}" in the pod is down`]),
    ...(addresses.length === 1 && addresses[0] === address
      ? []
      : [`link "${ifname}" in the pod has ${addresses.join(', ') || 'no address'} instead of ${address}`]),
    ...(rows(gateway).length > 0 ? [] : [`route to ${podGateway} is missing in the pod`]),
    ...(rows(defaults).some((row) => row['gateway'] === podGateway)
      ? []
      : [`default route via ${podGateway} is missing in the pod`]),
    ...(rows(neighbours).some(({ lladdr }) => lladdr === hostMac)
      ? []
      : [`neighbour ${podGateway} is missing in the pod`]),
  ]
}

async function inspectHostSide(
  lanes: LanePool,
  { address, hostLink }: PodWiring,
  table: number | undefined,
): Promise<readonly string[]> {
  const [links, routes, rules] = await query(lanes, '', [
    `address show dev ${hostLink}`,
    `route show ${address} table ${mainTable}`,
    'rule show',
  ])
  const [link] = readLinks(links)
  const ours = readRules(rules).filter(({ from, to }) => from === address || to === address)
  const wanted = podRules(address, table)
  return [
    ...(link === undefined ? [`host link "${hostLink}" is missing`] : []),
    ...(link !== undefined && !link.up ? [`host link "${hostLink}" is down`] : []),
    ...(rows(routes).some(({ dev }) => dev === hostLink)
      ? []
      : [`route to ${address} through "${hostLink}" is missing`]),
    ...(table === undefined ? ['the link of its ENI is missing on the node'] : []),
    ...wanted
      .filter((rule) => !ours.some((other) => same(rule, other)))
      .map((rule) => `rule ${words(rule)} is missing`),
    ...(table === undefined ? [] : ours.filter((rule) => !wanted.some((other) => same(rule, other)))).map(
      (rule) => `rule ${words(rule)} is one too many`,
    ),
  ]
}

function same(a: Rule, b: Rule): boolean {
  return words(a) === words(b)
}

function words({ from, priority, table, to }: Rule): string {
  return `"${from === undefined ? `to ${to}` : `from ${from}`} lookup ${table} priority ${priority}"`
}
