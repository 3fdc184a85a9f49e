// What a leader that shows its claims does besides.
import assert from 'node:assert/strict'
import { type TestContext, test } from 'node:test'
import { serveClaims } from '../../cmd/leader-claims.ts'
import { systemRandom } from '../../internal/base/random.ts'
import { connectKube } from '../../internal/kube/connect.ts'
import { bound, insertClaim, updateClaim } from '../apiserver/claims/claim-rows.ts'
import { openClaimLedger } from '../apiserver/claims/claim-server.ts'
import { DiskTwin } from '../fake/disk-twin.ts'
import { VirtualClock } from '../fake/virtual-clock.ts'
import { LogBook } from '../node/log-book.ts'

const minute = 60_000

/** Kubernetes is out. */
async function served(t: TestContext) {
  const ledger = openClaimLedger()
  const clock = new VirtualClock()
  const disk = new DiskTwin()
  const log = new LogBook()
  const client = await connectKube({ server: 'http://127.0.0.1:9' }, clock)
  const { close } = serveClaims(
    {
      stateDir: ledger.folder,
      serveClaims: false,
      apiBindPort: 0,
      apiAdvertiseAddress: undefined,
      defaultNetwork: 'tke-route-eni',
    },
    {
      db: disk.under(ledger.db),
      releases: ledger.releases,
      client,
      clock,
      log,
      random: systemRandom,
      zone: () => undefined,
      keepsZones: () => false,
      claimExpiry: () => undefined,
    },
  )
  t.after(async () => {
    await close()
    client.close()
    ledger.close()
  })
  return { db: ledger.db, clock, disk, log }
}

// The timer that prunes threw: the leader ended, and so did every one after it, for as long as the disk was full.
test('[R6] a leader whose disk is full goes on, and prunes the changes of claims when there is room', async (t) => {
  const { clock, db, disk, log } = await served(t)
  const changes = () => db.get<{ n: number }>('SELECT count(*) AS n FROM change')?.n
  db.transaction(() => {
    insertClaim(db, bound('web-0', '10.0.0.5'))
    for (let i = 1; i < 10_005; i++) updateClaim(db, 'web-0', { node: `node-${i % 2}` })
  })
  disk.full = true
  await clock.advance(20 * minute)
  assert.equal(changes(), 10_005)
  const told = log.entries.filter(({ event }) => event === 'changes of claims not pruned')
  assert.match(String(told[0]?.fields['error']), /^Cannot use ".*leader\.db": the disk is full$/)
  disk.full = false
  await clock.advance(minute)
  assert.equal(changes(), 10_000)
})
