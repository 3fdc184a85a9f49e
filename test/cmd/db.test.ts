// `tke-eni db` on real databases: what check finds and what it passes, copies beside a writer, and the exchange of one file for
// another.
import assert from 'node:assert/strict'
import { spawnSync } from 'node:child_process'
import {
  chownSync,
  existsSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  rmSync,
  statSync,
  truncateSync,
  writeFileSync,
} from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { after, type TestContext, test } from 'node:test'
import Sqlite from 'better-sqlite3'
import { openDatabase } from '../../internal/sqlite/database.ts'
import { lockFile } from '../../internal/sqlite/lock-file.ts'
import { leaderInvariants } from '../../internal/store/invariants/leader.ts'
import { nodeInvariants } from '../../internal/store/invariants/node.ts'
import { leaderMigrations, nodeMigrations } from '../../migrations/index.ts'
import { attachment, fillAgent, fillLeader, openAgent, openLeader } from './ledger-files.ts'

const main = new URL('../../cmd/main.ts', import.meta.url).pathname
const root = mkdtempSync(join(tmpdir(), 'tke-eni-db-'))
after(() => rmSync(root, { recursive: true }))

const at = Date.UTC(2026, 0, 31, 12)
let count = 0

/** A state directory with both databases, closed, and sound. */
async function both(): Promise<string> {
  const directory = join(root, `${++count}`)
  const leader = openLeader(directory, at)
  await fillLeader(leader)
  leader.close()
  const agent = openAgent(directory, at)
  await fillAgent(agent, at)
  agent.close()
  return directory
}

interface Line {
  readonly database: string
  readonly kind: string | null
  readonly check: string
  readonly ok: boolean
  readonly found: readonly string[]
}

function db(...args: readonly string[]) {
  const { status, stdout, stderr } = spawnSync(process.execPath, [main, 'db', ...args], {
    encoding: 'utf8',
    env: { PATH: process.env['PATH'] },
  })
  return { status, stdout, stderr }
}

function check(file: string): { status: number | null; wrong: Line[] } {
  const { status, stdout } = db('check', '--db', file, '-o', 'json')
  return { status, wrong: (JSON.parse(stdout) as Line[]).filter(({ ok }) => !ok) }
}

/** Writes past all constraints, as a bug or a person would. */
function spoil(file: string, sql: string): void {
  const sqlite = new Sqlite(file)
  sqlite.unsafeMode(true)
  sqlite.pragma('foreign_keys = OFF')
  sqlite.pragma('ignore_check_constraints = ON')
  sqlite.exec(sql)
  sqlite.close()
}

test('db check passes what ledgers write, both databases of a directory in one table', async () => {
  const directory = await both()
  const { status, stdout, stderr } = db('check', '--state-dir', directory)
  assert.deepEqual([status, stderr], [0, ''])
  assert.match(stdout, /^DATABASE +CHECK +RESULT +WHAT\n/)
  assert.match(stdout, /leader\.db +last-grant +ok +no grant is above the last one that was given\n/)
  assert.match(stdout, /node\.db +history-agrees +ok /)
  assert.doesNotMatch(stdout, /WRONG/)
})

