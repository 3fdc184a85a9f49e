// Where the addresses of static claims go on a node (S1, S4): onto an ENI of their subnet that has room, else onto one that is made for
// them; and off its ENIs when their pod is elsewhere, or has been gone for a while. Claims are waited for by pods: they come before the pool.
import type { Ipv4 } from '../value/ipv4.ts'
import type { Millis } from '../value/millis.ts'
import { maxNamedAddresses } from './call-bounds.ts'
import type { Action, NodeDemand } from './plan-node.ts'
import { type NodePool, occupied, type PoolEni, strandedEnis, takesSharedEni } from './pool.ts'
import type { CloudSubnet, EniId, PodName, SubnetId } from './types.ts'
import type { Unplaced } from './yield-places.ts'

/** A static claim as a node sees it. */
export interface ClaimDemand extends PodName {
  readonly address: Ipv4
  readonly subnetId: SubnetId
  /** Its pod is on this node. */
  readonly wanted: boolean
  /** An ENI of this node has the address. */
  readonly here: boolean
  /** Another node's has it. */
  readonly elsewhere: boolean
  /** A pod of the node has come to it since it was returned. */
  readonly renews: boolean
  /** On an ENI of this node it need not stay: a pod elsewhere waits for it, or nobody has for long, or it is released. */
  readonly mayGo: boolean
  /** A reservation keeps it, be it on an ENI or not. */
  readonly reserved: boolean
  /** Since when it has had no pod; set while it may go only to make room for one that has. */
  readonly restsSince?: Millis | undefined
  /** It goes from there although nobody has given it back. */
  readonly forced?: boolean
  /** No reservation keeps it, and it is on an ENI that it may have to leave, of another node or of this one: it must never be on none. */
  readonly parkedOn?:
    | {
        readonly eni: number
        /** It may leave that now: nobody has it there, and nothing else is done to the ENI. */
        readonly free: boolean
      }
    | undefined
}

/** A static claim without an address, and none can be reserved for it: it gets one that an ENI is given for it. */
export interface UnreservedDemand extends PodName {
  readonly key: number
  /** It wants this one. */
  readonly address: Ipv4 | undefined
  /** Subnets of the node's zone that it may be of, the best one first. */
  readonly subnetIds: readonly SubnetId[]
}

export interface ClaimPlacement {
  readonly actions: readonly Action[]
  /** The pool as the rest of the plan is to see it: with places and room that claims take. */
  readonly pool: NodePool
  /** Addresses that the node has returned, and whose pods are there again: bound anew. */
  readonly renew: readonly Ipv4[]
  /** Claims that no ENI of the node can take. */
  readonly stuck: readonly Stuck[]
}

interface Stuck extends Unplaced {
  readonly claim: PodName
  /** It has its address, and wants but a place. */
  readonly reserved: boolean
}

/** Claims in a total order, so that runs can be replayed. */
export function placeClaims(
  pool: NodePool,
  demand: Pick<NodeDemand, 'claims' | 'returned' | 'shown' | 'subnets' | 'unlinked' | 'unreserved'>,
): ClaimPlacement {
  const { claims = [], returned, subnets, unlinked, unreserved = [] } = demand
  const stranded = strandedEnis(pool, demand)
  // One that another node has yet finds its ENI ready when it comes.
  const waiting = [
    ...claims.filter(({ here, wanted }) => wanted && !here),
    ...parkedOff(pool, claims, stranded),
  ]
  const leaving = new Set(
    claims.flatMap(({ address, forced, mayGo }) =>
      mayGo && (forced || returned.has(address)) ? [address] : [],
    ),
  )
  const room = new Room(pool, subnets, stranded, unlinked)
  for (const [subnetId, those] of Map.groupBy(waiting, (claim) => claim.subnetId))
    for (const claim of those) room.give(subnetId, claim)
  for (const claim of unreserved) room.make(claim)
  const resting = claims.filter(({ address, here }) => here && returned.has(address))
  const within = pool.enis.filter(({ key }) => !stranded.has(key))
  const { going, stuck } = makeRoom(within, resting, room.stuck)
  for (const address of going) leaving.add(address)
  const arrivals = room.actions()
  const sources = new Set(arrivals.flatMap((action) => (action.kind === 'migrate' ? [action.from] : [])))
  const releases = pool.enis.flatMap((eni): Action[] => {
    const addresses = eni.ips.flatMap(({ address, state }) =>
      state === 'bound' && leaving.has(address) ? [address] : [],
    )
    const isIdle = (eni.state === 'attached' || eni.state === 'available') && !eni.busy && !eni.held
    if (!isIdle || addresses.length === 0 || room.assigns(eni) || sources.has(eni.key)) return []
    return [
      {
        kind: 'unassign',
        eni: eni.key,
        addresses: addresses.slice(0, maxNamedAddresses),
        reason: 'kept by its reservation',
      },
    ]
  })
  return {
    actions: [...arrivals, ...releases],
    pool: room.pool(new Set(releases.map((action) => ('eni' in action ? action.eni : 0)))),
    renew: claims.flatMap(({ address, here, renews }) =>
      here && renews && returned.has(address) ? [address] : [],
    ),
    stuck,
  }
}

