// An address for a claim, kept from everybody else in the VPC by a reservation (S13); and back. The claim's row is the intent: its token
// is stored before the first call, and what a lost call has made is found by it.
import type { Clock } from '../../base/clock.ts'
import type { Log } from '../../base/log.ts'
import type { Random } from '../../base/random.ts'
import { randomToken } from '../../base/random-token.ts'
import { chooseSubnet } from '../../ipam/choose-subnet.ts'
import type { Claim } from '../../ipam/claim.ts'
import { clusterTag, intentTag } from '../../ipam/eni-tags.ts'
import { type ErrorCode, errorCode, IpamError, mayHaveHappened } from '../../ipam/errors.ts'
import { podText } from '../../ipam/pod-need.ts'
import { occupied, takesSharedEni } from '../../ipam/pool.ts'
import type { CloudSubnet, NodeName, SubnetId } from '../../ipam/types.ts'
import type { Cloud, LeaderLedger, LedgerNode, Reservation } from '../../ports.ts'
import { isRecent, type Millis } from '../../value/millis.ts'
import type { LeaderSettings } from '../settings.ts'
import { secondViewAfter } from '../settings.ts'
import type { Subnets } from '../subnets.ts'
import { isNominated, type Obstacle, refuseNominated } from './nominated.ts'
import type { ReservePermission, Unanswered } from './reserve-permission.ts'
import { reserveRequest } from './reserve-request.ts'

export type ReserveOutcome =
  | { readonly kind: 'reserved' }
  /** Nothing is reserved: an ENI of the pod's node is to have an address for it. */
  | { readonly kind: 'parks'; readonly retryIn: Millis }
  /** What stands in the way, for the claim and its pod. */
  | {
      readonly kind: 'stuck'
      readonly reason: string
      readonly message: string
      readonly retryIn: Millis
      /** Of the next attempt, which may be for another subnet: under the former token that would be refused (IdempotentParameterMismatch). */
      readonly reserveToken?: string
    }

export interface Reservations {
  /** Gets an address for a claim that has none, and stores it. Throws `storage`, `conflict`, and what the cloud throws when nothing is known of the outcome. */
  reserve(claim: Claim): Promise<ReserveOutcome>
  /** Lets go what a claim that is being released has, step by step, and at last the claim. Returns after how long to go on; undefined when it is gone. */
  release(claim: Claim): Promise<Millis | undefined>
}

export interface ReservationsOptions {
  readonly cloud: Cloud
  readonly ledger: LeaderLedger
  readonly clock: Clock
  readonly random: Random
  readonly log: Log
  readonly subnets: Subnets
  readonly settings: LeaderSettings
  readonly permission: ReservePermission
  readonly unanswered: Unanswered
  readonly wakeNode: (node: NodeName) => void
  readonly wakeClaim: (claim: Claim) => void
  /** The ledger and the cloud do not say the same of an address. */
  readonly doubted: () => void
}

type Stuck = Extract<ReserveOutcome, { kind: 'stuck' }>

const parks: ReserveOutcome = { kind: 'parks', retryIn: 60_000 }

const reasons: Partial<Readonly<Record<ErrorCode, string>>> = {
  subnet_full: 'SubnetExhausted',
  conflict: 'AddressTaken',
  token_used: 'CloudRefused',
}

