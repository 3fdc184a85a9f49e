// What the leader does next for one node: grow the pool to pods + minWarm on as few ENIs as possible (P1, P2, P12),
// unassign what the agent returned, give empty ENIs back. Pure: the leader records each action as an intent and performs it.
import type { Ipv4 } from '../value/ipv4.ts'
import { chooseSubnet } from './choose-subnet.ts'
import { maxBindable, type NodePool, occupied, type PoolEni, serving } from './pool.ts'
import type { CloudSubnet, SubnetId } from './types.ts'

export interface NodeDemand {
  /** Pods that count (P18) on this node. */
  readonly pods: number
  /** Addresses the agent has given up and no pod holds. */
  readonly returned: ReadonlySet<Ipv4>
  readonly zone: string
  /** Container subnets, as last read. */
  readonly subnets: readonly CloudSubnet[]
}

export type Action =
  | {
      readonly kind: 'create'
      readonly slot: number
      readonly subnetId: SubnetId
      readonly ips: number
      readonly reason: string
    }
  | { readonly kind: 'attach' | 'detach' | 'delete'; readonly eni: number; readonly reason: string }
  | { readonly kind: 'assign'; readonly eni: number; readonly count: number; readonly reason: string }
  | {
      readonly kind: 'unassign'
      readonly eni: number
      readonly addresses: readonly Ipv4[]
      readonly reason: string
    }

export interface NodePlan {
  readonly actions: readonly Action[]
  /** Addresses wanted that no ENI or subnet can give. */
  readonly unmet: number
  /** Why, when `unmet` is above 0. */
  readonly obstacle: 'no-subnet-in-zone' | 'subnets-full' | 'node-full' | undefined
}

/** The API's bound on addresses named in one UnassignPrivateIpAddresses call. */
export const maxUnassignBatch = 10

/** The actions that are due and do not wait for another one; each ENI gets at most one. */
export function planNode(pool: NodePool, demand: NodeDemand): NodePlan {
  if (pool.phase === 'leaving') return { actions: giveBackAll(pool), unmet: 0, obstacle: undefined }
  const growth = planGrowth(pool, demand)
  const taken = new Set(growth.actions.flatMap((action) => ('eni' in action ? [action.eni] : [])))
  const rest = pool.enis.filter((eni) => !eni.busy && !eni.held && !taken.has(eni.key))
  const actions = [
    ...growth.actions,
    ...rest.flatMap((eni) => advance(eni, pool) ?? giveBack(eni, demand) ?? retire(eni, growth.short) ?? []),
  ]
  return { actions, unmet: growth.unmet, obstacle: growth.obstacle }
}

/** Fullest ENI first; among equals the lowest slot. */
function byFullest(returned: ReadonlySet<Ipv4>): (a: PoolEni, b: PoolEni) => number {
  return (a, b) => serving(b, returned) - serving(a, returned) || a.slot - b.slot
}

function planGrowth(pool: NodePool, demand: NodeDemand) {
  const { limits, targets } = pool
  const wanted = Math.min(demand.pods + targets.minWarm, maxBindable(limits))
  const have = pool.enis.reduce((sum, eni) => sum + serving(eni, demand.returned), 0)
  const actions: Action[] = []
  let need = wanted - have
  const short = need > 0
  const available = new Map(demand.subnets.map((subnet) => [subnet.id, subnet.available]))
  const usable = pool.enis.filter(({ goal, held }) => goal === 'serve' && !held)
  for (const eni of usable.toSorted(byFullest(demand.returned))) {
    if (need <= 0) break
    const count = Math.min(need, limits.ipsPerEni - occupied(eni), available.get(eni.subnetId) ?? 0)
    if (count <= 0) continue
    // An ENI that is busy or not attached yet keeps its room for later: that comes before another ENI (P12).
    if (eni.state === 'attached' && !eni.busy) {
      actions.push({
        kind: 'assign',
        eni: eni.key,
        count,
        reason: reasonFor(need, demand),
      })
    }
    need -= count
    available.set(eni.subnetId, (available.get(eni.subnetId) ?? 0) - count)
  }
  const slots = freeSlots(pool)
  while (need > 0) {
    const subnet = chooseSubnet(
      demand.subnets.map((s) => ({ ...s, available: available.get(s.id) ?? 0 })),
      demand.zone,
    )
    if (subnet === undefined) break
    const slot = slots.shift()
    if (slot === undefined) break
    const ips = Math.min(need, limits.ipsPerEni, subnet.available - 1)
    actions.push({
      kind: 'create',
      slot,
      subnetId: subnet.id,
      ips,
      reason: reasonFor(need, demand),
    })
    need -= ips
    available.set(subnet.id, subnet.available - ips - 1)
  }
  // Warm addresses beyond what the node can carry are no fault; pods beyond it are.
  const podsLeft = Math.max(0, demand.pods - maxBindable(limits))
  // An ENI that waits for its second view keeps its room for later, too.
  const unmet = Math.max(need - (pool.unclaimed ?? 0) * limits.ipsPerEni, 0)
  return { actions, short, unmet: unmet + podsLeft, obstacle: obstacle(unmet, podsLeft, slots, demand) }
}

