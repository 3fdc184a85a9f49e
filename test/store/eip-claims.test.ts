// Claims to public addresses in a real ledger: what is stored, what the schema refuses, and what watches are told.
import assert from 'node:assert/strict'
import { type TestContext, test } from 'node:test'
import type { EipClaim, EipClaimChange } from '../../internal/ipam/eip-claim.ts'
import type { EipWish } from '../../internal/ipam/eip-wish.ts'
import type { FoundEipClaim, LeaderTx, NewEipClaim } from '../../internal/ports.ts'
import { beginChanges, claimFeed } from '../../internal/store/leader/claim-feed.ts'
import { changeEipClaim, findEipClaim } from '../../internal/store/leader/eip-claims.ts'
import { bound, deleteClaim, insertClaim, t0, updateClaim } from '../apiserver/claims/claim-rows.ts'
import { ip } from '../given.ts'
import { openLeader } from './open-ledgers.ts'

const owner = { apiVersion: 'apps/v1', kind: 'StatefulSet', name: 'web', uid: 'set' }
const made: EipWish = {
  ...{
    source: 'created',
    bandwidth: 5,
    isp: 'BGP',
    chargeType: 'TRAFFIC_POSTPAID_BY_HOUR',
    label: undefined,
  },
  ...{ tags: { cost: 'shop' }, raw: { Egress: 'center_egress1' }, policy: 'Never', expireAfter: 600_000 },
}
const listed: EipWish = {
  ...{
    source: 'specified',
    ids: ['eip-a', 'eip-b'],
    ordinal: undefined,
    policy: 'Never',
    expireAfter: undefined,
  },
}
const podOf = (name: string) => ({ namespace: 'default', name })
const wanted = (name: string, wish: EipWish = made): NewEipClaim => ({
  ...{ ...podOf(name), uid: `eipc-${name}`, wish, owner, podUid: `pod-${name}`, node: 'n1' },
})
const allocating = { allocateToken: 'token-1', acted: 'allocate', actedAt: 1000, answered: false } as const
const has = (eipId: string): EipClaimChange => ({ eipId, phase: 'Attaching' })
const onIts = { privateIp: ip('10.0.1.5'), eniId: 'eni-1' }
const settled = { acted: undefined, actedAt: undefined, answered: false } as const
const alone = { podUid: undefined, node: undefined } as const

function open(t: TestContext) {
  const store = openLeader(t)
  const write = <T>(change: (tx: LeaderTx) => T): Promise<T> =>
    store.clock.runUntil(store.ledger.write(change))
  const change = async (name: string, ...changes: readonly EipClaimChange[]): Promise<EipClaim> => {
    let claim = store.ledger.eips.claim(podOf(name))
    for (const one of changes) {
      const before = claim
      if (before === undefined) break
      claim = await write((tx) => tx.changeEipClaim(before, one))
    }
    assert.ok(claim !== undefined)
    return claim
  }
  const add = (name: string, wish: EipWish = made) => write((tx) => tx.addEipClaim(wanted(name, wish)))
  return { store, write, add, change }
}

test('[E2] [R2] a claim is kept through a restart with what was asked for it', async (t) => {
  const { add, change, store } = open(t)
  const first = await add('web-0')
  assert.deepEqual(
    [first.phase, first.policy, first.expireAfter, first.wish],
    ['Pending', 'Never', 600_000, made],
  )
  const asked = await change('web-0', allocating)
  store.restart()
  const eips = () => store.ledger.eips
  assert.deepEqual(eips().claim(podOf('web-0')), asked)
  assert.deepEqual([...eips().tokens()], [['token-1', undefined]])
  const last = await change(
    'web-0',
    has('eip-a'),
    { address: ip('1.2.3.4'), acted: 'associate', actedAt: 2000, ...onIts },
    { answered: true },
    { ...settled, phase: 'Bound' },
  )
  store.restart()
  assert.deepEqual(eips().ofEip('eip-a'), last)
  assert.deepEqual(eips().onAddress(onIts.privateIp), last)
  assert.equal(eips().onAddress(ip('10.0.1.6')), undefined)
  assert.deepEqual([...eips().byEip()], [['eip-a', podOf('web-0')]])
  assert.deepEqual(eips().where('Bound'), [last])
  assert.deepEqual(eips().names('Bound'), [podOf('web-0')])
  assert.deepEqual(eips().ofOwner('set'), [last])
  assert.deepEqual(store.ledger.owners(), [owner])
})