const spoilt: readonly { in: 'leader' | 'node'; check: string; sql: string; says: RegExp }[] = [
  {
    in: 'leader',
    check: 'addresses-in-block',
    sql: `UPDATE ip SET address = '10.0.2.9' WHERE address = '10.0.1.9'`,
    says: /^10\.0\.2\.9 of eni-a1 is not in 10\.0\.1\.0\/24$/,
  },
  {
    in: 'leader',
    check: 'primaries-in-block',
    sql: `UPDATE eni SET primary_ip = '10.9.0.1' WHERE id = 'eni-a1'`,
    says: /^10\.9\.0\.1 of eni-a1 is not in/,
  },
  {
    in: 'leader',
    check: 'primaries-not-in-pool',
    sql: `UPDATE eni SET primary_ip = '10.0.1.9' WHERE id = 'eni-b1'`,
    says: /^10\.0\.1\.9 is the primary address of eni-b1$/,
  },
  {
    in: 'leader',
    check: 'exclusive-carry-their-own',
    sql: `UPDATE eni SET mode = 'exclusive' WHERE id = 'eni-a1'`,
    says: /^eni-a1 carries 10\.0\.1\.\d+$/,
  },
  {
    in: 'leader',
    check: 'slots-within-quota',
    sql: `UPDATE eni SET slot = 9, served = 0 WHERE id = 'eni-a1'`,
    says: /^eni-a1 has slot 9 of 3 on node-a$/,
  },
  {
    in: 'leader',
    check: 'addresses-within-quota',
    sql: `UPDATE node SET quota_ips_per_eni = 2 WHERE name = 'node-a'; UPDATE eni SET served = 0 WHERE id = 'eni-a1'`,
    says: /^eni-a1 has 3 addresses and expects 0, 2 are allowed on node-a$/,
  },
  {
    in: 'leader',
    check: 'one-intent-per-eni',
    sql: `DROP INDEX intent_open_per_eni; UPDATE intent SET state = 'recorded' WHERE kind = 'assign'`,
    says: /^ENI 2 has open intents \d and \d$/,
  },
  {
    in: 'leader',
    check: 'intents-of-enis',
    sql: `DELETE FROM eni WHERE state = 'creating'`,
    says: /\(create\) is about ENI 3, which is not there$/,
  },
  {
    in: 'leader',
    check: 'creation-asked',
    sql: `UPDATE intent SET state = 'failed' WHERE token = 'token-a2'`,
    says: /of node-a is creating, and nothing is asked$/,
  },
  {
    in: 'leader',
    check: 'expected-asked',
    sql: `UPDATE eni SET expected_ips = 1 WHERE id = 'eni-a1'`,
    says: /^eni-a1 expects 1 addresses/,
  },
  {
    in: 'leader',
    check: 'unassigning-asked',
    sql: `UPDATE ip SET state = 'unassigning' WHERE address = '10.0.1.21'`,
    says: /^10\.0\.1\.21 is unassigning/,
  },
  {
    in: 'leader',
    check: 'last-grant',
    sql: `UPDATE meta SET value = '3' WHERE key = 'last-grant'`,
    says: /^10\.0\.1\.\d+ has grant \d, the last one given is 3$/,
  },
  {
    in: 'leader',
    check: 'one-place-per-pod',
    sql: `DROP INDEX ip_of_pod; UPDATE ip SET pod_namespace = 'd', pod_name = 'p', pod_uid = 'uid-web-0' WHERE address = '10.0.1.9'`,
    says: /^pod uid-web-0 has 10/,
  },
  {
    in: 'leader',
    check: 'one-pod-per-eip',
    sql: `DROP INDEX eip_claim_of_eip; ${eipClaim({ name: 'a' })}; ${eipClaim({ name: 'b' })}`,
    says: /^eip-1 is of default\/a and default\/b$/,
  },
  {
    in: 'leader',
    check: 'one-pod-per-eip',
    sql: `DROP INDEX eip_claim_of_address; ${eipClaim({ name: 'a', address: '1.2.3.4' })};
      ${eipClaim({ name: 'b', eip_id: 'eip-2', address: '1.2.3.4' })}`,
    says: /^1\.2\.3\.4 is of default\/a and default\/b$/,
  },
  {
    in: 'leader',
    check: 'one-eip-per-address',
    sql: `DROP INDEX eip_claim_of_private_ip; ${eipClaim({ name: 'a', private_ip: '10.0.1.9', eni_id: 'eni-a1' })};
      ${eipClaim({ name: 'b', eip_id: 'eip-2', private_ip: '10.0.1.9', eni_id: 'eni-a1' })}`,
    says: /^10\.0\.1\.9 has eip-1 and eip-2$/,
  },
  {
    in: 'leader',
    check: 'one-eip-per-address',
    sql: `DROP INDEX eip_claim_of_pod; ${eipClaim({ name: 'a', pod_uid: 'p' })}; ${eipClaim({ name: 'b', eip_id: 'eip-2', pod_uid: 'p' })}`,
    says: /^pod p has eip-1 and eip-2$/,
  },
  {
    in: 'leader',
    check: 'eips-of-lists',
    sql: eipClaim({ name: 'a', source: 'specified', wish: '{"source":"specified","ids":["eip-2"]}' }),
    says: /^eip-1 of default\/a is not in its list$/,
  },
  {
    in: 'leader',
    check: 'changes-of-claims',
    sql: `${eipClaim({ name: 'a' })}; UPDATE eip_claim SET version = 0`,
    says: /^EIP claim of default\/a is of change 0, the last one is \d+$/,
  },
  {
    in: 'leader',
    check: 'constraints',
    sql: `${eipClaim({ name: 'a', source: 'specified', wish: '{"source":"specified","ids":["eip-1"]}', acted: 'release', acted_at: '1' })}`,
    says: /^CHECK constraint failed in eip_claim$/,
  },
  {
    in: 'leader',
    check: 'references',
    sql: `DELETE FROM node WHERE name = 'node-b'`,
    says: /of eni refers to a node that is not there/,
  },
  {
    in: 'leader',
    check: 'constraints',
    sql: `UPDATE eni SET goal = 'sleep' WHERE id = 'eni-a1'`,
    says: /^CHECK constraint failed in eni$/,
  },
  {
    in: 'leader',
    check: 'integrity',
    sql: `PRAGMA writable_schema = ON;
      UPDATE sqlite_schema SET sql = 'CREATE INDEX ip_history_by_time ON ip_history (seq)' WHERE name = 'ip_history_by_time'`,
    says: /missing from index ip_history_by_time$/,
  },
  { in: 'leader', check: 'schema', sql: `DROP VIEW v_ip`, says: /^view v_ip is missing$/ },
  { in: 'leader', check: 'schema', sql: `CREATE TABLE notes (a)`, says: /^table notes is not ours$/ },
  {
    in: 'node',
    check: 'addresses-in-block',
    sql: `UPDATE eni SET subnet_cidr = '10.0.1.0/29'`,
    says: /^10\.0\.1\.\d+ of eni-a1 is not in 10\.0\.1\.0\/29$/,
  },
  {
    in: 'node',
    check: 'primaries-in-block',
    sql: `UPDATE eni SET primary_ip = '10.0.2.1'`,
    says: /^10\.0\.2\.1 of eni-a1/,
  },
  {
    in: 'node',
    check: 'primaries-not-in-pool',
    sql: `UPDATE eni SET primary_ip = '10.0.1.9'`,
    says: /^10\.0\.1\.9 is the primary/,
  },
  {
    in: 'node',
    check: 'exclusive-carry-their-own',
    sql: `UPDATE eni SET mode = 'exclusive'`,
    says: /^eni-a1 carries 10\.0\.1\.\d+$/,
  },
  {
    in: 'node',
    check: 'one-eni-per-slot',
    sql: `INSERT INTO eni (id, mac, primary_ip, subnet_id, subnet_cidr, gateway, slot, published)
      SELECT 'eni-z', '20:90:6f:00:00:99', '10.0.1.7', subnet_id, subnet_cidr, gateway, slot, 1 FROM eni`,
    says: /^slot 1 has eni-/,
  },
  {
    in: 'node',
    check: 'published-on-published',
    sql: `UPDATE eni SET published = 0`,
    says: /is published, eni-a1 is not$/,
  },
  {
    in: 'node',
    check: 'attached-in-pool',
    sql: `DELETE FROM ip WHERE address = '10.0.1.10'`,
    says: /^10\.0\.1\.10 of container container-of-web-0 is not in the pool$/,
  },
  {
    in: 'node',
    check: 'attached-not-returned',
    sql: `DROP TRIGGER return_of_free_ip; UPDATE ip SET state = 'returning' WHERE address = '10.0.1.10'`,
    says: /^10\.0\.1\.10 of container container-of-web-0 is returning$/,
  },
  {
    in: 'node',
    check: 'claimed-for-its-pod',
    sql: `DROP TRIGGER claim_of_ip_in_use;
      UPDATE ip SET claim_namespace = 'other', claim_name = 'web-9' WHERE address = '10.0.1.10'`,
    says: /^10\.0\.1\.10 is claimed for other\/web-9, and [a-z]+\/web-0 has it$/,
  },
  {
    in: 'node',
    check: 'held-not-attached',
    sql: `INSERT INTO quarantine VALUES ('pod-link', 'eniweb-0', NULL, 'r', 'r', 1, 1, 1, NULL)`,
    says: /^eniweb-0 is in quarantine and attached with 10\.0\.1\.10$/,
  },
  {
    in: 'node',
    check: 'history-agrees',
    sql: `DELETE FROM attachment`,
    says: /^10\.0\.1\.10 is not attached any more, and its history says attached$/,
  },
  {
    in: 'node',
    check: 'primaries-in-block',
    sql: `UPDATE eni SET primary_ip = 'ten'`,
    says: /^it cannot be told: .*malformed JSON$/,
  },
]

