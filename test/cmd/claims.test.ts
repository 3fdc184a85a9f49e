// Claims without Kubernetes: `tke-eni get|describe` from a leader's database, `tke-eni delete vipc|eipc` from the leader itself.
import assert from 'node:assert/strict'
import { mkdtempSync, rmSync } from 'node:fs'
import { createServer, type Socket } from 'node:net'
import { tmpdir } from 'node:os'
import { dirname, join } from 'node:path'
import { after, before, beforeEach, type TestContext, test } from 'node:test'
import { askLeader } from '../../cmd/claims/leader-socket.ts'
import { claimsSocket } from '../../cmd/claims/place.ts'
import { serveClaims } from '../../cmd/leader-claims.ts'
import { systemClock } from '../../internal/base/clock.ts'
import { silentLog } from '../../internal/base/log.ts'
import { systemRandom } from '../../internal/base/random.ts'
import { connectKube } from '../../internal/kube/connect.ts'
import {
  bound,
  boundEip,
  deleteClaim,
  deleteEip,
  insertClaim,
  insertEip,
  listedEip,
  pending,
  pendingEip,
  retained,
  retainedEip,
  updateClaim,
  updateEip,
} from '../apiserver/claims/claim-rows.ts'
import { type ClaimLedger, openClaimLedger } from '../apiserver/claims/claim-server.ts'
import { command, type Ended } from './get-process.ts'

let ledger: ClaimLedger
before(() => {
  ledger = openClaimLedger()
})
after(() => ledger.close())
beforeEach(() => {
  ledger.db.run('DELETE FROM claim')
  ledger.db.run('DELETE FROM eip_claim')
  const soon = { expire_after: 3_600_000, retained_at: systemClock.now(), expires_at: 5_000_000 }
  insertClaim(
    ledger.db,
    bound('web-0', '10.0.0.5', { owner: JSON.stringify({ kind: 'StatefulSet', name: 'web' }) }),
  )
  insertClaim(ledger.db, retained('web-1', '10.0.0.6', soon))
  insertClaim(
    ledger.db,
    retained('web-2', '10.0.0.7', { ...soon, expires_at: 4_000_000, namespace: 'other' }),
  )
  insertClaim(ledger.db, pending('web-3', { reason: 'SubnetFull', message: 'no address is left in zone-a' }))
})

const eni = (...args: readonly string[]): Promise<Ended> =>
  command(...args, '--state-dir', ledger.folder).ended
const out = async (...args: readonly string[]): Promise<string> => {
  const { status, stdout, stderr } = await eni(...args)
  assert.deepEqual([status, stderr], [0, ''])
  return stdout.replaceAll(/ +/g, ' ').replaceAll(/ \n/g, '\n')
}
const phaseOf = (name: string) =>
  ledger.db.get<{ phase: string }>('SELECT phase FROM claim WHERE name = ?', name)?.phase

test('[S8] tke-eni get vipc shows what kubectl get vipc shows', async () => {
  assert.match(
    await out('get', 'vipc'),
    /^NAMESPACE NAME PHASE IP NODE POLICY EXPIRES AGE\ndefault web-0 Bound 10\.0\.0\.5 node-1 Never by setting \S+\ndefault web-1 Retained 10\.0\.0\.6 <none> Never in \d+m \S+\n/,
  )
  assert.match(await out('get', 'vpcipclaims', 'default/web-0', '-o', 'wide'), /StatefulSet\/web/)
  assert.doesNotMatch(await out('get', 'vipc', '-n', 'other'), /default/)
})

test('[S5] tke-eni get vipc --expiring shows what is given back first', async () => {
  const names = (await out('get', 'vipc', '--expiring')).split('\n').map((line) => line.split(' ')[1])
  assert.deepEqual(names, ['NAME', 'web-2', 'web-1', undefined])
})

