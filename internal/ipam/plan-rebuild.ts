// A lost ledger made anew (R4). NECs say what nodes use, with grants and targets; the cloud says what exists. What both say is
// entered as it was, what a NEC alone says too: running pods may depend on it, and a survey finds out. Pure.
import type { Cidr } from '../value/cidr.ts'
import type { Ipv4 } from '../value/ipv4.ts'
import { isAtHome, podIps, purposeOf } from './eni-tags.ts'
import type { NodeQuota } from './node-bounds.ts'
import { isReturnedIn } from './node-report.ts'
import type { Finding } from './quarantine.ts'
import type {
  CloudEni,
  EniId,
  InstanceId,
  LedgerNodeView,
  Nec,
  NodeFact,
  NodeName,
  PublishedEni,
  SubnetId,
} from './types.ts'

export interface RebuildView {
  readonly clusterId: string
  readonly nodes: readonly NodeFact[]
  readonly necs: readonly Nec[]
  /** ENIs with our tag, and those that NECs name. */
  readonly cloud: readonly CloudEni[]
  readonly cidrs: ReadonlyMap<SubnetId, Cidr>
  /** Addresses that an earlier view has shown on their ENIs, too. */
  readonly sure: ReadonlySet<Ipv4>
  /** Reserved for nobody that is known: no pool may have them. */
  readonly unclaimed: ReadonlySet<Ipv4>
}

export interface RebuiltNode extends LedgerNodeView {
  readonly uid: string
  readonly phase: 'active' | 'leaving'
  readonly quota: NodeQuota
}

export interface RebuiltEni extends Omit<PublishedEni, 'gateway' | 'ips'> {
  readonly node: NodeName
  /** Without a grant: no NEC has shown it yet. */
  readonly ips: readonly { readonly address: Ipv4; readonly grant: number | undefined }[]
}

export interface Rebuild {
  readonly nodes: readonly RebuiltNode[]
  readonly enis: readonly RebuiltEni[]
  /** Addresses that the cloud shows on them and no NEC: the last that were bound. Entered when they are sure. */
  readonly unshown: readonly Ipv4[]
  /** The highest grant that anybody may know. */
  readonly lastGrant: number
  /** ENIs that NECs name and the cloud does not show. */
  readonly missing: readonly EniId[]
  /** Nodes that ENIs of ours name, and of which there is no NEC: each had one before its first ENI was made, and keeps it until the last is gone. */
  readonly nameless: readonly NodeName[]
  /** Ours by their tags and not entered: they keep places for themselves until a survey has looked at them. */
  readonly orphans: readonly Finding[]
  /** ENIs that NECs name and that have the tag of another cluster: these are not our NECs, or we are not who we say. */
  readonly foreign: readonly { readonly id: EniId; readonly node: NodeName; readonly cluster: string }[]
}

/** Grants of addresses that have left the NECs since are known to agents alone: new ones keep clear of them. */
const grantMargin = 1_000_000

