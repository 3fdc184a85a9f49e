import assert from 'node:assert/strict'
import { test } from 'node:test'
import { countedAs, countedIn } from '../../internal/ipam/count-pod.ts'
import type { EniMode, PodFact } from '../../internal/ipam/types.ts'
import { ip } from '../given.ts'

const pod: PodFact = {
  namespace: 'default',
  name: 'web-0',
  uid: 'uid-1',
  node: 'n1',
  hostNetwork: false,
  terminal: false,
  deleting: false,
  wants: 'shared',
  ip: undefined,
  keepsIp: false,
}

interface Row {
  readonly does: string
  readonly is: Partial<PodFact>
  readonly want: EniMode | undefined
}

const rows: readonly Row[] = [
  { does: 'counts a scheduled pod that asks for an address', is: {}, want: 'shared' },
  {
    does: 'counts one that asks for an ENI apart',
    is: { wants: 'exclusive' },
    want: 'exclusive',
  },
  {
    does: 'counts one that is being deleted: it still has its address',
    is: { deleting: true },
    want: 'shared',
  },
  { does: 'passes over one that is not scheduled', is: { node: undefined }, want: undefined },
  { does: "passes over one on the node's network", is: { hostNetwork: true }, want: undefined },
  { does: 'passes over one that has ended', is: { terminal: true }, want: undefined },
  {
    does: 'passes over one that has ended, whatever it asks for',
    is: { terminal: true, wants: 'exclusive' },
    want: undefined,
  },
  { does: 'passes over one of another network', is: { wants: undefined }, want: undefined },
]

for (const { does, is, want } of rows)
  test(`[P18] countedAs() ${does}`, () => assert.equal(countedAs({ ...pod, ...is }), want))

test('[P18] countedIn() counts a pod where it has its address, else where it wants one', () => {
  const poolOf = (address: string): EniMode | undefined => (address === '10.0.1.5' ? 'shared' : undefined)
  const wanting = { ...pod, wants: 'exclusive' as const }
  assert.equal(countedIn(wanting, poolOf), 'exclusive')
  assert.equal(countedIn({ ...wanting, ip: ip('10.0.1.5') }, poolOf), 'shared')
  assert.equal(
    countedIn({ ...wanting, ip: ip('10.0.1.6') }, poolOf),
    'exclusive',
    'nobody knows that address',
  )
  assert.equal(countedIn({ ...wanting, ip: ip('10.0.1.5'), terminal: true }, poolOf), undefined)
  assert.equal(countedIn({ ...pod, wants: undefined, ip: ip('10.0.1.5') }, poolOf), undefined)
})