for (const { in: kind, check: name, sql, says } of spoilt) {
  test(`[R6] db check finds in a ${kind}'s database what breaks ${name}: ${sql.slice(0, 50)}`, async () => {
    const file = join(await both(), `${kind}.db`)
    spoil(file, sql)
    const { status, wrong } = check(file)
    assert.equal(status, 1)
    const line = wrong.find((each) => each.check === name)
    assert.match(line?.found[0] ?? `not found, but ${JSON.stringify(wrong)}`, says)
    assert.equal(line?.kind, kind)
  })
}

test('every invariant of ours has a case that breaks it', () => {
  const shown = (kind: string) => new Set(spoilt.filter((each) => each.in === kind).map((each) => each.check))
  // The table itself refuses this one, whatever is switched off.
  const refused = ['attached-once']
  assert.deepEqual(
    [
      ...leaderInvariants.filter(({ name }) => !shown('leader').has(name)),
      ...nodeInvariants.filter(({ name }) => !shown('node').has(name)),
    ].map(({ name }) => name),
    refused,
  )
})

for (const [what, sql] of [
  [
    'an instance that got smaller',
    `UPDATE node SET quota_ips_per_eni = 1, quota_enis = 0; UPDATE eni SET served = 1`,
  ],
  [
    'a ledger that was rebuilt, before the cloud has said what instances take',
    `UPDATE node SET quota_ips_per_eni = 1, quota_enis = 0, instance_type = ''; UPDATE eni SET served = 0`,
  ],
] as const)
  test(`db check finds nothing wrong with ${what}`, async () => {
    const directory = await both()
    const file = join(directory, 'leader.db')
    spoil(file, sql)
    assert.deepEqual(check(file), { status: 0, wrong: [] })
  })

