// What the cloud is asked for to make an EIP for a pod.
import type { EipClaim } from '../../ipam/eip-claim.ts'
import { eipTags } from '../../ipam/eip-tags.ts'
import type { AllocateEip } from '../../ports.ts'

/** undefined for one that is not to be made. */
export function eipRequest(claim: EipClaim, clusterId: string): AllocateEip | undefined {
  const { allocateToken: token, name, namespace, owner, wish } = claim
  if (wish.source !== 'created' || token === undefined) return undefined
  const { bandwidth, chargeType, expireAfter, isp, label, policy, raw, tags } = wish
  return {
    ...{ bandwidth, chargeType, isp, raw, clientToken: token },
    name: label ?? `${clusterId}-${namespace}-${name}`.slice(-60),
    tags: eipTags({ clusterId, namespace, name, token, policy, expireAfter, owner }, tags),
  }
}
