// The leader's ledger over a real file: what the schema refuses, what each step of an intent does, and a restart amid any step.
import assert from 'node:assert/strict'
import { type TestContext, test } from 'node:test'
import type { Claim } from '../../internal/ipam/claim.ts'
import type { Action } from '../../internal/ipam/plan-node.ts'
import type { Intent } from '../../internal/ipam/settle-intent.ts'
import type { CloudEni, CloudIp } from '../../internal/ipam/types.ts'
import type { LeaderTx, NewClaim } from '../../internal/ports.ts'
import { cidr, ips, known, mac, nth } from '../given.ts'
import { n1, openLeader } from './open-ledgers.ts'

const block = cidr('10.0.1.0/24')
const because = 'a test'
let tokens = 0

/** A ledger with n1 in it, and what tests do to it. */
async function ledgerWithNode(t: TestContext) {
  const store = openLeader(t)
  const write = <T>(change: (tx: LeaderTx) => T) => store.clock.runUntil(store.ledger.write(change))
  await write((tx) => tx.addNode(n1))
  const record = (action: Action) => write((tx) => tx.record(n1, action, block, `token-${++tokens}`))
  const eni = () => known(store.ledger.pool('n1')?.enis[0])
  const shown = () => {
    const { state, goal, busy, expectedIps, ips: all } = eni()
    const list = all.map(({ address, state: of }) => `${address.slice('10.0.1.'.length)} ${of}`)
    return `${state} ${goal}${busy ? ' busy' : ''} +${expectedIps} [${list.join(', ')}]`
  }
  /** ENI 1, attached, with addresses 5 and 6. */
  const attached = async () => {
    const create = await record({
      kind: 'create',
      mode: 'shared',
      slot: 1,
      subnetId: 'subnet-a',
      ips: 2,
      reason: because,
    })
    await write((tx) => tx.acceptCreation(create, cloudEni(['5 pending', '6 pending']).id))
    await write((tx) => tx.finish(create, cloudEni(['5', '6'])))
    const attach = await record({ kind: 'attach', eni: eni().key, reason: because })
    await write((tx) => tx.finish(attach, cloudEni(['5', '6'])))
    return eni().key
  }
  return { store, write, record, eni, shown, attached }
}

const claimOf = (name: string): NewClaim => ({
  ...{
    namespace: 'shop',
    name,
    uid: `claim-${name}`,
    ipUid: `ip-${name}`,
    podUid: `pod-${name}`,
    node: 'n1',
  },
  ...{ policy: 'Never', mode: 'shared', nominatedAddress: undefined, nominatedSubnets: [] },
  ...{ expireAfter: undefined, reserveToken: `reserve-${name}`, owner: undefined },
})

function cloudEni(addresses: readonly string[], id = 'eni-1'): CloudEni {
  return {
    id,
    name: id,
    subnetId: 'subnet-a',
    mac: mac('20:90:6f:00:00:01'),
    state: 'available',
    primary: false,
    instanceId: undefined,
    primaryIp: nth(250),
    ips: addresses.map((short) => {
      const [n, state = 'available'] = short.split(' ')
      return { address: nth(Number(n)), state: state as CloudIp['state'] }
    }),
    tags: {},
  }
}