for (const { what, make, says } of [
  { what: 'no database at all', make: 'hello', says: /it is not a SQLite database/ },
  { what: 'an empty file', make: '', says: /it is empty/ },
]) {
  test(`[R6] db check says that a file is ${what}`, () => {
    const file = join(root, `file-${++count}.db`)
    writeFileSync(file, make)
    const { status, wrong } = check(file)
    assert.equal(status, 1)
    assert.match(wrong[0]?.found[0] ?? '', says)
  })
}

test('[R6] db check says that a file is damaged, or of a newer version', async () => {
  const directory = await both()
  const file = join(directory, 'node.db')
  spoil(file, `INSERT INTO migration VALUES ('0999_future', 'node', 'x', '')`)
  assert.match(check(file).wrong[0]?.found[0] ?? '', /written by a newer version/)
  truncateSync(join(directory, 'leader.db'), 8192)
  assert.match(check(join(directory, 'leader.db')).wrong[0]?.found[0] ?? '', /it is damaged/)
  assert.equal(db('check', '--db', join(directory, 'nowhere.db')).status, 3)
  assert.equal(db('check', '--state-dir', root).status, 3)
})

test('db backup is whole and private while its daemon writes, and takes nobody’s place', async (t) => {
  const directory = join(root, `${++count}`)
  const agent = openAgent(directory, at)
  t.after(() => agent.close())
  await fillAgent(agent, at)
  const file = join(directory, 'monday.db')
  const { status, stdout } = db('backup', '--state-dir', directory, file)
  assert.equal(status, 0)
  assert.match(stdout, /^\/.*monday\.db: node database "\/.*node\.db" as it is now\n$/)
  assert.equal(statSync(file).mode & 0o777, 0o600)
  await agent.write((tx) => tx.attach(attachment('late', '10.0.1.9')))
  assert.deepEqual(check(file), { status: 0, wrong: [] })
  const copy = openDatabase({ path: file, kind: 'node', migrations: nodeMigrations, readonly: true })
  assert.deepEqual(copy.all(`SELECT pod_name FROM attachment`), [{ pod_name: 'web-0' }])
  copy.close()
  const again = db('backup', '--state-dir', directory, file)
  assert.equal(again.status, 2)
  assert.match(again.stderr, /there is a file already/)
  assert.equal(db('backup', '--state-dir', directory, join(directory, 'no', 'where.db')).status, 1)
  assert.deepEqual(
    readdirSync(directory).filter((name) => name.includes('part')),
    [],
  )
})