test('[E3] a claim goes when it is let go, and not before', async (t) => {
  const { add, change, store, write } = open(t)
  const claim = await add('web-0')
  await assert.rejects(
    write((tx) => tx.removeEipClaim(claim)),
    { code: 'conflict', message: /it is Pending, not let go$/ },
  )
  const last = await change('web-0', allocating, has('eip-a'), { ...alone, phase: 'Releasing' })
  await assert.rejects(
    write((tx) => tx.removeEipClaim(claim)),
    { code: 'conflict', message: /it has changed meanwhile$/ },
  )
  assert.ok(store.ledger.eips.any())
  await write((tx) => tx.removeEipClaim(last))
  assert.equal(store.ledger.eips.any(), false)
})

test('[E4] [R1] an EIP, a pod and an address of a pod are of one claim', async (t) => {
  const { add, change, write } = open(t)
  await add('a')
  await add('b')
  await change('a', allocating, has('eip-a'), { address: ip('1.2.3.4'), ...onIts })
  for (const twice of [{ ...allocating }, has('eip-a'), { podUid: 'pod-a' }])
    await assert.rejects(change('b', twice), { code: 'conflict', message: /UNIQUE constraint failed/ })
  await change('b', has('eip-b'))
  for (const twice of [{ address: ip('1.2.3.4') }, onIts, { ...onIts, eniId: 'eni-2' }])
    await assert.rejects(change('b', twice), { code: 'conflict', message: /UNIQUE constraint failed/ })
  await assert.rejects(
    write((tx) => tx.addEipClaim({ ...wanted('a'), uid: 'other', podUid: 'other' })),
    { code: 'conflict' },
  )
})

for (const [does, wish, changes] of [
  ['an EIP becomes another', made, [allocating, has('eip-a'), has('eip-b')]],
  ['an EIP is lost', made, [allocating, has('eip-a'), { eipId: undefined, phase: 'Releasing', ...alone }]],
  ['nothing is attached', made, [{ phase: 'Attaching' }]],
  ['it is bound to nothing', made, [allocating, { ...has('eip-a') }, { phase: 'Bound' }]],
  ['it is on half an address', made, [allocating, has('eip-a'), { privateIp: onIts.privateIp }]],
  ['there is an address without an EIP', made, [{ address: ip('1.2.3.4') }]],
  ['it is retained with a pod', made, [allocating, has('eip-a'), { phase: 'Retained' }]],
  ['it is on no node', made, [{ node: undefined }]],
  ['something is asked at no time', made, [{ acted: 'allocate', allocateToken: 't' }]],
  ['an allocation has no token', made, [{ acted: 'allocate', actedAt: 1 }]],
  ['it is bound to nowhere', made, [allocating, has('eip-a'), { acted: 'associate', actedAt: 1 }]],
  ['nothing was asked and answered', made, [{ answered: true }]],
  ['it is released under a pod', made, [allocating, has('eip-a'), { acted: 'release', actedAt: 1 }]],
  ["a user's is allocated", listed, [allocating]],
  [
    "a user's is released",
    listed,
    [has('eip-a'), { phase: 'Releasing', ...alone }, { acted: 'release', actedAt: 1 }],
  ],
  [
    'what ends with its pod is retained',
    { ...made, policy: 'Immediate', expireAfter: undefined },
    [allocating, has('eip-a'), { phase: 'Retained', ...alone }],
  ],
  ['time runs with a pod', made, [{ expiresAt: 1 }]],
] as const satisfies readonly (readonly [string, EipWish, readonly EipClaimChange[]])[])
  test(`[R1] [E4] the schema refuses that ${does}`, async (t) => {
    const { add, change } = open(t)
    await add('a', wish)
    await change('a', ...changes.slice(0, -1))
    await assert.rejects(change('a', changes.at(-1) ?? {}), {
      code: 'conflict',
      message: /CHECK constraint failed|an EIP goes with its claim/,
    })
  })

