// What the leader does next for one node: grow both pools to pods + minWarm on as few ENIs as possible (P1, P2, P12, X2),
// unassign what the agent returned, give empty ENIs back. Pure: the leader records each action as an intent and performs it.
import type { Ipv4 } from '../value/ipv4.ts'
import { maxNamedAddresses } from './call-bounds.ts'
import { type ClaimDemand, type ClaimPlacement, placeClaims, type UnreservedDemand } from './place-claims.ts'
import { planGrowth, type Shortage } from './plan-growth.ts'
import {
  besides,
  claimedOn,
  maxBindable,
  type NodePool,
  type PoolEni,
  serving,
  servingIn,
  strandedEnis,
  surplusEnis,
} from './pool.ts'
import { type PlaceClaim, sharedEnisFor, sharePlaces } from './share-places.ts'
import {
  type CloudSubnet,
  type EniId,
  type EniMode,
  eniModes,
  type NodeBounds,
  type SubnetId,
} from './types.ts'
import { yieldPlaces } from './yield-places.ts'

export interface NodeDemand {
  /** Pods that count (P18) on this node. */
  readonly pods: Readonly<Record<EniMode, number>>
  /** Of each pool, what is bound and no pod can get, says the agent. */
  readonly withheld?: Readonly<Record<EniMode, number>>
  /** ENIs with idle addresses that the agent has no link of. */
  readonly unlinked?: ReadonlySet<EniId>
  /** Addresses that live pods of the node show; as many ENIs are in use as pods need when it is not said. */
  readonly shown?: ReadonlySet<Ipv4>
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
  /** Modes of which more is wanted than there is, whether it can be had or not. */
  readonly short: ReadonlySet<EniMode>
  /** Addresses of claims to bind anew: their pods are on the node again. */
  readonly renew: readonly Ipv4[]
  /** By key of the ENI: addresses of the pool that it is to have at most, so that there is room for claims that wait. */
  readonly yields: ReadonlyMap<number, number>
}

