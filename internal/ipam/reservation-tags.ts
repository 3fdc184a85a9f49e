// What a reservation of ours says about itself in the cloud, so that a leader without a ledger knows whose address it keeps.
import { clusterTag, intentTag } from './eni-tags.ts'
import type { PodName } from './types.ts'

/** A tag's value is too short for both. */
const namespaceTag = 'tke-eni-claim-namespace'
const nameTag = 'tke-eni-claim-name'
const expiryTag = 'tke-eni-claim-expires-after'

export interface ReservationPurpose extends PodName {
  readonly clusterId: string
  readonly token: string
  /** Milliseconds; undefined when the pod says nothing of it. */
  readonly expireAfter: number | undefined
}

export function reservationTags(purpose: ReservationPurpose): Readonly<Record<string, string>> {
  return {
    [clusterTag]: purpose.clusterId,
    [namespaceTag]: purpose.namespace,
    [nameTag]: purpose.name,
    [intentTag]: purpose.token,
    ...(purpose.expireAfter !== undefined && { [expiryTag]: String(purpose.expireAfter) }),
  }
}

/** As far as its tags can be read: people may edit them. undefined when it does not say whose it is. */
export function purposeOfReservation(tags: Readonly<Record<string, string>>): ReservationPurpose | undefined {
  const { [clusterTag]: clusterId, [namespaceTag]: namespace, [nameTag]: name, [intentTag]: token } = tags
  if (!clusterId || !namespace || !name || !token) return undefined
  const after = Number(tags[expiryTag] ?? Number.NaN)
  return { clusterId, namespace, name, token, expireAfter: Number.isSafeInteger(after) ? after : undefined }
}
