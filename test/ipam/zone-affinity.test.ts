// What is added to a pod that has to run in the zone of its address. Every patch is applied, and the outcome asked about nodes.
import assert from 'node:assert/strict'
import { test } from 'node:test'
import type { Json, JsonObject } from '../../internal/apiserver/object.ts'
import { applyJsonPatch } from '../../internal/apiserver/patch/json-patch.ts'
import { cloudZoneLabel, oldZoneLabel, selects, zoneLabel } from '../../internal/ipam/node-affinity.ts'
import { type ZoneOfNodes, zoneAffinityPatch } from '../../internal/ipam/zone-affinity.ts'
import { readPlacement } from '../../internal/wire/pod-placement.ts'

const zone: ZoneOfNodes = { name: 'ap-guangzhou-3', labels: ['100003'] }
const ours = { key: zoneLabel, operator: 'In', values: ['100003'] }
const disk = { key: 'disk', operator: 'In', values: ['ssd'] }
const here = {
  name: 'here',
  labels: { [zoneLabel]: '100003', [cloudZoneLabel]: 'ap-guangzhou-3', disk: 'ssd' },
}
const there = { name: 'there', labels: { ...here.labels, [zoneLabel]: '100004' } }
const named = (name: string) => ({ key: 'metadata.name', operator: 'In', values: [name] })

const requiring = (...terms: readonly object[]): JsonObject => ({
  affinity: {
    nodeAffinity: { requiredDuringSchedulingIgnoredDuringExecution: { nodeSelectorTerms: terms as Json[] } },
  },
})

for (const { does, spec, terms } of [
  { does: 'makes all of an affinity', spec: {}, terms: [{ matchExpressions: [ours] }] },
  { does: 'takes null for nothing', spec: { affinity: null }, terms: [{ matchExpressions: [ours] }] },
  {
    does: 'keeps other affinities',
    spec: { affinity: { podAntiAffinity: { a: 1 } } },
    terms: [{ matchExpressions: [ours] }],
  },
  {
    does: 'keeps preferences',
    spec: { affinity: { nodeAffinity: { preferredDuringSchedulingIgnoredDuringExecution: [] } } },
    terms: [{ matchExpressions: [ours] }],
  },
  {
    does: 'adds to every term: any of them may be the one',
    spec: requiring({ matchExpressions: [disk] }, { matchExpressions: [{ ...disk, values: ['hdd'] }] }),
    terms: [{ matchExpressions: [disk, ours] }, { matchExpressions: [{ ...disk, values: ['hdd'] }, ours] }],
  },
  {
    does: 'adds to a term of fields',
    spec: requiring({ matchFields: [named('here')] }),
    terms: [{ matchFields: [named('here')], matchExpressions: [ours] }],
  },
  {
    does: 'leaves a term that selects nothing as it is',
    spec: requiring({}, { matchExpressions: [] }, { matchExpressions: [disk] }),
    terms: [{}, { matchExpressions: [] }, { matchExpressions: [disk, ours] }],
  },
  {
    does: 'narrows zones that it may be in',
    spec: requiring({ matchExpressions: [{ ...ours, values: ['100003', '100004'] }] }),
    terms: [{ matchExpressions: [{ ...ours, values: ['100003', '100004'] }, ours] }],
  },
  {
    does: 'adds to a term of another zone beside one of this',
    spec: requiring({ matchExpressions: [{ ...ours, values: ['100004'] }] }, { matchExpressions: [ours] }),
    terms: [{ matchExpressions: [{ ...ours, values: ['100004'] }, ours] }, { matchExpressions: [ours] }],
  },
  {
    does: 'adds nothing twice',
    spec: requiring({ matchExpressions: [disk, ours] }),
    terms: [{ matchExpressions: [disk, ours] }],
  },
  {
    does: 'adds nothing where a selector says it',
    spec: { nodeSelector: { [zoneLabel]: '100003' } },
    terms: undefined,
  },
  { does: 'leaves a pod alone that is on a node', spec: { nodeName: 'there' }, terms: undefined },
])
  test(`[S10] zoneAffinityPatch() ${does}`, () => {
    const patched = patchedSpec(spec)
    assert.deepEqual(readPlacement(patched)?.terms, terms)
    if (terms === undefined) assert.deepEqual(patched, spec)
    assert.deepEqual(zoneAffinityPatch(placementOf(patched), zone), [])
    if (!('nodeName' in spec)) assert.equal(selects(placementOf(patched), there), false)
    if (selects(placementOf(spec), here)) assert.equal(selects(placementOf(patched), here), true)
  })

for (const { does, spec } of [
  { does: 'a selector of another zone', spec: { nodeSelector: { [zoneLabel]: '100004' } } },
  { does: 'a selector by the older label', spec: { nodeSelector: { [oldZoneLabel]: '100004' } } },
  { does: "a selector in the cloud's words", spec: { nodeSelector: { [cloudZoneLabel]: 'ap-guangzhou-4' } } },
  {
    does: 'a term of another zone',
    spec: requiring({ matchExpressions: [{ ...ours, values: ['100004'] }] }),
  },
  { does: 'any zone but this', spec: requiring({ matchExpressions: [{ ...ours, operator: 'NotIn' }] }) },
  { does: 'a later zone', spec: requiring({ matchExpressions: [{ ...ours, operator: 'Gt' }] }) },
  {
    does: 'nodes without a zone',
    spec: requiring({ matchExpressions: [{ key: zoneLabel, operator: 'DoesNotExist' }] }),
  },
  { does: 'no node at all', spec: requiring({}) },
  {
    does: 'an operator that nobody knows',
    spec: requiring({ matchExpressions: [{ ...ours, operator: 'Near' }] }),
  },
])
  test(`[S10] zoneAffinityPatch() leaves a pod as it is that asks for ${does}`, () => {
    assert.equal(zoneAffinityPatch(placementOf(spec), zone), 'elsewhere')
  })

test('zoneAffinityPatch() keeps what else the pod says of affinity', () => {
  const podAntiAffinity = { preferredDuringSchedulingIgnoredDuringExecution: [] }
  const preferred = { preferredDuringSchedulingIgnoredDuringExecution: [] }
  const patched = patchedSpec({ affinity: { nodeAffinity: preferred, podAntiAffinity } })
  assert.partialDeepStrictEqual(patched, { affinity: { nodeAffinity: preferred, podAntiAffinity } })
})

test('zoneAffinityPatch() takes any label that nodes of the zone have', () => {
  const two = { ...zone, labels: ['100003', 'zone-c'] }
  const patch = zoneAffinityPatch(placementOf({ nodeSelector: { [oldZoneLabel]: 'zone-c' } }), two)
  assert.match(JSON.stringify(patch), /"values":\["100003","zone-c"\]/)
})

function placementOf(spec: JsonObject) {
  const placement = readPlacement(spec)
  assert.ok(placement)
  return placement
}

function patchedSpec(spec: JsonObject): JsonObject {
  const patch = zoneAffinityPatch(placementOf(spec), zone)
  assert.notEqual(patch, 'elsewhere')
  return applyJsonPatch({ spec }, patch as unknown as Json)['spec'] as JsonObject
}
