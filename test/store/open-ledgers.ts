// Real database files in a folder of their own, closed and opened again as a restart does.
import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import type { TestContext } from 'node:test'
import type { LeaderLedger, LedgerNode, NodeLedger } from '../../internal/ports.ts'
import { type Database, openDatabase } from '../../internal/sqlite/database.ts'
import { leaderLedger } from '../../internal/store/leader/ledger.ts'
import { nodeLedger } from '../../internal/store/node/ledger.ts'
import { leaderMigrations, nodeMigrations } from '../../migrations/index.ts'
import { VirtualClock } from '../fake/virtual-clock.ts'
import { ledgerBounds } from '../given.ts'

export interface Opened<Ledger> {
  readonly clock: VirtualClock
  db: Database
  ledger: Ledger
  /** Closes the file and opens it again. */
  restart(): void
}

function opened<Ledger>(
  t: TestContext,
  open: (folder: string, clock: VirtualClock) => { db: Database; ledger: Ledger },
): Opened<Ledger> {
  const folder = mkdtempSync(join(tmpdir(), 'ledger-'))
  const clock = new VirtualClock()
  const store: Opened<Ledger> = {
    clock,
    ...open(folder, clock),
    restart() {
      store.db.close()
      Object.assign(store, open(folder, clock))
    },
  }
  t.after(() => {
    store.db.close()
    rmSync(folder, { recursive: true })
  })
  return store
}

export const openLeader = (t: TestContext): Opened<LeaderLedger> =>
  opened(t, (folder, clock) => {
    const path = join(folder, 'leader.db')
    const db = openDatabase({ path, kind: 'leader', migrations: leaderMigrations })
    return { db, ledger: leaderLedger(db, clock) }
  })

export const openNode = (t: TestContext): Opened<NodeLedger> =>
  opened(t, (folder, clock) => {
    const db = openDatabase({ path: join(folder, 'node.db'), kind: 'node', migrations: nodeMigrations })
    return { db, ledger: nodeLedger(db, clock, () => 'db-1') }
  })

export const n1: LedgerNode = {
  name: 'n1',
  uid: 'uid-n1',
  instanceId: 'ins-1',
  zone: 'zone-a',
  phase: 'active',
  ...ledgerBounds({ minWarm: 1, maxWarm: 3, maxEnis: 2, ipsPerEni: 5 }),
}