test('[R2] an ENI through its life, step by step, with a restart after each', async (t) => {
  const { store, write, record, eni, shown } = await ledgerWithNode(t)
  let intent: Intent
  const step = async (what: (intent: Intent) => (tx: LeaderTx) => void, want: string) => {
    await write(what(intent))
    store.restart()
    assert.equal(shown(), want)
  }
  const begin = async (action: Action, want: string) => {
    intent = await record(action)
    store.restart()
    assert.deepEqual(store.ledger.openIntents(), [intent])
    assert.equal(shown(), want)
  }
  await begin(
    { kind: 'create', mode: 'shared', slot: 1, subnetId: 'subnet-a', ips: 2, reason: because },
    'creating serve busy +2 []',
  )
  await step(
    (i) => (tx) => tx.acceptCreation(i, cloudEni(['5 pending', '6 pending']).id),
    'creating serve busy +2 []',
  )
  await step((i) => (tx) => tx.finish(i, cloudEni(['5', '6'])), 'available serve +0 [5 bound, 6 bound]')
  const { key } = eni()
  await begin({ kind: 'attach', eni: key, reason: because }, 'attaching serve busy +0 [5 bound, 6 bound]')
  assert.deepEqual(store.ledger.publishedEnis('n1'), [], 'only attached ENIs are published')
  await step((i) => (tx) => tx.accept(i), 'attaching serve busy +0 [5 bound, 6 bound]')
  await step((i) => (tx) => tx.finish(i, cloudEni(['5', '6'])), 'attached serve +0 [5 bound, 6 bound]')
  await begin(
    { kind: 'assign', eni: key, count: 2, reason: because },
    'attached serve busy +2 [5 bound, 6 bound]',
  )
  await step(
    (i) => (tx) => tx.acceptAssignment(i, ips('10.0.1.7', '10.0.1.8')),
    'attached serve busy +2 [5 bound, 6 bound]',
  )
  assert.deepEqual(
    known(store.ledger.publishedEnis('n1')[0]).ips.map(({ address }) => address),
    ips('10.0.1.5', '10.0.1.6'),
    'only bound addresses are published',
  )
  await step(
    (i) => (tx) => tx.finish(i, cloudEni(['5', '6', '7'])),
    'attached serve +0 [5 bound, 6 bound, 7 bound]',
  )
  await begin(
    { kind: 'unassign', eni: key, addresses: ips('10.0.1.5', '10.0.1.6', '10.0.1.7'), reason: because },
    'attached serve busy +0 [5 unassigning, 6 unassigning, 7 unassigning]',
  )
  await step((i) => (tx) => tx.finish(i, cloudEni([])), 'attached serve +0 []')
  await begin({ kind: 'detach', eni: key, reason: because }, 'detaching delete busy +0 []')
  await step((i) => (tx) => tx.finish(i, cloudEni([])), 'available delete +0 []')
  await begin({ kind: 'delete', eni: key, reason: because }, 'deleting delete busy +0 []')
  await write((tx) => tx.finish(intent, undefined))
  assert.deepEqual(store.ledger.pool('n1')?.enis, [])
  await write((tx) => tx.removeNode('n1'))
  assert.deepEqual(store.ledger.nodes(), [])
  assert.deepEqual(store.ledger.openIntents(), [])
})

test('[X2] an exclusive ENI carries its own address alone, and keeps it until it is deleted', async (t) => {
  const { store, write, record, eni, shown } = await ledgerWithNode(t)
  const create = await record({
    kind: 'create',
    mode: 'exclusive',
    slot: 1,
    subnetId: 'subnet-a',
    ips: 0,
    reason: because,
  })
  assert.deepEqual([create.mode, create.count, eni().mode], ['exclusive', 0, 'exclusive'])
  assert.equal(shown(), 'creating serve busy +1 []')
  await write((tx) => tx.acceptCreation(create, 'eni-1'))
  store.restart()
  assert.equal(store.ledger.openIntents()[0]?.mode, 'exclusive')
  // What others add to it is not for pods.
  await write((tx) => tx.finish(create, cloudEni(['5'])))
  assert.equal(shown(), 'available serve +0 [250 bound]')
  const attach = await record({ kind: 'attach', eni: eni().key, reason: because })
  await write((tx) => tx.finish(attach, cloudEni([])))
  store.restart()
  const [published] = store.ledger.publishedEnis('n1')
  assert.deepEqual(
    [published?.mode, published?.primaryIp, published?.ips.map(({ address }) => address)],
    ['exclusive', nth(250), [nth(250)]],
  )
  const detach = await record({ kind: 'detach', eni: eni().key, reason: because })
  assert.deepEqual(store.ledger.publishedEnis('n1'), [], 'no pod gets it any more')
  await write((tx) => tx.finish(detach, cloudEni([])))
  assert.equal(shown(), 'available delete +0 [250 bound]')
  const remove = await record({ kind: 'delete', eni: eni().key, reason: because })
  await write((tx) => tx.finish(remove, undefined))
  assert.deepEqual(store.ledger.pool('n1')?.enis, [])
  assert.deepEqual(store.db.all(`SELECT * FROM ip`), [])
})

