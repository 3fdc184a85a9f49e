// What an EIP of ours says about itself in the cloud, so that a leader without a ledger knows whose it is, and that it may be released.
import type { ClaimPolicy } from './claim.ts'
import { clusterTag, intentTag } from './eni-tags.ts'
import { expiryOf, expiryTag, namespaceTag, nameTag, ownerOf, ownerTags } from './reservation-tags.ts'
import type { OwnerRef, PodName } from './types.ts'

/** Only on those that a leader has made: nobody else's is ever released. Real TKE's name. */
export const createdTag = 'tke-created-eip'
const policyTag = 'tke-eni-claim-policy'

export interface EipPurpose extends PodName {
  readonly clusterId: string
  /** Of the allocation. */
  readonly token: string
  readonly policy: ClaimPolicy
  /** Milliseconds; undefined when the pod says nothing of it. */
  readonly expireAfter: number | undefined
  readonly owner: OwnerRef | undefined
}

/** Of its pod's own tags none may stand in for one of ours. */
export function eipTags(
  purpose: EipPurpose,
  own: Readonly<Record<string, string>> = {},
): Readonly<Record<string, string>> {
  const { clusterId, expireAfter, name, namespace, owner, policy, token } = purpose
  return {
    ...own,
    [createdTag]: 'true',
    [clusterTag]: clusterId,
    [namespaceTag]: namespace,
    [nameTag]: name,
    [intentTag]: token,
    [policyTag]: policy,
    ...(expireAfter !== undefined && { [expiryTag]: String(expireAfter) }),
    ...(owner !== undefined && ownerTags(owner)),
  }
}

/** By which the EIPs of a cluster are listed. */
export function clusterEips(clusterId: string): Readonly<Record<string, string>> {
  return { [createdTag]: 'true', [clusterTag]: clusterId }
}

/** As far as its tags can be read: people may edit them. undefined when it does not say whose it is, or that it was made for a pod. */
export function purposeOfEip(tags: Readonly<Record<string, string>>): EipPurpose | undefined {
  const { [clusterTag]: clusterId, [namespaceTag]: namespace, [nameTag]: name, [intentTag]: token } = tags
  if (tags[createdTag] !== 'true' || !clusterId || !namespace || !name || !token) return undefined
  return {
    ...{ clusterId, namespace, name, token },
    // What nobody can read is rather kept than lost.
    policy: tags[policyTag] === 'Immediate' ? 'Immediate' : 'Never',
    expireAfter: expiryOf(tags),
    owner: ownerOf(tags),
  }
}