/** The actions that are due and do not wait for another one; each ENI gets at most one. */
export function planNode(before: NodePool, wish: NodeDemand): NodePlan {
  if (before.phase === 'leaving')
    return { actions: giveBackAll(before), shortages: [], short: new Set(), renew: [], yields: new Map() }
  const placement = placeClaims(before, wish)
  const ofPool = { ...wish, returned: unclaimed(before, wish.returned) }
  const { demand, pool } = withWithheld(placement.pool, ofPool)
  const placed = placesFor(pool, demand)
  const within = { ...pool, ...placed }
  const yields = yieldPlaces(before, placement.stuck, ofPool)
  const stranded = strandedEnis(before, wish)
  const drained = new Set(pool.enis.filter(({ key }) => yields.get(key) === 0 || stranded.has(key)))
  const growth = planGrowth(pool, placed, demand, drained)
  const taken = new Set(growth.actions.flatMap((action) => ('eni' in action ? [action.eni] : [])))
  const rest = pool.enis.filter((eni) => !eni.busy && !eni.held && !taken.has(eni.key))
  const beyond = eniModes.flatMap((mode) => surplusEnis(within, mode, demand))
  const surplus = new Set([...drained, ...beyond])
  const actions = [
    ...placement.actions,
    ...growth.actions,
    ...rest.flatMap((eni) => {
      // More addresses may come on a shared ENI; an exclusive one without its own holds its place for nothing.
      const isWanted = eni.mode === 'shared' && growth.short.has('shared') && !surplus.has(eni)
      return (
        dropDrained(eni, within, demand, isWanted) ??
        advance(eni, within, demand, stranded) ??
        giveBack(eni, demand) ??
        (isWanted ? undefined : retire(eni)) ??
        []
      )
    }),
  ]
  return {
    actions,
    shortages: withStuck(growth.shortages, placement),
    short: growth.short,
    renew: placement.renew,
    yields,
  }
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

/** What no pod can get counts as if one had it. The agent's word may be older than the pool. */
function withWithheld(pool: NodePool, demand: NodeDemand): { pool: NodePool; demand: NodeDemand } {
  const { pods, returned, withheld } = demand
  if (withheld === undefined) return { pool, demand }
  const countOf = (mode: EniMode) => Math.min(withheld[mode], servingIn(pool, mode, returned))
  const counts = { shared: countOf('shared'), exclusive: countOf('exclusive') }
  return {
    pool: { ...pool, ...besides(pool, counts) },
    demand: {
      ...demand,
      pods: { shared: pods.shared + counts.shared, exclusive: pods.exclusive + counts.exclusive },
    },
  }
}

/** As the agent sees it, who knows which addresses pods have. What is kept for claims is in the place of pods. */
function placesFor(pool: NodePool, { pods, returned, shown }: NodeDemand): NodeBounds {
  const claimOf = (enis: readonly PoolEni[], needed: number): PlaceClaim => {
    const isUsed = (eni: PoolEni) => claimedOn(eni) > 0 || eni.ips.some(({ address }) => shown?.has(address))
    const used = shown === undefined ? Math.min(enis.length, needed) : enis.filter(isUsed).length
    return { there: enis.length, used, needed: Math.max(used, needed) }
  }
  const of = (mode: EniMode) => pool.enis.filter((eni) => eni.mode === mode && eni.goal === 'serve')
  const sizes = of('shared').map((eni) => serving(eni, returned) + claimedOn(eni))
  const claimed = of('shared').reduce((sum, eni) => sum + claimedOn(eni), 0)
  return sharePlaces(pool, {
    shared: claimOf(of('shared'), sharedEnisFor({ pods: pods.shared, claimed }, sizes, pool.shared)),
    exclusive: claimOf(of('exclusive'), Math.min(pods.exclusive, maxBindable(pool.exclusive))),
  })
}

/**
 * It was taken off its node, and nothing on it is wanted there any more: it is not put back for that, and may have no place by now. Without a
 * place addresses that are kept by reservations are wanted on other ENIs.
 */
function dropDrained(
  eni: PoolEni,
  { enis, instanceEnis, ...pool }: NodePool,
  { claims = [], returned, shown }: NodeDemand,
  isWanted: boolean,
): Action | undefined {
  const { expectedIps, ips, key, mode, served, state } = eni
  if (state !== 'available' || !served || expectedIps > 0 || (ips.length === 0 && isWanted)) return undefined
  const serving = enis.filter(({ goal }) => goal === 'serve')
  const ofMode = serving.filter((one) => one.mode === mode).length
  const isBeyond = serving.length > instanceEnis || ofMode > pool[mode].maxEnis
  const kept = new Set(claims.flatMap(({ address, reserved }) => (isBeyond && reserved ? [address] : [])))
  const isUnused = (address: Ipv4) =>
    returned.has(address) || (kept.has(address) && shown?.has(address) !== true)
  if (!ips.every((ip) => ip.state === 'bound' && isUnused(ip.address))) return undefined
  return { kind: 'delete', eni: key, reason: 'all its addresses are returned' }
}

/** The next step of an ENI on its way in or out. */
function advance(
  eni: PoolEni,
  pool: NodePool,
  demand: NodeDemand,
  stranded: ReadonlySet<number>,
): Action | undefined {
  if (eni.state === 'attached' && eni.goal === 'delete')
    return { kind: 'detach', eni: eni.key, reason: 'not wanted' }
  if (eni.state !== 'available') return undefined
  if (eni.goal === 'delete') return { kind: 'delete', eni: eni.key, reason: 'detached and not wanted' }
  if (hasNoPlace(eni, pool, demand))
    return { kind: 'delete', eni: eni.key, reason: 'more ENIs than the instance takes' }
  // It waits for a place, or for what is on it to go: it would be refused.
  if (stranded.has(eni.key)) return undefined
  const most = pool.quotaIpsPerEni ?? Number.POSITIVE_INFINITY
  const excess = eni.mode === 'shared' ? eni.ips.length - most : 0
  if (excess > 0) return shed(eni, excess)
  return { kind: 'attach', eni: eni.key, reason: 'created for this node' }
}

/**
 * The newest of those that have never been on the node go: they take the places of none that pods use. So does an exclusive one that was
 * taken off and that nobody there has: it is in no pod, and its agent may not give it back without having seen it.
 */
function hasNoPlace(
  eni: PoolEni,
  { enis, instanceEnis, ...pool }: NodePool,
  { unlinked }: NodeDemand,
): boolean {
  const isFree = ({ id, mode, served }: PoolEni) =>
    !served || (mode === 'exclusive' && id !== undefined && unlinked?.has(id) === true)
  const serving = enis.filter(({ goal }) => goal === 'serve')
  const unused = serving
    .filter((one) => one.state === 'available' && isFree(one))
    .toSorted((a, b) => b.key - a.key)
  const beyondMaxima = eniModes.flatMap((mode) => {
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
  const addresses = newest.slice(0, Math.min(excess, maxNamedAddresses)).map(({ address }) => address)
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
  return { kind: 'unassign', eni: eni.key, addresses: addresses.slice(0, maxNamedAddresses), reason }
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