test('[P7][P9] what may change of a node is there again after a restart', async (t) => {
  const { store, write } = await ledgerWithNode(t)
  assert.deepEqual(store.ledger.node('n1'), n1)
  const change = {
    instanceEnis: 5,
    shared: { minWarm: 2, maxWarm: 4, maxEnis: 3, ipsPerEni: 7, maxPods: 30 },
    exclusive: { minWarm: 1, maxWarm: 2, maxEnis: 4, ipsPerEni: 1, maxPods: 30 },
    quota: { instanceType: 'S5.LARGE8', enis: 6, ipsPerEni: 9, eips: 1 },
    overrides: { sharedWarm: { minWarm: 2, maxWarm: 4 }, maxSharedEnis: 3 },
  }
  await write((tx) => tx.setBounds('n1', change))
  store.restart()
  assert.deepEqual(store.ledger.node('n1'), { ...n1, ...change })
  const pool = store.ledger.pool('n1')
  assert.deepEqual(
    [pool?.shared, pool?.exclusive, pool?.instanceEnis, pool?.quotaIpsPerEni],
    [change.shared, change.exclusive, 5, 9],
  )
  await write((tx) => tx.setBounds('n1', n1))
  assert.deepEqual(store.ledger.node('n1'), n1)
})

interface Failure {
  readonly does: string
  readonly action: (key: number) => Action
  readonly want: string
}

const failures: readonly Failure[] = [
  {
    does: 'attachment',
    action: (eni) => ({ kind: 'attach', eni, reason: because }),
    want: 'available serve +0 [5 bound, 6 bound]',
  },
  {
    does: 'assignment',
    action: (eni) => ({ kind: 'assign', eni, count: 2, reason: because }),
    want: 'attached serve +0 [5 bound, 6 bound]',
  },
  {
    does: 'unassignment',
    action: (eni) => ({ kind: 'unassign', eni, addresses: ips('10.0.1.5'), reason: because }),
    want: 'attached serve +0 [5 bound, 6 bound]',
  },
  {
    does: 'detachment',
    action: (eni) => ({ kind: 'detach', eni, reason: because }),
    want: 'attached delete +0 [5 bound, 6 bound]',
  },
  {
    does: 'deletion',
    action: (eni) => ({ kind: 'delete', eni, reason: because }),
    want: 'available delete +0 [5 bound, 6 bound]',
  },
]

for (const { does, action, want } of failures) {
  test(`[R2] a refused ${does} leaves the ledger as it was, and the ENI free for the next intent`, async (t) => {
    const { write, record, shown, attached } = await ledgerWithNode(t)
    const intent = await record(action(await attached()))
    await write((tx) => tx.fail(intent, 'the cloud said no'))
    assert.equal(shown(), want)
  })
}

test('[R2] a refused creation leaves nothing', async (t) => {
  const { store, write, record } = await ledgerWithNode(t)
  const intent = await record({
    kind: 'create',
    mode: 'shared',
    slot: 1,
    subnetId: 'subnet-a',
    ips: 2,
    reason: because,
  })
  await write((tx) => tx.fail(intent, 'quota'))
  assert.deepEqual(store.ledger.pool('n1')?.enis, [])
})

test('[P3] an address that was not unassigned after all is bound under a new grant', async (t) => {
  const { write, record, eni, attached } = await ledgerWithNode(t)
  const key = await attached()
  const before = new Map(eni().ips.map(({ address, grant }) => [address, grant]))
  const intent = await record({ kind: 'unassign', eni: key, addresses: ips('10.0.1.5'), reason: because })
  await write((tx) => tx.fail(intent, 'no'))
  for (const { address, grant } of eni().ips) {
    if (address === nth(5))
      assert.ok(grant > Math.max(...before.values()), 'a return of the old grant means nothing now')
    else assert.equal(grant, before.get(address))
  }
})

test('[R2] an unassignment that is given up binds what is there again, and forgets what is gone', async (t) => {
  const { write, record, eni, attached } = await ledgerWithNode(t)
  const intent = await record({
    kind: 'unassign',
    eni: await attached(),
    addresses: ips('10.0.1.5', '10.0.1.6'),
    reason: because,
  })
  await write((tx) => tx.fail(intent, 'no effect', { seen: cloudEni(['6']) }))
  assert.deepEqual(
    eni().ips.map(({ address, state }) => `${address} ${state}`),
    ['10.0.1.6 bound'],
  )
})