test('changeEipClaim() refuses what has changed meanwhile, and a phase that may not follow', async (t) => {
  const { add, change, store } = open(t)
  const claim = await add('a')
  const asked = await change('a', allocating)
  assert.ok(asked.version > claim.version) // what is asked is a change, too
  assert.throws(() => changeEipClaim(store.db, 1, claim, has('eip-a')), {
    code: 'conflict',
    message: /changed meanwhile/,
  })
  const last = await change('a', { ...alone, phase: 'Releasing' })
  assert.throws(() => changeEipClaim(store.db, 1, last, { phase: 'Pending', podUid: 'p', node: 'n' }), {
    code: 'conflict',
    message: /Cannot make the EIP claim of default\/a Pending: it is Releasing/,
  })
  assert.equal(changeEipClaim(store.db, 1, last, { phase: 'Releasing' }).version, last.version)
})

test('[E6] [S5] claims expire by the clock that addresses expire by', async (t) => {
  const { add, change, store, write } = open(t)
  await add('a')
  assert.equal(store.ledger.claimsExpire(), false)
  await write((tx) => tx.setExpiryClock({ now: 1000, mark: { server: 1, local: 1, now: 1000 } }))
  await change('a', allocating, has('eip-a'), { ...settled, ...alone, phase: 'Retained', retainedAt: 5 })
  const last = await change('a', { expiresAt: 5000 })
  assert.equal(store.ledger.claimsExpire(), true)
  // What passed before the first began to wait is nothing to it.
  assert.deepEqual(store.ledger.expiryClock(), { now: 1000, mark: undefined })
  assert.deepEqual(store.ledger.eips.expired(9), [])
  await write((tx) => tx.setExpiryClock({ now: 5000, mark: undefined }))
  assert.deepEqual(store.ledger.eips.expired(9), [last])
  assert.deepEqual(store.ledger.eips.expired(0), [])
})

test('[R4] restoreEipClaim() enters what is found, once', async (t) => {
  const { store, write } = open(t)
  const found: FoundEipClaim = {
    ...{
      ...podOf('a'),
      uid: 'u',
      wish: made,
      owner,
      address: ip('1.2.3.4'),
      eipId: 'eip-a',
      allocateToken: 'tok',
    },
    ...{ privateIp: undefined, eniId: undefined, expiresAt: 9000, phase: 'Retained', ...alone },
  }
  const claim = await write((tx) => tx.restoreEipClaim(found))
  assert.deepEqual([claim.phase, claim.expireAfter, claim.expiresAt], ['Retained', 600_000, 9000])
  assert.equal(claim.retainedAt, store.clock.now())
  await assert.rejects(
    write((tx) => tx.restoreEipClaim({ ...found, ...podOf('b'), uid: 'v', allocateToken: 'other' })),
    { code: 'conflict' },
  )
  const live = {
    ...found,
    ...podOf('b'),
    uid: 'v',
    eipId: 'eip-b',
    address: undefined,
    allocateToken: undefined,
  }
  const attached = await write((tx) =>
    tx.restoreEipClaim({
      ...live,
      phase: 'Attaching',
      podUid: 'p',
      node: 'n1',
      expiresAt: undefined,
      ...onIts,
    }),
  )
  assert.deepEqual([attached.retainedAt, attached.privateIp], [undefined, onIts.privateIp])
  await write((tx) => tx.clear())
  assert.equal(store.ledger.eips.any(), false)
})

