// EIPs against pods, claims, promises and what ip-masq-agent is told: at any time, and once nothing happens any more (E1–E9).
import { type ClaimPhase, claimPhases } from '../../../internal/ipam/claim.ts'
import type { EipClaim } from '../../../internal/ipam/eip-claim.ts'
import { intentTag } from '../../../internal/ipam/eni-tags.ts'
import { nameTag } from '../../../internal/ipam/reservation-tags.ts'
import type { PodFact } from '../../../internal/ipam/types.ts'
import type { AuditEip } from '../../../internal/sim/vpc/audit.ts'
import { userEips } from './draw-eips.ts'
import { isCreated } from './eip-watch.ts'
import { difference } from './kernel-invariants.ts'
import { withoutPlace } from './pool-invariants.ts'
import type { World } from './world.ts'

const minute = 60_000
/** As for addresses. */
const lateBy = 15 * minute
/** What a lost ledger had just asked for is found by a survey. */
const foundWithin = 15 * minute

/** At any time: none is made that nobody knows of, none twice, none of a user's is gone, and a promise that holds is in the ledger that leads. */
export function eipFaults(world: World): string[] {
  if (!world.shape.eips) return []
  const all = world.eips.all()
  return [...strays(world, all), ...doubles(world, all), ...lostOfUsers(world, all), ...promiseFaults(world)]
}

/** As strayReservations(). */
function strays(world: World, all: readonly AuditEip[]): string[] {
  const [who, ...others] = world.ledBy
  const host = world.hosts.find(({ machine }) => machine.name === who)
  if (host === undefined || others.length > 0 || world.hosts.some(({ lostAt }) => lostAt > 0)) return []
  const rows = host.db.all<{ eip_id: string | null; allocate_token: string | null }>(
    `SELECT eip_id, allocate_token FROM eip_claim`,
  )
  const known = new Set(rows.flatMap((row) => [row.eip_id, row.allocate_token]))
  return all
    .filter((eip) => isCreated(eip) && eip.state !== 'OFFLINING')
    .filter(({ id, tags }) => !known.has(id) && !known.has(tags[intentTag] ?? ''))
    .map(({ id, tags }) => `${id} is made for ${tags[nameTag]}, and nobody knows of it`)
}

function doubles(world: World, all: readonly AuditEip[]): string[] {
  if (world.hosts.some(({ lostAt }) => world.clock.now() - lostAt < foundWithin)) return []
  const there = all.filter((eip) => isCreated(eip) && eip.state !== 'OFFLINING')
  return [...Map.groupBy(there, ({ tags }) => tags[nameTag])]
    .filter(([, its]) => its.length > 1)
    .map(([name, its]) => `${its.map(({ id }) => id).join(' and ')} are made for ${name}`)
}

function lostOfUsers(world: World, all: readonly AuditEip[]): string[] {
  const there = new Set(all.map(({ id }) => id))
  return userEips
    .filter((id) => !there.has(id) && !world.eips.hands.hasReleased(id))
    .map((id) => `${id}, which is its user's, is gone`)
}

function promiseFaults(world: World): string[] {
  const { eips, host, ledger } = world
  if (!host.leads() || !ledger.complete() || !eips.areKnown()) return []
  return eips.promises.all().flatMap(({ address, id, name }) => {
    const claim = ledger.eips.claim({ namespace: 'default', name })
    if (claim?.eipId === id && claim.phase !== 'Releasing') return []
    const instead = claim === undefined ? 'it has no claim' : `its claim is ${claim.phase} ${claim.eipId}`
    return [`${id} (${address}) is kept for ${name}, and ${instead}`]
  })
}

/** Faults that must not be left once nothing happens any more. */
export function quietEipFaults(world: World): string[] {
  if (!world.shape.eips) return []
  const all = world.eips.all()
  const claims = claimPhases.flatMap((phase: ClaimPhase) => world.ledger.eips.where(phase))
  const created = claims.flatMap(({ eipId, wish }) =>
    wish.source === 'created' && eipId !== undefined ? [eipId] : [],
  )
  return [
    ...difference(
      'EIP made, of no claim',
      all.filter(isCreated).map(({ id }) => id),
      created,
    ),
    ...difference(
      'EIP of a claim, not in the cloud',
      created,
      all.filter(isCreated).map(({ id }) => id),
    ),
    ...claims.flatMap((claim) => claimFaults(world, claim)),
    ...eipFaults(world),
    ...[...world.kube.pods.items.values()].flatMap((pod) => podFaults(world, pod, all)),
    ...all.flatMap((eip) => boundFaults(world, eip)),
    ...masqFaults(world, claims),
  ]
}