test('[R2] an unassignment is sent again for what is left only', async (t) => {
  const { write, record, eni, attached } = await ledgerWithNode(t)
  const intent = await record({
    kind: 'unassign',
    eni: await attached(),
    addresses: ips('10.0.1.5', '10.0.1.6'),
    reason: because,
  })
  const again = await write((tx) => tx.resend(intent, 'another', ips('10.0.1.6')))
  assert.deepEqual([again.addresses, again.token, again.resent], [ips('10.0.1.6'), 'another', 1])
  assert.deepEqual(
    eni().ips.map(({ address, state }) => `${address} ${state}`),
    ['10.0.1.6 unassigning'],
  )
})

test('[R2] an ENI that can never be attached is deleted, and one that could not be deleted is where it is seen', async (t) => {
  const { write, record, eni } = await ledgerWithNode(t)
  const create = await record({
    kind: 'create',
    mode: 'shared',
    slot: 1,
    subnetId: 'subnet-a',
    ips: 0,
    reason: because,
  })
  await write((tx) => tx.finish(create, cloudEni([])))
  const attach = await record({ kind: 'attach', eni: eni().key, reason: because })
  await write((tx) => tx.fail(attach, 'wrong zone', { forGood: true }))
  assert.deepEqual([eni().state, eni().goal], ['available', 'delete'])
  const remove = await record({ kind: 'delete', eni: eni().key, reason: because })
  await write((tx) => tx.fail(remove, 'in use', { seen: { ...cloudEni([]), instanceId: attach.instanceId } }))
  assert.deepEqual([eni().state, eni().goal], ['attached', 'delete'])
})

test('[R2] an address that the ledger has on another ENI is not bound twice', async (t) => {
  const { write, record, attached, store } = await ledgerWithNode(t)
  await attached()
  const intent = await record({
    kind: 'create',
    mode: 'shared',
    slot: 2,
    subnetId: 'subnet-a',
    ips: 2,
    reason: because,
  })
  const other = { ...cloudEni(['5', '77'], 'eni-2'), mac: mac('20:90:6f:00:00:02'), primaryIp: nth(200) }
  await assert.rejects(
    write((tx) => tx.finish(intent, other)),
    /^IpamError: Cannot bind 10\.0\.1\.5: the ledger has it on ENI eni-1$/,
  )
  await write((tx) => tx.finish(intent, other, { partly: true }))
  const second = store.ledger.pool('n1')?.enis[1]
  assert.deepEqual(
    second?.ips.map(({ address }) => address),
    [nth(77)],
  )
})

test('[S3] of an ENI that addresses were named for, others that have come meanwhile are left to a survey', async (t) => {
  const { write, record, attached, shown } = await ledgerWithNode(t)
  const eni = await attached()
  const addresses = ips('10.0.1.9')
  const intent = await record({ kind: 'assign', eni, count: 1, addresses, reason: because })
  await write((tx) => tx.finish(intent, cloudEni(['5', '6', '8', '9'])))
  assert.equal(shown(), 'attached serve +0 [5 bound, 6 bound, 9 bound]')
})

test('[R2] a claim that has changed since it was read is not removed', async (t) => {
  const { store, write } = await ledgerWithNode(t)
  const claim = await write((tx) => tx.addClaim(claimOf('web-0')))
  const now = await write((tx) => tx.changeClaim(claim, { reason: 'Because' }))
  const remove = (one: Claim) => write((tx) => tx.removeClaim(one))
  await assert.rejects(remove(claim), { code: 'conflict', message: /it has changed meanwhile$/ })
  assert.deepEqual(store.ledger.claim(claim), now)
  await remove(now)
  assert.equal(store.ledger.claim(claim), undefined)
  await assert.rejects(remove(now), { code: 'conflict', message: /it is gone$/ })
})

