// Claims against pods, promises, reservations in the cloud, NECs and agents: at any time, and once nothing happens any more (S1–S13).
import type { Claim, ClaimPhase } from '../../../internal/ipam/claim.ts'
import { clusterTag, intentTag } from '../../../internal/ipam/eni-tags.ts'
import type { PodFact } from '../../../internal/ipam/types.ts'
import type { Ipv4 } from '../../../internal/value/ipv4.ts'
import { difference } from './kernel-invariants.ts'
import { hasRoomFor, hasWarm, withoutPlace } from './pool-invariants.ts'
import type { Promised } from './promises.ts'
import { clusterId, type SimNode, type World } from './world.ts'

const minute = 60_000
/** A claim may be let go so long after its time: leaders count it in rounds, and cloud calls wait for their turn. */
const lateBy = 15 * minute

const phases: readonly ClaimPhase[] = ['Pending', 'Attaching', 'Bound', 'Retained', 'Releasing']

function claimsOf(world: World): readonly Claim[] {
  return phases.flatMap((phase) => world.ledger.claimsWhere(phase))
}

/** At any time: a promise that holds is in the ledger that leads, and what the cloud reserves is known and reserved once. */
export function claimFaults(world: World): string[] {
  return [...promiseFaults(world), ...strayReservations(world), ...twinReservations(world)]
}

function promiseFaults(world: World): string[] {
  const { host, ledger, promises } = world
  if (!host.leads() || !ledger.complete()) return []
  return promises.all().flatMap((promised) => {
    const claim = ledger.claim({ namespace: 'default', name: promised.name })
    if (claim?.address === promised.address && claim.phase !== 'Releasing') return []
    const instead = claim === undefined ? 'it has no claim' : `its claim is ${claim.phase} ${claim.address}`
    return [`${promised.address} is kept for ${promised.name}, and ${instead}`]
  })
}

/** Reservations that no claim knows of, and that were not asked for by a claim that is there; as orphanFaults() for ENIs. */
function strayReservations(world: World): string[] {
  const [who, ...others] = world.ledBy
  const host = world.hosts.find(({ machine }) => machine.name === who)
  if (host === undefined || others.length > 0) return []
  if (world.handled || world.hosts.some(({ lostAt }) => lostAt > 0)) return []
  const rows = host.db.all<{ reservation: string | null; reserve_token: string | null }>(
    `SELECT reservation, reserve_token FROM claim`,
  )
  const known = new Set(rows.flatMap((row) => [row.reservation, row.reserve_token]))
  return reservationsOf(world)
    .filter(({ id, tags }) => !known.has(id) && !known.has(tags[intentTag] ?? ''))
    .map(({ address, id }) => `reservation ${id} of ${address} is made, and nobody knows of it`)
}

function twinReservations(world: World): string[] {
  const all = reservationsOf(world)
  return [...Map.groupBy(all, ({ tags }) => tags[intentTag])]
    .filter(([token, twins]) => token !== undefined && twins.length > 1)
    .map(([, twins]) => `reservations ${twins.map(({ id }) => id).join(' and ')} are made by one request`)
}

function reservationsOf(world: World) {
  const { reservations } = world.cloud.admin.audit(world.clock.now())
  return reservations.filter(({ tags }) => tags[clusterTag] === clusterId)
}

/** Faults that must not be left once nothing happens any more. */
export function quietClaimFaults(world: World): string[] {
  const claims = claimsOf(world)
  const reserved = claims.flatMap(({ reservation }) => reservation ?? [])
  const ours = reservationsOf(world).map(({ id }) => id)
  return [
    ...difference('reservation in the cloud, of no claim', ours, reserved),
    ...difference('reservation of a claim, not in the cloud', reserved, ours),
    ...claims
      .filter(({ phase }) => phase === 'Releasing')
      .map(({ message, name }) => `the claim of ${name} is still Releasing: ${message}`),
    ...claims.flatMap((claim) => withoutPod(world, claim)),
    ...world.promises.all().flatMap((promised) => unkept(world, claims, promised)),
    ...[...world.kube.pods.items.values()].flatMap((pod) => podFaults(world, pod)),
    ...world.nodes.flatMap((node) => (node.gone ? [] : shownFaults(world, node))),
  ]
}

/** A claim that no pod has is static, retained, and not over. */
function withoutPod(world: World, { name, phase, podUid, policy }: Claim): string[] {
  if (phase === 'Releasing') return []
  if (podUid !== undefined)
    return world.kube.pods.items.has(podUid) ? [] : [`the claim of ${name} is of ${podUid}, which is gone`]
  if (policy !== 'Never' || phase !== 'Retained') return [`the claim of ${name} is ${phase} without a pod`]
  if (world.statics.of(name).length > 0) return [`the claim of ${name} is Retained, and its pod is there`]
  const since = world.statics.goneSince(name)
  const after = world.statics.expireAfter(name)
  if (since === undefined || after === undefined) return []
  const waited = world.clock.now() - Math.max(since, world.calmSince)
  return waited > after + lateBy ? [`the claim of ${name} is kept ${waited} ms, and not ${after}`] : []
}

