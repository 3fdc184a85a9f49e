import assert from 'node:assert/strict'
import { test } from 'node:test'
import { countsForRouteEni } from '../../internal/ipam/count-pod.ts'
import type { PodFact } from '../../internal/ipam/types.ts'

const pod: PodFact = {
  namespace: 'default',
  name: 'web-0',
  uid: 'uid-1',
  node: 'n1',
  hostNetwork: false,
  terminal: false,
  deleting: false,
  wantsRouteEni: true,
  ip: undefined,
}

for (const { does, is, want } of [
  { does: 'counts a scheduled pod that asks for an address', is: {}, want: true },
  { does: 'counts one that is being deleted: it still has its address', is: { deleting: true }, want: true },
  { does: 'passes over one that is not scheduled', is: { node: undefined }, want: false },
  { does: "passes over one on the node's network", is: { hostNetwork: true }, want: false },
  { does: 'passes over one that has ended', is: { terminal: true }, want: false },
  { does: 'passes over one of another network', is: { wantsRouteEni: false }, want: false },
]) {
  test(`[P18] countsForRouteEni() ${does}`, () => assert.equal(countsForRouteEni({ ...pod, ...is }), want))
}
