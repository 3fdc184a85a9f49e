// Both ends of a pod's link: which names are ours, and MACs that follow from the name, so that nothing has to be read back
// from the kernel and a repeated ADD finds the same link.
import { hostLinkName, hostLinkPrefix } from '../ipam/host-link.ts'
import type { PodLink } from '../ipam/types.ts'
import type { Mac } from '../value/mac.ts'

const hostLinkPattern = new RegExp(`^${hostLinkPrefix}[0-9a-f]{11}$`)

/** Is `name` one that hostLinkName() makes? */
export function isHostLink(name: string): boolean {
  return hostLinkPattern.test(name)
}

/** Locally administered addresses of both ends of the pod link whose host end is `hostLink`. */
export function podLinkMacs(hostLink: string): PodLink {
  return { hostMac: macOf(hostLink, 'host'), podMac: macOf(hostLink, 'pod') }
}

/** The name's hash serves for the ends too: 10 of its digits make the 5 free bytes. */
function macOf(hostLink: string, end: string): Mac {
  const digits = hostLinkName(hostLink, end).slice(hostLinkPrefix.length)
  return ['02', ...(digits.match(/../g) ?? [])].join(':') as Mac
}
