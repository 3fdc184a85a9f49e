// Gives a static address back at somebody's wish (S6): the claim is let go, and the keeper of claims does the rest.
import type { Log } from '../../base/log.ts'
import type { Claim } from '../../ipam/claim.ts'
import { errorCode } from '../../ipam/errors.ts'
import type { PodName } from '../../ipam/types.ts'
import type { ClaimRelease, LeaderLedger, ReleaseRequest } from '../../ports.ts'

export interface ReleaseTools {
  readonly ledger: LeaderLedger
  readonly log: Log
  /** Something of the claim of that name has changed. */
  readonly wake: (pod: PodName) => void
}

export function createClaimRelease({ ledger, log, wake }: ReleaseTools): ClaimRelease {
  return {
    async release(request) {
      const claim = ledger.claim(request.pod)
      if (claim === undefined || claim.key !== request.key) return 'releasing' // it went meanwhile, which is what was wanted
      if (claim.phase === 'Releasing') return 'releasing'
      const refused = whyNot(claim, request)
      if (refused !== undefined) return { refused }
      if (request.dryRun === true) return 'releasing'
      const forced = claim.podUid !== undefined
      const change = { ...letGo, message: forced ? forcedAway : deleted }
      try {
        await ledger.write((tx) => tx.changeClaim(claim, change))
      } catch (error) {
        if (errorCode(error) === 'conflict') return { refused: changed }
        throw error
      }
      const { address, namespace, name } = claim
      log.info('claim deleted', { pod: `${namespace}/${name}`, address, forced })
      wake(claim)
      return 'releasing'
    },
  }
}

const letGo = {
  phase: 'Releasing',
  podUid: undefined,
  retainedAt: undefined,
  expiresAt: undefined,
  reason: 'Deleted',
} as const
const changed = 'it has changed meanwhile; look at it again'
const deleted = 'somebody has deleted it'
const forcedAway = 'somebody has deleted it although its pod was there'

function whyNot(claim: Claim, { generation, version, force }: ReleaseRequest): string | undefined {
  if (claim.generation !== generation || (version !== undefined && claim.version !== version)) return changed
  const where = claim.node === undefined ? '' : ` on node "${claim.node}"`
  if (claim.policy === 'Immediate')
    return `its pod is there${where}, and the claim ends with it; delete the pod`
  if (claim.podUid === undefined || force === true) return undefined
  return `its pod is there${where} and would lose its network; delete the pod first, or wait until it has ended`
}
