// The `ip` and `nft` lines of a fabric change. Pure. One namespace is the VPC's router; each ENI is a pair of links between it and its node.
import { cidrRange, gatewayOf } from '../../value/cidr.ts'
import type { Ipv4 } from '../../value/ipv4.ts'
import type { Mac } from '../../value/mac.ts'
import { eipLines } from './outside-lines.ts'
import type { FabricChange, FabricEni } from './plan-fabric.ts'

/** The router's namespace. */
export const vpcNetns = 'vpc'

/** The namespace of a node; the prefix keeps nodes and pods apart. */
export function nodeNetns(node: string): string {
  return `node-${node}`
}

/** Where `ip netns` keeps namespaces. */
export function netnsPath(name: string): string {
  return `/run/netns/${name}`
}

/** Lines for one namespace; '' is the one we run in. They are done in the order of the array. */
export interface Step {
  readonly netns: string
  readonly tool?: 'ip' | 'nft'
  readonly lines: readonly string[]
}

/** A link group for links to be removed at once: a single removal waits for the kernel's grace periods. */
const doomedGroup = 0x746b65

/** As few steps as order allows: what goes, namespaces, the router's side, the nodes' sides, what stands for it out there. */
export function fabricSteps(changes: readonly FabricChange[]): readonly Step[] {
  const of = <K extends FabricChange['kind']>(...kinds: readonly K[]) =>
    changes.filter((change): change is Extract<FabricChange, { kind: K }> =>
      (kinds as readonly string[]).includes(change.kind),
    )
  const unplugs = of('unplug').map(({ mac }) => `link set dev ${vpcLink(mac)} group ${doomedGroup}`)
  const eips = (kind: 'keep-eips' | 'bind-eips'): Step => ({
    netns: vpcNetns,
    tool: 'nft',
    lines: of(kind).flatMap((change) => eipLines(change.eips)),
  })
  const steps: Step[] = [
    eips('keep-eips'),
    {
      netns: vpcNetns,
      lines: [
        ...of('remove-address').flatMap(({ address, mac }) => removeAddressLines(mac, address)),
        ...unplugs,
        ...(unplugs.length === 0 ? [] : [`link del group ${doomedGroup}`]),
      ],
    },
    {
      netns: '',
      lines: [
        ...of('remove-node').map(({ node }) => `netns del ${nodeNetns(node)}`),
        ...of('add-node').map(({ node }) => `netns add ${nodeNetns(node)}`),
      ],
    },
    {
      netns: vpcNetns,
      lines: [
        ...of('plug').flatMap(({ eni, node }) => plugLines(node, eni)),
        ...of('add-address').flatMap(({ address, mac }) => addAddressLines(mac, address)),
      ],
    },
    ...of('add-node').map(({ node }) => ({ netns: nodeNetns(node), lines: ['link set dev lo up'] })),
    ...of('plug').flatMap(({ eni, node }) =>
      eni.deviceIndex === 0 ? [{ netns: nodeNetns(node), lines: bootLines(eni) }] : [],
    ),
    eips('bind-eips'),
  ]
  return steps.filter(({ lines }) => lines.length > 0)
}

/** The router's end: "v" and the ENI's MAC. */
export function vpcLink(mac: Mac): string {
  return `v${mac.replaceAll(':', '')}`
}

/** Every link carries its subnet's gateway address, and the router answers ARP for everything it can reach (as a VPC does). */
function plugLines(node: string, eni: FabricEni): readonly string[] {
  const link = vpcLink(eni.mac)
  return [
    `link add name ${link} up type veth peer name eth${eni.deviceIndex} address ${eni.mac} netns ${netnsPath(nodeNetns(node))}`,
    `address add ${gatewayOf(eni.subnetCidr)}/32 dev ${link}`,
    `ntable change name arp_cache dev ${link} proxy_delay 0`, // it would be up to 0.8 s
    ...[eni.primaryIp, ...eni.ips].flatMap((address) => addAddressLines(eni.mac, address)),
  ]
}

/** Packets reach an ENI by its MAC, whoever holds the address behind it: nobody is asked. */
function addAddressLines(mac: Mac, address: Ipv4): readonly string[] {
  const link = vpcLink(mac)
  return [
    `route replace ${address}/32 dev ${link} scope link`,
    `neighbour replace ${address} lladdr ${mac} dev ${link} nud permanent`,
  ]
}

function removeAddressLines(mac: Mac, address: Ipv4): readonly string[] {
  // `flush` and not `del`: that one ends the whole batch when there is nothing.
  const link = vpcLink(mac)
  return [`route del ${address}/32 dev ${link}`, `neighbour flush to ${address} dev ${link} nud permanent`]
}

/** The primary ENI as a machine image leaves it after DHCP. */
function bootLines({ primaryIp, subnetCidr }: FabricEni): readonly string[] {
  return [
    'link set dev eth0 up',
    `address add ${primaryIp}/${cidrRange(subnetCidr).bits} dev eth0`,
    `route replace default via ${gatewayOf(subnetCidr)} dev eth0`,
  ]
}
