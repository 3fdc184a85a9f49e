// A node agent's ledger over a real file: what the schema refuses, who had which address, and a restart amid it.
import assert from 'node:assert/strict'
import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { type TestContext, test } from 'node:test'
import { releasedPod } from '../../internal/ipam/claim.ts'
import type { Attachment, NodeTx } from '../../internal/ports.ts'
import { openDatabase } from '../../internal/sqlite/database.ts'
import { nodeEnis } from '../../internal/store/inspect/enis.ts'
import { nodeVips } from '../../internal/store/inspect/vips.ts'
import { nodeMigrations } from '../../migrations/index.ts'
import { ips, nth } from '../given.ts'
import { publishedEni, publishedExclusive } from '../ipam/pools.ts'
import { openNode } from './open-ledgers.ts'

async function pool(t: TestContext) {
  const store = openNode(t)
  const write = <T>(change: (tx: NodeTx) => T) => store.clock.runUntil(store.ledger.write(change))
  await write((tx) =>
    tx.sync([
      { kind: 'keep-eni', eni: publishedEni(1) },
      ...[1, 2, 3].map((n) => ({ kind: 'add-ip' as const, address: nth(n), eniId: 'eni-1', grant: n })),
    ]),
  )
  return { store, write }
}

function attachment(name: string, n: number): Attachment {
  return {
    containerId: `c-${name}`,
    ifname: 'eth0',
    pod: { namespace: 'default', name, uid: `uid-${name}` },
    netns: `/run/netns/c-${name}`,
    address: nth(n),
    hostLink: `tke-${name}`,
  }
}

test('[R1] the schema refuses every double, whoever writes it', async (t) => {
  const { store, write } = await pool(t)
  await write((tx) => tx.attach(attachment('a', 1)))
  await write((tx) => tx.giveBack(ips('10.0.1.3'), 'surplus'))
  await write((tx) => tx.sync([{ kind: 'keep-eni', eni: publishedExclusive(9) }]))
  const insert = (container: string, address: string, link: string) =>
    `INSERT INTO attachment VALUES ('${container}', 'eth0', '${address}', 'd', 'p', 'u', '/n', '${link}', 0)`
  const eni = `INSERT INTO eni (id, mac, primary_ip, subnet_id, subnet_cidr, gateway, slot, published)`
  const before = store.db.all(`SELECT * FROM attachment`)
  for (const { does, sql, says } of [
    {
      does: 'an address under two sandboxes',
      sql: insert('c-b', '10.0.1.1', 'tke-b'),
      says: /UNIQUE.*address/,
    },
    {
      does: 'a second address of a sandbox',
      sql: insert('c-a', '10.0.1.2', 'tke-b'),
      says: /UNIQUE.*container_id/,
    },
    { does: 'a host link of two pods', sql: insert('c-b', '10.0.1.2', 'tke-a'), says: /UNIQUE.*host_link/ },
    {
      does: 'an address that is not ours',
      sql: insert('c-b', '10.0.9.9', 'tke-b'),
      says: /never handed out|FOREIGN KEY/,
    },
    {
      does: 'a returning address handed out',
      sql: insert('c-b', '10.0.1.3', 'tke-b'),
      says: /a returning address is never handed out/,
    },
    {
      does: 'an address in use returned',
      sql: `UPDATE ip SET state = 'returning' WHERE address = '10.0.1.1'`,
      says: /an address in use is never returned/,
    },
    {
      does: 'an address in use forgotten',
      sql: `DELETE FROM ip WHERE address = '10.0.1.1'`,
      says: /FOREIGN KEY/,
    },
    { does: 'an ENI with addresses forgotten', sql: `DELETE FROM eni`, says: /FOREIGN KEY/ },
    { does: 'an address on no ENI', sql: `UPDATE ip SET eni_id = 'eni-77'`, says: /FOREIGN KEY/ },
    {
      does: 'two ENIs with one MAC',
      sql: `${eni} SELECT 'eni-2', mac, 'p', 's', 'c', 'g', 2, 1 FROM eni WHERE id = 'eni-1'`,
      says: /UNIQUE.*mac/,
    },
    { does: 'an ENI of no known kind', sql: `UPDATE eni SET mode = 'both'`, says: /CHECK/ },
    {
      does: "an address on an exclusive ENI that is not the ENI's own",
      sql: `INSERT INTO ip (address, eni_id, "grant", state, published, cooling_until, changed_at) VALUES ('10.0.1.99', 'eni-9', 99, 'usable', 1, 0, 0)`,
      says: /an exclusive ENI carries its own address alone/,
    },
    { does: 'an address in no known state', sql: `UPDATE ip SET state = 'free'`, says: /CHECK/ },
  ]) {
    assert.throws(() => store.db.run(sql), says, does)
  }
  assert.deepEqual(store.db.all(`SELECT * FROM attachment`), before)
})

