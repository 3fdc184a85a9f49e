// A node with more ENIs than its instance takes: which pools are cut, so that what is left has its places.
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
  { does: 'counts none that is given back already', ips: ['1.1 r', '2.1 u', '4.1'], places: 1, want: [3, 3] },
]

const pool = { minWarm: 0, maxWarm: 1, maxEnis: 3, ipsPerEni: 9 }
const enis = [1, 2, 3, 4, 5, 6].map((slot) => ({
  id: `eni-${slot}`,
  mode: slot < 4 ? ('shared' as const) : ('exclusive' as const),
}))

for (const { does, ips, places, want } of rows) {
  test(`[X3] withinPlaces() ${does}`, () => {
    const bounds: NodeBounds = { instanceEnis: places, shared: pool, exclusive: { ...pool, ipsPerEni: 1 } }
    const { shared, exclusive } = withinPlaces(bounds, localIps(...ips), enis)
    assert.deepEqual([shared.maxEnis, exclusive.maxEnis], want)
  })
}