/** On an ENI of this node that has no place on it, they are as good as on another node's. Those that pods wait for come first. */
function parkedOff(
  { enis }: NodePool,
  claims: readonly ClaimDemand[],
  stranded: ReadonlySet<number>,
): readonly ClaimDemand[] {
  const off = new Set(
    enis
      .filter(({ key }) => stranded.has(key))
      .flatMap(({ ips }) => ips.flatMap(({ address, state }) => (state === 'held' ? [] : [address]))),
  )
  return claims
    .filter(({ address, here, mayGo, parkedOn }) => here && !mayGo && parkedOn && off.has(address))
    .map((claim) => ({ ...claim, elsewhere: true }))
    .toSorted((a, b) => Number(b.wanted) - Number(a.wanted))
}

/** Those that nobody uses go, the longest at rest first: their reservations keep them. That makes a place, and no address. */
function makeRoom(
  enis: readonly PoolEni[],
  resting: readonly ClaimDemand[],
  waiting: readonly Stuck[],
): { readonly going: ReadonlySet<Ipv4>; readonly stuck: readonly Stuck[] } {
  const going = new Set<Ipv4>()
  const oldest = resting
    .filter(({ restsSince }) => restsSince !== undefined)
    .toSorted((a, b) => (a.restsSince ?? 0) - (b.restsSince ?? 0) || (a.address < b.address ? -1 : 1))
  const stuck = waiting.filter(({ reserved, subnetIds, why }) => {
    const goes = oldest.find(({ address }) => {
      const eni = enis.find(({ ips }) => ips.some((ip) => ip.address === address))
      return eni !== undefined && subnetIds.includes(eni.subnetId) && !going.has(address)
    })
    if (goes === undefined || (why === 'subnets-full' && !reserved)) return true
    going.add(goes.address)
    return false
  })
  return { going, stuck }
}

function isFree({ busy, held, state }: PoolEni): boolean {
  return state === 'attached' && !busy && !held
}

interface Given {
  readonly claim?: ClaimDemand
  readonly unreserved?: UnreservedDemand
}

/** Something can be done for it now. */
function isDue({ claim }: Given): boolean {
  return claim === undefined || !claim.elsewhere || claim.parkedOn?.free === true
}

const notYet = '0.0.0.0' as Ipv4
const nobody: PodName = { namespace: '', name: '' }

/** ENIs while claims are put on them. */
class Room {
  readonly stuck: Stuck[] = []
  readonly #pool: NodePool
  readonly #stranded: ReadonlySet<number>
  readonly #unlinked: ReadonlySet<EniId>
  readonly #free: Map<SubnetId, number>
  readonly #given = new Map<PoolEni, Given[]>()
  readonly #made: PoolEni[] = []

  constructor(
    pool: NodePool,
    subnets: readonly CloudSubnet[],
    stranded: ReadonlySet<number>,
    unlinked: ReadonlySet<EniId> = new Set(),
  ) {
    this.#pool = pool
    this.#unlinked = unlinked
    this.#stranded = stranded
    this.#free = new Map(subnets.map(({ available, id }) => [id, available]))
  }

