// What is out there, as `ip` and `nft` lines: a host of its own behind the VPC's edge, where each EIP is translated to the private
// address it stands for, and back. Pure.
//
// The translation knows no connections: one that is unbound is gone with its next packet. What is no EIP's is dropped, in either
// direction. Errors that come back (ICMP) quote what was sent, and that stays untranslated.
import type { Ipv4 } from '../../value/ipv4.ts'
import type { FabricEip } from './plan-fabric.ts'

/** The namespace of the host out there. */
export const outsideNetns = 'outside'

/** Its address, of TEST-NET-1: EIPs are of the other two. */
export const outsideAddress = '192.0.2.1' as Ipv4

/** The router's end of the link. */
const edge = { link: 'internet', mac: '02:00:c0:00:02:fe' }
const hostMac = '02:00:c0:00:02:01'
/** No host has it: what is sent to it goes to the router. */
const nextHop = '169.254.1.1'

/** In the router: before there is a link, so that nothing ever passes untranslated. */
export const edgeRules: readonly string[] = [
  'table ip eip {',
  '  map to_private { type ipv4_addr : ipv4_addr; }',
  '  map to_public { type ipv4_addr : ipv4_addr; }',
  '  chain arrive {',
  '    type filter hook prerouting priority raw; policy accept;',
  `    iifname "${edge.link}" ip daddr set ip daddr map @to_private accept`,
  `    iifname "${edge.link}" drop`,
  '  }',
  '  chain leave {',
  '    type filter hook postrouting priority srcnat; policy accept;',
  `    oifname "${edge.link}" ip saddr set ip saddr map @to_public accept`,
  `    oifname "${edge.link}" drop`,
  '  }',
  '}',
]

/** In the router. `netns`: path of the host's. */
export function edgeLines(netns: string): readonly string[] {
  return [
    `link add name ${edge.link} address ${edge.mac} up type veth peer name eth0 address ${hostMac} netns ${netns}`,
    `route replace ${outsideAddress}/32 dev ${edge.link} scope link`,
    `neighbour replace ${outsideAddress} lladdr ${hostMac} dev ${edge.link} nud permanent`,
  ]
}

/** On the host: everything else is behind the router. */
export const outsideLines: readonly string[] = [
  'link set dev lo up',
  'link set dev eth0 up',
  `address add ${outsideAddress}/32 dev eth0`,
  `neighbour replace ${nextHop} lladdr ${edge.mac} dev eth0 nud permanent`,
  `route replace default via ${nextHop} dev eth0 onlink`,
]

/** In the router, at once: these EIPs and no others. */
export function eipLines(eips: readonly FabricEip[]): readonly string[] {
  const flush = ['flush map ip eip to_private', 'flush map ip eip to_public']
  if (eips.length === 0) return flush
  const inward = eips.map(({ address, privateIp }) => `${address} : ${privateIp}`)
  const outward = eips.map(({ address, privateIp }) => `${privateIp} : ${address}`)
  return [
    ...flush,
    `add element ip eip to_private { ${inward.join(', ')} }`,
    `add element ip eip to_public { ${outward.join(', ')} }`,
  ]
}
