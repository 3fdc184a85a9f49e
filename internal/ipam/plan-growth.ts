// How both pools of a node grow: first on the ENIs that are there, then by new ones, as far as the node has places and its subnets
// addresses for them. Pods that wait come before warm ones, of either kind, for both.
import { chooseSubnet } from './choose-subnet.ts'
import type { Action, NodeDemand } from './plan-node.ts'
import {
  claimedOn,
  maxBindable,
  type NodePool,
  occupied,
  type PoolEni,
  serving,
  servingIn,
  surplusEnis,
} from './pool.ts'
import type { EniMode, NodeBounds, SubnetId } from './types.ts'

export interface Shortage {
  readonly mode: EniMode
  /** Addresses, or whole ENIs, that are wanted and cannot be had. */
  readonly count: number
  readonly why: 'no-subnet-in-zone' | 'subnets-full' | 'node-full' | 'not-enabled'
}

export interface Growth {
  readonly actions: readonly Action[]
  readonly shortages: readonly Shortage[]
  /** Modes of which more is wanted than there is, whether it can be had or not. */
  readonly short: ReadonlySet<EniMode>
}

/** `placed`: the maxima as far as both kinds have places now. `drained`: ENIs that are to be empty soon. */
export function planGrowth(
  pool: NodePool,
  placed: NodeBounds,
  demand: NodeDemand,
  drained: ReadonlySet<PoolEni> = new Set(),
): Growth {
  const shared = needOf('shared', pool, demand)
  const exclusive = needOf('exclusive', pool, demand)
  const draft = new Draft({ ...pool, ...placed }, demand, drained)
  // In the order of who is served first.
  draft.grow('shared', shared.forPods)
  draft.grow('exclusive', exclusive.forPods)
  draft.grow('shared', shared.want - shared.forPods)
  draft.grow('exclusive', exclusive.want - exclusive.forPods)
  return {
    actions: draft.actions({ shared, exclusive }),
    shortages: [
      ...shortage(shared, draft, pool, demand, 'node-full'),
      ...shortage(exclusive, draft, pool, demand, pool.exclusive.maxEnis > 0 ? 'node-full' : 'not-enabled'),
    ],
    short: new Set([shared, exclusive].filter(({ want }) => want > 0).map(({ mode }) => mode)),
  }
}

interface Need {
  readonly mode: EniMode
  readonly pods: number
  /** Up to pods + minWarm, as far as the node can carry them. */
  readonly want: number
  /** Of these, what pods wait for. */
  readonly forPods: number
  /** Pods beyond what the node can carry. */
  readonly beyond: number
}

/** Warm ones beyond what the node can carry are no fault; pods beyond it are. */
function needOf(mode: EniMode, pool: NodePool, demand: NodeDemand): Need {
  const bounds = pool[mode]
  const pods = demand.pods[mode]
  // Pods with claims are not among those that are counted here, but their addresses take places on ENIs.
  const claimed = pool.enis.reduce((sum, eni) => sum + (eni.mode === mode ? claimedOn(eni) : 0), 0)
  const most = Math.min(maxBindable(bounds), Math.max(0, bounds.maxEnis * bounds.ipsPerEni - claimed))
  const have = servingIn(pool, mode, demand.returned)
  return {
    mode,
    pods,
    want: Math.max(0, Math.min(pods + bounds.minWarm, most) - have),
    forPods: Math.max(0, Math.min(pods, most) - have),
    beyond: Math.max(0, pods - most),
  }
}

interface NewEni {
  readonly mode: EniMode
  readonly slot: number
  readonly subnetId: SubnetId
  /** Addresses for pods. */
  ips: number
}

/** What is to be bound, while it is being planned. */
class Draft {
  readonly #pool: NodePool
  readonly #demand: NodeDemand
  readonly #places: Places
  /** Addresses that each subnet has left. */
  readonly #free: Map<SubnetId, number>
  /** Shared ENIs that may grow, fullest first (P12). */
  readonly #growing: readonly PoolEni[]
  readonly #assigned = new Map<PoolEni, number>()
  readonly #created: NewEni[] = []
  readonly #planned: Record<EniMode, number> = { shared: 0, exclusive: 0 }
  readonly #stuck = new Set<EniMode>()
  #starved = false

  constructor(pool: NodePool, demand: NodeDemand, drained: ReadonlySet<PoolEni>) {
    this.#pool = pool
    this.#demand = demand
    this.#places = new Places(pool)
    this.#free = new Map(demand.subnets.map(({ id, available }) => [id, available]))
    const surplus = new Set([...drained, ...surplusEnis(pool, 'shared', demand)])
    const isLinked = ({ id }: PoolEni) => id === undefined || demand.unlinked?.has(id) !== true
    this.#growing = pool.enis
      .filter((eni) => eni.mode === 'shared' && eni.goal === 'serve' && !eni.held)
      .filter((eni) => isLinked(eni) && !surplus.has(eni))
      .toSorted(byFullest(demand))
  }

  grow(mode: EniMode, want: number): void {
    let need = want
    if (mode === 'shared') {
      need -= this.#assign(need)
      need -= this.#fillNew(need)
    }
    need -= this.#create(mode, need)
    this.#planned[mode] += want - need
  }

  planned(mode: EniMode): number {
    return this.#planned[mode]
  }