test('[R6] db says that the disk of the copy is full, and names no other', async (t) => {
  const directory = await both()
  const small = join(directory, 'small')
  mkdirSync(small)
  const mounted = `mount -t tmpfs -o size=64k tmpfs "${small}" && exec "$@"`
  const onSmallDisk = (...args: string[]) =>
    spawnSync('unshare', ['-Urm', 'sh', '-c', mounted, 'sh', ...args], { encoding: 'utf8' })
  if (onSmallDisk('true').status !== 0) return t.skip('a tmpfs of our own cannot be mounted here')
  const path = join(directory, 'leader.db')
  const file = join(small, 'copy.db')
  const full = (doing: string) =>
    `tke-eni: Cannot ${doing}: the disk is full\n  make room on the file system of "${small}"; a daemon goes on without help then\n`
  const backup = onSmallDisk(process.execPath, main, 'db', 'backup', '--db', path, file)
  assert.deepEqual([backup.status, backup.stderr], [1, full(`back "${path}" up to "${file}"`)])
  const restore = onSmallDisk(process.execPath, main, 'db', 'restore', '--state-dir', small, path)
  const copy = join(small, 'leader.db.restoring')
  assert.deepEqual([restore.status, restore.stderr], [1, full(`copy "${path}" to "${copy}"`)])
  const checked = onSmallDisk('env', `TMPDIR=${small}`, process.execPath, main, 'db', 'check', '--db', path)
  assert.match(checked.stdout, /^constraints +WRONG +it cannot be told: ".*small" has no room for a copy$/m)
})

test('[R6] db refuses an empty name, which would be the directory that one is in', async () => {
  const directory = await both()
  const path = join(directory, 'node.db')
  for (const args of [
    ['backup', '--db', path, ''],
    ['restore', '--state-dir', directory, ''],
    ['check', '--db', ''],
  ]) {
    const { status, stderr } = db(...args)
    assert.deepEqual([status, stderr], [2, 'tke-eni: Cannot use "" as a file: the name is empty\n'])
  }
})

test('[R6] db reads no pipe, from which nothing may ever come', async () => {
  const directory = await both()
  const pipe = join(directory, 'pipe')
  spawnSync('mkfifo', [pipe])
  assert.deepEqual(
    check(pipe).wrong.map(({ found }) => found),
    [[`Cannot open leader or node database "${pipe}": it is not a regular file`]],
  )
  const { status, stderr } = db('restore', '--state-dir', directory, pipe)
  assert.equal(status, 1)
  assert.match(stderr, /it is not a regular file/)
})

