// What both pools of a node must be like once nothing happens any more (P1, P5, P12, X2, X3).
import type { Claim } from '../../../internal/ipam/claim.ts'
import type { PoolEni } from '../../../internal/ipam/pool.ts'
import { type EniId, type EniMode, eniModes } from '../../../internal/ipam/types.ts'
import { cidrContains, cidrRange, parseCidr } from '../../../internal/value/cidr.ts'
import type { Ipv4 } from '../../../internal/value/ipv4.ts'
import { zones } from './happenings.ts'
import type { SimNode, World } from './world.ts'

/** Could its zone and its quotas serve every pod? */
export function hasRoom(world: World, node: SimNode): boolean {
  const conditions = world.kube.necs.items.get(node.name)?.publication?.conditions
  return conditions?.find(({ type }) => type === 'Ready')?.status === 'True'
}

/**
 * ENIs that pods have or wait for, that somebody took off their node, and that cannot come back: its instance was made smaller meanwhile, and
 * pods have every ENI on it. They go with their pods. So do those that keep an address that nothing else keeps, until another ENI there has room
 * for it.
 */
export function withoutPlace(world: World, node: SimNode): ReadonlySet<EniId> {
  const pool = world.ledger.pool(node.name)
  const used = new Set(node.ledger?.attachments().map(({ address }) => address))
  const hasUsed = ({ ips }: PoolEni) => ips.some(({ address }) => used.has(address))
  const waiting = new Set(
    node.kubelet.runningPods().flatMap(({ address, wants }) => (address === undefined ? wants : [])),
  )
  const enis = pool?.enis ?? []
  const away = enis.filter(
    (eni) =>
      eni.state === 'available' && (hasUsed(eni) || waiting.has(eni.mode) || isStuckOn(world, node, eni)),
  )
  const there = enis.filter(
    (eni) => eni.state !== 'available' && (hasUsed(eni) || parkedOn(world, eni).length > 0),
  )
  const isFull = pool !== undefined && there.length >= pool.instanceEnis
  return new Set(isFull ? away.flatMap(({ id }) => id ?? []) : [])
}

/** Claims whose addresses are on it, and that have no reservation. */
function parkedOn({ ledger }: World, { ips }: PoolEni): readonly Claim[] {
  const claims = ips.flatMap(({ address }) => ledger.claimOf(address) ?? [])
  return claims.filter(({ policy, reservation }) => policy === 'Never' && reservation === undefined)
}

/** The address of one of these can go nowhere: that of a pod of another node is for that to take, and what is warm makes room only for a pod. */
function isStuckOn(world: World, node: SimNode, eni: PoolEni): boolean {
  const others = (world.ledger.pool(node.name)?.enis ?? []).filter(
    ({ state, subnetId }) => state === 'attached' && subnetId === eni.subnetId,
  )
  return parkedOn(world, eni).some((claim) => {
    if (claim.node !== undefined && claim.node !== node.name) return true
    return !others.some((one) => hasRoomFor(world, node, one, claim.node !== undefined))
  })
}

/** For the address of a claim: where a pod waits for it what is warm makes room. */
export function hasRoomFor(world: World, node: SimNode, { ips, mode }: PoolEni, isAwaited = true): boolean {
  const most = world.kube.necs.items.get(node.name)?.publication?.shared.ipsPerEni ?? 0
  return mode === 'shared' && (ips.length < most || (isAwaited && hasWarm(world, node, ips)))
}

/** Addresses of the pool that no pod has, or shows although somebody has taken it off: that is not given back under it. */
export function hasWarm({ kube }: World, node: SimNode, ips: PoolEni['ips']): boolean {
  const pods = [...kube.pods.items.values()].filter(({ terminal }) => !terminal)
  const held = new Set([...addressesInUse(node), ...pods.flatMap(({ ip }) => ip ?? [])])
  return ips.some((ip) => ip.claim === undefined && !held.has(ip.address))
}

/** What the ledger has for one pool, and what of it pods use, by the agent's ledger and by the kernel. */
interface Count {
  readonly pods: number
  /** Addresses for pods, by ENI: all of them, and those in use. */
  readonly enis: readonly { readonly bound: number; readonly used: number }[]
  readonly bound: number
  readonly used: number
  /** That are no pool's. */
  readonly claimed: number
}

export function boundFaults(world: World, node: SimNode): string[] {
  const counts = { shared: count(world, node, 'shared'), exclusive: count(world, node, 'exclusive') }
  return [
    ...eniModes.flatMap((mode) => {
      const faults = modeFaults(world, node, mode, counts[mode])
      return faults.map((fault) => `${node.name}, ${mode}: ${fault}`)
    }),
    ...placeFaults(world, node, counts).map((fault) => `${node.name}: ${fault}`),
  ]
}

/** Addresses that the pod subnet of the node's zone has left for a new ENI and a pod on it. */
function roomInSubnet(world: World, node: SimNode): boolean {
  const zone = zones.indexOf(world.ledger.node(node.name)?.zone ?? '')
  const block = parseCidr(`10.0.${zone * 16}.0/${world.shape.subnetBits[zone] ?? 24}`)
  const { ips, reservations } = world.cloud.admin.audit(world.clock.now())
  const all = new Set([...ips, ...reservations].map(({ address }) => address))
  const taken = [...all].filter((address) => block !== undefined && cidrContains(block, address)).length
  const reserved = 3 // the network's address, the gateway's and the broadcast's
  return block === undefined || 2 ** (32 - cidrRange(block).bits) - reserved - taken >= 2
}