test('[S8] tke-eni get vip shows addresses that are only kept', async () => {
  const text = await out('get', 'vip')
  assert.match(text, /10\.0\.0\.6 retained <none> <none> default\/web-1 /)
  const [item] = JSON.parse((await eni('get', 'vip', 'other/web-2', '-o', 'json')).stdout)
  assert.partialDeepStrictEqual(item, {
    address: '10.0.0.7',
    state: 'retained',
    reservation: 'rsv-web-2',
    policy: 'Never',
  })
})

test('tke-eni describe says what is known, and what happened', async () => {
  assert.match(
    await out('describe', 'vipc', 'web-3'),
    /Phase: Pending\n[\s\S]*Message: no address is left in zone-a\n[\s\S]*History: none/,
  )
  assert.match(await out('describe', 'vip', '10.0.0.6'), /State: retained\n/)
  assert.equal((await eni('describe', 'vipc', 'nobody')).status, 3)
})

test('tke-eni delete without a leader says where one is', async () => {
  const { status, stderr } = await eni('delete', 'vipc', 'web-1')
  assert.equal(status, 1)
  assert.match(
    stderr,
    /Cannot ask the leader on ".*leader\.sock": none leads there \(ENOENT\)\n.*machine of the leader/,
  )
})

test('[S6] tke-eni delete vipc waits until the address is given back', async (t) => {
  t.after(await leaderServes())
  assert.match(
    (await eni('delete', 'vipc', 'web-1', '--dry-run')).stdout,
    /web-1" would be deleted and 10\.0\.0\.6 given back/,
  )
  assert.equal(phaseOf('web-1'), 'Retained')
  const deleting = eni('delete', 'vipc', 'web-1')
  while (phaseOf('web-1') !== 'Releasing') await new Promise((resolve) => setImmediate(resolve))
  deleteClaim(ledger.db, 'web-1')
  assert.match((await deleting).stdout, /^claim "default\/web-1" deleted: 10\.0\.0\.6 is given back\n$/)
})

test('[S6] tke-eni delete vipc refuses what a pod has, unless it is forced', async (t) => {
  t.after(await leaderServes())
  const refused = await eni('delete', 'vipc', 'web-0')
  assert.equal(refused.status, 1)
  assert.match(
    refused.stderr,
    /Cannot delete claim "default\/web-0": its pod is there on node "node-1".*\n {2}--force/,
  )
  assert.equal(phaseOf('web-0'), 'Bound')
  const forced = await eni('delete', 'vipc', 'web-0', '--force', '--no-wait')
  assert.deepEqual([forced.status, forced.stderr], [0, ''])
  assert.equal(phaseOf('web-0'), 'Releasing')
  assert.equal((await eni('delete', 'vipc', 'nobody')).status, 3)
})

test('[R6] tke-eni delete takes claims only', async () => {
  const { status, stderr } = await eni('delete', 'vip', '10.0.0.5')
  assert.equal(status, 2)
  assert.match(stderr, /only claims can be deleted\n.*tke-eni delete vipc/)
  assert.equal((await eni('delete', 'vipc', 'a/b/c')).status, 2)
})

/** What is no name is part of a path: `.` was all claims of the namespace. */
test('[R6] tke-eni delete takes names of pods only', async (t) => {
  t.after(await leaderServes())
  for (const [name, namespace] of [
    ['.', 'default'],
    ['..', 'default'],
    ['default/', 'default'],
    ['default/.', 'default'],
    ['default/%2e', 'default'],
    ['/web-0', 'default'],
    ['../web-0', 'default'],
    ['', 'default'],
    ['Web', 'default'],
    ['web-0?force=true', 'default'],
    ['web-0', 'default/x'],
    ['web-0', 'a.b'],
    ['web-0', ''],
  ] as const) {
    const { status, stderr } = await eni('delete', 'vipc', name, '-n', namespace, '--force', '--no-wait')
    assert.equal(status, 2, `${name} of ${namespace}: ${stderr}`)
    assert.match(stderr, /that is neither a name nor namespace\/name\n {2}wanted are/)
  }
  assert.deepEqual([phaseOf('web-0'), phaseOf('web-1')], ['Bound', 'Retained'])
})

