// What becomes of one EIP when a cluster gives back all that was made for its pods (E10): what a look shows decides, and what does not say
// in full that it was made for a pod of this cluster is let alone.
import { createdTag, purposeOfEip } from './eip-tags.ts'
import { boundTo } from './pick-eip.ts'
import { podText } from './pod-need.ts'
import type { CloudEip } from './types.ts'

export type ReclaimStep =
  | { readonly kind: 'disassociate' | 'release' | 'wait' }
  /** It stays: somebody has to look. */
  | { readonly kind: 'keep'; readonly why: string }

export function planReclaim(eip: CloudEip, clusterId: string): ReclaimStep {
  const purpose = purposeOfEip(eip.tags)
  if (purpose === undefined) {
    const why =
      createdTag in eip.tags ? 'its tags do not say for which pod it was made' : 'no leader has made it'
    return { kind: 'keep', why }
  }
  if (purpose.clusterId !== clusterId) return { kind: 'keep', why: `it is of cluster "${purpose.clusterId}"` }
  switch (eip.state) {
    case 'unbound':
      return { kind: 'release' }
    case 'bound':
    case 'bound_to_loose_eni':
      return eip.eniId !== undefined && eip.privateIp !== undefined
        ? { kind: 'disassociate' }
        : { kind: 'keep', why: `somebody has bound it to ${boundTo(eip)}` }
    case 'creating':
    case 'binding':
    case 'unbinding':
    case 'releasing':
      return { kind: 'wait' }
  }
}

/** For which pod it was made, for people. */
export function madeFor({ tags }: CloudEip): string | undefined {
  const purpose = purposeOfEip(tags)
  return purpose === undefined ? undefined : podText(purpose)
}
