// What the leader does next for one node: grow both pools to pods + minWarm on as few ENIs as possible (P1, P2, P12, X2),
// unassign what the agent returned, give empty ENIs back. Pure: the leader records each action as an intent and performs it.
import type { Ipv4 } from '../value/ipv4.ts'
import { type ClaimDemand, type ClaimPlacement, placeClaims, type UnreservedDemand } from './place-claims.ts'
import { planGrowth, type Shortage } from './plan-growth.ts'
import { type NodePool, type PoolEni, surplusEnis } from './pool.ts'
import type { CloudSubnet, EniMode, SubnetId } from './types.ts'

export interface NodeDemand {
  /** Pods that count (P18) on this node. */
  readonly pods: Readonly<Record<EniMode, number>>
  /** Addresses the agent has given up and no pod holds. */
  readonly returned: ReadonlySet<Ipv4>
  readonly zone: string
  /** Container subnets, as last read. */
  readonly subnets: readonly CloudSubnet[]
  /** Static claims whose pods are on the node, or whose addresses are. */
  readonly claims?: readonly ClaimDemand[]
  /** Static claims on the node that have no address, and for which none can be reserved. */
  readonly unreserved?: readonly UnreservedDemand[]
}

export type Action =
  | {
      readonly kind: 'create'
      readonly mode: EniMode
      readonly slot: number
      readonly subnetId: SubnetId
      /** Secondary addresses that it is made with. */
      readonly ips: number
      /** The claim that gets the address: there is one. */
      readonly claim?: number
      readonly reason: string
    }
  | { readonly kind: 'attach' | 'detach' | 'delete'; readonly eni: number; readonly reason: string }
  | {
      readonly kind: 'assign'
      readonly eni: number
      readonly count: number
      /** Exactly these, which are reserved for claims; any when missing. */
      readonly addresses?: readonly Ipv4[]
      /** The claim that gets the address: there is one. */
      readonly claim?: number
      readonly reason: string
    }
  | {
      readonly kind: 'migrate'
      /** Where it goes; `from` may be on another node. */
      readonly eni: number
      readonly from: number
      readonly address: Ipv4
      readonly reason: string
    }
  | {
      readonly kind: 'unassign'
      readonly eni: number
      readonly addresses: readonly Ipv4[]
      readonly reason: string
    }

export interface NodePlan {
  readonly actions: readonly Action[]
  /** What is wanted, and no ENI or subnet can give; at most one of each mode. */
  readonly shortages: readonly Shortage[]
  /** Addresses of claims to bind anew: their pods are on the node again. */
  readonly renew: readonly Ipv4[]
}

/** The API's bound on addresses named in one UnassignPrivateIpAddresses call. */
export const maxUnassignBatch = 10

/** The actions that are due and do not wait for another one; each ENI gets at most one. */
export function planNode(before: NodePool, wish: NodeDemand): NodePlan {
  if (before.phase === 'leaving') return { actions: giveBackAll(before), shortages: [], renew: [] }
  const placement = placeClaims(before, wish)
  const pool = placement.pool
  const demand = { ...wish, returned: unclaimed(before, wish.returned) }
  const growth = planGrowth(pool, demand)
  const taken = new Set(growth.actions.flatMap((action) => ('eni' in action ? [action.eni] : [])))
  const rest = pool.enis.filter((eni) => !eni.busy && !eni.held && !taken.has(eni.key))
  const surplus = new Set(
    (['shared', 'exclusive'] as const).flatMap((mode) => surplusEnis(pool, mode, demand.returned)),
  )
  const actions = [
    ...placement.actions,
    ...growth.actions,
    ...rest.flatMap((eni) => {
      const isWanted = growth.short.has(eni.mode) && !surplus.has(eni)
      return (
        dropDrained(eni, demand, isWanted) ??
        advance(eni, pool) ??
        giveBack(eni, demand) ??
        (isWanted ? undefined : retire(eni)) ??
        []
      )
    }),
  ]
  return { actions, shortages: withStuck(growth.shortages, placement), renew: placement.renew }
}

/** What is kept for claims is not the pool's to give back. */
function unclaimed({ enis }: NodePool, returned: ReadonlySet<Ipv4>): ReadonlySet<Ipv4> {
  const claimed = enis.flatMap(({ ips }) =>
    ips.flatMap(({ address, claim }) => (claim === undefined ? [] : [address])),
  )
  const kept = new Set(claimed)
  return new Set([...returned].filter((address) => !kept.has(address)))
}