export function createReservations(options: ReservationsOptions): Reservations {
  const {
    cloud,
    clock,
    ledger,
    log,
    permission,
    random,
    settings,
    subnets,
    unanswered,
    wakeClaim,
    wakeNode,
  } = options
  /** By key of the claim: since when what it is to let go is not seen. */
  const missing = new Map<number, Millis>()

  /** What a call under the claim's token has made; undefined when that is nothing, as far as one look can tell. */
  async function find({ reserveToken: token, reservation }: Claim): Promise<Reservation | undefined> {
    if (reservation !== undefined)
      return (await cloud.describeReservations({ ids: [reservation] }, 'warm-refill'))[0]
    if (token === undefined) return undefined
    try {
      const tags = { [clusterTag]: settings.clusterId, [intentTag]: token }
      return (await cloud.describeReservations({ tags }, 'warm-refill'))[0]
    } catch (error) {
      if (errorCode(error) !== 'denied') throw error
      // Who may not see them has made none, as a rule; if one was made after all, a survey finds it as soon as it may look.
      permission.note((error as Error).message)
      return undefined
    }
  }

  async function store(claim: Claim, made: Reservation): Promise<ReserveOutcome> {
    const other = ledger.claimOf(made.address)
    if (other !== undefined && other.key !== claim.key) return passOn(claim, made, other)
    const holder = ledger.nodeOf(made.address)
    if (holder !== undefined && !made.bound) {
      // The cloud would not have reserved what an ENI has. Until the ledger knows, the address would be shown where it is not.
      options.doubted()
      const so = `the ledger has ${made.address} on node ${holder}, and the cloud on none`
      const message = `Cannot give the pod the address that is reserved for it: ${so}; they are being compared`
      return stuck('AddressDoubted', message, secondViewAfter(settings))
    }
    const zone = await zoneOf(made.subnetId)
    await ledger.write((tx) =>
      tx.changeClaim(claim, {
        address: made.address,
        subnetId: made.subnetId,
        zone,
        reservation: made.id,
        phase: 'Attaching',
        reason: '',
        message: '',
      }),
    )
    log.info('address reserved', { pod: podText(claim), address: made.address })
    return { kind: 'reserved' }
  }

  /**
   * The address is kept for another claim, whose own reservation somebody has released: it goes back to that one, and another is reserved
   * here. The token goes first: under it the cloud would bring the same reservation again.
   */
  async function passOn(claim: Claim, { address, id, vpcId }: Reservation, other: Claim): Promise<never> {
    await ledger.write((tx) => tx.changeClaim(claim, { reserveToken: randomToken(random) }))
    await cloud.releaseReservation({ id, vpcId }, 'release')
    wakeClaim(other)
    throw new IpamError('conflict', `Cannot give the pod ${address}: it is kept for ${podText(other)}`)
  }

  /** Also of one that is no container subnet any more. */
  async function zoneOf(id: SubnetId): Promise<string | undefined> {
    const known = (await subnets.current()).find((subnet) => subnet.id === id)
    return (known ?? (await cloud.describeSubnets([id], 'waiting-pod'))[0])?.zone
  }

  function stuck(reason: string, message: string, retryIn = settings.reconcileEvery): Stuck {
    return { kind: 'stuck', reason, message, retryIn }
  }

  async function chooseWhere(claim: Claim, node: LedgerNode): Promise<CloudSubnet | Obstacle> {
    const all = await subnets.current()
    const refused = refuseNominated(claim, node, all, ledger)
    if (refused !== undefined) return refused
    const wanted = all.filter((subnet) => isNominated(claim, subnet))
    const subnet = nearest(node.name, wanted) ?? chooseSubnet(wanted, node.zone, 1)
    if (subnet !== undefined) return subnet
    const why = `no subnet of zone ${node.zone} has an address left: ${freeIn(wanted)}`
    return { reason: 'SubnetExhausted', why }
  }

  /** Where an ENI of the node has room, or will have when the node takes no other: another ENI is another place on the node (P12). */
  function nearest(node: NodeName, wanted: readonly CloudSubnet[]): CloudSubnet | undefined {
    const pool = ledger.pool(node)
    const enis = (pool?.enis ?? [])
      .filter(({ goal, held, mode }) => mode === 'shared' && goal === 'serve' && !held)
      .toSorted((a, b) => occupied(b) - occupied(a) || a.slot - b.slot)
    const withRoom = enis.filter((eni) => occupied(eni) < (pool?.shared.ipsPerEni ?? 0))
    const others = pool === undefined || takesSharedEni(pool, pool.enis) ? [] : enis
    const subnets = [...withRoom, ...others].flatMap(({ subnetId }) =>
      wanted.filter(({ id }) => id === subnetId),
    )
    return subnets.find(({ available, zone }) => available > 0 && zone === ledger.node(node)?.zone)
  }

  async function create(claim: Claim, subnet: CloudSubnet): Promise<ReserveOutcome> {
    const request = reserveRequest(claim, subnet.id, claim.nominatedAddress, settings.clusterId)
    // A refusal says nothing of the request before.
    const wasUnanswered = unanswered.has(claim.key)
    unanswered.add(claim.key)
    try {
      const made = await cloud.reserveIp(request, 'waiting-pod')
      permission.note(undefined)
      unanswered.delete(claim.key)
      subnets.take(subnet.id, 1)
      return await store(claim, made)
    } catch (error) {
      const code = errorCode(error)
      if (!wasUnanswered && !mayHaveHappened(code)) unanswered.delete(claim.key)
      if (code === 'denied') {
        permission.note((error as Error).message)
        return wasUnanswered ? unknownYet(claim) : parks
      }
      if (code === 'subnet_full') subnets.markFull(subnet.id)
      const reason = code && reasons[code]
      if (reason === undefined) throw error
      const outcome = stuck(reason, (error as Error).message)
      if (code === 'token_used') {
        // Under the claim's token something else was made, which may be no more.
        const made = await find(claim)
        if (made !== undefined) return store(claim, made)
        const left = untilSure(claim)
        if (left > 0) return { ...outcome, retryIn: left }
      }
      missing.delete(claim.key)
      return { ...outcome, reserveToken: randomToken(random) }
    }
  }

  /** Is there one after all? Two looks say so. */
  function unknownYet(claim: Claim): ReserveOutcome {
    const left = untilSure(claim)
    if (left > 0) {
      const so = 'what came of the request is not known yet; it is looked at again'
      return stuck('ReservationUnanswered', `Cannot reserve an address for ${podText(claim)}: ${so}`, left)
    }
    missing.delete(claim.key)
    unanswered.delete(claim.key)
    return parks
  }

  async function forget(claim: Claim): Promise<undefined> {
    const { address, reason } = claim
    missing.delete(claim.key)
    unanswered.delete(claim.key)
    await ledger.write((tx) => tx.removeClaim(claim))
    log.info('claim released', { pod: podText(claim), address, why: reason })
  }

  /** How long until two looks apart in time agree that it is not there: a call may take effect late, and a view may be old (R7). */
  function untilSure({ key }: Claim): Millis {
    const since = missing.get(key) ?? clock.now()
    missing.set(key, since)
    return Math.max(0, since + secondViewAfter(settings) - clock.now())
  }

  return {
    async reserve(claim) {
      const node = claim.node === undefined ? undefined : ledger.node(claim.node)
      if (node === undefined) return stuck('NodeNotRegistered', `node ${claim.node} is not known yet`, 1000)
      const token = claim.reserveToken ?? ''
      // An address that is made on an ENI for it is on its way.
      if (ledger.openIntents().some((intent) => intent.token === token)) return parks
      const untried = claim.generation === 1 && isRecent(claim.createdAt, clock.now(), 1000)
      const isUnanswered = unanswered.has(claim.key)
      const isKnown = !isUnanswered && (untried || permission.refused())
      const made = isKnown ? undefined : await find(claim)
      if (made !== undefined) {
        missing.delete(claim.key)
        unanswered.delete(claim.key)
        return store(claim, made)
      }
      if (isUnanswered && permission.refused()) return unknownYet(claim)
      const where = await chooseWhere(claim, node)
      if ('reason' in where)
        return stuck(where.reason, `Cannot reserve an address for ${podText(claim)}: ${where.why}`)
      return permission.refused() ? parks : create(claim, where)
    },
    async release(claim) {
      const { address } = claim
      const holder = address === undefined ? undefined : ledger.nodeOf(address)
      if (holder !== undefined) {
        wakeNode(holder) // it unassigns what its agent has given back
        return settings.reconcileEvery
      }
      const made = await find(claim)
      if (made === undefined) {
        const left = untilSure(claim)
        return left > 0 ? left : forget(claim)
      }
      missing.delete(claim.key)
      try {
        await cloud.releaseReservation({ id: made.id, vpcId: made.vpcId }, 'release')
      } catch (error) {
        if (errorCode(error) !== 'not_found') throw error
      }
      return forget(claim)
    },
  }
}

function freeIn(subnets: readonly CloudSubnet[]): string {
  return subnets.map(({ available, id, zone }) => `${id} (${zone}) has ${available}`).join(', ')
}
