// A node's pools as the leader's ledger holds them, and the counts everybody derives from them.
import type { Ipv4 } from '../value/ipv4.ts'
import type {
  EniId,
  EniLimits,
  EniMode,
  NodeBounds,
  NodeName,
  PodName,
  PoolBounds,
  SubnetId,
} from './types.ts'

/** `creating` has no cloud id yet; `available` exists but is attached to nothing. */
export type EniState = 'creating' | 'available' | 'attaching' | 'attached' | 'detaching' | 'deleting'
/** `held` is in quarantine: neither handed out nor given back. */
export type IpState = 'bound' | 'unassigning' | 'held'

export interface PoolIp {
  readonly address: Ipv4
  readonly state: IpState
  readonly grant: number
  /** It is kept for the pod of that name: no other gets it. */
  readonly claim?: PodName
}

export interface PoolEni {
  /** The ledger's own key: known before the cloud's id is. */
  readonly key: number
  readonly id: EniId | undefined
  readonly slot: number
  readonly mode: EniMode
  readonly subnetId: SubnetId
  readonly state: EniState
  /** Once `delete`, an ENI never serves again. */
  readonly goal: 'serve' | 'delete'
  /** It has been on the node: pods may use what is on it. */
  readonly served: boolean
  /** An intent on it is open: nothing else may be started. */
  readonly busy: boolean
  /** In quarantine: nothing may be started, and nothing on it serves. */
  readonly held?: boolean
  /** Addresses for pods that were asked for and are not known yet, by creation or assignment. */
  readonly expectedIps: number
  /** For pods: of an exclusive ENI its primary address. */
  readonly ips: readonly PoolIp[]
}

export interface NodePool extends NodeBounds {
  readonly node: NodeName
  /** A `leaving` node gives everything back. */
  readonly phase: 'active' | 'leaving'
  readonly enis: readonly PoolEni[]
  /** Pod addresses that the instance takes on an ENI, whatever lower maximum is set; undefined when nobody has asked yet. */
  readonly quotaIpsPerEni?: number | undefined
  /** ENIs that the cloud shows with the node's tag, and that come into the ledger when a second view shows them too. */
  readonly unclaimed?: number
}

/** Max bindable addresses of a pool (P14); of exclusive ENIs, whose `ipsPerEni` is 1, the ENIs. More than pods can be on the node serve nobody. */
export function maxBindable({ ipsPerEni, maxEnis, maxPods }: EniLimits): number {
  return Math.min(maxEnis * ipsPerEni, maxPods ?? Number.POSITIVE_INFINITY)
}

/** What is bound and no pod can get leaves as many pods to be served beside it. */
export function besides(bounds: NodeBounds, withheld: Readonly<Record<EniMode, number>>): NodeBounds {
  const of = (mode: EniMode): PoolBounds => {
    const { maxPods, ...rest } = bounds[mode]
    return maxPods === undefined ? rest : { ...rest, maxPods: maxPods + withheld[mode] }
  }
  return { ...bounds, shared: of('shared'), exclusive: of('exclusive') }
}

/** Has the node a place for one more shared ENI beside these? */
export function takesSharedEni(
  { instanceEnis, shared, unclaimed = 0 }: Pick<NodePool, 'instanceEnis' | 'shared' | 'unclaimed'>,
  enis: readonly Pick<PoolEni, 'mode'>[],
): boolean {
  const ofMode = enis.filter(({ mode }) => mode === 'shared').length
  return shared.ipsPerEni > 0 && enis.length + unclaimed < instanceEnis && ofMode + unclaimed < shared.maxEnis
}

/** Addresses that occupy the ENI's quota, on their way in or out included. */
export function occupied(eni: PoolEni): number {
  return eni.ips.length + eni.expectedIps
}

/** Addresses of the ENI that serve the pool or soon will; `returned` ones do no more. */
export function serving(eni: PoolEni, returned: ReadonlySet<Ipv4>): number {
  if (eni.goal === 'delete' || eni.held) return 0
  return eni.expectedIps + eni.ips.filter((ip) => serves(ip, returned)).length
}

/** Is it one that pods of the pool can have? */
export function serves({ address, claim, state }: PoolIp, returned: ReadonlySet<Ipv4>): boolean {
  return state === 'bound' && claim === undefined && !returned.has(address)
}

/** What serves a pool of the node, or soon will, altogether. */
export function servingIn(
  { enis }: Pick<NodePool, 'enis'>,
  mode: EniMode,
  returned: ReadonlySet<Ipv4>,
): number {
  return enis.reduce((sum, eni) => sum + (eni.mode === mode ? serving(eni, returned) : 0), 0)
}

/** Addresses on the ENI that are kept for static pods: they take places, and serve no pool. */
export function claimedOn({ ips }: PoolEni): number {
  return ips.filter(({ claim }) => claim !== undefined).length
}

/** Of each address that is bound to the node, whose it is. */
export function poolOf({ enis }: Pick<NodePool, 'enis'>): (address: Ipv4) => EniMode | undefined {
  const modes = new Map(enis.flatMap(({ ips, mode }) => ips.map(({ address }) => [address, mode] as const)))
  return (address) => modes.get(address)
}

/**
 * ENIs off the node that it has no place for: its instance was made smaller meanwhile. Of those that are off it, and on which no pod can have
 * anything, the ones with fewest claimed addresses; what is left of them has places, so that none waits for another.
 */
export function strandedEnis(
  { enis, instanceEnis }: Pick<NodePool, 'enis' | 'instanceEnis'>,
  { returned, shown }: { readonly returned: ReadonlySet<Ipv4>; readonly shown?: ReadonlySet<Ipv4> },
): ReadonlySet<number> {
  const serving = enis.filter(({ goal }) => goal === 'serve')
  const isUnused = ({ address, claim }: PoolIp) =>
    (claim !== undefined || returned.has(address)) && shown?.has(address) !== true
  const off = serving
    .filter(({ ips, state }) => state === 'available' && ips.every(isUnused))
    .toSorted((a, b) => claimedOn(a) - claimedOn(b) || b.slot - a.slot)
  return new Set(off.slice(0, Math.max(0, serving.length - instanceEnis)).map(({ key }) => key))
}

/**
 * ENIs beyond the maximum, which somebody has lowered: those with fewest addresses that are claimed or that pods show, then those that serve
 * with fewest, so that it is the one that the agent drains; among equals the latest. They grow no more.
 */
export function surplusEnis(
  pool: NodePool,
  mode: EniMode,
  { returned, shown }: { readonly returned: ReadonlySet<Ipv4>; readonly shown?: ReadonlySet<Ipv4> },
): readonly PoolEni[] {
  const enis = pool.enis.filter((eni) => eni.mode === mode && eni.goal === 'serve')
  const used = ({ ips }: PoolEni) =>
    ips.filter(({ address, claim }) => claim !== undefined || shown?.has(address) === true).length
  const emptiest = enis.toSorted(
    (a, b) => used(a) - used(b) || serving(a, returned) - serving(b, returned) || b.slot - a.slot,
  )
  return emptiest.slice(0, Math.max(0, enis.length - pool[mode].maxEnis))
}