function withStuck(shortages: readonly Shortage[], { stuck }: ClaimPlacement): readonly Shortage[] {
  const [first] = stuck
  if (first === undefined) return shortages
  const shared = shortages.find(({ mode }) => mode === 'shared')
  const count = stuck.length + (shared?.count ?? 0)
  return [
    ...shortages.filter((each) => each !== shared),
    { mode: 'shared', count, why: shared?.why ?? first.why },
  ]
}

/** It was taken off its node, and nothing on it is wanted there any more: it is not put back for that, and may have no place by now. */
function dropDrained(eni: PoolEni, { returned }: NodeDemand, isWanted: boolean): Action | undefined {
  const { expectedIps, ips, key, served, state } = eni
  if (state !== 'available' || !served || expectedIps > 0 || (ips.length === 0 && isWanted)) return undefined
  if (!ips.every((ip) => ip.state === 'bound' && returned.has(ip.address))) return undefined
  return { kind: 'delete', eni: key, reason: 'all its addresses are returned' }
}

/** The next step of an ENI on its way in or out. */
function advance(eni: PoolEni, pool: NodePool): Action | undefined {
  if (eni.state === 'attached' && eni.goal === 'delete')
    return { kind: 'detach', eni: eni.key, reason: 'not wanted' }
  if (eni.state !== 'available') return undefined
  if (eni.goal === 'delete') return { kind: 'delete', eni: eni.key, reason: 'detached and not wanted' }
  if (hasNoPlace(eni, pool))
    return { kind: 'delete', eni: eni.key, reason: 'more ENIs than the instance takes' }
  const most = pool.quotaIpsPerEni ?? Number.POSITIVE_INFINITY
  const excess = eni.mode === 'shared' ? eni.ips.length - most : 0
  if (excess > 0) return shed(eni, excess)
  return { kind: 'attach', eni: eni.key, reason: 'created for this node' }
}

/** The newest of those that have never been on the node go: they take the places of none that pods use. */
function hasNoPlace(eni: PoolEni, { enis, instanceEnis, ...pool }: NodePool): boolean {
  const serving = enis.filter(({ goal }) => goal === 'serve')
  const unused = serving
    .filter(({ served, state }) => state === 'available' && !served)
    .toSorted((a, b) => b.key - a.key)
  const beyondMaxima = (['shared', 'exclusive'] as const).flatMap((mode) => {
    const excess = serving.filter((one) => one.mode === mode).length - pool[mode].maxEnis
    return unused.filter((one) => one.mode === mode).slice(0, Math.max(0, excess))
  })
  const left = serving.length - beyondMaxima.length - instanceEnis
  const others = unused.filter((one) => !beyondMaxima.includes(one))
  return [...beyondMaxima, ...others.slice(0, Math.max(0, left))].includes(eni)
}

/** With more addresses than the instance takes it would never be attached. The newest bindings came while it was off its node: no pod has had them. */
function shed(eni: PoolEni, excess: number): Action | undefined {
  const bound = eni.ips.filter(({ state }) => state === 'bound')
  // What is kept for a pod goes last.
  const newest = bound.toSorted(
    (a, b) => Number(a.claim !== undefined) - Number(b.claim !== undefined) || b.grant - a.grant,
  )
  const addresses = newest.slice(0, Math.min(excess, maxUnassignBatch)).map(({ address }) => address)
  if (addresses.length === 0) return undefined
  return { kind: 'unassign', eni: eni.key, addresses, reason: 'more than the instance takes' }
}

function giveBack(eni: PoolEni, demand: NodeDemand): Action | undefined {
  const addresses = eni.ips
    .filter((ip) => ip.state === 'bound' && demand.returned.has(ip.address))
    .map((ip) => ip.address)
  if (eni.state !== 'attached' || addresses.length === 0) return undefined
  const reason = 'surplus returned by the node'
  if (eni.mode === 'exclusive') return { kind: 'detach', eni: eni.key, reason }
  return { kind: 'unassign', eni: eni.key, addresses: addresses.slice(0, maxUnassignBatch), reason }
}

/** An ENI without addresses for pods is detached; deletion follows. */
function retire(eni: PoolEni): Action | undefined {
  if (eni.state !== 'attached' || eni.ips.length > 0) return undefined
  return { kind: 'detach', eni: eni.key, reason: 'all its addresses are returned' }
}

function giveBackAll(pool: NodePool): Action[] {
  return pool.enis.flatMap((eni): Action[] => {
    if (eni.busy || eni.held) return []
    if (eni.state === 'attached') return [{ kind: 'detach', eni: eni.key, reason: 'the node is gone' }]
    return eni.state === 'available' ? [{ kind: 'delete', eni: eni.key, reason: 'the node is gone' }] : []
  })
}
