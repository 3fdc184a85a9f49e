// Releasing a claim at somebody's wish: from here on its address is on the way back.
import type { Clock } from '../../base/clock.ts'
import type { Claim } from '../../ipam/claim.ts'
import type { ClaimRelease, ReleaseRequest } from '../../ports.ts'
import type { Database } from '../../sqlite/database.ts'
import { type ClaimRow, claimOfRow } from './claim-row.ts'

export function claimRelease(db: Database, clock: Clock): ClaimRelease {
  return {
    async release(request) {
      return db.transaction(() => {
        const row = db.get<ClaimRow>(`SELECT * FROM claim WHERE key = ?`, request.key)
        if (row === undefined) return 'releasing' // it went meanwhile, which is what was wanted
        const claim = claimOfRow(row)
        if (claim.phase === 'Releasing') return 'releasing'
        const refused = whyNot(claim, request)
        if (refused !== undefined) return { refused }
        if (request.dryRun !== true) {
          db.run(
            `UPDATE claim SET phase = 'Releasing', pod_uid = NULL, retained_at = NULL, expires_at = NULL, reason = 'Deleted', message = '',
               changed_at = ? WHERE key = ?`,
            clock.now(),
            claim.key,
          )
        }
        return 'releasing'
      })
    },
  }
}

function whyNot(claim: Claim, { generation, version, force }: ReleaseRequest): string | undefined {
  if (claim.generation !== generation || (version !== undefined && claim.version !== version))
    return 'it has changed meanwhile; look at it again'
  if (claim.podUid === undefined || force === true) return undefined
  const where = claim.node === undefined ? '' : ` on node "${claim.node}"`
  return `its pod is there${where} and would lose its network; delete the pod first, or wait until it has ended`
}
