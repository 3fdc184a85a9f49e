// The `ip` lines that give an ENI's link to a pod, and those that take it back. Pure. A move between namespaces takes the link down and
// its addresses, routes, neighbours, queueing and sysctls away. What is left of where it was is set here, both ways: nobody may have been
// there to take it back from a namespace that is gone.
import type { ExclusiveWiring } from '../ipam/types.ts'
import { cidrRange } from '../value/cidr.ts'
import type { Mac } from '../value/mac.ts'
import { absent, type BatchLine, exists } from './batch.ts'
import { type EniLink, isPlain, wordOf } from './eni-link.ts'

/** As every Ethernet link begins. The group is no matter of taste: one link in removeDoomedLine's that is hardware makes it fail. */
const asNew = 'group 0 txqueuelen 1000 arp on multicast on promisc off allmulticast off'

/** On the node. The last one moves and names it at once, so that it is never in the pod without telling whose it is. */
export function giveLines(
  link: EniLink,
  { alias, ifname, mac, netns }: ExclusiveWiring,
): readonly BatchLine[] {
  const move = `netns ${netns} name ${ifname} alias "${alias ?? ''}"${macWords(link, mac)}`
  return [...oneNameLines(link), { text: `link set dev ${wordOf(link)} ${move}` }]
}

/** In the pod, once the link is there. */
export function ownEniLines({
  address,
  alias,
  gateway,
  ifname,
  mtu,
  subnetCidr,
}: ExclusiveWiring): readonly BatchLine[] {
  const { bits } = cidrRange(subnetCidr)
  return [
    { text: `link set dev ${ifname} up alias "${alias ?? ''}" mtu ${mtu} ${asNew}` },
    { text: `address add ${address}/${bits} dev ${ifname}`, tolerates: exists },
    { text: `route add default via ${gateway} dev ${ifname}`, tolerates: exists },
  ]
}

/** In the pod: `home` is the path of the node's namespace. */
export function takeLines(link: EniLink, mac: Mac, home: string): readonly BatchLine[] {
  const move = `netns ${home} name ${spareName(mac)} down alias ""${macWords(link, mac)} ${asNew}`
  return [...oneNameLines(link), { text: `link set dev ${wordOf(link)} ${move}`, tolerates: absent }]
}

/** On the node. */
export function cleanLines(link: EniLink, mac: Mac): readonly BatchLine[] {
  const word = wordOf(link)
  return [
    ...oneNameLines(link),
    { text: `link set dev ${word} down alias ""${macWords(link, mac)} ${asNew}`, tolerates: absent },
    { text: `address flush dev ${word}`, tolerates: absent },
  ]
}

/** Not all drivers take one, not even the same. */
function macWords(link: EniLink, mac: Mac): string {
  return link.mac === mac ? '' : ` address ${mac}`
}

/** A move fails when another link there has one of its names; what cannot be written in a line, no other has. */
function oneNameLines(link: EniLink): readonly BatchLine[] {
  return link.altNames
    .filter(isPlain)
    .map((name) => ({ text: `link property del dev ${wordOf(link)} altname ${name}`, tolerates: absent }))
}

/** The name of an ENI that came back: the one it had may be another's by now. Of 15 characters, the most Linux takes. */
export function spareName(mac: Mac): string {
  return `eni${mac.replaceAll(':', '')}`
}
