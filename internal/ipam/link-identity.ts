// Whose a pod's host link is, or an ENI in a pod's namespace, written into the link's alias: so that a node whose database is lost finds its pods again in the
// kernel, each with its container, and people see in `ip link` what they look at.
import { type Ipv4, parseIpv4 } from '../value/ipv4.ts'
import type { Mac } from '../value/mac.ts'
import { hostLinkName } from './host-link.ts'
import type { PodName, PodUid } from './types.ts'

/** One interface of one sandbox and what it has. The pod's names may be empty, when they did not fit or nobody told them. */
export interface LinkIdentity {
  readonly containerId: string
  readonly ifname: string
  readonly pod: PodName & { readonly uid: PodUid }
  readonly netns: string
  readonly address: Ipv4
}

/** An exclusive ENI where a pod has it, and whose it is. */
export interface EniInPod extends LinkIdentity {
  readonly mac: Mac
}

/** IFALIASZ of the kernel, without the end of the string. */
const longest = 255
const word = /^[A-Za-z0-9_.:@%+=,/-]+$/
const podName = /^[a-z0-9.-]+\/[a-z0-9.-]+$/

/** "tke-eni <container> <interface> <pod uid or -> <netns> <address> [<namespace>/<name>]"; undefined when that is too long or has odd words. */
export function linkAlias({ containerId, ifname, pod, netns, address }: LinkIdentity): string | undefined {
  const words = ['tke-eni', containerId, ifname, word.test(pod.uid) ? pod.uid : '-', netns, address]
  const short = words.join(' ')
  if (short.length > longest || !words.every((each) => word.test(each))) return undefined
  const name = `${pod.namespace}/${pod.name}`
  const long = `${short} ${name}`
  return podName.test(name) && long.length <= longest ? long : short
}

/** What linkAlias() wrote; undefined when `alias` is none of ours, or of another link than `link`. */
export function readLinkAlias(link: string, alias: string | undefined): LinkIdentity | undefined {
  const identity = readEniAlias(alias)
  const isIts = identity !== undefined && hostLinkName(identity.containerId, identity.ifname) === link
  return isIts ? identity : undefined
}

/** As readLinkAlias(), of an ENI: its link has whatever name its pod knows it by. */
export function readEniAlias(alias: string | undefined): LinkIdentity | undefined {
  const [mark, containerId, ifname, uid, netns, text, name = '/', ...more] = alias?.split(' ') ?? []
  const address = parseIpv4(text ?? '')
  if (mark !== 'tke-eni' || !containerId || !ifname || !uid || !netns || more.length > 0) return undefined
  if (address === undefined) return undefined
  const [namespace = '', shortName = ''] = name.split('/')
  const pod = { namespace, name: shortName, uid: uid === '-' ? '' : uid }
  return { containerId, ifname, pod, netns, address }
}