test('[S6] the leader forces nothing on all claims of a namespace', async () => {
  const url = '/apis/ipam.tke.cloud.tencent.com/v1beta1/namespaces/default/vpcipclaims?force=true'
  const answer = await ledger.api.handleLocal({ method: 'DELETE', url })
  assert.equal(answer.status, 400)
  assert.deepEqual([phaseOf('web-0'), phaseOf('web-1')], ['Bound', 'Retained'])
})

test('[S6] tke-eni delete vipc says what it waits for, and waits as long as it shall', async (t) => {
  t.after(await leaderServes())
  const deleting = eni('delete', 'vipc', 'web-1', '--timeout', '2s')
  while (phaseOf('web-1') !== 'Releasing') await new Promise((resolve) => setImmediate(resolve))
  const why = { reason: 'PermissionDenied', message: 'Tencent Cloud answered "UnauthorizedOperation"' }
  updateClaim(ledger.db, 'web-1', why)
  const { status, stdout, stderr } = await deleting
  assert.deepEqual([status, stdout], [1, ''])
  const said = 'PermissionDenied: Tencent Cloud answered "UnauthorizedOperation"'
  const [first, second] = stderr.split('\n')
  assert.equal(first, `waiting: ${said}`)
  assert.equal(
    second,
    `tke-eni: Cannot wait for claim "default/web-1" any longer: it is still there (${said})`,
  )
  const wrong = await eni('delete', 'vipc', 'web-1', '--timeout', 'soon')
  assert.equal(wrong.status, 2)
  assert.match(wrong.stderr, /Cannot wait for "soon": wanted is a duration from 1s/)
})

test('tke-eni delete vipc does not wait for a leader that hangs', async (t) => {
  const { socketPath, asked } = await hangingLeader(t)
  const question = { socketPath, method: 'GET', path: '/x', patience: 50 } as const
  await assert.rejects(askLeader(question, new AbortController().signal), {
    code: 'unavailable',
    message: `Cannot ask the leader on "${socketPath}": the leader does not answer, for 0.05 s`,
  })
  const waiting = command('delete', 'vipc', 'web-1', '--state-dir', dirname(socketPath))
  while (asked() < 2) await new Promise((resolve) => setImmediate(resolve))
  const { status, stderr } = await waiting.stop()
  assert.equal(status, 1)
  assert.match(stderr, /Cannot tell whether claim "default\/web-1" is being deleted: a signal ended this/)
})

/** As one that was sent SIGSTOP: the kernel takes connections for it. */
async function hangingLeader(t: TestContext) {
  const folder = mkdtempSync(join(tmpdir(), 'hanging-'))
  const socketPath = claimsSocket(folder)
  const sockets: Socket[] = []
  const server = createServer((socket) => void sockets.push(socket.on('error', () => {})))
  await new Promise<void>((resolve) => server.listen(socketPath, resolve))
  t.after(() => {
    server.close()
    for (const socket of sockets) socket.destroy()
    rmSync(folder, { recursive: true })
  })
  return { socketPath, asked: () => sockets.length }
}

async function leaderServes(): Promise<() => Promise<void>> {
  const client = await connectKube({ server: 'http://127.0.0.1:9' }, systemClock)
  const served = serveClaims(
    {
      stateDir: ledger.folder,
      serveClaims: false,
      apiBindPort: 0,
      apiAdvertiseAddress: undefined,
      defaultNetwork: 'tke-route-eni',
    },
    {
      db: ledger.db,
      releases: ledger.releases,
      client,
      clock: systemClock,
      log: silentLog,
      random: systemRandom,
      zone: () => undefined,
      keepsZones: () => true,
      claimExpiry: () => undefined,
    },
  )
  while ((await eni('delete', 'vipc', 'nobody')).status !== 3)
    await new Promise((resolve) => setImmediate(resolve))
  return async () => {
    await served.close()
    client.close()
  }
}