test('[X1][R1] an exclusive ENI is handed out as its own address, and its timer is its own', async (t) => {
  const { store, write } = await pool(t)
  const eni = publishedExclusive(9, 7)
  const [own] = eni.ips
  await write((tx) => {
    tx.sync([
      { kind: 'keep-eni', eni },
      { kind: 'add-ip', address: eni.primaryIp, eniId: eni.id, grant: 7 },
    ])
    tx.setReleaseTimer('exclusive', 5)
  })
  await write((tx) => tx.attach({ ...attachment('x', 1), address: eni.primaryIp }))
  store.restart()
  assert.deepEqual(
    [store.ledger.releaseTimer('shared'), store.ledger.releaseTimer('exclusive')],
    [undefined, 5],
  )
  const { ips: _, ...kept } = eni
  assert.deepEqual(store.ledger.eniOf(eni.primaryIp), { ...kept, published: true })
  const ip = store.ledger.ips().find(({ address }) => address === own?.address)
  assert.deepEqual([ip?.eniId, ip?.inUse, ip?.grant], ['eni-9', true, 7])
})

test('[R1] the ledger refuses with a conflict what is not free any more', async (t) => {
  const { store, write } = await pool(t)
  await write((tx) => tx.attach(attachment('a', 1)))
  await write((tx) => tx.giveBack(ips('10.0.1.3'), 'surplus'))
  for (const bad of [
    (tx: NodeTx) => tx.attach(attachment('b', 1)),
    (tx: NodeTx) => tx.attach(attachment('b', 3)),
    (tx: NodeTx) => tx.attach(attachment('b', 9)),
    (tx: NodeTx) => tx.giveBack(ips('10.0.1.2', '10.0.1.1'), 'surplus'),
    (tx: NodeTx) => tx.giveBack(ips('10.0.1.3'), 'surplus'),
    (tx: NodeTx) => tx.sync([{ kind: 'forget-ip', address: nth(1) }]),
  ]) {
    const before = store.ledger.ips()
    await assert.rejects(write(bad), { code: 'conflict' })
    assert.deepEqual(store.ledger.ips(), before, 'all of a change or nothing')
  }
})

test('[R1] two writes of one turn cannot both have the last address', async (t) => {
  const { store } = await pool(t)
  const both = ['a', 'b'].map((name) => store.ledger.write((tx) => tx.attach(attachment(name, 1))))
  const outcomes = await store.clock.runUntil(Promise.allSettled(both))
  assert.deepEqual(
    outcomes.map(({ status }) => status),
    ['fulfilled', 'rejected'],
  )
  assert.equal(store.ledger.attachments().length, 1)
})

test('[R1][P16] everything is there again after a restart: owners, cooldowns, timer, boot, identity', async (t) => {
  const { store, write } = await pool(t)
  await write((tx) => {
    tx.attach(attachment('a', 1))
    tx.attach(attachment('b', 2))
    tx.setReleaseTimer('shared', tx.now)
    tx.setBootId('boot-1')
  })
  await write((tx) => tx.detach(attachment('b', 2), tx.now + 30_000, 'CNI DEL'))
  const picture = () => {
    const { ledger } = store
    return {
      ips: ledger.ips(),
      enis: ledger.enis(),
      attachments: ledger.attachments(),
      ofPod: ledger.attachmentsOfPod('uid-a', 'eth0'),
      timers: [ledger.releaseTimer('shared'), ledger.releaseTimer('exclusive')],
      boot: ledger.bootId(),
      id: ledger.databaseId,
    }
  }
  const before = picture()
  store.restart()
  assert.deepEqual(picture(), before)
  assert.deepEqual(before.attachments, [attachment('a', 1)])
  assert.deepEqual(
    before.ips.filter(({ coolingUntil }) => coolingUntil > store.clock.now()).map(({ address }) => address),
    ips('10.0.1.2'),
  )
})

test('[R9] detach() of an unknown sandbox changes nothing', async (t) => {
  const { store, write } = await pool(t)
  await write((tx) => tx.attach(attachment('a', 1)))
  const before = [store.ledger.ips(), store.db.all(`SELECT * FROM ip_history`)]
  await write((tx) => tx.detach({ containerId: 'c-old', ifname: 'eth0' }, tx.now, 'late'))
  await write((tx) => tx.detach({ containerId: 'c-a', ifname: 'eth1' }, tx.now, 'another interface'))
  assert.deepEqual([store.ledger.ips(), store.db.all(`SELECT * FROM ip_history`)], before)
})

