// The API of claims over a ledger of its own, on plain HTTP.

import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import type { ClaimExpiry } from '../../../internal/apiserver/claims/claim-columns.ts'
import {
  type ClaimReleases,
  type ClaimsApi,
  createClaimsApi,
} from '../../../internal/apiserver/claims/claims-api.ts'
import { serveHandle } from '../../../internal/apiserver/serve-handle.ts'
import { systemClock } from '../../../internal/base/clock.ts'
import { silentLog } from '../../../internal/base/log.ts'
import { systemRandom } from '../../../internal/base/random.ts'
import { createClaimRelease } from '../../../internal/leader/claims/release-claim.ts'
import { createEipRelease } from '../../../internal/leader/eips/release-eip.ts'
import { type Database, openDatabase } from '../../../internal/sqlite/database.ts'
import { beginChanges, claimFeed, pruneChanges } from '../../../internal/store/leader/claim-feed.ts'
import { leaderLedger } from '../../../internal/store/leader/ledger.ts'
import { setComplete } from '../../../internal/store/leader/meta.ts'
import { leaderMigrations } from '../../../migrations/index.ts'
import { noPods } from '../../leader/release.ts'

export interface ClaimLedger {
  readonly folder: string
  readonly db: Database
  readonly releases: ClaimReleases
  readonly api: ClaimsApi
  /** Cuts the log of changes. */
  forget(): void
  close(): void
}

export function openClaimLedger(claimExpiry: ClaimExpiry = () => undefined): ClaimLedger {
  const folder = mkdtempSync(join(tmpdir(), 'claims-'))
  const db = openDatabase({ path: join(folder, 'leader.db'), kind: 'leader', migrations: leaderMigrations })
  beginChanges(db, systemClock.now())
  setComplete(db)
  const ledger = leaderLedger(db, systemClock)
  const tools = { ...noPods, ledger }
  const releases = {
    claim: createClaimRelease(tools),
    eip: createEipRelease(tools),
  }
  const api = createClaimsApi({
    feed: claimFeed(db, systemClock),
    releases,
    clock: systemClock,
    random: systemRandom,
    claimExpiry,
  })
  return {
    folder,
    db,
    releases,
    api,
    forget: () => void pruneChanges(db, { atLeast: 0, since: Number.MAX_SAFE_INTEGER }),
    close() {
      api.close()
      db.close()
      rmSync(folder, { recursive: true })
    },
  }
}

export interface ClaimServer extends ClaimLedger {
  readonly url: string
  stop(): Promise<void>
}

export async function openClaimServer(claimExpiry?: ClaimExpiry): Promise<ClaimServer> {
  const ledger = openClaimLedger(claimExpiry)
  const served = await serveHandle(ledger.api.handle, { host: '127.0.0.1', port: 0 }, silentLog)
  const port = 'port' in served.bound ? served.bound.port : 0
  return {
    ...ledger,
    url: `http://127.0.0.1:${port}`,
    async stop() {
      await served.close()
      ledger.close()
    },
  }
}
