// The `ip` lines that wire a pod, an ENI, a rule, a route; and those that undo it. Pure. Everything carries our protocol
// number, so that "ours" is exact.

import { eniRoutes, fromPodPriority, mainTable, podRules } from '../ipam/plan-repair.ts'
import { podGateway } from '../ipam/pod-gateway.ts'
import type { EniWiring, PodWiring, Route, Rule } from '../ipam/types.ts'
import type { Ipv4 } from '../value/ipv4.ts'
import { absent, type BatchLine, exists } from './batch.ts'
import { podLinkMacs } from './pod-link.ts'

/** In `protocol` of our rules and routes: a number nobody has registered in iproute2's rt_protos. */
export const ourProtocol = 116

/** In the node's namespace: the pair with its far end born in the pod's (moving it there costs an RCU barrier), then rules and route. */
export function hostSideLines(wiring: PodWiring, table: number): readonly BatchLine[] {
  const { address, hostLink, ifname, mtu, netns } = wiring
  const { hostMac, podMac } = podLinkMacs(hostLink)
  return [
    {
      text:
        `link add name ${hostLink} up address ${hostMac} mtu ${mtu} type veth ` +
        `peer name ${ifname} address ${podMac} mtu ${mtu} netns ${netns}`,
      tolerates: exists,
    },
    // A leaked rule of an earlier owner would send the new one's packets to another ENI.
    removeFromRulesLine(address),
    ...podRules(address, table).map(addRuleLine),
    addRouteLine({ table: mainTable, to: address, dev: hostLink }),
    { text: `neighbour replace ${address} lladdr ${podMac} dev ${hostLink} nud permanent` },
  ]
}

/** Index of the line of hostSideLines() that makes the pair. */
export const pairLine = 0

/** In the pod's namespace. */
export function podSideLines({ address, hostLink, ifname }: PodWiring): readonly BatchLine[] {
  const { hostMac } = podLinkMacs(hostLink)
  return [
    { text: `link set dev ${ifname} up` },
    { text: `address add ${address}/32 dev ${ifname}`, tolerates: exists },
    { text: `neighbour replace ${podGateway} lladdr ${hostMac} dev ${ifname} nud permanent` },
    { text: `route add ${podGateway} dev ${ifname} scope link`, tolerates: exists },
    { text: `route add default via ${podGateway} dev ${ifname}`, tolerates: exists },
  ]
}

/** Not worth a wait on the hot path. `alias` is of linkAlias(): nothing in it ends the quotes. */
export function aliasLine(link: string, alias: string): BatchLine {
  return { text: `link set dev ${link} alias "${alias}"`, tolerates: absent }
}

/** "tke" as a number: a link group that nobody else has. */
const doomedGroup = 0x746b65

/** Removes all doomed links at once: every removal waits for the kernel's grace periods, 20 ms for one link or for thirty. */
export const removeDoomedLine: BatchLine = { text: `link del group ${doomedGroup}`, tolerates: absent }

/** The link is only doomed: removeDoomedLine must follow. The route and the neighbour go with the link. */
export function disconnectLines(address: Ipv4, hostLink: string): readonly BatchLine[] {
  return [
    ...podRules(address, undefined).map(removeRuleLine),
    removeFromRulesLine(address),
    { text: `link set dev ${hostLink} down group ${doomedGroup}`, tolerates: absent },
  ]
}

/** Whatever the table. */
function removeFromRulesLine(address: Ipv4): BatchLine {
  const text = `rule del from ${address} priority ${fromPodPriority} protocol ${ourProtocol}`
  return { text, tolerates: absent }
}

/** The ENI's own address must be on its link, or nobody answers when it asks for the gateway's MAC. */
export function eniLines(eni: EniWiring, link: string, table: number): readonly BatchLine[] {
  return [
    { text: `link set dev ${link} up` },
    { text: `address add ${eni.primaryIp}/32 dev ${link}`, tolerates: exists },
    ...eniRoutes(eni, link, table).map(addRouteLine),
  ]
}

export function addRuleLine(rule: Rule): BatchLine {
  return { text: `rule add ${ruleWords(rule)}`, tolerates: exists }
}

export function removeRuleLine(rule: Rule): BatchLine {
  return { text: `rule del ${ruleWords(rule)}`, tolerates: absent }
}

export function addRouteLine(route: Route): BatchLine {
  return { text: `route replace ${routeWords(route)}` }
}

export function removeRouteLine(route: Route): BatchLine {
  return { text: `route del ${routeWords(route)}`, tolerates: absent }
}

export function removeLinkLine(link: string): BatchLine {
  return { text: `link del dev ${link}`, tolerates: absent }
}

export function raiseLinkLine(link: string): BatchLine {
  // An interrupted removal may have left it doomed.
  return { text: `link set dev ${link} up group 0`, tolerates: absent }
}

function ruleWords({ from, to, priority, table }: Rule): string {
  const selectors = [
    ...(from === undefined ? [] : [`from ${from}`]),
    ...(to === undefined ? [] : [`to ${to}`]),
  ]
  return `${selectors.join(' ')} lookup ${table} priority ${priority} protocol ${ourProtocol}`
}

function routeWords({ dev, table, to, via }: Route): string {
  const hop = via === undefined ? `dev ${dev} scope link` : `via ${via} dev ${dev}`
  return `${to} ${hop} table ${table} protocol ${ourProtocol}`
}