test('[E6] tke-eni get eipc and eip show who has which EIP, and what it costs', async () => {
  insertEip(ledger.db, boundEip('web-0', 5))
  insertEip(ledger.db, retainedEip('web-1', 6, { expire_after: 3_600_000, expires_at: 4_000_000 }))
  insertEip(ledger.db, pendingEip('web-2', { reason: 'FailedAllocateEIP', message: 'no quota' }))
  insertEip(ledger.db, boundEip('web-3', 7, { namespace: 'other', ...listedEip(['eip-7']) }))
  assert.match(
    await out('get', 'eipc'),
    /^NAMESPACE NAME PHASE IP EIP NODE POLICY EXPIRES AGE\ndefault web-0 Bound 203\.0\.113\.5 eip-5 node-1 Never by setting \S+\ndefault web-1 Retained 203\.0\.113\.6 eip-6 <none> Never in \d+m \S+\n/,
  )
  assert.match(await out('get', 'eipclaims', 'web-2', '-o', 'wide'), /FailedAllocateEIP no quota\n$/)
  assert.match(
    await out('get', 'eip'),
    /^EIP ADDRESS PHASE POD NODE BANDWIDTH ISP POLICY COST AGE\neip-5 203\.0\.113\.5 Bound default\/web-0 node-1 5 CMCC Never traffic \S+\neip-6 203\.0\.113\.6 Retained default\/web-1 <none> 5 CMCC Never idle \S+\neip-7 203\.0\.113\.7 Bound other\/web-3 node-1 <none> <none> Never user \S+\n$/,
  )
  for (const name of ['eip-5', '203.0.113.5', '10.0.0.5', 'default/web-0']) {
    const [item] = JSON.parse((await eni('get', 'eip', name, '-o', 'json')).stdout)
    assert.partialDeepStrictEqual(item, {
      eip: 'eip-5',
      cost: 'traffic',
      chargeType: 'TRAFFIC_POSTPAID_BY_HOUR',
    })
  }
  assert.equal((await eni('get', 'eip', 'eip-9')).status, 3)
})

test('[E6] tke-eni describe eipc tells what became of an EIP', async () => {
  insertEip(ledger.db, pendingEip('web-0'))
  updateEip(ledger.db, 'web-0', { phase: 'Attaching', eip_id: 'eip-5' })
  updateEip(ledger.db, 'web-0', { phase: 'Bound', private_ip: '10.0.0.5', eni_id: 'eni-1' })
  const text = await out('describe', 'eipc', 'default/web-0')
  assert.match(text, /Cost: traffic\n/)
  assert.match(text, / Pending .*\n.* Attaching eip-5 .*\n.* Bound eip-5 node-1 10\.0\.0\.5/)
})

test('[E6] tke-eni delete eipc waits until the EIP is given back', async () => {
  insertEip(ledger.db, boundEip('web-0', 5))
  insertEip(ledger.db, retainedEip('web-1', 6))
  const stop = await leaderServes()
  const refused = await eni('delete', 'eipc', 'web-0')
  assert.match(
    refused.stderr,
    /Cannot delete EIP claim "default\/web-0": its pod is there on node "node-1".*\n {2}--force takes its EIP/,
  )
  updateEip(ledger.db, 'web-0', { policy: 'Immediate' })
  for (const force of [[], ['--force']]) {
    const ends = await eni('delete', 'eipc', 'web-0', ...force)
    assert.match(ends.stderr, /the claim ends with it; delete the pod\n$/, 'no hint that does not help')
  }
  const waiting = eni('delete', 'eipclaim', 'web-1')
  while (eipPhaseOf('web-1') !== 'Releasing') await new Promise((resolve) => setImmediate(resolve))
  deleteEip(ledger.db, 'web-1')
  assert.match((await waiting).stdout, /EIP claim "default\/web-1" deleted: 203\.0\.113\.6 is given back/)
  assert.match((await eni('delete', 'eip', 'eip-5')).stderr, /tke-eni get eip names its pod/)
  await stop()
})

const eipPhaseOf = (name: string) =>
  ledger.db.get<{ phase: string }>('SELECT phase FROM eip_claim WHERE name = ?', name)?.phase
