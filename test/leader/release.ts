// What people ask for with `kubectl delete vipc` or `tke-eni delete eipc`, of the claim as it is now.

import { silentLog } from '../../internal/base/log.ts'
import type { AnyClaim } from '../../internal/ipam/claim.ts'
import type { ReleaseTools } from '../../internal/leader/claims/release-claim.ts'
import type { ClaimRelease, ReleaseRefusal } from '../../internal/ports.ts'

/** Where no pod is, and nobody listens. */
export const noPods: Omit<ReleaseTools, 'ledger'> = {
  log: silentLog,
  wake() {},
  wakeNode() {},
  podThere: () => Promise.resolve(undefined),
  synced: () => true,
  kube: { notify() {} },
}

export async function releaseNow(
  releaser: ClaimRelease,
  claim: AnyClaim | undefined,
  how: { readonly force?: boolean } = {},
): Promise<'gone' | 'releasing' | ReleaseRefusal> {
  if (claim === undefined) return 'gone'
  const { generation, key, name, namespace } = claim
  return releaser.release({ generation, key, pod: { name, namespace }, ...how })
}
