// Where the addresses of static claims go on a node (S1, S4): onto an ENI of their subnet that has room, else onto one that is made for
// them; and off its ENIs when their pod is elsewhere, or has been gone for a while. Claims are waited for by pods: they come before the pool.
import type { Ipv4 } from '../value/ipv4.ts'
import type { Action } from './plan-node.ts'
import { type NodePool, occupied, type PoolEni } from './pool.ts'
import type { CloudSubnet, PodName, SubnetId } from './types.ts'

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
  /** On an ENI of this node it need not stay: a pod elsewhere waits for it, or nobody has for long, or it is released. */
  readonly mayGo: boolean
  /** It goes from there although nobody has given it back. */
  readonly forced?: boolean
}

export interface ClaimPlacement {
  readonly actions: readonly Action[]
  /** The pool as the rest of the plan is to see it: with places and room that claims take. */
  readonly pool: NodePool
  /** Addresses that the node has returned, and whose pods are there again: bound anew. */
  readonly renew: readonly Ipv4[]
  /** Claims that no ENI of the node can take. */
  readonly stuck: readonly { readonly claim: ClaimDemand; readonly why: 'node-full' | 'subnets-full' }[]
}

/** The API's bound on addresses named in one AssignPrivateIpAddresses call. */
export const maxAssignBatch = 10

/** `returned` are addresses that the node's agent has given up. Claims in a total order, so that runs can be replayed. */
export function placeClaims(
  pool: NodePool,
  claims: readonly ClaimDemand[],
  returned: ReadonlySet<Ipv4>,
  subnets: readonly CloudSubnet[],
): ClaimPlacement {
  // One that another node has yet finds its ENI ready when it comes.
  const waiting = claims.filter(({ here, wanted }) => wanted && !here)
  const leaving = new Set(
    claims.flatMap(({ address, forced, mayGo }) =>
      mayGo && (forced || returned.has(address)) ? [address] : [],
    ),
  )
  const room = new Room(pool, subnets)
  for (const [subnetId, those] of Map.groupBy(waiting, (claim) => claim.subnetId))
    for (const claim of those) room.give(subnetId, claim)
  const releases = pool.enis.flatMap((eni): Action[] => {
    const addresses = eni.ips.flatMap(({ address, state }) =>
      state === 'bound' && leaving.has(address) ? [address] : [],
    )
    const isIdle = (eni.state === 'attached' || eni.state === 'available') && !eni.busy && !eni.held
    if (!isIdle || addresses.length === 0 || room.assigns(eni)) return []
    return [
      {
        kind: 'unassign',
        eni: eni.key,
        addresses: addresses.slice(0, 10),
        reason: 'kept by its reservation',
      },
    ]
  })
  return {
    actions: [...room.actions(), ...releases],
    pool: room.pool(new Set(releases.map((action) => ('eni' in action ? action.eni : 0)))),
    renew: claims.flatMap(({ address, here, wanted }) =>
      here && wanted && returned.has(address) ? [address] : [],
    ),
    stuck: room.stuck,
  }
}

function isFree({ busy, held, state }: PoolEni): boolean {
  return state === 'attached' && !busy && !held
}

/** ENIs while claims are put on them. */
class Room {
  readonly stuck: { claim: ClaimDemand; why: 'node-full' | 'subnets-full' }[] = []
  readonly #pool: NodePool
  readonly #free: Map<SubnetId, number>
  readonly #given = new Map<PoolEni, ClaimDemand[]>()
  readonly #made: PoolEni[] = []

  constructor(pool: NodePool, subnets: readonly CloudSubnet[]) {
    this.#pool = pool
    this.#free = new Map(subnets.map(({ available, id }) => [id, available]))
  }

  give(subnetId: SubnetId, claim: ClaimDemand): void {
    const eni = this.#fullest(subnetId) ?? this.#make(subnetId, claim)
    if (eni !== undefined) this.#given.set(eni, [...(this.#given.get(eni) ?? []), claim])
  }

  /** What only waits for another node must not keep back what another node waits for. */
  assigns(eni: PoolEni): boolean {
    return isFree(eni) && (this.#given.get(eni) ?? []).some(({ elsewhere }) => !elsewhere)
  }

  actions(): Action[] {
    const assigns = this.#pool.enis.flatMap((eni): Action[] => {
      const due = (this.#given.get(eni) ?? []).filter(({ elsewhere }) => !elsewhere)
      const addresses = due.slice(0, maxAssignBatch).map(({ address }) => address)
      if (addresses.length === 0 || !isFree(eni)) return []
      return [
        {
          kind: 'assign',
          eni: eni.key,
          count: addresses.length,
          addresses,
          reason: 'for pods with static addresses',
        },
      ]
    })
    const creates = this.#made.map(
      ({ slot, subnetId }): Action => ({
        kind: 'create',
        mode: 'shared',
        slot,
        subnetId,
        ips: 0,
        reason: 'for pods with static addresses',
      }),
    )
    return [...assigns, ...creates]
  }

  /** `busy` are about to be changed. */
  pool(busy: ReadonlySet<number>): NodePool {
    const enis = [...this.#pool.enis, ...this.#made].map((eni) => {
      const claims = this.#given.get(eni) ?? []
      if (claims.length === 0) return busy.has(eni.key) ? { ...eni, busy: true } : eni
      const ips = claims.map(({ address, name, namespace }) => ({
        address,
        state: 'bound' as const,
        grant: 0,
        claim: { namespace, name },
      }))
      // What is not attached yet goes on its way; an assignment takes the ENI for itself.
      const isChanged = this.assigns(eni) || busy.has(eni.key)
      return { ...eni, busy: eni.busy || isChanged, ips: [...eni.ips, ...ips] }
    })
    return { ...this.#pool, enis }
  }

  /** Of those that serve, with room; fullest first (P12), those on their way last. */
  #fullest(subnetId: SubnetId): PoolEni | undefined {
    const used = (eni: PoolEni) => occupied(eni) + (this.#given.get(eni)?.length ?? 0)
    return [...this.#pool.enis, ...this.#made]
      .filter((eni) => eni.mode === 'shared' && eni.goal === 'serve' && !eni.held)
      .filter((eni) => eni.subnetId === subnetId && used(eni) < this.#pool.shared.ipsPerEni)
      .toSorted((a, b) => Number(isFree(b)) - Number(isFree(a)) || used(b) - used(a) || a.slot - b.slot)[0]
  }

  #make(subnetId: SubnetId, claim: ClaimDemand): PoolEni | undefined {
    const { enis, instanceEnis, shared, unclaimed = 0 } = this.#pool
    const all = [...enis, ...this.#made]
    const slots = new Set(all.map(({ slot }) => slot))
    const slot = Array.from({ length: instanceEnis }, (_, i) => i + 1).find((one) => !slots.has(one))
    const ofMode = all.filter(({ mode }) => mode === 'shared').length
    const isFull = all.length + unclaimed >= instanceEnis || ofMode + unclaimed >= shared.maxEnis
    if (slot === undefined || isFull || shared.ipsPerEni === 0) {
      this.stuck.push({ claim, why: 'node-full' })
      return undefined
    }
    const available = this.#free.get(subnetId) ?? 0
    if (available < 1) {
      this.stuck.push({ claim, why: 'subnets-full' }) // the ENI's own address
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
