// The kernel side of an attachment: a pair of links for an address of a shared ENI, or the link of an exclusive ENI itself.
import { IpamError } from '../ipam/errors.ts'
import { linkAlias } from '../ipam/link-identity.ts'
import { podGateway } from '../ipam/pod-gateway.ts'
import type { ExclusiveWiring, PodWiring } from '../ipam/types.ts'
import type { Attachment, Linux, NodeEni, NodeLedger } from '../ports.ts'
import { cidrRange } from '../value/cidr.ts'
import type { Ipv4 } from '../value/ipv4.ts'
import type { Mac } from '../value/mac.ts'
import type { NodeSettings } from './settings.ts'

/** A pod that has its network. */
export interface PodNetwork {
  readonly attachment: Attachment
  /** Bits of the address's block as the pod has it. */
  readonly bits: number
  /** The next hop inside the pod. */
  readonly gateway: Ipv4
  readonly podMac: Mac
  /** The other end, on the node; undefined where there is none. */
  readonly hostMac: Mac | undefined
  readonly mtu: number
}

export interface PodNetworks {
  /** Idempotent. Throws `not_found` when the ENI is not known, `kernel`. */
  connect(attachment: Attachment): Promise<PodNetwork>
  disconnect(attachment: Attachment): Promise<void>
  /** What is not as `connect` left it. */
  inspect(attachment: Attachment): Promise<readonly string[]>
}

export function createPodNetworks(ledger: NodeLedger, linux: Linux, settings: NodeSettings): PodNetworks {
  function eniOf({ address }: Attachment): Omit<NodeEni, 'ips'> {
    const eni = ledger.eniOf(address)
    if (eni !== undefined) return eni
    throw new IpamError('not_found', `Cannot connect ${address}: its ENI is not known on this node`)
  }

  function shared(attachment: Attachment, eniMac: Mac): PodWiring {
    const { address, netns, ifname, hostLink } = attachment
    return { address, eniMac, netns, ifname, hostLink, mtu: settings.mtu, alias: linkAlias(attachment) }
  }

  function exclusive(attachment: Attachment, eni: Omit<NodeEni, 'ips'>): ExclusiveWiring {
    const { address, netns, ifname } = attachment
    const { mac, subnetCidr, gateway } = eni
    const { mtu } = settings
    return { mac, address, subnetCidr, gateway, netns, ifname, mtu, alias: linkAlias(attachment) }
  }

  return {
    async connect(attachment) {
      const eni = eniOf(attachment)
      if (eni.mode === 'exclusive') {
        await linux.giveEni(exclusive(attachment, eni))
        const { bits } = cidrRange(eni.subnetCidr)
        const { gateway, mac } = eni
        return { attachment, bits, gateway, podMac: mac, hostMac: undefined, mtu: settings.mtu }
      }
      const link = await linux.connectPod(shared(attachment, eni.mac))
      return { attachment, bits: 32, gateway: podGateway, mtu: settings.mtu, ...link }
    },
    async disconnect(attachment) {
      const eni = ledger.eniOf(attachment.address)
      if (eni?.mode === 'exclusive') await linux.takeEni(exclusive(attachment, eni))
      else await linux.disconnectPod(attachment)
    },
    async inspect(attachment) {
      const eni = eniOf(attachment)
      if (eni.mode === 'exclusive') return linux.inspectEni(exclusive(attachment, eni))
      return linux.inspectPod(shared(attachment, eni.mac))
    },
  }
}