test('db backup wants to know which, where there are two', async () => {
  const directory = await both()
  const { status, stderr } = db('backup', '--state-dir', directory, join(directory, 'x.db'))
  assert.equal(status, 2)
  assert.match(stderr, /has two\n {2}say which: --db .*leader\.db or --db .*node\.db\n$/)
})

test('[R4] db restore puts a backup in place, marked, and keeps the database so far', async () => {
  const directory = await both()
  const backup = join(directory, 'backup.db')
  const path = join(directory, 'node.db')
  db('backup', '--db', path, backup)
  const agent = openAgent(directory, at)
  await agent.write((tx) => tx.attach(attachment('late', '10.0.1.9')))
  agent.close()
  const before = readFileSync(path)
  const { status, stdout, stderr } = db('restore', '--state-dir', directory, backup)
  assert.deepEqual([status, stderr], [0, ''])
  assert.match(stdout, /compares it with the kernel before it serves\n$/)
  const aside = readdirSync(directory).filter((name) => /^node\.db\.replaced-\d{8}T\d{6}Z$/.test(name))
  assert.equal(aside.length, 1)
  assert.deepEqual(readFileSync(join(directory, aside[0] ?? '')), before)
  assert.equal(statSync(path).mode & 0o777, 0o600)
  const restored = openDatabase({ path, kind: 'node', migrations: nodeMigrations })
  assert.deepEqual(restored.all(`SELECT pod_name FROM attachment`), [{ pod_name: 'web-0' }])
  assert.deepEqual(restored.all(`SELECT key FROM meta ORDER BY key`), [
    { key: 'behind-nec' },
    { key: 'restored' },
  ])
  restored.close()
  assert.ok(!existsSync(`${path}.restoring`))
})

test("[R4] db restore of a leader's backup keeps history and grants, and leaves the rest to be read anew", async () => {
  const directory = await both()
  const path = join(directory, 'leader.db')
  const backup = join(directory, 'backup.db')
  db('backup', '--db', path, backup)
  rmSync(path)
  assert.equal(db('restore', '--state-dir', directory, backup).status, 0)
  const restored = openDatabase({ path, kind: 'leader', migrations: leaderMigrations })
  const rows = (table: string) => restored.get<{ n: number }>(`SELECT count(*) AS n FROM ${table}`)?.n ?? 0
  assert.deepEqual(['node', 'eni', 'ip', 'intent'].map(rows), [0, 0, 0, 0])
  assert.ok(rows('ip_history') > 0)
  const meta = new Map(
    restored.all<{ key: string; value: string }>(`SELECT * FROM meta`).map(({ key, value }) => [key, value]),
  )
  assert.ok(Number(meta.get('last-grant')) > 0)
  assert.equal(meta.get('complete'), undefined)
  restored.close()
  assert.deepEqual(check(path), { status: 0, wrong: [] })
})

test('[R4] what db restore makes as root belongs to whom the directory belongs to', {
  skip: process.getuid?.() === 0 ? false : 'not root',
}, async () => {
  // The leader runs as a user of its own: a file of root's was one that it could not open.
  const directory = await both()
  const path = join(directory, 'node.db')
  const backup = join(directory, 'backup.db')
  db('backup', '--db', path, backup)
  chownSync(directory, 12345, 12346)
  assert.equal(db('restore', '--state-dir', directory, backup).status, 0)
  for (const file of [path, join(directory, 'node.lock')]) {
    const { gid, uid } = statSync(file)
    assert.deepEqual([uid, gid], [12345, 12346])
  }
})

