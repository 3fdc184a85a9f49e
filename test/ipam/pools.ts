// Pools written down in short, for the tables of the core's tests.
import type { LocalEni, LocalIp } from '../../internal/ipam/choose-address.ts'
import type { EniState, NodePool, PoolEni, PoolIp } from '../../internal/ipam/pool.ts'
import type { CloudSubnet, EniMode, PoolBounds, PublishedEni } from '../../internal/ipam/types.ts'
import { cidr, ip, mac, nodeBounds, noPool } from '../given.ts'

export const T0 = Date.UTC(2026, 0, 1)
export const zone = 'zone-a'

/** Address `n` of the ENI in `slot`. */
export const addressOf = (slot: number, n: number) => ip(`10.0.${slot}.${n}`)

export interface EniShort {
  readonly slot: number
  readonly mode?: EniMode
  /** Bound addresses. */
  readonly bound?: number
  /** Asked for, in an assignment that is open. */
  readonly assigning?: number
  readonly unassigning?: number
  readonly expected?: number
  readonly state?: EniState
  readonly goal?: 'serve' | 'delete'
  readonly busy?: boolean
  readonly served?: boolean
  readonly subnetId?: string
}

export function poolEni(eni: EniShort): PoolEni {
  const { slot, bound = 0, assigning = 0, unassigning = 0, state = 'attached' } = eni
  const states: PoolIp['state'][] = [
    ...Array<'bound'>(bound).fill('bound'),
    ...Array<'unassigning'>(unassigning).fill('unassigning'),
  ]
  return {
    key: slot * 100,
    id: `eni-${slot}`,
    slot,
    mode: eni.mode ?? 'shared',
    subnetId: eni.subnetId ?? 'subnet-a',
    state,
    goal: eni.goal ?? 'serve',
    served: eni.served ?? state === 'attached',
    busy: eni.busy ?? (assigning > 0 || unassigning > 0 || (eni.expected ?? 0) > 0),
    expectedIps: (eni.expected ?? 0) + assigning,
    ips: states.map((of, i) => ({ address: addressOf(slot, i + 1), state: of, grant: slot * 1000 + i })),
  }
}

export interface PoolShort {
  readonly enis?: readonly EniShort[]
  readonly maxEnis?: number
  readonly ipsPerEni?: number
  readonly minWarm?: number
  readonly maxWarm?: number
  readonly maxPods?: number
  readonly exclusive?: Partial<PoolBounds>
  readonly instanceEnis?: number
  /** As many as `ipsPerEni` unless it says otherwise. */
  readonly quotaIpsPerEni?: number
  readonly phase?: NodePool['phase']
  readonly unclaimed?: number
}

export function poolOf(pool: PoolShort): NodePool {
  const { minWarm = 0, maxWarm = minWarm, maxEnis = 3, ipsPerEni = 5, enis = [] } = pool
  const podCap = pool.maxPods === undefined ? {} : { maxPods: pool.maxPods }
  const shared = { minWarm, maxWarm, maxEnis, ipsPerEni, ...podCap }
  const bounds = nodeBounds(shared, { ...noPool, ...pool.exclusive, ...podCap })
  return {
    node: 'n1',
    phase: pool.phase ?? 'active',
    unclaimed: pool.unclaimed ?? 0,
    ...bounds,
    instanceEnis: pool.instanceEnis ?? bounds.instanceEnis,
    quotaIpsPerEni: pool.quotaIpsPerEni ?? ipsPerEni,
    enis: enis.map(poolEni),
  }
}

export function subnet(id: string, available: number, inZone = zone): CloudSubnet {
  return { id, vpcId: 'vpc-1', cidr: cidr('10.0.0.0/16'), zone: inZone, available }
}

/** "1.3" in use, "1.3 r" returning, "1.3 c40" cooling until T0 + 40, "1.3 u" no longer published, "1.3 =web-0" for that pod, "1.3 *" in use, "1.3 e1" with an EIP of the pod with uid "1", "1.3 e" of one that has gone. */
export function localIps(...shorts: readonly string[]): LocalIp[] {
  return shorts.map((short) => {
    const [place = '', ...marks] = short.split(' ')
    const [slot, n] = place.split('.').map(Number)
    const claim = marks.find((mark) => mark.startsWith('='))?.slice(1)
    const cooling = marks.find((mark) => mark.startsWith('c'))
    const eipFor = marks.find((mark) => mark.startsWith('e'))?.slice(1)
    return {
      address: addressOf(slot ?? 0, n ?? 0),
      eniId: `eni-${slot}`,
      grant: 1,
      state: marks.includes('r') ? 'returning' : 'usable',
      published: !marks.includes('u'),
      inUse: marks.includes('*'),
      coolingUntil: cooling === undefined ? 0 : T0 + Number(cooling.slice(1)),
      ...(claim === undefined ? {} : { claim: { namespace: 'shop', name: claim } }),
      ...(eipFor !== undefined && { eipFor }),
    }
  })
}

export const localEnis = (...slots: readonly number[]): LocalEni[] =>
  slots.map((slot) => ({ id: `eni-${slot}`, slot }))

/** A published ENI of `slot` with addresses `n`, `n:grant` or `n:grant:pod` for the pod of that name. */
export function publishedEni(slot: number, ...addresses: readonly string[]): PublishedEni {
  return {
    id: `eni-${slot}`,
    mac: mac(`20:90:6f:00:00:0${slot}`),
    primaryIp: addressOf(slot, 250),
    subnetId: 'subnet-a',
    subnetCidr: cidr('10.0.0.0/16'),
    gateway: ip('10.0.0.1'),
    slot,
    mode: 'shared',
    ips: addresses.map((short) => {
      const [n, grant, name] = short.split(':')
      const claim = name === undefined ? {} : { claim: { namespace: 'shop', name } }
      const [otherSlot, other] = (n ?? '').includes('.') ? (n ?? '').split('.') : [String(slot), n]
      return { address: addressOf(Number(otherSlot), Number(other)), grant: Number(grant ?? 1), ...claim }
    }),
  }
}

/** A published exclusive ENI of `slot`, whose own address is bound under `grant`. */
export function publishedExclusive(slot: number, grant = 1): PublishedEni {
  const { primaryIp, ...eni } = publishedEni(slot)
  return { ...eni, mode: 'exclusive', primaryIp, ips: [{ address: primaryIp, grant }] }
}