test('[S13] of the addresses that are on an ENI when one was made for a claim, it gets none that is kept for another', async (t) => {
  // Somebody had put it there by hand, and nothing was ever settled again.
  const { attached, record, store, write } = await ledgerWithNode(t)
  const eni = await attached()
  const [first, second] = await write((tx) => [tx.addClaim(claimOf('web-0')), tx.addClaim(claimOf('web-1'))])
  await write((tx) => tx.changeClaim(known(first), { address: nth(7), phase: 'Attaching' }))
  const assign = await record({ kind: 'assign', eni, count: 1, claim: known(second).key, reason: because })
  await write((tx) => tx.finish(assign, cloudEni(['5', '6', '7', '8'])))
  const owners = store.ledger.publishedEnis('n1').flatMap((one) => one.ips.map(({ claim }) => claim?.name))
  assert.deepEqual(owners, [undefined, undefined, 'web-0', 'web-1'])
})

test('[R2] an intent that is resolved is never resolved again', async (t) => {
  const { write, record, attached, shown } = await ledgerWithNode(t)
  const intent = await record({ kind: 'detach', eni: await attached(), reason: because })
  await write((tx) => tx.fail(intent, 'no'))
  const before = shown()
  for (const again of [
    (tx: LeaderTx) => tx.finish(intent, cloudEni([])),
    (tx: LeaderTx) => tx.fail(intent, 'no'),
    (tx: LeaderTx) => tx.accept(intent),
    (tx: LeaderTx) => tx.resend(intent, 'another', []),
    (tx: LeaderTx) => tx.noteUnanswered(intent, 'late'),
  ]) {
    await assert.rejects(write(again), { code: 'conflict' })
    assert.equal(shown(), before)
  }
})

test('[R2] a change that fails half way leaves nothing of itself, and nothing else out', async (t) => {
  const { store, clock } = await ledgerWithNode(t).then(({ store: s }) => ({ store: s, clock: s.clock }))
  const bad = store.ledger.write((tx) => {
    tx.addNode({ ...n1, name: 'n2', instanceId: 'ins-2' })
    throw new Error('half way')
  })
  const good = store.ledger.write((tx) => tx.addNode({ ...n1, name: 'n3', instanceId: 'ins-3' }))
  await assert.rejects(clock.runUntil(bad), /half way/)
  await clock.runUntil(good)
  assert.deepEqual(
    store.ledger.nodes().map(({ name }) => name),
    ['n1', 'n3'],
  )
})