export function planRebuild(view: RebuildView): Rebuild {
  const shown = new Map(view.cloud.map((eni) => [eni.id, eni]))
  const nodes = rebuiltNodes(view)
  const instanceOf = new Map(nodes.map(({ name, instanceId }) => [name, instanceId]))
  const published = view.necs
    .toSorted((a, b) => (a.name < b.name ? -1 : 1))
    .flatMap((nec) =>
      (nec.publication?.enis ?? []).map((eni) => ({
        ...eni,
        ips: withoutGone(eni, shown.get(eni.id), nec),
        node: nec.name,
      })),
    )
  // Where two NECs name one ENI (a node was given another name), the one is right whose instance it is on, and that stays.
  const isThere = ({ id, node }: Pick<RebuiltEni, 'id' | 'node'>) =>
    shown.get(id)?.instanceId === instanceOf.get(node)
  const staying = new Set(nodes.filter(({ phase }) => phase === 'active').map(({ name }) => name))
  const rank = (eni: Pick<RebuiltEni, 'id' | 'node'>) =>
    Number(isThere(eni)) * 2 + Number(staying.has(eni.node))
  const sorted = published.toSorted((a, b) => rank(b) - rank(a))
  const fromNecs = unique(sorted)
  const known = unique([...fromNecs, ...attachedExtras(view, nodes, fromNecs)])
  const unshown = unshownIps(
    known.filter(isThere),
    shown,
    new Set([...view.unclaimed, ...known.flatMap(({ ips }) => ips.map(({ address }) => address))]),
  )
  const sureOf = (eni: RebuiltEni) => (unshown.get(eni.id) ?? []).filter((address) => view.sure.has(address))
  return {
    nodes,
    enis: known.map((eni) => ({
      ...eni,
      ips: [...eni.ips, ...sureOf(eni).map((address) => ({ address, grant: undefined }))],
    })),
    unshown: [...unshown.values()].flat(),
    lastGrant: lastGrant(view.necs),
    missing: fromNecs.filter(({ id }) => !shown.has(id)).map(({ id }) => id),
    nameless: nodesWithoutNec(view),
    orphans: orphansOf(view, known),
    foreign: fromNecs.flatMap(({ id, node }) => {
      const eni = shown.get(id)
      const cluster = eni && purposeOf(eni).clusterId
      return cluster === undefined || cluster === view.clusterId ? [] : [{ id, node, cluster }]
    }),
  }
}

/** Limits, targets and what they come from as published: the defaults of a node are fixed when it is first seen (P9). Nodes without a NEC are registered as new ones. */
function rebuiltNodes({ necs, nodes }: RebuildView): readonly RebuiltNode[] {
  const facts = new Map(nodes.map((fact) => [fact.name, fact]))
  const isCurrent = (nec: Nec) => facts.get(nec.name)?.instanceId === nec.publication?.instanceId
  const sorted = necs
    .filter(({ publication }) => publication !== undefined)
    .toSorted((a, b) => Number(isCurrent(b)) - Number(isCurrent(a)) || (a.name < b.name ? -1 : 1))
  const taken = new Set<InstanceId>()
  return sorted.flatMap(({ name, publication }): RebuiltNode[] => {
    if (publication === undefined) return []
    const { eips, instanceId, zone, shared, exclusive, instanceEnis, defaults, overrides } = publication
    const phase = taken.has(instanceId) ? 'leaving' : 'active'
    taken.add(instanceId)
    const uid = facts.get(name)?.uid ?? ''
    // The instance is asked again.
    const quota = { instanceType: '', enis: instanceEnis, ipsPerEni: shared.ipsPerEni, eips }
    const terms = { shared, exclusive, instanceEnis, defaults, overrides }
    return [{ name, uid, instanceId, zone, phase, ...terms, quota }]
  })
}

/** What the node has given up and the cloud does not show, or is taking off, nobody has: a pod that was given it would have no network. */
function withoutGone({ ips, mode }: PublishedEni, cloud: CloudEni | undefined, { report }: Nec) {
  if (cloud === undefined) return ips
  const isReturned = isReturnedIn(report)
  const staying = podIps(cloud, mode).filter(({ state }) => state === 'available')
  const there = new Set(staying.map(({ address }) => address))
  return ips.filter((ip) => there.has(ip.address) || !isReturned(ip))
}

/** Each ENI, address and grant once: the ledger takes no other. */
function unique(enis: readonly RebuiltEni[]): readonly RebuiltEni[] {
  const taken = new Set<string>()
  const isFree = (...keys: readonly string[]) => {
    if (keys.some((key) => taken.has(key))) return false
    for (const key of keys) taken.add(key)
    return true
  }
  return enis.flatMap((eni) =>
    isFree(`eni ${eni.id}`, `mac ${eni.mac}`, `primary ${eni.primaryIp}`, `slot ${eni.node} ${eni.slot}`)
      ? [{ ...eni, ips: eni.ips.filter(({ address, grant }) => isFree(`ip ${address}`, `grant ${grant}`)) }]
      : [],
  )
}

