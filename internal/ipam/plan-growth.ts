// How both pools of a node grow: first on the ENIs that are there, then by new ones, as far as the node has places for them. Pods that
// wait come before warm ones, of either kind.
import { chooseSubnet } from './choose-subnet.ts'
import type { Action, NodeDemand } from './plan-node.ts'
import { maxBindable, type NodePool, occupied, type PoolEni, serving, surplusEnis } from './pool.ts'
import type { EniMode, SubnetId } from './types.ts'

export interface Shortage {
  readonly mode: EniMode
  /** Addresses, or whole ENIs, that are wanted and cannot be had. */
  readonly count: number
  readonly why: 'no-subnet-in-zone' | 'subnets-full' | 'node-full' | 'not-enabled'
}

export interface Growth {
  readonly actions: readonly Action[]
  readonly shortages: readonly Shortage[]
  /** Modes of which more is wanted than there is, had or not. */
  readonly short: ReadonlySet<EniMode>
}

export function planGrowth(pool: NodePool, demand: NodeDemand): Growth {
  const free = new Map(demand.subnets.map(({ id, available }) => [id, available]))
  const shared = needOf('shared', pool, demand)
  const exclusive = needOf('exclusive', pool, demand)
  const assigned = assign(pool, demand, shared, free)
  const left = shared.want - assigned.count
  const leftForPods = Math.max(0, shared.forPods - assigned.count)
  const places = new Places(pool)
  const perEni = pool.shared.ipsPerEni
  // In the order of who is served first.
  const sharedForPods = places.take('shared', enisFor(leftForPods, perEni))
  const exclusiveForPods = places.take('exclusive', exclusive.forPods)
  const sharedWarm = places.take('shared', enisFor(left, perEni) - sharedForPods.length)
  const exclusiveWarm = places.take('exclusive', exclusive.want - exclusiveForPods.length)
  const create = creator(demand, places, free)
  const newShared = create('shared', [...sharedForPods, ...sharedWarm], left, perEni)
  const newExclusive = create('exclusive', [...exclusiveForPods, ...exclusiveWarm], exclusive.want, 1)
  const foreseen = pool.unclaimed ?? 0
  const isStuck = newShared.stuck || (assigned.starved && newShared.count < left)
  return {
    actions: [...assigned.actions, ...newShared.actions, ...newExclusive.actions],
    shortages: [
      ...shortage(shared, assigned.count + newShared.count, foreseen * perEni, isStuck, demand),
      ...shortage(exclusive, newExclusive.count, foreseen, newExclusive.stuck, demand),
    ],
    short: new Set([shared, exclusive].filter(({ want }) => want > 0).map(({ mode }) => mode)),
  }
}

interface Need {
  readonly mode: EniMode
  /** Up to pods + minWarm, as far as the node can carry them. */
  readonly want: number
  /** Of these, what pods wait for. */
  readonly forPods: number
  /** Pods beyond what the node can carry. */
  readonly beyond: number
  /** May the node have any? */
  readonly enabled: boolean
}

/** Warm ones beyond what the node can carry are no fault; pods beyond it are. */
function needOf(mode: EniMode, pool: NodePool, demand: NodeDemand): Need {
  const bounds = pool[mode]
  const pods = demand.pods[mode]
  const enis = pool.enis.filter((eni) => eni.mode === mode)
  // Claimed addresses are none of what pods are counted for, but take places on ENIs.
  const claimed = enis.flatMap(({ ips }) => ips).filter(({ claim }) => claim !== undefined).length
  const places = Math.max(0, bounds.maxEnis * bounds.ipsPerEni - claimed)
  const most = Math.min(maxBindable(bounds), places)
  const have = enis.reduce((sum, eni) => sum + serving(eni, demand.returned), 0)
  return {
    mode,
    want: Math.max(0, Math.min(pods + bounds.minWarm, most) - have),
    forPods: Math.max(0, Math.min(pods, most) - have),
    beyond: Math.max(0, pods - most),
    enabled: bounds.maxEnis > 0,
  }
}