test('[R1] the schema refuses every double, whoever writes it', async (t) => {
  const { store, record, attached } = await ledgerWithNode(t)
  const key = await attached()
  const exclusive = await record({
    kind: 'create',
    mode: 'exclusive',
    slot: 7,
    subnetId: 'subnet-a',
    ips: 0,
    reason: because,
  })
  const eni = `INSERT INTO eni (id, node, slot, subnet_id, subnet_cidr, mac, primary_ip, state, changed_at)`
  const ip = `INSERT INTO ip (address, eni, state, "grant", changed_at)`
  const node = `INSERT INTO node (name, uid, instance_id, zone, phase, max_enis, ips_per_eni, min_warm, max_warm, added_at)`
  const intent = `INSERT INTO intent (kind, node, instance_id, eni, subnet_id, slot, token, reason, state, created_at, changed_at)`
  for (const { does, sql, says } of [
    {
      does: 'an address on two ENIs',
      sql: `${ip} VALUES ('10.0.1.5', ${key}, 'bound', 99, 0)`,
      says: /UNIQUE.*ip.address/,
    },
    {
      does: 'an address on no ENI',
      sql: `${ip} VALUES ('10.0.1.9', 777, 'bound', 99, 0)`,
      says: /FOREIGN KEY/,
    },
    {
      does: 'a grant given twice',
      sql: `${ip} VALUES ('10.0.1.9', ${key}, 'bound', (SELECT "grant" FROM ip LIMIT 1), 0)`,
      says: /UNIQUE.*grant/,
    },
    {
      does: 'an address in no known state',
      sql: `${ip} VALUES ('10.0.1.9', ${key}, 'lost', 99, 0)`,
      says: /CHECK/,
    },
    {
      does: 'a place taken twice',
      sql: `${eni} VALUES ('eni-2', 'n1', 1, 's', 'c', 'm', 'p', 'available', 0)`,
      says: /UNIQUE.*slot/,
    },
    {
      does: 'a cloud ENI known twice',
      sql: `${eni} VALUES ('eni-1', 'n1', 2, 's', 'c', 'm', 'p', 'available', 0)`,
      says: /UNIQUE.*eni.id/,
    },
    {
      does: 'a MAC twice',
      sql: `${eni} VALUES ('eni-2', 'n1', 2, 's', 'c', '20:90:6f:00:00:01', 'p', 'available', 0)`,
      says: /UNIQUE.*mac/,
    },
    {
      does: 'an ENI without a name',
      sql: `${eni} VALUES (NULL, 'n1', 2, 's', 'c', 'm', 'p', 'attached', 0)`,
      says: /CHECK/,
    },
    {
      does: 'an ENI of no node',
      sql: `${eni} VALUES ('eni-2', 'n9', 2, 's', 'c', 'm', 'p', 'available', 0)`,
      says: /FOREIGN KEY/,
    },
    { does: 'a node forgotten while it has ENIs', sql: `DELETE FROM node`, says: /FOREIGN KEY/ },
    { does: 'an ENI forgotten while it has addresses', sql: `DELETE FROM eni`, says: /FOREIGN KEY/ },
    {
      does: 'two nodes on one instance',
      sql: `${node} VALUES ('n2', 'u', 'ins-1', 'z', 'active', 1, 1, 0, 0, 0)`,
      says: /UNIQUE.*instance_id/,
    },
    {
      does: 'a negative target',
      sql: `${node} VALUES ('n2', 'u', 'ins-2', 'z', 'active', 1, 1, -1, 0, 0)`,
      says: /CHECK/,
    },
    {
      does: 'a maximum below the minimum',
      sql: `${node} VALUES ('n2', 'u', 'ins-2', 'z', 'active', 1, 1, 3, 2, 0)`,
      says: /CHECK/,
    },
    {
      does: 'a maximum of exclusive ENIs below the minimum',
      sql: `UPDATE node SET exclusive_min_warm = 2, exclusive_max_warm = 1`,
      says: /CHECK/,
    },
    { does: 'bounds that nobody can read', sql: `UPDATE node SET overrides = '{'`, says: /CHECK/ },
    {
      does: 'an ENI of no known kind',
      sql: `UPDATE eni SET mode = 'both'`,
      says: /CHECK/,
    },
    {
      does: "an address on an exclusive ENI that is not the ENI's own",
      sql: `${ip} VALUES ('10.0.1.91', ${exclusive.eni}, 'bound', 99, 0)`,
      says: /an exclusive ENI carries its own address alone/,
    },
    {
      does: 'two mutations of an ENI at a time',
      sql: `${intent} VALUES ('detach', 'n1', 'ins-1', ${key}, 's', 1, 'a', 'r', 'recorded', 0, 0),
        ('assign', 'n1', 'ins-1', ${key}, 's', 1, 'b', 'r', 'accepted', 0, 0)`,
      says: /UNIQUE.*intent.eni/,
    },
    {
      does: 'one pod with two addresses',
      sql: `UPDATE ip SET pod_uid = 'u', pod_name = 'p', pod_namespace = 'd'`,
      says: /UNIQUE.*pod_uid/,
    },
    { does: 'half a pod', sql: `UPDATE ip SET pod_uid = 'u' WHERE address = '10.0.1.5'`, says: /CHECK/ },
    { does: 'a number where text belongs', sql: `UPDATE eni SET slot = 'first'`, says: /cannot store TEXT/ },
  ]) {
    assert.throws(() => store.db.run(sql), says, does)
  }
})

test('[R1] two intents on one ENI at a time are refused with a conflict', async (t) => {
  const { record, attached } = await ledgerWithNode(t)
  const key = await attached()
  await record({ kind: 'assign', eni: key, count: 1, reason: because })
  await assert.rejects(record({ kind: 'detach', eni: key, reason: because }), { code: 'conflict' })
})

