// Why a pod that keeps its address does not have it yet: a sentence, and where to look.
import { isClaimedFor, type LocalIp } from '../ipam/choose-address.ts'
import { IpamError } from '../ipam/errors.ts'
import type { PodName } from '../ipam/types.ts'
import type { Ipv4 } from '../value/ipv4.ts'

export interface ClaimView {
  readonly ips: readonly LocalIp[]
  /** ENIs that are set up. */
  readonly readyEnis: ReadonlySet<string>
  /** Neither handed out nor given back now. */
  readonly withheld: ReadonlySet<Ipv4>
  /** The container that has the address. */
  readonly holderOf: (address: Ipv4) => string | undefined
}

export function claimShortage(pod: PodName, view: ClaimView): IpamError {
  const its = view.ips.filter((ip) => ip.published && isClaimedFor(ip, pod))
  const ip = its.toSorted((a, b) => b.grant - a.grant)[0]
  const { so, hint } = whyNot(ip, pod, view)
  return new IpamError('no_address', `Cannot give the pod its static address: ${so}`, { hint })
}

function whyNot(ip: LocalIp | undefined, { namespace, name }: PodName, view: ClaimView) {
  const hint = `see kubectl describe vipc -n ${namespace} ${name}`
  if (ip === undefined) return { so: 'the leader has not bound it to this node yet', hint }
  const { address, eniId } = ip
  if (ip.inUse)
    return {
      so: `an earlier sandbox of that name still has ${address}`,
      hint: `it is free once container ${view.holderOf(address) ?? ''} is gone from this node`,
    }
  if (ip.state === 'returning')
    return { so: `this node has given ${address} back, and the leader has not bound it again yet`, hint }
  if (view.withheld.has(address))
    return {
      so: `the kernel of this node shows ${address} elsewhere`,
      hint: 'see "tke-eni get quarantine" on this node',
    }
  if (!view.readyEnis.has(eniId)) return { so: `ENI ${eniId} of ${address} is not set up yet`, hint }
  return { so: `${address} is not free yet`, hint }
}
