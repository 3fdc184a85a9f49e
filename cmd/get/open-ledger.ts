// The database that `tke-eni get` reads: the one it is told, else the leader's, else the node agent's in the state directory.
import { existsSync } from 'node:fs'
import { join } from 'node:path'
import { IpamError } from '../../internal/ipam/errors.ts'
import { openReadonly, type ReadonlyDatabase } from '../../internal/sqlite/open-readonly.ts'
import { leaderMigrations, nodeMigrations } from '../../migrations/index.ts'
import type { LedgerKind } from './ledger-views.ts'
import type { GetRequest } from './request.ts'

/** Throws `not_found` when there is none, `storage` when it cannot be read or trusted. */
export function openLedger({
  db,
  stateDir,
}: Pick<GetRequest, 'db' | 'stateDir'>): ReadonlyDatabase<LedgerKind> {
  const path = db ?? findDatabase(stateDir)
  return openReadonly(path, { leader: leaderMigrations, node: nodeMigrations })
}

function findDatabase(stateDir: string): string {
  const found = ['leader.db', 'node.db'].map((name) => join(stateDir, name)).find((path) => existsSync(path))
  if (found !== undefined) return found
  throw new IpamError(
    'not_found',
    `Cannot find a database: "${stateDir}" has neither leader.db nor node.db`,
    {
      hint: "give the daemon's state directory with --state-dir, or a file with --db; run it where the leader or a node agent runs",
    },
  )
}