/** Pods come before warm ones, of either kind: none waits for a place that an ENI holds which no pod needs (X3). */
function placeFaults(world: World, node: SimNode, { shared, exclusive }: Record<EniMode, Count>): string[] {
  const bounds = world.kube.necs.items.get(node.name)?.publication
  if (bounds === undefined || !roomInSubnet(world, node)) return []
  const { ipsPerEni, maxEnis, maxPods = Number.POSITIVE_INFINITY } = bounds.shared
  const isFull = shared.enis.every(({ bound }) => bound >= ipsPerEni)
  const most = Math.min(shared.pods, maxPods, Math.max(0, maxEnis * ipsPerEni - shared.claimed))
  const wantsShared = shared.bound < most && isFull && shared.enis.length < maxEnis
  const idle = exclusive.enis.length - Math.max(exclusive.used, exclusive.pods)
  const carrying = shared.enis.filter(({ used }) => used > 0)
  const seats = sum(carrying.map(({ used }) => Math.max(used, ipsPerEni)))
  const needed =
    carrying.length + Math.ceil(Math.max(0, shared.pods + shared.claimed - seats) / Math.max(1, ipsPerEni))
  const wantsExclusive = exclusive.bound < Math.min(exclusive.pods, bounds.exclusive.maxEnis, maxPods)
  const spare = shared.enis.length - needed
  return [
    ...(wantsShared && idle > 0 ? [`pods wait for addresses beside ${idle} idle exclusive ENIs`] : []),
    ...(wantsExclusive && spare > 0
      ? [`pods wait for ENIs beside ${spare} shared ones that none needs`]
      : []),
  ]
}

/** By the agent's ledger and by the kernel. */
export function addressesInUse({ kernel, ledger }: SimNode): ReadonlySet<Ipv4> {
  const { given, podLinks } = kernel
  return new Set([
    ...(ledger?.attachments() ?? []).map(({ address }) => address),
    ...[...given.values(), ...podLinks.values()].map(({ address }) => address),
  ])
}

function count(world: World, node: SimNode, mode: EniMode): Count {
  const inUse = addressesInUse(node)
  const all = (world.ledger.pool(node.name)?.enis ?? []).filter((eni) => eni.mode === mode)
  const enis = all.map(({ ips }) => ({
    bound: ips.length,
    used: ips.filter(({ address, claim }) => inUse.has(address) || claim !== undefined).length,
  }))
  // Claimed addresses take their places on ENIs, and are no pool's.
  const ofPool = all.flatMap(({ ips }) => ips.filter(({ claim }) => claim === undefined))
  const claimed = new Set(all.flatMap(({ ips }) => ips.flatMap((ip) => (ip.claim ? [ip.address] : []))))
  const poolOf = (address: Ipv4 | undefined) => address && node.ledger?.eniOf(address)?.mode
  const isPools = ({ address, isStatic }: { address: Ipv4 | undefined; isStatic: boolean }) =>
    address === undefined ? !isStatic || !world.settings.staticIps : !claimed.has(address)
  return {
    pods: node.kubelet
      .runningPods()
      .filter((pod) => isPools(pod) && (poolOf(pod.address) ?? pod.wants) === mode).length,
    enis,
    bound: ofPool.length,
    // What is parked on an ENI that the instance takes no more takes no place on it, until there is one for it to move to.
    claimed: all
      .filter(({ state }) => state !== 'available')
      .flatMap(({ ips }) => ips.filter(({ claim }) => claim !== undefined)).length,
    used: ofPool.filter(({ address }) => inUse.has(address)).length,
  }
}

function modeFaults(
  world: World,
  node: SimNode,
  mode: EniMode,
  { pods, enis, bound, used, claimed }: Count,
): string[] {
  const bounds = world.kube.necs.items.get(node.name)?.publication
  if (bounds === undefined) return []
  const { ipsPerEni, maxEnis, maxPods, maxWarm, minWarm } = bounds[mode]
  const places = Math.max(0, maxEnis * ipsPerEni - claimed)
  const most = Math.min(places, maxPods ?? Number.POSITIVE_INFINITY)
  const wanted = Math.min(pods + minWarm, most)
  const usedEnis = enis.filter((eni) => eni.used > 0).length
  const all = world.ledger.pool(node.name)?.enis.length ?? 0
  // Both kinds share the places of the instance: warm ones come last, and have none when pods have taken them.
  const isFull = all >= bounds.instanceEnis && enis.every((eni) => eni.bound >= ipsPerEni)
  const faults = []
  if (bound < wanted && hasRoom(world, node) && !isFull)
    faults.push(`bound ${bound} < ${pods} pods + ${minWarm}`)
  if (bound < Math.min(pods, most) && hasRoom(world, node)) faults.push(`bound ${bound} < ${pods} pods`)
  if (bound > Math.max(pods, used) + maxWarm) faults.push(`bound ${bound} > ${pods} pods + ${maxWarm}`)
  if (bound > Math.max(most, used)) faults.push(`bound ${bound} > ${most} bindable, with ${used} in use`)
  if (enis.length > Math.max(maxEnis, usedEnis))
    faults.push(`${enis.length} ENIs > ${maxEnis}, with ${usedEnis} in use`)
  for (const eni of enis) {
    if (eni.bound > Math.max(ipsPerEni, eni.used))
      faults.push(`${eni.bound} addresses on an ENI > ${ipsPerEni}, with ${eni.used} in use`)
  }
  return faults
}

function sum(counts: readonly number[]): number {
  return counts.reduce((total, each) => total + each, 0)
}