function reasonFor(need: number, demand: NodeDemand): string {
  return `${need} more wanted, for ${demand.pods} ${demand.pods === 1 ? 'pod' : 'pods'} and the warm pool`
}

function obstacle(
  unmet: number,
  podsLeft: number,
  slots: readonly number[],
  demand: NodeDemand,
): NodePlan['obstacle'] {
  if (unmet > 0 && slots.length > 0) {
    return demand.subnets.some(({ zone }) => zone === demand.zone) ? 'subnets-full' : 'no-subnet-in-zone'
  }
  return unmet > 0 || podsLeft > 0 ? 'node-full' : undefined
}

function freeSlots(pool: NodePool): number[] {
  const used = new Set(pool.enis.map(({ slot }) => slot))
  const free = []
  for (let slot = 1; slot <= pool.limits.maxEnis; slot++) if (!used.has(slot)) free.push(slot)
  return free.slice(0, Math.max(0, pool.limits.maxEnis - pool.enis.length - (pool.unclaimed ?? 0)))
}

/** The next step of an ENI on its way in or out. */
function advance(eni: PoolEni, pool: NodePool): Action | undefined {
  const { limits } = pool
  if (eni.state === 'available' && !eni.served && isSurplus(eni, pool))
    return { kind: 'delete', eni: eni.key, reason: 'more ENIs than the instance takes' }
  const excess = eni.ips.length - limits.ipsPerEni
  if (eni.state === 'available' && eni.goal === 'serve' && excess > 0) return shed(eni, excess)
  if (eni.state === 'available' && eni.goal === 'serve')
    return { kind: 'attach', eni: eni.key, reason: 'created for this node' }
  if (eni.state === 'available') return { kind: 'delete', eni: eni.key, reason: 'detached and not wanted' }
  if (eni.state === 'attached' && eni.goal === 'delete')
    return { kind: 'detach', eni: eni.key, reason: 'not wanted' }
  return undefined
}

/** The newest of those that have never been on the node: they take the places of none that pods use. */
function isSurplus(eni: PoolEni, { enis, limits }: NodePool): boolean {
  const surplus = enis.filter(({ goal }) => goal === 'serve').length - limits.maxEnis
  if (surplus <= 0) return false
  const unused = enis.filter(({ state, served }) => state === 'available' && !served)
  return unused.toSorted((a, b) => b.key - a.key).indexOf(eni) < surplus
}

/** With more addresses than the instance takes it would never be attached. The newest bindings came while it was off its node: no pod has had them. */
function shed(eni: PoolEni, excess: number): Action | undefined {
  const newest = eni.ips.filter(({ state }) => state === 'bound').toSorted((a, b) => b.grant - a.grant)
  const addresses = newest.slice(0, Math.min(excess, maxUnassignBatch)).map(({ address }) => address)
  if (addresses.length === 0) return undefined
  return { kind: 'unassign', eni: eni.key, addresses, reason: 'more than the instance takes' }
}

function giveBack(eni: PoolEni, demand: NodeDemand): Action | undefined {
  const addresses = eni.ips
    .filter((ip) => ip.state === 'bound' && demand.returned.has(ip.address))
    .map((ip) => ip.address)
  if (eni.state !== 'attached' || addresses.length === 0) return undefined
  return {
    kind: 'unassign',
    eni: eni.key,
    addresses: addresses.slice(0, maxUnassignBatch),
    reason: 'surplus returned by the node',
  }
}

/** An ENI without secondary addresses, when none are wanted, is detached; deletion follows. */
function retire(eni: PoolEni, short: boolean): Action | undefined {
  if (short || eni.state !== 'attached' || eni.ips.length > 0) return undefined
  return { kind: 'detach', eni: eni.key, reason: 'all its addresses are returned' }
}

function giveBackAll(pool: NodePool): Action[] {
  return pool.enis.flatMap((eni): Action[] => {
    if (eni.busy || eni.held) return []
    if (eni.state === 'attached') return [{ kind: 'detach', eni: eni.key, reason: 'the node is gone' }]
    return eni.state === 'available' ? [{ kind: 'delete', eni: eni.key, reason: 'the node is gone' }] : []
  })
}