test('the history has every change of an address, with its pod and its reason', async (t) => {
  const { store, write, record, attached } = await ledgerWithNode(t)
  const key = await attached()
  const pod = { namespace: 'default', name: 'web-0', uid: 'uid-1' }
  await write((tx) => tx.setPod(nth(5), pod))
  await write((tx) => tx.setPod(nth(6), pod)) // it moved on
  await write((tx) => tx.setPod(nth(6), undefined))
  const intent = await record({ kind: 'unassign', eni: key, addresses: ips('10.0.1.5'), reason: 'surplus' })
  await write((tx) => tx.finish(intent, cloudEni(['6'])))
  const rows = store.db.all<{
    address: string
    event: string
    pod_name: string | null
    eni_id: string
    node: string
  }>(`SELECT * FROM ip_history ORDER BY seq`)
  assert.ok(rows.every(({ node, eni_id }) => node === 'n1' && eni_id === 'eni-1'))
  assert.deepEqual(
    rows.map(
      ({ address, event, pod_name }) =>
        `${address.slice(-1)} ${event}${pod_name === null ? '' : ` ${pod_name}`}`,
    ),
    [
      ...['5 bound', '6 bound'],
      ...['5 taken web-0', '5 left web-0', '6 taken web-0', '6 left web-0'],
      ...['5 unassigning', '5 gone'],
    ],
  )
  assert.deepEqual(store.ledger.podAddresses(), new Map())
})

test('prune() forgets what is old and resolved, and nothing that is open', async (t) => {
  const { store, write, record, attached } = await ledgerWithNode(t)
  const key = await attached()
  const open = await record({ kind: 'assign', eni: key, count: 1, reason: because })
  await store.clock.advance(86_400_000)
  await write((tx) => tx.prune({ historyFor: 1000, failuresFor: 1000 }))
  assert.deepEqual(store.db.all(`SELECT id FROM intent`), [{ id: open.id }])
  assert.deepEqual(store.db.all(`SELECT * FROM ip_history`), [])
  assert.equal(store.ledger.pool('n1')?.enis[0]?.ips.length, 2)
})

test('prune() forgets failed intents sooner than those that were done', async (t) => {
  const { store, write, record, attached } = await ledgerWithNode(t)
  const key = await attached()
  const failed = await record({ kind: 'assign', eni: key, count: 1, reason: because })
  await write((tx) => tx.fail(failed, 'refused'))
  const states = () =>
    store.db.all<{ state: string }>(`SELECT DISTINCT state FROM intent`).map(({ state }) => state)
  await store.clock.advance(1000)
  await write((tx) => tx.prune({ historyFor: 60_000, failuresFor: 60_000 }))
  assert.deepEqual(states(), ['done', 'failed'])
  await write((tx) => tx.prune({ historyFor: 60_000, failuresFor: 500 }))
  assert.deepEqual(states(), ['done'])
})

test('the views read well, for every state', async (t) => {
  const { store, write, record, attached } = await ledgerWithNode(t)
  await attached()
  await write((tx) => tx.setPod(nth(5), { namespace: 'default', name: 'web-0', uid: 'uid-1' }))
  await record({ kind: 'create', mode: 'shared', slot: 2, subnetId: 'subnet-a', ips: 1, reason: because })
  const view = (name: string) => store.db.all<Record<string, unknown>>(`SELECT * FROM ${name}`)
  assert.deepEqual(
    view('v_ip').map(({ address, pod, node, eni }) => [address, pod, node, eni]),
    [
      ['10.0.1.5', 'default/web-0', 'n1', 'eni-1'],
      ['10.0.1.6', '', 'n1', 'eni-1'],
    ],
  )
  assert.deepEqual(
    view('v_eni').map(({ eni, state, ips: count, in_use }) => [eni, state, count, in_use]),
    [
      ['eni-1', 'attached', 2, 1],
      ['(creating)', 'creating', 0, 0],
    ],
  )
  const [node] = view('v_node')
  assert.deepEqual([node?.['bound'], node?.['in_use'], node?.['idle'], node?.['max_bindable']], [2, 1, 1, 10])
  assert.equal(view('v_intent')[0]?.['state'], 'recorded')
  assert.match(String(view('v_history')[0]?.['time']), /^2026-/)
  for (const name of ['v_ip', 'v_eni', 'v_node', 'v_intent', 'v_history'])
    for (const row of view(name)) assert.ok(!Object.values(row).includes(null), `${name} shows no NULL`)
})