  /** Could no subnet give what there is a place for? */
  isStuck(mode: EniMode, want: number): boolean {
    return this.#stuck.has(mode) || (mode === 'shared' && this.#starved && this.#planned.shared < want)
  }

  actions(needs: Readonly<Record<EniMode, Need>>): readonly Action[] {
    const reasons = { shared: reasonFor(needs.shared), exclusive: reasonFor(needs.exclusive) }
    return [
      // An ENI that is busy or not attached yet keeps its room for later: that comes before another ENI (P12).
      ...[...this.#assigned].flatMap(([{ busy, key, state }, count]): Action[] =>
        state === 'attached' && !busy ? [{ kind: 'assign', eni: key, count, reason: reasons.shared }] : [],
      ),
      ...this.#created.map(({ ips, mode, slot, subnetId }): Action => {
        const reason = reasons[mode]
        return { kind: 'create', mode, slot, subnetId, ips: mode === 'shared' ? ips : 0, reason }
      }),
    ]
  }

  #assign(want: number): number {
    let need = want
    for (const eni of this.#growing) {
      const before = this.#assigned.get(eni) ?? 0
      const available = this.#free.get(eni.subnetId) ?? 0
      const room = Math.min(need, this.#pool.shared.ipsPerEni - occupied(eni) - before)
      if (room > available && this.#free.has(eni.subnetId)) this.#starved = true
      const count = Math.min(room, available)
      if (count <= 0) continue
      this.#assigned.set(eni, before + count)
      this.#free.set(eni.subnetId, available - count)
      need -= count
    }
    return want - need
  }

  /** New ones have room left by what was planned before. */
  #fillNew(want: number): number {
    let need = want
    for (const eni of this.#created.filter(({ mode }) => mode === 'shared')) {
      const available = this.#free.get(eni.subnetId) ?? 0
      const count = Math.min(need, this.#pool.shared.ipsPerEni - eni.ips, available)
      if (count <= 0) continue
      eni.ips += count
      this.#free.set(eni.subnetId, available - count)
      need -= count
    }
    return want - need
  }

  #create(mode: EniMode, want: number): number {
    const perEni = this.#pool[mode].ipsPerEni
    // A shared ENI has an address of its own beside those of the pods; of an exclusive one that is the pod's.
    const own = mode === 'shared' ? 1 : 0
    let need = want
    while (need > 0 && perEni > 0) {
      const [slot] = this.#places.take(mode, 1)
      if (slot === undefined) break
      const now = this.#demand.subnets.map((each) => ({ ...each, available: this.#free.get(each.id) ?? 0 }))
      const subnet = chooseSubnet(now, this.#demand.zone, own + 1)
      if (subnet === undefined) {
        this.#stuck.add(mode)
        this.#places.take(mode, Math.ceil(need / perEni) - 1) // they stay its own: what comes later would only take them from it
        break
      }
      const ips = Math.min(need, perEni, subnet.available - own)
      this.#created.push({ mode, slot, subnetId: subnet.id, ips })
      this.#free.set(subnet.id, subnet.available - ips - own)
      need -= ips
    }
    return want - need
  }
}

/** Among equals the lowest slot. */
function byFullest({ returned }: NodeDemand): (a: PoolEni, b: PoolEni) => number {
  return (a, b) => serving(b, returned) - serving(a, returned) || a.slot - b.slot
}

function shortage(
  need: Need,
  draft: Draft,
  pool: NodePool,
  { subnets, zone }: NodeDemand,
  otherwise: Shortage['why'],
): Shortage[] {
  const { mode, want, forPods, beyond } = need
  const planned = draft.planned(mode) + (pool.unclaimed ?? 0) * pool[mode].ipsPerEni
  if (draft.isStuck(mode, want)) {
    const count = want - planned + beyond
    const why = subnets.some((subnet) => subnet.zone === zone) ? 'subnets-full' : 'no-subnet-in-zone'
    return count > 0 ? [{ mode, count, why }] : []
  }
  const count = Math.max(0, forPods - planned) + beyond
  return count > 0 ? [{ mode, count, why: otherwise }] : []
}

/** Slots of the node while they are given away. ENIs that the next view claims keep their places. */
class Places {
  readonly #slots: number[]
  readonly #left: Record<EniMode, number>

  constructor(pool: NodePool) {
    const { enis, instanceEnis, unclaimed = 0 } = pool
    const used = new Set(enis.map(({ slot }) => slot))
    const all = Array.from({ length: instanceEnis }, (_, i) => i + 1)
    const count = Math.max(0, instanceEnis - enis.length - unclaimed)
    this.#slots = all.filter((slot) => !used.has(slot)).slice(0, count)
    const leftOf = (mode: EniMode) =>
      pool[mode].maxEnis - enis.filter((eni) => eni.mode === mode).length - unclaimed
    this.#left = { shared: leftOf('shared'), exclusive: leftOf('exclusive') }
  }

  take(mode: EniMode, count: number): readonly number[] {
    const slots = this.#slots.splice(0, Math.max(0, Math.min(count, this.#left[mode])))
    this.#left[mode] -= slots.length
    return slots
  }
}

function reasonFor({ pods, want }: Need): string {
  return `${want} more wanted, for ${pods} ${pods === 1 ? 'pod' : 'pods'} and the warm pool`
}