test('the history has every change of an address, with pod, container and reason', async (t) => {
  const { store, write } = await pool(t)
  await write((tx) => tx.attach(attachment('a', 1)))
  await write((tx) => tx.detach(attachment('a', 1), tx.now, 'CNI DEL'))
  await write((tx) => tx.giveBack(ips('10.0.1.1'), 'surplus'))
  await write((tx) => tx.sync([{ kind: 'renew-ip', address: nth(1), eniId: 'eni-1', grant: 7 }]))
  await write((tx) => tx.sync([{ kind: 'forget-ip', address: nth(1) }]))
  const rows = store.db.all<{
    event: string
    pod_name: string | null
    container_id: string | null
    reason: string
  }>(`SELECT * FROM ip_history WHERE address = '10.0.1.1' ORDER BY seq`)
  assert.deepEqual(
    rows.map(({ event, pod_name, container_id }) => [event, pod_name, container_id]),
    [
      ['added', null, null],
      ['attached', 'a', 'c-a'],
      ['detached', 'a', 'c-a'],
      ['returned', null, null],
      ['renewed', null, null],
      ['forgotten', null, null],
    ],
  )
  assert.ok(rows.every(({ reason }) => reason.length > 0))
  assert.ok(store.ledger.letGo('tke-a') && !store.ledger.letGo('tke-b'))
})

test('[P16] an address rests after its pod, also when it comes after that, or comes again', async (t) => {
  const { store, write } = await pool(t)
  const until = store.clock.now() + 30_000
  const restsUntil = (n: number) => store.ledger.ips().find(({ address }) => address === nth(n))?.coolingUntil
  await write((tx) => tx.attach(attachment('a', 1)))
  await write((tx) => tx.detach(attachment('a', 1), until, 'CNI DEL'))
  await write((tx) => tx.letGo({ hostLink: 'tke-b', address: nth(4) }, until, 'CNI DEL'))
  const added = (n: number) => ({ kind: 'add-ip', address: nth(n), eniId: 'eni-1', grant: 10 + n }) as const
  await write((tx) => tx.sync([{ kind: 'forget-ip', address: nth(1) }]))
  await write((tx) => tx.sync([added(1), added(4), added(5)]))
  assert.deepEqual([1, 4, 5].map(restsUntil), [until, until, 0])
})

test('an unpublished ENI stays as long as it has addresses, and then goes', async (t) => {
  const { store, write } = await pool(t)
  await write((tx) => tx.attach(attachment('a', 1)))
  const gone = [
    { kind: 'forget-ip', address: nth(2) },
    { kind: 'forget-ip', address: nth(3) },
    { kind: 'unpublish-ip', address: nth(1) },
    { kind: 'unpublish-eni', eniId: 'eni-1' },
  ] as const
  await write((tx) => tx.sync(gone))
  assert.deepEqual(
    store.ledger.enis().map(({ id, published }) => [id, published]),
    [['eni-1', false]],
  )
  await write((tx) => tx.detach(attachment('a', 1), 0, 'CNI DEL'))
  await write((tx) =>
    tx.sync([
      { kind: 'forget-ip', address: nth(1) },
      { kind: 'unpublish-eni', eniId: 'eni-1' },
    ]),
  )
  assert.deepEqual(store.ledger.enis(), [])
})

test('[R1] [S4] the schema gives a claimed address to the pod of its name alone', async (t) => {
  const { store, write } = await pool(t)
  const claim = (name: string) => ({ namespace: 'default', name })
  await write((tx) =>
    tx.sync([
      { kind: 'claim-ip', address: nth(1), claim: claim('a') },
      { kind: 'add-ip', address: nth(4), eniId: 'eni-1', grant: 4, claim: claim('b') },
    ]),
  )
  assert.deepEqual(
    store.ledger.ips().map(({ address, claim }) => [address, claim?.name]),
    [
      [nth(1), 'a'],
      [nth(2), undefined],
      [nth(3), undefined],
      [nth(4), 'b'],
    ],
  )
  const conflict = /Cannot hand out 10\.0\.1\.1: it is claimed for pod default\/a/
  await assert.rejects(
    write((tx) => tx.attach(attachment('b', 1))),
    conflict,
  )
  assert.equal(await write((tx) => tx.adopt(attachment('b', 1))), false)
  const insert = (name: string) =>
    `INSERT INTO attachment VALUES ('c-${name}', 'eth0', '10.0.1.1', 'default', '${name}', 'u', '/n', 'tke-${name}', 0)`
  assert.throws(() => store.db.run(insert('b')), /a claimed address is for the pod of its name/)
  await write((tx) => tx.attach(attachment('a', 1)))
  await write((tx) => tx.attach(attachment('c', 2)))
  for (const sql of [
    `UPDATE ip SET claim_name = 'b' WHERE address = '10.0.1.1'`,
    `UPDATE ip SET claim_namespace = 'other' WHERE address = '10.0.1.1'`,
    `UPDATE ip SET claim_namespace = 'default', claim_name = 'a' WHERE address = '10.0.1.2'`,
  ])
    assert.throws(() => store.db.run(sql), /an address in use is not claimed for another pod/, sql)
  assert.throws(
    () => store.db.run(`UPDATE attachment SET address = '10.0.1.4' WHERE container_id = 'c-c'`),
    /a claimed address is for the pod of its name/,
  )
  assert.throws(() => store.db.run(`UPDATE ip SET claim_name = NULL WHERE address = '10.0.1.4'`), /CHECK/)
  await write((tx) => tx.sync([{ kind: 'claim-ip', address: nth(1), claim: undefined }]))
  // Let go while its pod has it: nobody's after that pod.
  await write((tx) => tx.sync([{ kind: 'claim-ip', address: nth(1), claim: releasedPod(claim('a')) }]))
  await write((tx) => tx.sync([{ kind: 'claim-ip', address: nth(1), claim: claim('a') }]))
  store.restart()
  assert.deepEqual(store.ledger.ips()[0]?.claim, claim('a'))
})

