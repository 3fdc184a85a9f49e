// The `ip` lines that give an ENI's link to a pod, and those that take it back. Pure. A move between namespaces takes the link down and
// its addresses, routes, neighbours and sysctls away: only its name and its alias are left of where it was.
import type { ExclusiveWiring } from '../ipam/types.ts'
import { cidrRange } from '../value/cidr.ts'
import type { Mac } from '../value/mac.ts'
import { absent, type BatchLine, exists } from './batch.ts'

/** On the node. In one line, so that it is never in the pod without telling whose it is. */
export function giveLine(link: string, { alias, ifname, netns }: ExclusiveWiring): BatchLine {
  return { text: `link set dev ${link} netns ${netns} name ${ifname} alias "${alias ?? ''}"` }
}

/** In the pod, once the link is there. */
export function ownEniLines({
  address,
  alias,
  gateway,
  ifname,
  subnetCidr,
}: ExclusiveWiring): readonly BatchLine[] {
  const { bits } = cidrRange(subnetCidr)
  return [
    { text: `link set dev ${ifname} up alias "${alias ?? ''}"` },
    { text: `address add ${address}/${bits} dev ${ifname}`, tolerates: exists },
    { text: `route add default via ${gateway} dev ${ifname}`, tolerates: exists },
  ]
}

/** In the pod: `home` is the path of the node's namespace. */
export function takeLine(link: string, mac: Mac, home: string): BatchLine {
  return {
    text: `link set dev ${link} netns ${home} name ${spareName(mac)} down alias "" address ${mac}`,
    tolerates: absent,
  }
}

/** On the node. */
export function cleanLines(link: string, mac: Mac): readonly BatchLine[] {
  return [
    { text: `link set dev ${link} down alias "" address ${mac}`, tolerates: absent },
    { text: `address flush dev ${link}`, tolerates: absent },
  ]
}

/** The name of an ENI that came back: the one it had may be another's by now. Of 15 characters, the most Linux takes. */
export function spareName(mac: Mac): string {
  return `eni${mac.replaceAll(':', '')}`
}
