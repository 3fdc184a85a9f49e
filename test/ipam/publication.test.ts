import assert from 'node:assert/strict'
import { test } from 'node:test'
import type { PoolCondition } from '../../internal/ipam/pool-condition.ts'
import { type NecCondition, publicationOf, samePublication } from '../../internal/ipam/publication.ts'
import type { LedgerNodeView } from '../../internal/ipam/types.ts'
import { decodeNec, encodePublication } from '../../internal/wire/nec.ts'
import { nodeBounds } from '../given.ts'
import { publishedEni, publishedExclusive } from './pools.ts'

const node: LedgerNodeView = {
  name: 'n1',
  instanceId: 'ins-1',
  zone: 'zone-a',
  ...nodeBounds({ minWarm: 5, maxWarm: 5, maxEnis: 3, ipsPerEni: 9 }),
}
const served: PoolCondition = { type: 'Ready', ok: true, reason: 'PoolServed', message: 'well' }
const monday = { at: 'monday', epoch: 1 }
const full: PoolCondition = { type: 'Ready', ok: false, reason: 'NodeFull', message: 'not well' }

test('[K3] publicationOf() moves the transition time of a condition only when its status changes', () => {
  const first = publicationOf(node, [], [served], [], monday)
  assert.equal(first.conditions[0]?.lastTransitionTime, 'monday')
  const second = publicationOf(node, [], [{ ...served, message: 'very well' }], first.conditions, {
    at: 'tuesday',
    epoch: 1,
  })
  assert.equal(second.conditions[0]?.lastTransitionTime, 'monday')
  const third = publicationOf(node, [], [full], second.conditions, { at: 'wednesday', epoch: 1 })
  assert.deepEqual(third.conditions, [
    {
      type: 'Ready',
      status: 'False',
      reason: 'NodeFull',
      message: 'not well',
      lastTransitionTime: 'wednesday',
    },
  ])
})

test('[K3] publicationOf() keeps the transition times of two conditions apart', () => {
  const applied: NecCondition = { type: 'SettingsApplied', ok: true, reason: 'Applied', message: 'all' }
  const first = publicationOf(node, [], [served, applied], [], monday)
  const tuesday = { at: 'tuesday', epoch: 1 }
  const refused = { ...applied, ok: false, reason: 'InvalidAnnotation' }
  const second = publicationOf(node, [], [served, refused], first.conditions, tuesday)
  assert.deepEqual(
    second.conditions.map(({ type, status, lastTransitionTime }) => [type, status, lastTransitionTime]),
    [
      ['Ready', 'True', 'monday'],
      ['SettingsApplied', 'False', 'tuesday'],
    ],
  )
})

test('publicationOf() tells of shared ENIs first, as they are read back, whatever their slots', () => {
  const enis = [publishedExclusive(1), publishedEni(2), publishedExclusive(3), publishedEni(4)]
  const publication = publicationOf(node, enis, [served], [], monday)
  assert.deepEqual(
    publication.enis.map(({ slot }) => slot),
    [2, 4, 1, 3],
  )
  const { spec, status } = encodePublication(publication)
  const shown = decodeNec({ metadata: { name: 'n1' }, spec, status })?.publication
  assert.ok(shown !== undefined && samePublication(shown, publication), 'it would be written again forever')
})

test('[S4] publicationOf() tells of claimed addresses last, as they are read back', () => {
  const eni = publishedEni(1, '1', '2', '3')
  const claim = { namespace: 'shop', name: 'web-0' }
  const enis = [{ ...eni, ips: eni.ips.map((one, i) => (i === 0 ? { ...one, claim } : one)) }]
  const publication = publicationOf(node, enis, [served], [], { ...monday, staticIps: true })
  const { spec, status } = encodePublication(publication)
  const shown = decodeNec({ metadata: { name: 'n1' }, spec, status })?.publication
  assert.ok(shown !== undefined && samePublication(shown, publication), 'it would be written again forever')
  assert.deepEqual(shown.enis[0]?.ips.at(-1), { ...eni.ips[0], claim })
})

test('[R7] publicationOf() leaves out an exclusive ENI whose address is not for pods now', () => {
  const enis = [publishedEni(1), publishedExclusive(2), { ...publishedExclusive(3), ips: [] }]
  const { enis: told } = publicationOf(node, enis, [served], [], monday)
  assert.deepEqual(
    told.map(({ id }) => id),
    ['eni-1', 'eni-2'],
  )
})

test('samePublication() looks at what is said, not at the order of keys', () => {
  const one = publicationOf(node, [publishedEni(1, '1', '2')], [served], [], monday)
  const other = JSON.parse(JSON.stringify(one, Object.keys(flat(one)).toReversed())) as typeof one
  assert.ok(samePublication(one, other))
  assert.ok(!samePublication(one, { ...one, epoch: 2 }))
  assert.ok(!samePublication(one, { ...one, exclusive: { ...one.exclusive, maxEnis: 1 } }))
  assert.ok(!samePublication(one, { ...one, enis: [publishedEni(1, '1')] }))
  assert.ok(!samePublication(one, { ...one, enis: [publishedEni(1, '2', '1')] }))
})

/** Every key that occurs anywhere. */
function flat(value: unknown, into: Record<string, true> = {}): Record<string, true> {
  if (value !== null && typeof value === 'object') {
    for (const [key, inner] of Object.entries(value)) {
      if (!Array.isArray(value)) into[key] = true
      flat(inner, into)
    }
  }
  return into
}