/** Of an address that was promised something keeps it: a reservation, or an ENI of ours. */
function unkept(world: World, claims: readonly Claim[], { address, name }: Promised): string[] {
  const claim = claims.find((one) => one.name === name)
  if (claim?.address !== address) return [`${address} was ${name}'s, and is its claim's no more`]
  const isReserved = reservationsOf(world).some((one) => one.address === address)
  const isOnEni = world.ledger.nodeOf(address) !== undefined
  return isReserved || isOnEni ? [] : [`nothing keeps ${address}, which is ${name}'s`]
}

/** Every pod has its claim, and shows its address; a static one has no other, as far as there is room for it. */
function podFaults(world: World, pod: PodFact): string[] {
  const node = world.nodes.find(({ gone, name }) => !gone && name === pod.node)
  if (node === undefined || pod.deleting) return []
  const claim = world.ledger.claim(pod)
  const what = `${node.name}: pod ${pod.name}`
  if (claim?.podUid !== pod.uid) return [`${what} has no claim`]
  if (isWithoutPlace(world, node, claim)) return []
  const isStatic = pod.keepsIp && world.settings.staticIps && claim.policy === 'Never'
  if (pod.keepsIp && world.settings.staticIps && !isStatic && !world.promises.isExcused(pod.uid))
    return [`${what} keeps its address, and its claim does not`]
  if (pod.ip === undefined) {
    if (!isStatic || !hasPlace(world, node, claim)) return [] // who waits for the pool is the pool's
    return [`${what} has no address: its claim is ${claim.phase} ${claim.address} (${claim.message})`]
  }
  if (isStatic && world.promises.isExcused(pod.uid)) return []
  if (world.hands.haveTaken(pod.ip) && isShownByAnother(world, pod)) return []
  if (claim.address !== pod.ip || claim.phase !== 'Bound')
    return [`${what} has ${pod.ip}, and its claim is ${claim.phase} ${claim.address} (${claim.message})`]
  return []
}

function isWithoutPlace(world: World, node: SimNode, { address }: Claim): boolean {
  const carrier = world.ledger
    .pool(node.name)
    ?.enis.find(({ ips }) => ips.some((ip) => ip.address === address))
  return carrier?.id !== undefined && withoutPlace(world, node).has(carrier.id)
}

/** Its network went by hand, and it goes on showing its address, which another pod has by now: no two claims can say so. */
function isShownByAnother({ kube }: World, { ip, uid }: PodFact): boolean {
  return [...kube.pods.items.values()].some((other) => other.ip === ip && other.uid !== uid)
}

/** By the cloud's own count: could a static pod of the claim be served on the node? */
export function hasPlace(world: World, node: SimNode, claim: Claim | undefined): boolean {
  if (claim?.zone !== undefined && claim.zone !== node.zone) return false
  const bounds = world.kube.necs.items.get(node.name)?.publication
  const subnet = claim?.subnetId ?? world.subnetOf(node.zone)
  if (bounds === undefined || subnet === undefined) return false
  const isNew = claim?.address === undefined
  const enis = world.ledger.pool(node.name)?.enis ?? []
  const away = withoutPlace(world, node)
  const withRoom = enis
    .filter(({ id }) => id === undefined || !away.has(id))
    .some((eni) => eni.subnetId === subnet && hasRoomFor(world, node, eni))
  const free = world.freeIn(subnet)
  if (withRoom) return !isNew || free > 0
  const isFull =
    enis.length >= bounds.instanceEnis &&
    !enis.some(({ ips, mode }) => mode === 'exclusive' && hasWarm(world, node, ips))
  const hasMost = enis.filter(({ mode }) => mode === 'shared').length >= bounds.shared.maxEnis
  return !isFull && !hasMost && free > (isNew ? 1 : 0)
}

/** NEC and agent have for the same pods what the ledger has. */
function shownFaults(world: World, node: SimNode): string[] {
  const text = ({ address, claim }: { address: Ipv4; claim?: { readonly name: string } }) =>
    claim === undefined ? [] : [`${address} for ${claim.name}`]
  const inLedger = world.ledger.publishedEnis(node.name).flatMap(({ ips }) => ips.flatMap(text))
  const inNec = world.kube.necs.items
    .get(node.name)
    ?.publication?.enis.flatMap(({ ips }) => ips.flatMap(text))
  const local = node.ledger?.ips().flatMap(text) ?? []
  return [
    ...difference(`${node.name}: claimed in the ledger, not in its NEC`, inLedger, inNec ?? []),
    ...difference(`${node.name}: claimed in its NEC, not in the ledger`, inNec ?? [], inLedger),
    ...difference(`${node.name}: claimed in the ledger, not in node.db`, inLedger, local),
    ...difference(`${node.name}: claimed in node.db, not in the ledger`, local, inLedger),
  ]
}