test('[R10] a database from before claims keeps what it has, and can hold them', (t) => {
  const folder = mkdtempSync(join(tmpdir(), 'node-ledger-'))
  t.after(() => rmSync(folder, { recursive: true }))
  const path = join(folder, 'node.db')
  const before = openDatabase({ path, kind: 'node', migrations: nodeMigrations.slice(0, 3) })
  before.run(`INSERT INTO eni (id, mac, primary_ip, subnet_id, subnet_cidr, gateway, slot, published)
    VALUES ('eni-1', 'm', '10.0.1.250', 's', '10.0.1.0/24', '10.0.1.254', 1, 1)`)
  before.run(`INSERT INTO ip (address, eni_id, "grant", state, published, changed_at)
    VALUES ('10.0.1.1', 'eni-1', 1, 'usable', 1, 0), ('10.0.1.2', 'eni-1', 2, 'usable', 1, 0)`)
  before.close()
  const db = openDatabase({ path, kind: 'node', migrations: nodeMigrations })
  t.after(() => db.close())
  db.run(`UPDATE ip SET claim_namespace = 'shop', claim_name = 'web-0' WHERE address = '10.0.1.2'`)
  assert.deepEqual(
    nodeVips(db, { names: [] }, 0).map(({ address, state }) => [address, state]),
    [
      ['10.0.1.1', 'idle'],
      ['10.0.1.2', 'claimed'],
    ],
  )
  assert.deepEqual(
    nodeEnis(db, { names: [] }, 0).map(({ addresses, idle }) => [addresses, idle]),
    [[2, 1]],
  )
})

test('[S1] whether static pods are served is known after a restart', async (t) => {
  const { store, write } = await pool(t)
  assert.equal(store.ledger.staticIps(), undefined)
  for (const served of [true, false]) {
    await write((tx) => tx.setStaticIps(served))
    store.restart()
    assert.equal(store.ledger.staticIps(), served)
  }
})

test('[E5] how many EIPs the node can have is known after a restart', async (t) => {
  const { store, write } = await pool(t)
  assert.equal(store.ledger.eips(), undefined)
  await write((tx) => tx.setEips(3))
  store.restart()
  assert.equal(store.ledger.eips(), 3)
})

test('[S4] a pod that was found without its name has an address that is claimed', async (t) => {
  const { store, write } = await pool(t)
  const { pod, ...found } = attachment('a', 1)
  await write((tx) =>
    tx.sync([{ kind: 'claim-ip', address: nth(1), claim: { namespace: 'default', name: 'a' } }]),
  )
  assert.ok(await write((tx) => tx.adopt({ ...found, pod: { ...pod, namespace: '', name: '' } })))
  await write((tx) => tx.namePod(pod))
  assert.equal(store.ledger.attachments()[0]?.pod.name, 'a')
})

test('the views read well', async (t) => {
  const { store, write } = await pool(t)
  await write((tx) => tx.attach(attachment('a', 1)))
  const view = (name: string) => store.db.all<Record<string, unknown>>(`SELECT * FROM ${name}`)
  assert.deepEqual(
    view('v_ip').map(({ address, pod, published }) => [address, pod, published]),
    [
      ['10.0.1.1', 'default/a', 'yes'],
      ['10.0.1.2', '', 'yes'],
      ['10.0.1.3', '', 'yes'],
    ],
  )
  assert.deepEqual([view('v_eni')[0]?.['ips'], view('v_eni')[0]?.['in_use']], [3, 1])
  assert.equal(view('v_attachment')[0]?.['pod'], 'default/a')
  for (const name of ['v_ip', 'v_eni', 'v_attachment', 'v_history'])
    for (const row of view(name)) assert.ok(!Object.values(row).includes(null), `${name} shows no NULL`)
})
