// What a reservation of ours says about itself in the cloud, so that a leader without a ledger knows whose address it keeps.
import { storedExpiry } from './claim-expiry.ts'
import { clusterTag, intentTag } from './eni-tags.ts'
import type { OwnerRef, PodName } from './types.ts'

/** A tag's value is too short for both. */
export const namespaceTag = 'tke-eni-claim-namespace'
export const nameTag = 'tke-eni-claim-name'
export const expiryTag = 'tke-eni-claim-expires-after'
/** As "apps/v1/StatefulSet". */
const ownerKindTag = 'tke-eni-claim-owner-kind'
const ownerNameTag = 'tke-eni-claim-owner-name'
const ownerUidTag = 'tke-eni-claim-owner-uid'

/** The API's bound on a tag's value. */
const longest = 255

export interface ReservationPurpose extends PodName {
  readonly clusterId: string
  readonly token: string
  /** Milliseconds; undefined when the pod says nothing of it. */
  readonly expireAfter: number | undefined
  /** It goes with this workload (S7). */
  readonly owner: OwnerRef | undefined
}

export function reservationTags(purpose: ReservationPurpose): Readonly<Record<string, string>> {
  return {
    [clusterTag]: purpose.clusterId,
    [namespaceTag]: purpose.namespace,
    [nameTag]: purpose.name,
    [intentTag]: purpose.token,
    ...(purpose.expireAfter !== undefined && { [expiryTag]: String(purpose.expireAfter) }),
    ...(purpose.owner !== undefined && ownerTags(purpose.owner)),
  }
}

/** Without them the address stays for ever when the ledger is lost: better than none at all. */
export function ownerTags({ apiVersion, kind, name, uid }: OwnerRef): Readonly<Record<string, string>> {
  const path = `${apiVersion}/${kind}`
  if ([path, name, uid].some((value) => value.length > longest)) return {}
  return { [ownerKindTag]: path, [ownerNameTag]: name, [ownerUidTag]: uid }
}

/** As far as its tags can be read: people may edit them. undefined when it does not say whose it is. */
export function purposeOfReservation(tags: Readonly<Record<string, string>>): ReservationPurpose | undefined {
  const { [clusterTag]: clusterId, [namespaceTag]: namespace, [nameTag]: name, [intentTag]: token } = tags
  if (!clusterId || !namespace || !name || !token) return undefined
  return {
    ...{ clusterId, namespace, name, token },
    expireAfter: expiryOf(tags),
    owner: ownerOf(tags),
  }
}

export function expiryOf(tags: Readonly<Record<string, string>>): number | undefined {
  return storedExpiry(Number(tags[expiryTag] ?? Number.NaN))
}

export function ownerOf(tags: Readonly<Record<string, string>>): OwnerRef | undefined {
  const { [ownerKindTag]: path, [ownerNameTag]: name, [ownerUidTag]: uid } = tags
  const cut = path?.lastIndexOf('/') ?? -1
  if (path === undefined || cut < 1 || !name || !uid) return undefined
  return { apiVersion: path.slice(0, cut), kind: path.slice(cut + 1), name, uid }
}