/** Nothing is being done to these ENIs, as far as the cloud says. Of an address that is shown on two, once before it moved, the first counts. */
function unshownIps(
  enis: readonly RebuiltEni[],
  shown: ReadonlyMap<EniId, CloudEni>,
  known: ReadonlySet<Ipv4>,
): ReadonlyMap<EniId, readonly Ipv4[]> {
  const taken = new Set(known)
  return new Map(
    enis.map(({ id, mode }) => {
      const eni = shown.get(id)
      const ips = eni?.state === 'available' ? podIps(eni, mode) : []
      const unshown = ips.filter(
        ({ address, state }) => state === 'available' && !taken.has(address) && taken.add(address),
      )
      return [id, unshown.map(({ address }) => address)]
    }),
  )
}

/** On a node, and not in its NEC yet. */
function attachedExtras(
  { clusterId, cloud, cidrs }: RebuildView,
  nodes: readonly RebuiltNode[],
  known: readonly RebuiltEni[],
): readonly RebuiltEni[] {
  const ids = new Set(known.map(({ id }) => id))
  const nodeOf = new Map(nodes.map((node) => [node.instanceId, node]))
  const slots = Map.groupBy(known, ({ node }) => node)
  const takenOn = new Map(
    nodes.map(({ name }) => [name, new Set((slots.get(name) ?? []).map(({ slot }) => slot))]),
  )
  return cloud
    .toSorted((a, b) => (a.id < b.id ? -1 : 1))
    .flatMap((eni): RebuiltEni[] => {
      const node = eni.instanceId === undefined ? undefined : nodeOf.get(eni.instanceId)
      const subnetCidr = cidrs.get(eni.subnetId)
      const purpose = purposeOf(eni)
      const isOurs =
        purpose.clusterId === clusterId && isAtHome(eni) && !eni.primary && eni.state === 'available'
      if (node === undefined || subnetCidr === undefined || !isOurs || ids.has(eni.id)) return []
      const taken = takenOn.get(node.name) ?? new Set()
      const slot = firstFree(taken, purpose.slot, node.instanceEnis)
      if (slot === undefined) return []
      taken.add(slot)
      const { id, mac, primaryIp, subnetId } = eni
      return [
        { id, mac, primaryIp, subnetId, subnetCidr, slot, mode: purpose.mode, ips: [], node: node.name },
      ]
    })
}

function nodesWithoutNec({ clusterId, cloud, necs }: RebuildView): readonly NodeName[] {
  const ours = cloud.map((eni) => purposeOf(eni)).filter((purpose) => purpose.clusterId === clusterId)
  const named = new Set(ours.flatMap(({ node }) => node ?? []))
  for (const { name } of necs) named.delete(name)
  return [...named]
}

function orphansOf({ clusterId, cloud }: RebuildView, known: readonly RebuiltEni[]): readonly Finding[] {
  const ids = new Set(known.map(({ id }) => id))
  return cloud
    .filter((eni) => !ids.has(eni.id) && !eni.primary && purposeOf(eni).clusterId === clusterId)
    .map((eni) => ({
      kind: 'eni-orphan',
      subject: eni.id,
      node: purposeOf(eni).node,
      reason: 'it has the tag of this cluster, and no NEC names it',
      remedy: 'none: looked at again',
      holds: false,
    }))
}

function firstFree(taken: ReadonlySet<number>, wanted: number | undefined, most: number): number | undefined {
  const all = Array.from({ length: most }, (_, i) => i + 1)
  return [wanted ?? 0, ...all].find((slot) => slot >= 1 && slot <= most && !taken.has(slot))
}

function lastGrant(necs: readonly Nec[]): number {
  const grants = necs.flatMap(({ publication, report }) => [
    ...(publication?.enis ?? []).flatMap(({ ips }) => ips.map(({ grant }) => grant)),
    ...(report?.returned ?? []).map(({ grant }) => grant),
  ])
  let last = 0
  for (const grant of grants) last = Math.max(last, grant)
  return last === 0 ? 0 : last + grantMargin
}
