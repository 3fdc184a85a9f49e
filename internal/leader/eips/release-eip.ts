// Giving the public address of a claim back at somebody's wish (E6). One that was made for the pod is released for ever, one of a list is
// only unbound.

import type { ClaimRelease } from '../../ports.ts'
import { eipClaims } from '../claims/claim-table.ts'
import { createRelease, type ReleaseTools } from '../claims/release-claim.ts'

/** `podThere`: one that asks for an EIP. */
export function createEipRelease(tools: ReleaseTools): ClaimRelease {
  return createRelease(tools, {
    table: eipClaims(tools.ledger),
    has: () => true,
    sayForced: ({ address, eipId }) =>
      `${eipId === undefined ? 'its EIP' : `EIP ${eipId} (${address ?? 'being made'})`} was released by force; a pod that asks for one gets another`,
  })
}
