// What has to change in the dev cluster's network so that every ENI the simulated cloud has attached is a link of its node, and the
// "VPC" routes its addresses there. Pure.
import type { Cidr } from '../../value/cidr.ts'
import { compareIpv4, type Ipv4 } from '../../value/ipv4.ts'
import type { Mac } from '../../value/mac.ts'

export interface FabricEni {
  readonly mac: Mac
  /** 0 is the node's own ENI, which comes up configured as by the cloud's image; link `eth<deviceIndex>`. */
  readonly deviceIndex: number
  readonly subnetCidr: Cidr
  readonly primaryIp: Ipv4
  /** Secondary addresses that packets may use. */
  readonly ips: readonly Ipv4[]
  /** Public addresses that stand for addresses of this ENI out there. */
  readonly eips: readonly FabricEip[]
}

export interface FabricEip {
  readonly address: Ipv4
  readonly privateIp: Ipv4
}

export interface FabricNode {
  readonly name: string
  readonly enis: readonly FabricEni[]
}

export type FabricChange =
  | { readonly kind: 'add-node' | 'remove-node'; readonly node: string }
  | { readonly kind: 'plug'; readonly node: string; readonly eni: FabricEni }
  | { readonly kind: 'unplug'; readonly mac: Mac }
  | { readonly kind: 'add-address' | 'remove-address'; readonly mac: Mac; readonly address: Ipv4 }
  /** From now on only these are there, on all ENIs together: what is left at first, and all that are wanted at last. */
  | { readonly kind: 'keep-eips' | 'bind-eips'; readonly eips: readonly FabricEip[] }

/**
 * Changes in the order in which they can be done: everything that goes, then nodes, links and addresses that come. An address that moves
 * between ENIs so is never routed to both, nor is a public one ever two's. Ordered by node, device index and address.
 */
export function planFabric(
  desired: readonly FabricNode[],
  current: readonly FabricNode[],
): readonly FabricChange[] {
  const wanted = plugsOf(desired)
  const present = plugsOf(current)
  const stays = ([mac, { eni, node }]: readonly [Mac, Plug]): boolean => {
    const other = present.get(mac)
    return other !== undefined && other.node === node && sameLink(other.eni, eni)
  }
  const kept = [...wanted].filter(stays)
  const keptMacs = new Set(kept.map(([mac]) => mac))
  const came = [...wanted.values()].filter(({ eni }) => !keptMacs.has(eni.mac))
  const names = new Set(desired.map(({ name }) => name))
  const known = new Set(current.map(({ name }) => name))
  const eips = changesOfEips(desired, current)
  return [
    ...eips.first,
    ...kept.flatMap(([mac, { eni }]) =>
      without(present.get(mac)?.eni.ips ?? [], eni.ips).map(
        (address): FabricChange => ({ kind: 'remove-address', mac, address }),
      ),
    ),
    ...[...present.keys()]
      .filter((mac) => !keptMacs.has(mac))
      .map((mac): FabricChange => ({ kind: 'unplug', mac })),
    ...[...known]
      .filter((node) => !names.has(node))
      .toSorted(byText)
      .map((node): FabricChange => ({ kind: 'remove-node', node })),
    ...[...names]
      .filter((node) => !known.has(node))
      .toSorted(byText)
      .map((node): FabricChange => ({ kind: 'add-node', node })),
    ...came.map(({ eni, node }): FabricChange => ({ kind: 'plug', node, eni })),
    ...kept.flatMap(([mac, { eni }]) =>
      without(eni.ips, present.get(mac)?.eni.ips ?? []).map(
        (address): FabricChange => ({ kind: 'add-address', mac, address }),
      ),
    ),
    ...eips.last,
  ]
}

interface EipChanges {
  readonly first: readonly FabricChange[]
  readonly last: readonly FabricChange[]
}

function changesOfEips(desired: readonly FabricNode[], current: readonly FabricNode[]): EipChanges {
  const [wanted, present] = [eipsOf(desired), eipsOf(current)]
  const left = present.filter((eip) => wanted.some((other) => sameEip(eip, other)))
  return {
    first: left.length < present.length ? [{ kind: 'keep-eips', eips: left }] : [],
    last: left.length < wanted.length ? [{ kind: 'bind-eips', eips: wanted }] : [],
  }
}

function eipsOf(nodes: readonly FabricNode[]): readonly FabricEip[] {
  const eips = nodes.flatMap(({ enis }) => enis.flatMap((eni) => eni.eips))
  return eips.toSorted((a, b) => compareIpv4(a.address, b.address))
}

function sameEip(a: FabricEip, b: FabricEip): boolean {
  return a.address === b.address && a.privateIp === b.privateIp
}

function byText(a: string, b: string): number {
  return a < b ? -1 : a > b ? 1 : 0
}

/** `nodes` with those of their ENIs only that `isThere`. */
export function onlyPlugged(
  nodes: readonly FabricNode[],
  isThere: (mac: Mac) => boolean,
): readonly FabricNode[] {
  return nodes.map(({ name, enis }) => ({ name, enis: enis.filter(({ mac }) => isThere(mac)) }))
}

interface Plug {
  readonly node: string
  readonly eni: FabricEni
}

function plugsOf(nodes: readonly FabricNode[]): ReadonlyMap<Mac, Plug> {
  const plugs = nodes.flatMap(({ enis, name }) => enis.map((eni): Plug => ({ node: name, eni })))
  plugs.sort((a, b) => byText(a.node, b.node) || a.eni.deviceIndex - b.eni.deviceIndex)
  return new Map(plugs.map((plug) => [plug.eni.mac, plug]))
}

function sameLink(a: FabricEni, b: FabricEni): boolean {
  return a.deviceIndex === b.deviceIndex && a.primaryIp === b.primaryIp && a.subnetCidr === b.subnetCidr
}

function without(items: readonly Ipv4[], others: readonly Ipv4[]): readonly Ipv4[] {
  const gone = new Set(others)
  return items.filter((item) => !gone.has(item)).toSorted(compareIpv4)
}
