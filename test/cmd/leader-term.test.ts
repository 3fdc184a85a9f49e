// How a leader process comes to lead, on the embedded API server, and which ledger it then works with.
import assert from 'node:assert/strict'
import { copyFileSync, existsSync, mkdtempSync, readdirSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { type TestContext, test } from 'node:test'
import { type WonTerm, winTerm } from '../../cmd/leader-term.ts'
import type { LeaderSettings } from '../../cmd/settings/leader-settings.ts'
import { serveKubeApi } from '../../internal/apiserver/http-server.ts'
import { openSqliteStorage } from '../../internal/apiserver/sqlite-storage.ts'
import { systemClock } from '../../internal/base/clock.ts'
import { silentLog } from '../../internal/base/log.ts'
import { systemRandom } from '../../internal/base/random.ts'
import { connectKube } from '../../internal/kube/connect.ts'
import { installNecCrd } from '../../internal/kube/install-nec-crd.ts'
import { createLeaderKube } from '../../internal/kube/leader-kube.ts'
import { openDatabase } from '../../internal/sqlite/database.ts'
import { enterEpoch } from '../../internal/store/leader/epoch.ts'
import { setComplete } from '../../internal/store/leader/meta.ts'
import { leaderMigrations } from '../../migrations/index.ts'
import { known } from '../given.ts'
import { publication } from '../kube/samples.ts'

const parts = { clock: systemClock, random: systemRandom, log: silentLog, tell() {} }

async function setUp(t: TestContext) {
  const storage = openSqliteStorage({ path: ':memory:', clock: systemClock })
  const listen = { host: '127.0.0.1', port: 0 }
  const api = await serveKubeApi({ storage, clock: systemClock, log: silentLog, listen })
  const target = { server: api.url }
  const client = await connectKube(target, systemClock)
  await installNecCrd(client, systemClock, silentLog)
  t.after(async () => {
    client.close()
    await api.close()
    storage.close()
  })

  /** A directory that no other has. */
  function machine(settings: Partial<LeaderSettings> = {}) {
    const folder = mkdtempSync(join(tmpdir(), 'machine-'))
    t.after(() => rmSync(folder, { recursive: true }))
    const [ledgerPath, lockPath] = [join(folder, 'leader.db'), join(folder, 'leader.lock')]
    writeFileSync(lockPath, '')
    return {
      ledgerPath,
      files: () => readdirSync(folder).filter((name) => !/lock$|-wal$|-shm$/.test(name)),
      async win() {
        const chosen = { leaderElect: true, leaseDuration: 3000, ...settings } as LeaderSettings
        const signal = new AbortController().signal
        const won = known(await winTerm(chosen, { ...parts, target, ledgerPath, lockPath, signal }))
        t.after(() => won.close())
        return won
      },
      /** Opens the ledger as a leader does. */
      async work({ enter, nameLedger }: Pick<WonTerm, 'enter' | 'nameLedger'>, complete = true) {
        const db = openDatabase({ path: ledgerPath, kind: 'leader', migrations: leaderMigrations })
        await enter(db)
        if (complete) {
          await nameLedger(db)
          setComplete(db)
        }
        db.close()
      },
    }
  }
  return { client, machine }
}

test('[R8] winTerm() keeps the ledger that the lease names, and sets every other one aside', async (t) => {
  const { machine } = await setUp(t)
  const [a, b] = [machine(), machine()]
  const first = await a.win()
  await a.work(first)
  await first.close()
  const again = await a.win() // and dies before it says anything
  assert.deepEqual([again.term.epoch, a.files()], [2, ['leader.db']])
  await again.close()
  const third = await a.win()
  assert.deepEqual([third.term.epoch, a.files()], [3, ['leader.db']])
  assert.match(known(third.term.formerLedger), /^[0-9a-f]{32}@1$/)
  await third.close()
  const other = await b.win()
  assert.equal(other.term.formerLedger, third.term.formerLedger)
  await b.work(other)
  await other.close()
  const back = await a.win()
  assert.deepEqual([back.term.epoch, a.files()], [5, ['leader.db.stale-5']])
})

test('[R4][R8] a leader that never came to know what there is costs nobody his ledger', async (t) => {
  const { machine } = await setUp(t)
  const [a, b] = [machine(), machine()]
  const first = await a.win()
  await a.work(first)
  await first.close()
  const other = await b.win()
  await b.work(other, false) // and stands aside
  await other.close()
  const back = await a.win()
  assert.deepEqual([back.term.epoch, a.files()], [3, ['leader.db']])
})

test('[R8] winTerm() sets an old copy of the newest ledger aside', async (t) => {
  const { machine } = await setUp(t)
  const a = machine()
  const first = await a.win()
  await a.work(first)
  copyFileSync(a.ledgerPath, `${a.ledgerPath}.copy`)
  await first.close()
  const second = await a.win()
  await a.work(second)
  await second.close()
  const third = await a.win()
  assert.deepEqual(a.files(), ['leader.db', 'leader.db.copy'])
  await third.close()
  copyFileSync(`${a.ledgerPath}.copy`, a.ledgerPath)
  await a.win()
  assert.deepEqual(a.files(), ['leader.db.copy', 'leader.db.stale-4'])
})

test('[R8] winTerm() without a lease to go by keeps the ledger unless a later leader has written NECs', async (t) => {
  const { client, machine } = await setUp(t)
  const [a, b] = [machine(), machine()]
  for (const [each, epoch] of [
    [a, 5],
    [b, 4],
  ] as const)
    await each.work({
      enter: (db) => Promise.resolve(enterEpoch(db, epoch)),
      nameLedger: () => Promise.resolve(),
    })
  const kube = createLeaderKube({
    ...parts,
    client,
    eventClient: client,
    defaultNetwork: 'other',
    instance: 'x',
  })
  t.after(kube.close)
  await kube.publishNec('n1', { ...publication, epoch: 5 })
  const first = await a.win()
  assert.deepEqual([first.term.epoch, a.files()], [6, ['leader.db']])
  await first.close()
  const second = await b.win()
  assert.deepEqual([second.term.epoch, b.files()], [7, ['leader.db.stale-7']])
})

test('[R8] winTerm() does not believe an epoch that somebody has written into a NEC or the lease', async (t) => {
  const { client, machine } = await setUp(t)
  const a = machine()
  const first = await a.win()
  await a.work(first)
  const options = { ...parts, client, eventClient: client, defaultNetwork: 'other', instance: 'x' } as const
  const kube = createLeaderKube(options)
  t.after(kube.close)
  await kube.publishNec('n1', { ...publication, epoch: 1 })
  await kube.publishNec('n2', { ...publication, epoch: 2_147_483_647 })
  await first.close()
  const second = await a.win()
  assert.deepEqual([second.term.epoch, a.files()], [2, ['leader.db']])
  await second.close()
  const path = '/apis/coordination.k8s.io/v1/namespaces/kube-system/leases/tke-eni-leader'
  const body = { spec: { leaseTransitions: 2_147_483_647 } }
  await client.call({ doing: 'edit the lease', method: 'PATCH', path, body })
  assert.equal((await machine().win()).term.epoch, 2, 'its ledger knows of no leader, a NEC of the first')
})

test('[R4] winTerm() keeps a ledger that is made anew in any case, such as a restored one: it has history', async (t) => {
  const { machine } = await setUp(t)
  const [a, b] = [machine(), machine()]
  const first = await a.win()
  await a.work(first, false)
  await first.close()
  const second = await b.win()
  await b.work(second)
  await second.close()
  await a.win()
  assert.deepEqual(a.files(), ['leader.db'])
})

test('[R10] winTerm() keeps the ledger of a version without epochs', async (t) => {
  const { machine } = await setUp(t)
  const a = machine()
  const path = a.ledgerPath
  openDatabase({ path, kind: 'leader', migrations: leaderMigrations.slice(0, 1) }).close()
  const won = await a.win()
  assert.equal(won.term.epoch, 1)
  assert.ok(existsSync(path))
})

test('winTerm() without election goes above every epoch, and needs no lease', async (t) => {
  const { client, machine } = await setUp(t)
  const [a, b] = [machine({ leaderElect: false }), machine()]
  const [alone, elected] = [await a.win(), await b.win()]
  assert.deepEqual([alone.term.epoch, elected.term.epoch], [1, 1])
  const kube = createLeaderKube({
    ...parts,
    client,
    eventClient: client,
    defaultNetwork: 'other',
    instance: 'x',
  })
  t.after(kube.close)
  await kube.publishNec('n1', { ...publication, epoch: 5 })
  assert.equal((await a.win()).term.epoch, 6)
})

test('[R6] winTerm() refuses a ledger that nobody could work with, before it keeps others from leading', async (t) => {
  const { machine } = await setUp(t)
  const a = machine()
  writeFileSync(a.ledgerPath, 'not a database at all')
  await assert.rejects(a.win(), { code: 'storage', message: /is not a SQLite database/ })
  assert.equal((await machine().win()).term.epoch, 1)
})
