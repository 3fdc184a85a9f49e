// Which pools are cut, so that pods have the places that idle ENIs hold, and what is left has its places.
import assert from 'node:assert/strict'
import { test } from 'node:test'
import { withinPlaces } from '../../internal/ipam/plan-return.ts'
import type { NodeBounds } from '../../internal/ipam/types.ts'
import { localIps } from './pools.ts'

interface Row {
  readonly does: string
  /** ENIs 1 to 3 are shared, 4 to 6 exclusive. */
  readonly ips: readonly string[]
  readonly places: number
  /** That count, of either kind; as many as have an address when it is not said. */
  readonly pods?: readonly [shared: number, exclusive: number]
  readonly maxPods?: number
  /** Maxima of shared and exclusive ENIs afterwards; 3 each before. */
  readonly want: readonly [shared: number, exclusive: number]
}

const rows: readonly Row[] = [
  { does: 'changes nothing where all have places', ips: ['1.1', '4.1'], places: 2, want: [3, 3] },
  {
    does: 'cuts exclusive ENIs that no pod has first',
    ips: ['1.1', '4.1', '5.1 *'],
    places: 2,
    want: [3, 1],
  },
  {
    // An instance was made smaller while one of its ENIs was off it: that one was put back for ever.
    does: 'cuts shared ENIs that no pod uses when pods have every exclusive one',
    ips: ['1.1', '1.2', '2.1 *', '4.1 *', '5.1 *'],
    places: 3,
    want: [1, 3],
  },
  { does: 'cuts both when one is not enough', ips: ['1.1', '2.1', '4.1'], places: 1, want: [1, 0] },
  { does: 'cuts nothing that pods use', ips: ['1.1 *', '4.1 *'], places: 1, want: [3, 3] },
  {
    // It stayed, and the pods waited for ever.
    does: 'cuts an idle exclusive ENI when pods that want addresses need its place',
    ips: ['1.1 *', '1.2 *', '2.1 *', '2.2 *', '4.1'],
    places: 3,
    pods: [5, 0],
    want: [3, 0],
  },
  {
    does: 'cuts none for pods that the ENIs there can carry',
    ips: ['1.1 *', '2.1 *', '4.1'],
    places: 3,
    pods: [4, 0],
    want: [3, 3],
  },
  {
    does: 'cuts a shared ENI with idle addresses alone when a pod waits for an ENI',
    ips: ['1.1 *', '2.1', '2.2', '4.1 *'],
    places: 3,
    pods: [1, 2],
    want: [1, 3],
  },
  {
    does: 'leaves the idle addresses of an ENI that pods use',
    ips: ['1.1 *', '2.1 *', '2.2', '4.1 *'],
    places: 3,
    pods: [2, 2],
    want: [3, 3],
  },
  {
    does: 'leaves the ENI that a waiting pod is about to have',
    ips: ['1.1 *', '1.2 *', '2.1 *', '2.2 *', '4.1'],
    places: 3,
    pods: [5, 1],
    want: [3, 3],
  },
  {
    does: 'leaves the addresses that waiting pods are about to have',
    ips: ['1.1 *', '1.2 *', '2.1', '4.1 *'],
    places: 3,
    pods: [3, 2],
    want: [3, 3],
  },
  {
    // It was off its node and there was no place to put it back to, for ever.
    does: 'cuts an ENI that pods only wait for when pods have all places',
    ips: ['1.1', '1.2', '4.1 *', '5.1 *', '6.1 *'],
    places: 3,
    pods: [2, 3],
    want: [0, 3],
  },
  {
    does: 'takes no place for pods beyond the maximum of their own kind',
    ips: ['1.1 *', '1.2 *', '2.1 *', '2.2 *', '3.1 *', '3.2 *', '4.1'],
    places: 4,
    pods: [9, 0],
    want: [3, 3],
  },
  {
    does: 'needs no ENI more for pods on one with more addresses than a lowered maximum',
    ips: ['1.1 *', '1.2 *', '1.3 *', '1.4 *', '4.1', '5.1'],
    places: 3,
    pods: [4, 0],
    want: [3, 3],
  },
  {
    // Leader and agent did not agree, and the pods waited for ever.
    does: 'cuts an idle exclusive ENI when claimed addresses have taken the places of pods that want some',
    ips: ['1.1 *', '1.2 * =web-0', '2.1 *', '2.2 =web-1', '4.1'],
    places: 3,
    pods: [3, 0],
    want: [3, 0],
  },
  {
    // Counted against the most pods, a claimed address took the place of one that waited.
    does: 'cuts it also where the kubelet runs no more pods than one ENI carries, and a claimed address is beside them',
    ips: ['1.1 *', '1.2 =web-0 r', '4.1'],
    places: 2,
    pods: [2, 0],
    maxPods: 2,
    want: [3, 0],
  },
  { does: 'counts none that is given back already', ips: ['1.1 r', '2.1 u', '4.1'], places: 1, want: [3, 3] },
]

const pool = { minWarm: 0, maxWarm: 1, maxEnis: 3, ipsPerEni: 2 }
const enis = [1, 2, 3, 4, 5, 6].map((slot) => ({
  id: `eni-${slot}`,
  mode: slot < 4 ? ('shared' as const) : ('exclusive' as const),
}))

for (const { does, ips, maxPods, places, pods = [0, 0], want } of rows) {
  test(`[X3] withinPlaces() ${does}`, () => {
    const shared = { ...pool, ...(maxPods !== undefined && { maxPods }) }
    const bounds: NodeBounds = { instanceEnis: places, shared, exclusive: { ...shared, ipsPerEni: 1 } }
    const within = withinPlaces(bounds, localIps(...ips), enis, { shared: pods[0], exclusive: pods[1] })
    assert.deepEqual([within.shared.maxEnis, within.exclusive.maxEnis], want)
  })
}