/** A claim has a pod, or is kept for one, and its time is not over. */
function claimFaults(world: World, { eipId, message, name, phase, podUid, policy }: EipClaim): string[] {
  const what = `the EIP claim of ${name}`
  if (phase === 'Releasing') return [`${what} is still Releasing ${eipId}: ${message}`]
  if (podUid !== undefined)
    return world.kube.pods.items.has(podUid) ? [] : [`${what} is of ${podUid}, which is gone`]
  if (policy !== 'Never' || phase !== 'Retained') return [`${what} is ${phase} without a pod`]
  if (world.statics.of(name).length > 0) return [`${what} is Retained, and its pod is there`]
  const since = world.statics.goneSince(name)
  const after = world.statics.expireAfter(name)
  if (since === undefined || after === undefined) return []
  const waited = world.clock.now() - Math.max(since, world.calmSince)
  return waited > after + lateBy ? [`${what} is kept ${waited} ms, and not ${after}`] : []
}

/** Each that asks for one, and can have it, has it; and shows it. */
function podFaults(world: World, pod: PodFact, all: readonly AuditEip[]): string[] {
  const node = world.nodes.find(({ gone, name }) => !gone && name === pod.node)
  if (node === undefined || pod.deleting || pod.ip === undefined) return []
  // Without the network that it shows it has no use for one.
  if (world.boundTo.get(pod.ip) !== node.instanceId || world.ledger.nodeOf(pod.ip) !== node.name) return []
  if (withoutPlace(world, node).size > 0) return []
  if (world.hands.haveTaken(pod.ip) && isShownByAnother(world, pod)) return []
  const what = `${node.name}: pod ${pod.name} (${pod.ip})`
  const claim = world.ledger.eips.claim(pod)
  if (pod.eip === undefined) return pod.publicIp === undefined ? [] : [`${what} shows ${pod.publicIp}`]
  const eip = all.find(({ id }) => id === claim?.eipId)
  if (claim?.phase === 'Bound' && claim.podUid === pod.uid) {
    const isThere = eip?.state === 'BIND' && eip.privateIp === pod.ip
    if (eip === undefined || !isThere)
      return [`${what} is to have ${claim.eipId}, which is ${eip?.state} ${eip?.privateIp}`]
    if (!world.eips.isOf(eip, pod.name)) return [`${what} has ${eip.id}, which is not for it`]
    return pod.publicIp === eip.address ? [] : [`${what} has ${eip.address}, and shows ${pod.publicIp}`]
  }
  if (pod.publicIp !== undefined) return [`${what} shows ${pod.publicIp}, and its claim is ${claim?.phase}`]
  if (!canHave(world, pod, all)) return []
  return [
    `${what} has no EIP: its claim is ${claim?.phase} ${claim?.eipId} of ${claim?.podUid} (${claim?.message})`,
  ]
}

function isShownByAnother({ kube }: World, { ip, uid }: PodFact): boolean {
  return [...kube.pods.items.values()].some((other) => other.ip === ip && other.uid !== uid)
}

/** Is one of its list there that no other has? */
function canHave(world: World, { eip, name, namespace }: PodFact, all: readonly AuditEip[]): boolean {
  if (eip === undefined || 'fault' in eip) return false
  const { wish } = eip
  if (wish.source === 'created') return true
  const holders = world.ledger.eips.byEip()
  return all
    .filter((one) => world.eips.isOf(one, name))
    .some(({ id }) => {
      const holder = holders.get(id)
      return holder === undefined || (holder.name === name && holder.namespace === namespace)
    })
}

/** What is bound is on the address of a pod that may have it. */
function boundFaults(world: World, eip: AuditEip): string[] {
  const { id, privateIp, state } = eip
  if (state === 'UNBIND') return []
  if (state !== 'BIND') return [`${id} is still ${state}`]
  const pods = [...world.kube.pods.items.values()].filter(({ ip }) => ip === privateIp)
  if (pods.some(({ name }) => world.eips.isOf(eip, name))) return []
  if (world.eips.hands.hasBound(id) || world.eips.isForgotten(eip)) return []
  return [`${id} is bound to ${privateIp}, which ${pods.map(({ name }) => name).join() || 'no pod'} has`]
}

function masqFaults(world: World, claims: readonly EipClaim[]): string[] {
  if (world.kube.masqConfig === undefined) return []
  const bound = claims
    .filter(({ phase }) => phase === 'Bound')
    .map(({ privateIp }) => `${privateIp}/32`)
    .filter((source) => !world.eips.masq.isTheirs(source))
  const told = world.eips.masq.ours()
  return [
    ...difference('source of an EIP pod, not told to ip-masq-agent', bound, told),
    ...difference('source told to ip-masq-agent, of no EIP pod', told, bound),
  ]
}