for (const { does, prepare, status, says } of [
  {
    does: 'while the daemon runs',
    prepare: (directory: string, _backup: string, t: TestContext) => {
      const lock = lockFile(join(directory, 'node.lock'))
      t.after(() => lock.release())
    },
    status: 1,
    says: /another process holds it/,
  },
  {
    does: 'when it is damaged',
    prepare: (_directory: string, backup: string) => truncateSync(backup, 12_288),
    status: 1,
    says: /it is not sound: .*damaged/,
  },
  {
    does: 'when it breaks an invariant',
    prepare: (_directory: string, backup: string) => spoil(backup, `DELETE FROM attachment`),
    status: 1,
    says: /it is not sound: 10\.0\.1\.10 is not attached/,
  },
  {
    does: 'when it is not there',
    prepare: (_directory: string, backup: string) => rmSync(backup),
    status: 3,
    says: /there is no such file/,
  },
]) {
  test(`[R6] db restore refuses a backup ${does}, and changes nothing`, async (t) => {
    const directory = await both()
    const path = join(directory, 'node.db')
    const backup = join(directory, 'backup.db')
    db('backup', '--db', path, backup)
    prepare(directory, backup, t)
    const before = readFileSync(path)
    const ended = db('restore', '--state-dir', directory, backup)
    assert.equal(ended.status, status)
    assert.match(ended.stderr, says)
    assert.deepEqual(readFileSync(path), before)
    assert.ok(!readdirSync(directory).some((name) => /replaced|restoring/.test(name)))
  })
}

test("[R6] db restore refuses another kind's place", async () => {
  const directory = await both()
  const backup = join(directory, 'backup.db')
  db('backup', '--db', join(directory, 'node.db'), backup)
  const { status, stderr } = db('restore', '--db', join(directory, 'leader.db'), backup)
  assert.equal(status, 2)
  assert.match(stderr, /it is a node database/)
})

test('[R4] db rebuild moves a damaged database aside with its log, whatever is in it, and not under a running daemon', async (t) => {
  const directory = await both()
  const path = join(directory, 'node.db')
  rmSync(join(directory, 'leader.db'))
  writeFileSync(path, 'garbage')
  writeFileSync(`${path}-wal`, 'more of it')
  const lock = lockFile(join(directory, 'node.lock'))
  t.after(() => lock.release())
  assert.match(
    db('rebuild', '--state-dir', directory).stderr,
    /another process holds it\n {2}stop the daemon first: systemctl stop tke-eni-node\n$/,
  )
  lock.release()
  const { status, stdout } = db('rebuild', '--state-dir', directory)
  assert.equal(status, 0)
  assert.match(stdout, /makes a new one from its NEC and the kernel; pods keep their network\n$/)
  const [aside, log] = readdirSync(directory)
    .filter((name) => name.includes('damaged'))
    .toSorted()
  assert.equal(readFileSync(join(directory, aside ?? ''), 'utf8'), 'garbage')
  assert.equal(log, `${aside}-wal`)
  assert.ok(!existsSync(path))
  assert.equal(db('rebuild', '--state-dir', directory).status, 3)
})

test('[R6] db rebuild refuses a file that no daemon uses', () => {
  const directory = join(root, `${++count}`)
  mkdirSync(directory)
  const file = join(directory, 'copy.db')
  writeFileSync(file, 'x')
  const { status, stderr } = db('rebuild', '--db', file)
  assert.equal(status, 2)
  assert.match(stderr, /no daemon uses that name/)
})

/** SQL that enters the claim of a pod that has eip-1. */
function eipClaim(values: Readonly<Record<string, string>>): string {
  const { name } = values
  const columns: Readonly<Record<string, string>> = {
    ...{
      namespace: 'default',
      uid: `u-${name}`,
      policy: 'Never',
      phase: 'Attaching',
      pod_uid: `pod-${name}`,
      node: 'node-a',
    },
    ...{ source: 'created', wish: '{"source":"created"}', eip_id: 'eip-1', created_at: '1', changed_at: '1' },
    ...values,
  }
  const texts = Object.values(columns).map((text) => `'${text}'`)
  return `INSERT INTO eip_claim (${Object.keys(columns).join(', ')}) VALUES (${texts.join(', ')})`
}
