import assert from 'node:assert/strict'
import { test } from 'node:test'
import { countedAs } from '../../internal/ipam/count-pod.ts'
import type { EniMode, PodFact } from '../../internal/ipam/types.ts'

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
