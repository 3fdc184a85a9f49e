import assert from 'node:assert/strict'
import { test } from 'node:test'
import fc from 'fast-check'
import { createdTag } from '../../internal/ipam/eip-tags.ts'
import { type EipContender, type EipPick, pickEips } from '../../internal/ipam/pick-eip.ts'
import type { CloudEip, PodName } from '../../internal/ipam/types.ts'
import { ip } from '../given.ts'

const place = { address: ip('10.0.1.5'), eniId: 'eni-1' }

function eip(id: string, change: Partial<CloudEip> = {}): CloudEip {
  const nowhere = { eniId: undefined, privateIp: undefined, instanceId: undefined }
  return {
    ...{ id, address: ip('1.2.3.4'), state: 'unbound', ...nowhere, bandwidth: 1, chargeType: undefined },
    ...{ isp: 'BGP', arrears: false, blocked: false, name: '', tags: {} },
    ...change,
  } as CloudEip
}

function contender(
  key: number,
  ids: readonly string[],
  change: Partial<EipContender> & { ordinal?: number } = {},
): EipContender {
  const { ordinal, ...more } = change
  return {
    namespace: 'default',
    name: `p-${key}`,
    key,
    wish: { ids, ordinal },
    at: undefined,
    draw: 0,
    ...more,
  }
}

const isLeft = () => false

const pickText = (pick: EipPick | undefined) =>
  pick === undefined ? '' : 'eip' in pick ? pick.eip : pick.reason

interface Row {
  readonly does: string
  readonly pods: readonly EipContender[]
  readonly eips?: readonly CloudEip[]
  readonly holders?: Readonly<Record<string, PodName>>
  readonly left?: readonly string[]
  readonly want: readonly string[]
}

const ab = ['eip-a', 'eip-b']
const other = { namespace: 'shop', name: 'db-0' }
const rows: readonly Row[] = [
  { does: 'gives the first of a set the first', pods: [contender(1, ab, { ordinal: 0 })], want: ['eip-a'] },
  { does: 'gives the second the second', pods: [contender(1, ab, { ordinal: 1 })], want: ['eip-b'] },
  { does: 'has none for the third', pods: [contender(1, ab, { ordinal: 2 })], want: ['EipListTooShort'] },
  {
    does: 'gives both of a set theirs, whoever came first',
    pods: [contender(1, ab, { ordinal: 1 }), contender(2, ab, { ordinal: 0 })],
    want: ['eip-b', 'eip-a'],
  },
  {
    does: 'gives the earlier of two the one that both want',
    pods: [contender(2, ['eip-a']), contender(1, ['eip-a'])],
    want: ['EipTaken', 'eip-a'],
  },
  {
    does: 'gives one with a number the only one it can have',
    pods: [contender(1, ['eip-a']), contender(2, ab, { ordinal: 0 })],
    want: ['EipTaken', 'eip-a'],
  },
  { does: 'draws one that is free', pods: [contender(1, ab, { draw: 0.6 })], want: ['eip-b'] },
  {
    does: 'draws among those that are left',
    pods: [contender(1, ab, { draw: 0.6 }), contender(2, ab, { draw: 0.9 })],
    want: ['eip-b', 'eip-a'],
  },
  {
    does: 'has none for the third of two',
    pods: [contender(1, ab), contender(2, ab), contender(3, ab)],
    want: ['eip-a', 'eip-b', 'NoFreeEip'],
  },
  {
    does: 'takes none that another has',
    pods: [contender(1, ab), contender(2, ab, { ordinal: 0 })],
    holders: { 'eip-a': other },
    want: ['eip-b', 'EipTaken'],
  },
  { does: 'finds none that is not there', pods: [contender(1, ['eip-x'])], want: ['EipNotFound'] },
  {
    does: 'leaves what is on something else',
    pods: [contender(1, ['eip-a'], { at: place })],
    eips: [eip('eip-a', { state: 'bound', instanceId: 'nat-1' })],
    want: ['EipInUse'],
  },
  {
    does: 'leaves what is on another address',
    pods: [contender(1, ['eip-a'], { at: place })],
    eips: [eip('eip-a', { state: 'bound', eniId: 'eni-1', privateIp: ip('10.0.1.6') })],
    want: ['EipInUse'],
  },
  {
    does: "takes what is on the pod's own address already",
    pods: [contender(1, ['eip-a'], { at: place })],
    eips: [eip('eip-a', { state: 'bound', eniId: 'eni-1', privateIp: place.address })],
    want: ['eip-a'],
  },
  {
    does: 'takes none that was made for a pod',
    pods: [contender(1, ['eip-a'])],
    eips: [eip('eip-a', { tags: { [createdTag]: 'true' } })],
    want: ['EipOfAnother'],
  },
  ...(['creating', 'binding', 'unbinding'] as const).map((state) => ({
    does: `waits for one that is ${state}`,
    pods: [contender(1, ['eip-a'])],
    eips: [eip('eip-a', { state })],
    want: ['EipBusy'],
  })),
  {
    does: 'takes none that is being released',
    pods: [contender(1, ['eip-a'])],
    eips: [eip('eip-a', { state: 'releasing' })],
    want: ['EipNotFound'],
  },
  {
    does: 'takes none in arrears when another is free',
    pods: [contender(1, ab)],
    eips: [eip('eip-a', { arrears: true }), eip('eip-b')],
    want: ['eip-b'],
  },
  {
    does: 'tells of arrears',
    pods: [contender(1, ab, { ordinal: 0 })],
    eips: [eip('eip-a', { arrears: true })],
    want: ['EipInArrears'],
  },
  {
    does: 'tells what is blocked',
    pods: [contender(1, ['eip-a'])],
    eips: [eip('eip-a', { blocked: true })],
    want: ['EipBlocked'],
  },
  {
    does: 'takes the one that is on its address already, before any that is free',
    pods: [contender(1, ['eip-a', 'eip-b'], { at: place })],
    eips: [eip('eip-a'), eip('eip-b', { state: 'bound', eniId: 'eni-1', privateIp: place.address })],
    want: ['eip-b'],
  },
  {
    does: 'takes one that a leader has left on an address that no pod has',
    pods: [contender(1, ['eip-a'])],
    eips: [eip('eip-a', { state: 'bound', eniId: 'eni-9', privateIp: ip('10.0.1.9') })],
    left: ['eip-a'],
    want: ['eip-a'],
  },
]