test('[R1] what was asked at a time to come was asked now, when a clock was set back', async (t) => {
  const { add, change, store, write } = open(t)
  await add('a')
  await change('a', { ...allocating, actedAt: store.clock.now() + 3_600_000 })
  await write((tx) => tx.rewind())
  assert.equal(store.ledger.eips.claim(podOf('a'))?.actedAt, store.clock.now())
})

test('changes of claims and of EIPs have one numbering, and go on after a restart', async (t) => {
  const { add, change, store, write } = open(t)
  beginChanges(store.db, t0)
  await add('a')
  insertClaim(store.db, bound('a', '10.0.0.1'))
  await change('a', allocating)
  updateClaim(store.db, 'a', { node: 'node-2' })
  store.restart()
  const last = await change('a', { ...alone, phase: 'Releasing' })
  await write((tx) => tx.removeEipClaim(last))
  deleteClaim(store.db, 'a')
  const changes = claimFeed(store.db, store.clock).changes(t0, 10)
  assert.deepEqual(
    changes.map(({ after, before, eip, version }) => [
      ...[version - t0, before?.node, after?.node],
      ...[eip?.before?.phase, eip?.before?.acted, eip?.after?.phase, eip?.after?.acted, eip?.after?.version],
    ]),
    [
      [1, undefined, undefined, undefined, undefined, 'Pending', undefined, t0 + 1],
      [2, undefined, 'node-1', undefined, undefined, undefined, undefined, undefined],
      [3, undefined, undefined, 'Pending', undefined, 'Pending', 'allocate', t0 + 3],
      [4, 'node-1', 'node-2', undefined, undefined, undefined, undefined, undefined],
      [5, undefined, undefined, 'Pending', 'allocate', 'Releasing', 'allocate', t0 + 5],
      [6, undefined, undefined, 'Releasing', 'allocate', undefined, undefined, undefined],
      [7, 'node-2', undefined, undefined, undefined, undefined, undefined, undefined],
    ],
  )
  // The token names a call: it is in no change.
  assert.ok(changes.every(({ eip }) => eip?.after?.allocateToken === undefined))
})

test('eipClaims() and claims() give any state that is kept, each its own', async (t) => {
  const { add, change, store, write } = open(t)
  const { clock, db } = store
  beginChanges(db, t0)
  const feed = claimFeed(db, clock)
  const eips = (at?: number) => feed.eipClaims({ at }).map(({ name, phase }) => `${name} ${phase}`)
  const claims = (at?: number) => feed.claims({ at }).map(({ name, node }) => `${name} ${node}`)
  const model = new Map<number, readonly (readonly string[])[]>()
  for (let i = 0; i < 40; i++) {
    const name = `pod-${(i * 7) % 10}`
    const claim = findEipClaim(db, podOf(name))
    if (claim === undefined) await add(name)
    else if (claim.phase !== 'Releasing') await change(name, { ...alone, phase: 'Releasing' })
    else await write((tx) => tx.removeEipClaim(claim))
    // The keys of both kinds are the same numbers.
    if (feed.claim(podOf(name)) === undefined) insertClaim(db, bound(name, `10.0.0.${i}`))
    else if (i % 3 === 0) deleteClaim(db, name)
    else updateClaim(db, name, { node: `node-${i}` })
    model.set(feed.version(), [eips(), claims()])
  }
  for (const [at, state] of model) {
    assert.deepEqual([eips(at), claims(at)], state)
    assert.equal(feed.countEipClaims({ at }), state[0]?.length)
    const [head, ...others] = feed.eipClaims({ at, namespace: 'default' })
    if (head === undefined) continue
    assert.deepEqual(feed.eipClaims({ at, namespace: 'default', after: head }), others)
    assert.deepEqual(feed.eipClaims({ at, limit: 1 }), [head])
  }
  const some = feed.eipClaims({ limit: 1 })[0]
  assert.deepEqual(some && feed.eipClaim(some), some)
})
