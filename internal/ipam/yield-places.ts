// Which ENIs make room where claims wait for it, and neither the node has a place nor their subnets have an address for another (X3, S4):
// pods come before warm ones, also where these have the places already. The node is told how many addresses of the pool each may keep; it gives back idle ones beyond that.

import type { NodeDemand } from './plan-node.ts'
import type { NodePool, PoolEni, PoolIp } from './pool.ts'
import { serves, strandedEnis } from './pool.ts'
import type { SubnetId } from './types.ts'

/** A claim that no ENI of the node can take, of one of these subnets. */
export interface Unplaced {
  readonly subnetIds: readonly SubnetId[]
  readonly why: 'node-full' | 'subnets-full'
}

/** By key of the ENI: the most addresses of its pool that it is to have; those that may all go have none. The same until the room is there. */
export function yieldPlaces(
  pool: NodePool,
  waiting: readonly Unplaced[],
  demand: Pick<NodeDemand, 'returned' | 'shown'>,
): ReadonlyMap<number, number> {
  if (waiting.length === 0 || pool.shared.ipsPerEni === 0) return new Map()
  const stranded = strandedEnis(pool, demand)
  const enis = pool.enis.filter(({ goal, held, key }) => goal === 'serve' && !held && !stranded.has(key))
  const sources = enis.map((eni) => ({ eni, ...countFree(eni, demand) }))
  // What is on its way out goes on: the plan is the same as before. Then on the fullest ENI, so that others drain (P12).
  const inOrder = sources.toSorted((a, b) => b.going - a.going || a.free - b.free || a.eni.slot - b.eni.slot)
  const given = new Map<PoolEni, number>()
  const left = waiting.filter(({ subnetIds }) => {
    const source = inOrder.find(
      ({ eni, free }) =>
        eni.mode === 'shared' && subnetIds.includes(eni.subnetId) && free > (given.get(eni) ?? 0),
    )
    if (source !== undefined) given.set(source.eni, (given.get(source.eni) ?? 0) + 1)
    return source === undefined
  })
  // Another ENI in the place of one takes an address of their subnets.
  const placeless = left.filter(({ why }) => why === 'node-full')
  const whole = wholeEnis(pool, enis, placeless, demand).filter((eni) => !given.has(eni))
  return new Map([
    ...[...given].map(([eni, count]) => [eni.key, ofPool(eni).length - count] as const),
    ...whole.map((eni) => [eni.key, 0] as const),
  ])
}

/** ENIs on which nobody has anything, for others of the claims' own subnets; exclusive ones first, then the smallest. */
function wholeEnis(
  pool: NodePool,
  enis: readonly PoolEni[],
  left: readonly Unplaced[],
  demand: Pick<NodeDemand, 'returned' | 'shown'>,
): readonly PoolEni[] {
  const bySubnet = Map.groupBy(left, ({ subnetIds }) => subnetIds[0])
  const wanted = [...bySubnet.values()].reduce(
    (sum, claims) => sum + Math.ceil(claims.length / pool.shared.ipsPerEni),
    0,
  )
  const leaving = pool.enis.length - pool.enis.filter(({ goal }) => goal === 'serve').length
  const beyondShared = pool.enis.filter(({ mode }) => mode === 'shared').length >= pool.shared.maxEnis
  const unused = enis
    .filter((eni) => eni.expectedIps === 0 && (eni.mode === 'shared' || !beyondShared))
    .map((eni) => ({ eni, ...countFree(eni, demand) }))
    .filter(({ eni, free }) => free === eni.ips.length)
  return unused
    .toSorted(
      (a, b) =>
        b.going - a.going ||
        Number(a.eni.mode === 'shared') - Number(b.eni.mode === 'shared') ||
        a.free - b.free ||
        b.eni.slot - a.eni.slot,
    )
    .slice(0, Math.max(0, wanted - leaving))
    .map(({ eni }) => eni)
}

/** Addresses that no pod shows, as far as the leader knows, and those of them that go already. */
function countFree(
  eni: PoolEni,
  { returned, shown }: Pick<NodeDemand, 'returned' | 'shown'>,
): { readonly free: number; readonly going: number } {
  const free = ofPool(eni).filter(({ address, state }) => state !== 'held' && shown?.has(address) !== true)
  const going = free.filter((ip) => !serves(ip, returned))
  return { free: free.length, going: going.length }
}

function ofPool({ ips }: PoolEni): readonly PoolIp[] {
  return ips.filter(({ claim }) => claim === undefined)
}
