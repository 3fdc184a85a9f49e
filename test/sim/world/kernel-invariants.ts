// A node's kernel against its agent's ledger, once nothing happens any more.
import { routeTableOf } from '../../../internal/ipam/plan-repair.ts'
import { nodeDefaults } from '../../../internal/node/settings.ts'
import type { Ipv4 } from '../../../internal/value/ipv4.ts'
import { withoutPlace } from './pool-invariants.ts'
import type { SimNode, World } from './world.ts'

export function kernelFaults(world: World, node: SimNode): string[] {
  return [...sharedFaults(world, node), ...exclusiveFaults(world, node)]
}

function sharedFaults(world: World, node: SimNode): string[] {
  const attachments = attachmentsOn(node, 'shared')
  // Links that do not say whose they are wait for their DEL.
  const held = node.ledger?.quarantine() ?? []
  const addresses = attachments.map(({ address }) => address)
  const { links, rules, podLinks } = node.kernel
  const away = withoutPlace(world, node)
  const enis = (node.ledger?.enis() ?? []).filter(({ id, mode }) => mode === 'shared' && !away.has(id))
  return [
    ...enis
      .filter(({ mac }) => links.get(mac)?.up !== true)
      .map(({ id }) => `${node.name}: shared ENI ${id} is not set up`),
    ...difference(
      `${node.name}: attached, without a link`,
      attachments.map(({ hostLink }) => hostLink),
      [...podLinks.keys()],
    ),
    ...difference(
      `${node.name}: link without an attachment`,
      [...podLinks.keys()],
      [...attachments.map(({ hostLink }) => hostLink), ...held.map(({ subject }) => subject)],
    ),
    ...difference(
      `${node.name}: rule of nobody`,
      rules.flatMap(({ from, to }) => from ?? to ?? []),
      [...addresses, ...held.flatMap(({ address }) => address ?? [])],
    ),
    ...difference(
      `${node.name}: attached, without a rule`,
      addresses.filter((address) => !away.has(node.ledger?.eniOf(address)?.id ?? '')),
      rules.flatMap(({ from }) => from ?? []),
    ),
    ...attachments.flatMap(({ address }) => {
      const mac = node.ledger?.eniOf(address)?.mac
      const eni = mac && links.get(mac)
      const table = eni && routeTableOf(eni, nodeDefaults.routeTableBase)
      const astray = rules.some((rule) => rule.from === address && rule.table !== table)
      return astray ? [`${node.name}: packets from ${address} leave by a wrong ENI`] : []
    }),
  ]
}

/** Each is with the pod that has it, whole; or on the node, with nothing left on it. */
function exclusiveFaults(world: World, node: SimNode): string[] {
  const { given, links, routes } = node.kernel
  const place = ({ address, netns }: { readonly address: string; readonly netns: string }) =>
    `${address} in ${netns}`
  const away = withoutPlace(world, node)
  const isAway = (address: Ipv4) => away.has(node.ledger?.eniOf(address)?.id ?? '')
  const attached = attachmentsOn(node, 'exclusive').filter(({ address }) => !isAway(address))
  const there = [...given.values()].map(place)
  const enis = (node.ledger?.enis() ?? []).filter(({ id, mode }) => mode === 'exclusive' && !away.has(id))
  return [
    ...difference(`${node.name}: attached, and its ENI is not there`, attached.map(place), there),
    ...difference(`${node.name}: ENI with a pod that is not attached`, there, attached.map(place)),
    ...[...given.values()]
      .filter(({ furnished }) => !furnished)
      .map(({ address }) => `${node.name}: ENI of ${address} is in its pod, without its address`),
    ...enis.flatMap(({ id, mac }) => {
      const link = links.get(mac)
      if (link === undefined) return given.has(mac) ? [] : [`${node.name}: exclusive ENI ${id} has no link`]
      const left = [
        ...(link.up ? ['it is up'] : []),
        ...link.addresses,
        ...routes.filter(({ dev }) => dev === link.name).map(({ to }) => `a route to ${to}`),
      ]
      return left.length === 0
        ? []
        : [`${node.name}: idle exclusive ENI ${id} is not clean: ${left.join(', ')}`]
    }),
    ...[...given.keys()]
      .filter((mac) =>
        world.ledger.publishedEnis(node.name).some((eni) => eni.mac === mac && eni.mode === 'shared'),
      )
      .map((mac) => `${node.name}: shared ENI ${mac} is in a pod`),
  ]
}

function attachmentsOn({ ledger }: SimNode, mode: 'shared' | 'exclusive') {
  const all = ledger?.attachments() ?? []
  return all.filter(({ address }) => (ledger?.eniOf(address)?.mode ?? 'shared') === mode)
}

/** What of `all` is not among `known`. */
export function difference(what: string, all: readonly string[], known: readonly string[]): string[] {
  const there = new Set(known)
  return all.filter((item) => !there.has(item)).map((item) => `${what}: ${item}`)
}
