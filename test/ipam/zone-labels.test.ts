import assert from 'node:assert/strict'
import { test } from 'node:test'
import { zonesByLabels } from '../../internal/ipam/zone-labels.ts'

for (const { does, nodes, zones } of [
  { does: 'knows nothing without nodes', nodes: '', zones: {} },
  {
    does: 'takes what nodes are labelled with',
    nodes: 'a=100003 a=100003 b=100004',
    zones: { a: ['100003'], b: ['100004'] },
  },
  { does: 'takes all labels of a zone, in order', nodes: 'a=y a=x b=z', zones: { a: ['x', 'y'], b: ['z'] } },
  { does: 'leaves out labels that say nothing of the zone', nodes: 'a=all a=x b=all', zones: { a: ['x'] } },
  { does: 'leaves out nodes without one', nodes: 'a= b=100004', zones: { b: ['100004'] } },
])
  test(`[S10] zonesByLabels() ${does}`, () => {
    const labelled = nodes
      .split(' ')
      .filter((node) => node !== '')
      .map((node) => node.split('='))
      .map(([zone = '', label]) => ({ zone, label: label || undefined }))
    const found = [...zonesByLabels(labelled).values()].map(({ labels, name }) => [name, labels])
    assert.deepEqual(Object.fromEntries(found), zones)
  })