for (const { does, eips = [eip('eip-a'), eip('eip-b')], holders = {}, left = [], pods, want } of rows)
  test(`[E4] pickEips() ${does}`, () => {
    const picks = pickEips(pods, {
      eips: new Map(eips.map((one) => [one.id, one])),
      holders: new Map(Object.entries(holders)),
      isLeft: ({ id }) => left.includes(id),
    })
    assert.deepEqual(
      pods.map(({ key }) => pickText(picks.get(key))),
      want,
    )
  })

test('[E4] pickEips() says what is wrong with each of a list, and not of very many', () => {
  const list = Array.from({ length: 9 }, (_, i) => `eip-${i}`)
  const pick = pickEips([contender(1, list)], {
    eips: new Map(),
    holders: new Map([['eip-0', other]]),
    isLeft,
  }).get(1)
  assert.ok(pick !== undefined && 'message' in pick)
  assert.match(
    pick.message,
    /^Cannot give the pod its EIP: none of its list is free: eip-0 is of pod shop\/db-0, there is no EIP eip-1 of the account in this region, .*, and 4 more; it gets the first that is free/,
  )
})

test('[E4] [R1] pickEips() gives each to one, the same in any order, and leaves none free that somebody could have', () => {
  const id = fc.integer({ min: 0, max: 5 }).map((n) => `eip-${n}`)
  const wish = fc.record({
    ids: fc.uniqueArray(id, { minLength: 1 }),
    ordinal: fc.option(fc.nat(6), { nil: undefined }),
    draw: fc.double({ min: 0, max: 1, maxExcluded: true, noNaN: true }),
  })
  const there = fc.uniqueArray(id)
  fc.assert(
    fc.property(fc.array(wish, { maxLength: 8 }), there, there, fc.nat(), (wishes, present, held, turn) => {
      const eips = new Map(present.map((one) => [one, eip(one)]))
      const holders = new Map(held.map((one) => [one, other]))
      const pods = wishes.map(({ draw, ids, ordinal }, key) =>
        contender(key, ids, { draw, ...(ordinal !== undefined && { ordinal }) }),
      )
      const picks = pickEips(pods, { eips, holders, isLeft })
      const turned = pods.map((_, i) => pods[(i + turn) % pods.length] as EipContender)
      assert.deepEqual(new Map(pickEips(turned, { eips, holders, isLeft })), new Map([...picks]))
      const given = [...picks.values()].flatMap((pick) => ('eip' in pick ? [pick.eip] : []))
      assert.equal(new Set(given).size, given.length)
      for (const { key, wish } of pods) {
        const pick = picks.get(key)
        const could = wish.ordinal === undefined ? wish.ids : wish.ids.slice(wish.ordinal, wish.ordinal + 1)
        if (pick !== undefined && 'eip' in pick)
          assert.ok(could.includes(pick.eip) && eips.has(pick.eip) && !holders.has(pick.eip))
        else assert.ok(could.every((one) => !eips.has(one) || holders.has(one) || given.includes(one)))
      }
    }),
  )
})