  give(subnetId: SubnetId, claim: ClaimDemand): void {
    const there = this.#fullest([subnetId])
    // One that no pod waits for may stay where it is.
    const eni = there ?? (claim.wanted ? this.#make(subnetId, claim, [subnetId], true) : undefined)
    if (eni !== undefined) this.#put(eni, { claim })
  }

  /** Also its address is to be made. */
  make(claim: UnreservedDemand): void {
    const { subnetIds } = claim
    const free = (id: SubnetId) => this.#free.get(id) ?? 0
    const subnetId = subnetIds.find((id) => free(id) > 1)
    const there = this.#fullest(subnetIds.filter((id) => free(id) > 0))
    const eni = there ?? (subnetId && this.#make(subnetId, claim, subnetIds, false))
    if (eni) {
      this.#free.set(eni.subnetId, free(eni.subnetId) - 1)
      this.#put(eni, { unreserved: claim })
    } else if (subnetId === undefined)
      this.stuck.push({ claim, why: 'subnets-full', subnetIds, reserved: false })
  }

  /** What only waits for another node must not keep back what another node waits for. */
  assigns(eni: PoolEni): boolean {
    return isFree(eni) && (this.#given.get(eni) ?? []).some(isDue)
  }

  actions(): Action[] {
    const sources = new Set<number>()
    const onEnis = this.#pool.enis.flatMap((eni) =>
      isFree(eni) ? (this.#next(eni, this.#given.get(eni) ?? [], sources) ?? []) : [],
    )
    const creates = this.#made.map((eni): Action => {
      const { slot, subnetId } = eni
      const given = this.#given.get(eni) ?? []
      const first = given.find(({ claim }) => claim === undefined)?.unreserved
      const isFirst = first !== undefined && first.address === undefined
      return {
        kind: 'create',
        mode: 'shared',
        slot,
        subnetId,
        ips: isFirst ? 1 : 0,
        ...(isFirst && { claim: first.key }),
        reason: 'for pods with static addresses',
      }
    })
    return [...onEnis, ...creates]
  }

  /** One thing at a time: those that are kept by reservations together, then others one by one. */
  #next({ key }: PoolEni, given: readonly Given[], sources: Set<number>): Action | undefined {
    const reason = 'for pods with static addresses'
    const addresses = given.flatMap(({ claim }) => (claim && !claim.elsewhere ? [claim.address] : []))
    if (addresses.length > 0) {
      const some = addresses.slice(0, maxNamedAddresses)
      return { kind: 'assign', eni: key, count: some.length, addresses: some, reason }
    }
    for (const { claim, unreserved } of given) {
      const from = claim?.parkedOn?.free ? claim.parkedOn.eni : undefined
      if (claim !== undefined && from !== undefined && !sources.has(from)) {
        sources.add(from)
        const why = claim.here ? 'its ENI has no place on the node' : 'its pod is here'
        return { kind: 'migrate', eni: key, from, address: claim.address, reason: why }
      }
      if (unreserved === undefined) continue
      const { address, key: claimKey } = unreserved
      const named = address === undefined ? {} : { addresses: [address] }
      return { kind: 'assign', eni: key, count: 1, ...named, claim: claimKey, reason }
    }
    return undefined
  }

  #put(eni: PoolEni, given: Given): void {
    this.#given.set(eni, [...(this.#given.get(eni) ?? []), given])
  }

  /** `busy` are about to be changed. */
  pool(busy: ReadonlySet<number>): NodePool {
    const enis = [...this.#pool.enis, ...this.#made].map((eni) => {
      const claims = this.#given.get(eni) ?? []
      if (claims.length === 0) return busy.has(eni.key) ? { ...eni, busy: true } : eni
      const ips = claims.map(({ claim, unreserved }) => ({
        // One that is not known yet is counted all the same.
        address: claim?.address ?? unreserved?.address ?? notYet,
        state: 'bound' as const,
        grant: 0,
        claim: claim ?? unreserved ?? nobody,
      }))
      // What is not attached yet goes on its way; an assignment takes the ENI for itself.
      const isChanged = this.assigns(eni) || busy.has(eni.key)
      return { ...eni, busy: eni.busy || isChanged, ips: [...eni.ips, ...ips] }
    })
    return { ...this.#pool, enis }
  }

  /** Of those that serve, with room and a link on the node; fullest first (P12), those on their way last. */
  #fullest(subnetIds: readonly SubnetId[]): PoolEni | undefined {
    const used = (eni: PoolEni) => occupied(eni) + (this.#given.get(eni)?.length ?? 0)
    return [...this.#pool.enis, ...this.#made]
      .filter((eni) => eni.mode === 'shared' && eni.goal === 'serve' && !eni.held)
      .filter(({ id, key }) => !this.#stranded.has(key) && !(id !== undefined && this.#unlinked.has(id)))
      .filter((eni) => subnetIds.includes(eni.subnetId) && used(eni) < this.#pool.shared.ipsPerEni)
      .toSorted((a, b) => Number(isFree(b)) - Number(isFree(a)) || used(b) - used(a) || a.slot - b.slot)[0]
  }

  /** `subnetIds`: those that would do. */
  #make(
    subnetId: SubnetId,
    claim: PodName,
    subnetIds: readonly SubnetId[],
    reserved: boolean,
  ): PoolEni | undefined {
    const { enis, instanceEnis } = this.#pool
    const all = [...enis, ...this.#made]
    const slots = new Set(all.map(({ slot }) => slot))
    const slot = Array.from({ length: instanceEnis }, (_, i) => i + 1).find((one) => !slots.has(one))
    if (slot === undefined || !takesSharedEni(this.#pool, all)) {
      this.stuck.push({ claim, why: 'node-full', subnetIds, reserved })
      return undefined
    }
    const available = this.#free.get(subnetId) ?? 0
    if (available < 1) {
      this.stuck.push({ claim, why: 'subnets-full', subnetIds, reserved }) // the ENI's own address
      return undefined
    }
    this.#free.set(subnetId, available - 1)
    const eni: PoolEni = {
      key: -1 - this.#made.length,
      id: undefined,
      slot,
      mode: 'shared',
      subnetId,
      state: 'creating',
      goal: 'serve',
      served: false,
      busy: true,
      expectedIps: 0,
      ips: [],
    }
    this.#made.push(eni)
    return eni
  }
}
