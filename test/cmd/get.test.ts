// `tke-eni get` on real databases: tables, lists, filters, what changes, and what is refused.
import assert from 'node:assert/strict'
import { spawnSync } from 'node:child_process'
import { mkdirSync, mkdtempSync, readFileSync, renameSync, rmSync, statSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { after, before, test } from 'node:test'
import { systemClock } from '../../internal/base/clock.ts'
import { openDatabase } from '../../internal/sqlite/database.ts'
import { parseYaml } from '../../internal/wire/yaml.ts'
import { leaderMigrations } from '../../migrations/index.ts'
import { follow, get } from './get-process.ts'
import {
  addExclusiveEni,
  attachment,
  fillAgent,
  fillLeader,
  ipv4,
  node,
  openAgent,
  openLeader,
} from './ledger-files.ts'

const directory = mkdtempSync(join(tmpdir(), 'tke-eni-get-'))
const leaderDir = join(directory, 'leader')
const agentDir = join(directory, 'node')
/** Ages are the same however long the tests take. */
const ago = systemClock.now() - 5 * 24 * 3_600_000
const anHour = 3_600_000

before(async () => {
  const leader = openLeader(leaderDir, ago)
  await fillLeader(leader)
  leader.close()
  const agent = openAgent(agentDir, ago)
  await fillAgent(agent, systemClock.now() + anHour)
  agent.close()
})
after(() => rmSync(directory, { recursive: true }))

const ageless = (text: string) => text.replaceAll(/\b5d$/gm, '<age>')
const leader = (...args: string[]) => get(...args, '--state-dir', leaderDir)
const agent = (...args: string[]) => get(...args, '--state-dir', agentDir)
const list = async (...args: string[]) => JSON.parse((await leader(...args, '-o', 'json')).stdout)

test("get vip prints the leader's addresses by node, slot and number, with their pods", async () => {
  const { status, stdout, stderr } = await leader('vip')
  assert.deepEqual([status, stderr], [0, ''])
  assert.equal(
    ageless(stdout),
    `ADDRESS      STATE         NODE     ENI      POD             AGE
10.0.1.9     idle          node-a   eni-a1   <none>          <age>
10.0.1.10    in-use        node-a   eni-a1   default/web-0   <age>
10.0.1.100   idle          node-a   eni-a1   <none>          <age>
10.0.1.20    unassigning   node-b   eni-b1   <none>          <age>
10.0.1.21    idle          node-b   eni-b1   <none>          <age>
`,
  )
})

test("get vip prints a node's own pool with the exact owners", async () => {
  assert.equal(
    ageless((await agent('vips')).stdout),
    `ADDRESS     STATE       ENI      POD             CONTAINER       AGE
10.0.1.9    idle        eni-a1   <none>          <none>          <age>
10.0.1.10   in-use      eni-a1   default/web-0   container-of-   <age>
10.0.1.11   returning   eni-a1   <none>          <none>          <age>
10.0.1.12   cooling     eni-a1   <none>          <none>          <age>
`,
  )
})

test('get eni prints ENIs with their addresses, those being created as well', async () => {
  assert.equal(
    ageless((await leader('enis')).stdout),
    `ENI          NODE     SLOT   MODE     STATE      ADDRESSES   IN-USE   IDLE   SUBNET     AGE
eni-a1       node-a      1   shared   attached           3        1      2   subnet-1   <age>
<creating>   node-a      2   shared   creating           0        0      0   subnet-1   <age>
eni-b1       node-b      1   shared   attached           2        0      1   subnet-1   <age>
`,
  )
  assert.match((await agent('eni')).stdout, /^eni-a1 +1 +shared +published +4 +1 +1 +subnet-1$/m)
})

test('get node prints the pools of the nodes', async () => {
  assert.equal(
    ageless((await leader('node')).stdout),
    `NAME     PHASE    ENIS   BOUND   IN-USE   IDLE   WARM   EXCLUSIVE   EXCL-IN-USE   ZONE             AGE
node-a   active    2/3    3/27        1      2    2-4         0/0             0   ap-guangzhou-3   <age>
node-b   active    1/3    1/27        0      1    2-4         0/0             0   ap-guangzhou-3   <age>
`,
  )
})

test('[X3] get tells exclusive ENIs from shared ones, and counts them apart', async () => {
  const directory = join(leaderDir, 'exclusive')
  const opened = openLeader(directory, ago)
  await fillLeader(opened)
  await addExclusiveEni(opened, 'node-b', '10.0.1.77')
  opened.close()
  const shown = async (...args: string[]) => (await get(...args, '--state-dir', directory)).stdout
  assert.match(await shown('eni'), /^eni-own +node-b +2 +exclusive +attached +1 +1 +0 +subnet-1 /m)
  assert.match(await shown('vip', '-o', 'wide'), /^10\.0\.1\.77 +in-use +node-b +eni-own +2 +exclusive /m)
  assert.match(await shown('node'), /^node-b +active +1\/3 +1\/27 +0 +1 +2-4 +1\/2 +1 +ap-guangzhou-3 /m)
  assert.match(await shown('node', '-o', 'wide'), / 1\/2 +1 +0-1 +ins-node-b +SA2\.SMALL1 /)
  const [subnet] = JSON.parse(await shown('subnet', '-o', 'json'))
  assert.deepEqual([subnet.enis, subnet.primaryIps, subnet.addresses, subnet.inUse], [4, 2, 6, 2])
})

test('get subnet prints what of each subnet is ours', async () => {
  assert.equal(
    (await leader('subnet')).stdout,
    `SUBNET     CIDR          NODES   ENIS   ADDRESSES   IN-USE   IDLE   ASSIGNING   UNASSIGNING
subnet-1   10.0.1.0/24       2      3           5        1      3           3             1
`,
  )
  assert.match((await agent('subnet')).stdout, /^subnet-1 +10\.0\.1\.0\/24 +1 +4 +1 +1 +1 +1$/m)
})

test('[R2] get intent prints what was asked of the cloud, and a failure on one line', async () => {
  const { stdout } = await leader('intent')
  assert.match(stdout, /^ *5 +create +recorded +node-a +<none> +3 +5d +3 below minWarm +<none>$/m)
  assert.match(
    stdout,
    /^ *6 +assign +failed .* 2 below minWarm +Cannot assign addresses: the subnet is full$/m,
  )
  assert.deepEqual(
    (await list('intent', '7')).map(({ id, addresses }: { id: number; addresses: string[] }) => [
      id,
      addresses,
    ]),
    [[7, ['10.0.1.20']]],
  )
})

test('[R7] get quarantine prints what the views disagree about, and what to do', async () => {
  assert.match(
    (await leader('quarantine')).stdout,
    /^eni-elsewhere +eni-b1 +suspected +node-b +1 +5d +it is attached to "ins-9", .* detach it in the console$/m,
  )
  assert.equal((await agent('quarantine')).stderr, 'No suspects found\n')
})

test('get history tells who had an address and why it changed hands', async () => {
  const events = (await list('history', '10.0.1.10')).map(
    ({ event, podName }: { event: string; podName: string | null }) => [event, podName],
  )
  assert.deepEqual(events, [
    ['bound', null],
    ['taken', 'web-0'],
  ])
  assert.match(
    (await agent('history', 'default/job-0')).stdout,
    /10\.0\.1\.12 +detached +default\/job-0 .* CNI DEL$/m,
  )
})

test('get -o json and -o yaml print the same list, with the same keys for every item and either database', async () => {
  const items = await list('vip')
  const yaml = (await leader('vip', '-o', 'yaml')).stdout
  assert.deepEqual(parseYaml(yaml, 'list', 'stdout'), items)
  const keys = `address state node eni slot mode subnet subnetCidr mac grant policy reservation message
    podNamespace podName podUid podSince 
    containerId ifname hostLink netns coolingUntil published changedAt`.split(/\s+/)
  const own = JSON.parse((await agent('vip', '-o', 'json')).stdout)
  for (const item of [...items, ...own]) assert.deepEqual(Object.keys(item), keys)
  assert.deepEqual(own[1], {
    address: '10.0.1.10',
    state: 'in-use',
    node: null,
    eni: 'eni-a1',
    slot: 1,
    mode: 'shared',
    subnet: 'subnet-1',
    subnetCidr: '10.0.1.0/24',
    mac: '20:90:6f:00:00:01',
    grant: 1,
    policy: null,
    reservation: null,
    message: null,
    podNamespace: 'default',
    podName: 'web-0',
    podUid: 'uid-web-0',
    podSince: new Date(ago).toISOString(),
    containerId: 'container-of-web-0',
    ifname: 'eth0',
    hostLink: 'eniweb-0',
    netns: '/run/netns/web-0',
    coolingUntil: null,
    published: true,
    changedAt: new Date(ago).toISOString(),
  })
})

test('the keys in docs/cli.md are those that get prints', async () => {
  const docs = readFileSync(new URL('../../docs/cli.md', import.meta.url), 'utf8')
  for (const resource of ['vip', 'eni', 'node', 'subnet', 'intent', 'history', 'quarantine']) {
    const [item] = await list(resource)
    const keys = Object.keys(item).map((key) => `\`${key}\``)
    assert.ok(docs.includes(`| ${resource} | ${keys.join(' ')} |`), `${resource}: ${keys.join(' ')}`)
  }
})

test('get -o wide adds columns and cuts nothing off in a pipe', async () => {
  const { stdout } = await leader('vip', '-o', 'wide')
  const [header = '', ...rows] = stdout.trimEnd().split('\n')
  for (const name of ['SLOT', 'MAC', 'SUBNET', 'GRANT', 'POD-SINCE', 'CHANGED'])
    assert.match(header, new RegExp(` ${name} `))
  for (const row of rows) assert.match(row, /20:90:6f:00:00:0\d +subnet-1 .* 5d$/)
})

for (const { args, want } of [
  { args: ['vip', '10.0.1.21', '10.0.1.9'], want: ['10.0.1.9', '10.0.1.21'] },
  { args: ['ips', 'default/web-0'], want: ['10.0.1.10'] },
  { args: ['vip', '--node', 'node-b'], want: ['10.0.1.20', '10.0.1.21'] },
  { args: ['vip', '-n', 'default'], want: ['10.0.1.10'] },
])
  test(`get ${args.join(' ')} prints these alone`, async () => {
    assert.deepEqual(
      (await list(...args)).map(({ address }: { address: string }) => address),
      want,
    )
  })

test('get prints what it found of several names, and fails for the others', async () => {
  const { status, stdout, stderr } = await leader('vip', '10.0.1.9', '10.0.1.77', 'default/nobody')
  assert.equal(status, 3)
  assert.match(stdout, /^10\.0\.1\.9 /m)
  assert.match(
    stderr,
    /^tke-eni: Cannot find addresses "10\.0\.1\.77", "default\/nobody": they are not in ".*leader\.db"\n$/,
  )
})

test('get of nothing says so and succeeds', async () => {
  const empty = join(directory, 'empty')
  openLeader(empty, ago).close()
  const table = await get('vip', '--state-dir', empty)
  assert.deepEqual(table, { status: 0, stdout: '', stderr: 'No addresses found\n' })
  assert.equal((await get('node', '--state-dir', empty, '-o', 'json')).stdout, '[]\n')
  assert.equal((await get('eni', '--state-dir', empty, '-o', 'yaml')).stdout, '[]\n')
})

for (const { args, status, says } of [
  {
    args: ['vip', '10.0.1.500'],
    status: 2,
    says: /Cannot look for address "10\.0\.1\.500": it is not an IPv4 address or/,
  },
  { args: ['intent', 'x'], status: 2, says: /Cannot look for intent "x": it is not a number/ },
  { args: ['vpis'], status: 2, says: /Cannot get "vpis": there is no such resource, did you mean "vips"\?/ },
  { args: ['vip', '-o', 'xml'], status: 2, says: /Allowed choices are table, wide, json, yaml/ },
  { args: ['eni', '-n', 'default'], status: 2, says: /Cannot choose ENIs by --namespace: they have none/ },
  {
    args: ['vip', '--kubeconfig', 'x'],
    status: 2,
    says: /Cannot get vip with --kubeconfig: it comes from a database/,
  },
  {
    args: ['nec', '--db', 'x'],
    status: 2,
    says: /Cannot get nec with --db: it comes from the Kubernetes API/,
  },
  { args: ['node', 'node-x'], status: 3, says: /Cannot find node "node-x": it is not in/ },
  { args: ['vip', '--node', 'node-x'], status: 3, says: /Cannot find node "node-x": it is not in/ },
])
  test(`[R6] get ${args.join(' ')} is refused with ${status}`, async () => {
    const ended = await get(
      ...args,
      ...(/--(db|kubeconfig)/.test(args.join(' ')) ? [] : ['--state-dir', leaderDir]),
    )
    assert.match(ended.stderr, says)
    assert.deepEqual([ended.status, ended.stdout], [status, ''])
  })

test("[R6] get node on a node agent's database says where the nodes are", async () => {
  const { status, stderr } = await agent('node')
  assert.equal(status, 3)
  assert.match(
    stderr,
    /Cannot get nodes: ".*node\.db" is the database of a node agent, which knows its own pool only\n.*leader/,
  )
  assert.match((await agent('vip', '--node', 'node-a')).stderr, /Cannot choose node "node-a"/)
})

test('get --db reads either kind, whatever the file is called', async () => {
  const copy = join(directory, 'copy.sqlite')
  writeFileSync(copy, readFileSync(join(agentDir, 'node.db')))
  assert.match((await get('vip', '--db', copy)).stdout, /container-of-/)
})

for (const { what, content, says } of [
  { what: 'a text file', content: () => 'hello, this is no database\n', says: /it is not a SQLite database/ },
  { what: 'an empty file', content: () => '', says: /it is empty/ },
  {
    what: 'a database cut short',
    content: () => readFileSync(join(leaderDir, 'leader.db')).subarray(0, 20_000),
    says: /it is damaged: /,
  },
])
  test(`[R6] get refuses ${what} and leaves it as it is`, async () => {
    const path = join(mkdtempSync(join(directory, 'bad-')), 'leader.db')
    writeFileSync(path, content())
    const { size, mtimeMs } = statSync(path)
    const { status, stdout, stderr } = await get('vip', '--db', path)
    assert.match(stderr, /^tke-eni: Cannot open leader or node database ".*": /)
    assert.match(stderr, says)
    assert.deepEqual([status, stdout], [1, ''])
    assert.deepEqual([statSync(path).size, statSync(path).mtimeMs], [size, mtimeMs])
  })

test('[R10] get refuses a database of a newer version', async () => {
  const path = join(mkdtempSync(join(directory, 'newer-')), 'leader.db')
  writeFileSync(path, readFileSync(join(leaderDir, 'leader.db')))
  const db = openDatabase({ path, kind: 'leader', migrations: leaderMigrations })
  db.run(`INSERT INTO migration (name, kind, hash) VALUES ('9999_later', 'leader', 'x')`)
  db.close()
  const { status, stderr } = await get('vip', '--db', path)
  assert.equal(status, 1)
  assert.match(
    stderr,
    /it was written by a newer version \(it has migration "9999_later"\)\n {2}install that version or a later one/,
  )
})

test('[R6] get says where it looked when there is no database', async () => {
  const nowhere = join(directory, 'nowhere')
  mkdirSync(nowhere)
  const { status, stderr } = await get('vip', '--state-dir', nowhere)
  assert.equal(status, 3)
  assert.match(stderr, /Cannot find a database: ".*nowhere" has neither leader\.db nor node\.db/)
})

test('get reads beside a running leader, and --watch prints what it commits', async () => {
  const running = openLeader(join(directory, 'running'), systemClock.now())
  await fillLeader(running)
  const watched = follow('vip', '--db', running.path, '--watch')
  await watched.line(/^10\.0\.1\.21 /)
  const before = watched.stdout()
  await running.write((tx) =>
    tx.setPod(ipv4('10.0.1.21'), { namespace: 'default', name: 'new-0', uid: 'uid-new-0' }),
  )
  assert.match(await watched.line(/./), /^10\.0\.1\.21 +in-use +node-b +eni-b1 +default\/new-0 +\d+s$/)
  const intent = running.ledger.openIntents().find(({ kind }) => kind === 'unassign')
  assert.ok(intent !== undefined)
  await running.write((tx) => tx.fail(intent, 'refused'))
  assert.match(await watched.line(/./), /^10\.0\.1\.20 +idle /)
  const { status, stdout, stderr } = await watched.stop()
  assert.deepEqual([status, stderr], [0, ''])
  assert.equal(stdout.slice(before.length).split('\n').length, 3, 'only what changed, without a header')
  running.close()
})

test('get --watch -o json prints an object a line; what is gone comes once more', async () => {
  const running = openLeader(join(directory, 'leaving'), systemClock.now())
  const watched = follow('node', '--db', running.path, '--watch', '-o', 'json')
  await running.write((tx) => tx.addNode(node('node-z')))
  assert.equal(JSON.parse(await watched.line(/./)).phase, 'active')
  await running.write((tx) => tx.removeNode('node-z'))
  assert.equal(JSON.parse(await watched.line(/./)).phase, 'gone')
  assert.equal((await watched.stop()).status, 0)
  running.close()
})

test('get history --watch prints each entry once', async () => {
  const running = openAgent(join(directory, 'serving'), systemClock.now())
  await fillAgent(running, 0)
  const watched = follow('history', '--db', running.path, '--watch')
  await watched.line(/returned/)
  await running.write((tx) => tx.attach(attachment('late-0', '10.0.1.9')))
  assert.match(await watched.line(/./), /10\.0\.1\.9 +attached +default\/late-0/)
  assert.equal((await watched.stop()).stdout.match(/default\/late-0/g)?.length, 1)
  running.close()
})

test('[P16] get vip --watch shows the end of a cooldown, which changes nothing in the database', async () => {
  const running = openAgent(join(directory, 'cooling'), systemClock.now())
  await fillAgent(running, systemClock.now() + anHour)
  const watched = follow('vip', '--db', running.path, '--watch')
  await watched.line(/^10\.0\.1\.12 +cooling/)
  await running.write((tx) => {
    const { containerId, ifname } = attachment('web-0', '10.0.1.10')
    tx.detach({ containerId, ifname }, systemClock.now() + 2000, 'CNI DEL')
  })
  await watched.line(/^10\.0\.1\.10 +cooling/)
  await watched.line(/^10\.0\.1\.10 +idle/)
  await watched.stop()
  running.close()
})

test('get --watch ends quietly when nobody reads on', async () => {
  const running = openLeader(join(directory, 'unheard'), systemClock.now())
  await fillLeader(running)
  const watched = follow('node', '--db', running.path, '--watch')
  await watched.line(/^node-b /)
  watched.closeStdout()
  await running.write((tx) => tx.addNode(node('node-z')))
  const { status, stderr } = await watched.ended
  assert.deepEqual([status, stderr], [0, ''])
  running.close()
})

test('[R6] get --watch ends when another file takes the place of the database', async () => {
  const running = openLeader(join(directory, 'replaced'), systemClock.now())
  await fillLeader(running)
  const watched = follow('node', '--db', running.path, '--watch')
  await watched.line(/^node-b /)
  running.close()
  renameSync(running.path, `${running.path}.old`)
  const { status, stderr } = await watched.ended
  assert.equal(status, 1)
  assert.match(stderr, /Cannot watch ".*leader\.db": another file has taken its place, or none/)
})

test('tke-eni completion bash completes what get can get', () => {
  const main = new URL('../../cmd/main.ts', import.meta.url).pathname
  const script = spawnSync(process.execPath, [main, 'completion', 'bash'], { encoding: 'utf8' }).stdout
  const complete = (...words: string[]) => {
    const line = `${script}\nCOMP_WORDS=(tke-eni ${words.join(' ')}); COMP_CWORD=${words.length}; _tke_eni; echo "\${COMPREPLY[*]}"`
    return spawnSync('bash', ['-c', line], { encoding: 'utf8' }).stdout.trim()
  }
  assert.equal(complete('get', 'hi'), 'history')
  assert.equal(complete('get', 'vip', '--wa'), '--watch')
})