type FreeAddresses = Map<SubnetId, number>

/** Fullest ENI first (P12). `starved`: some have room that their subnet cannot fill. */
function assign(pool: NodePool, demand: NodeDemand, { want }: Need, free: FreeAddresses) {
  const actions: Action[] = []
  const surplus = new Set(surplusEnis(pool, 'shared', demand.returned))
  const usable = pool.enis.filter(
    (eni) => eni.mode === 'shared' && eni.goal === 'serve' && !eni.held && !surplus.has(eni),
  )
  let need = want
  let starved = false
  for (const eni of usable.toSorted(byFullest(demand))) {
    const available = free.get(eni.subnetId) ?? 0
    const room = Math.min(need, pool.shared.ipsPerEni - occupied(eni))
    if (room > available && free.has(eni.subnetId)) starved = true
    const count = Math.min(room, available)
    if (count <= 0) continue
    // An ENI that is busy or not attached yet keeps its room for later: that comes before another ENI (P12).
    if (eni.state === 'attached' && !eni.busy)
      actions.push({ kind: 'assign', eni: eni.key, count, reason: reasonFor(need, demand.pods.shared) })
    need -= count
    free.set(eni.subnetId, available - count)
  }
  return { actions, count: want - need, starved }
}

/** Among equals the lowest slot. */
function byFullest({ returned }: NodeDemand): (a: PoolEni, b: PoolEni) => number {
  return (a, b) => serving(b, returned) - serving(a, returned) || a.slot - b.slot
}

/** Plans new ENIs for `want` addresses of which each carries `perEni`: in `slots`, and in others that are left. `stuck`: no subnet could give one more. */
function creator({ subnets, zone, pods }: NodeDemand, places: Places, free: FreeAddresses) {
  return (mode: EniMode, slots: readonly number[], want: number, perEni: number) => {
    const actions: Action[] = []
    const reason = reasonFor(want, pods[mode])
    // A shared ENI has an address of its own beside those of the pods; of an exclusive one that is the pod's.
    const own = mode === 'shared' ? 1 : 0
    const granted = [...slots]
    let need = want
    while (need > 0) {
      const [slot] = granted.length > 0 ? granted.splice(0, 1) : places.take(mode, 1)
      if (slot === undefined) break
      const now = subnets.map((each) => ({ ...each, available: free.get(each.id) ?? 0 }))
      const subnet = chooseSubnet(now, zone, own + 1)
      if (subnet === undefined) return { actions, count: want - need, stuck: true }
      const count = Math.min(need, perEni, subnet.available - own)
      actions.push({
        kind: 'create',
        mode,
        slot,
        subnetId: subnet.id,
        ips: mode === 'shared' ? count : 0,
        reason,
      })
      need -= count
      free.set(subnet.id, subnet.available - count - own)
    }
    return { actions, count: want - need, stuck: false }
  }
}

function shortage(
  need: Need,
  planned: number,
  foreseen: number,
  stuck: boolean,
  { subnets, zone }: NodeDemand,
): Shortage[] {
  const { mode, want, forPods, beyond, enabled } = need
  if (stuck) {
    const count = want - planned - foreseen + beyond
    const why = subnets.some((subnet) => subnet.zone === zone) ? 'subnets-full' : 'no-subnet-in-zone'
    return count > 0 ? [{ mode, count, why }] : []
  }
  const count = Math.max(0, forPods - planned - foreseen) + beyond
  const why = mode === 'exclusive' && !enabled ? 'not-enabled' : 'node-full'
  return count > 0 ? [{ mode, count, why }] : []
}

function enisFor(count: number, perEni: number): number {
  return perEni > 0 ? Math.ceil(count / perEni) : 0
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

function reasonFor(need: number, pods: number): string {
  return `${need} more wanted, for ${pods} ${pods === 1 ? 'pod' : 'pods'} and the warm pool`
}
