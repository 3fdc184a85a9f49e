// What the cloud shows of this cluster, for those who compare it with what they know.

import { clusterEips } from '../ipam/eip-tags.ts'
import { clusterTag } from '../ipam/eni-tags.ts'
import { errorCode } from '../ipam/errors.ts'
import type { CloudEip, CloudEni, EniId, SubnetId } from '../ipam/types.ts'
import type { Cloud, Priority, Reservation } from '../ports.ts'
import type { Cidr } from '../value/cidr.ts'
import type { Subnets } from './subnets.ts'

export interface CloudView {
  /** With the tag of the cluster; and those of `known` that have lost it, or have that of another. */
  readonly enis: readonly CloudEni[]
  /** Blocks of the container subnets and of others that these ENIs are in (the setting may have changed since). */
  readonly cidrs: ReadonlyMap<SubnetId, Cidr>
}

/** `known`: ids that the ledger or NECs name. Throws what the cloud throws. */
export async function viewCloud(
  cloud: Cloud,
  subnets: Subnets,
  clusterId: string,
  known: readonly EniId[],
  priority: Priority,
): Promise<CloudView> {
  const tagged = await cloud.describeEnis({ tags: { [clusterTag]: clusterId } }, priority)
  const found = new Set(tagged.map(({ id }) => id))
  const others = await cloud.describeEnis({ ids: known.filter((id) => !found.has(id)) }, priority)
  const enis = [...tagged, ...others]
  const cidrs = new Map((await subnets.current()).map(({ id, cidr }) => [id, cidr]))
  const unknown = new Set(enis.map(({ subnetId }) => subnetId).filter((id) => !cidrs.has(id)))
  if (unknown.size > 0) {
    for (const { id, cidr } of await cloud.describeSubnets([...unknown], priority)) cidrs.set(id, cidr)
  }
  return { enis, cidrs }
}

/** Reservations with the tag of the cluster; undefined where the role may not see them, and so has made none. Throws what the cloud throws. */
export function viewReservations(
  cloud: Cloud,
  clusterId: string,
  priority: Priority,
): Promise<readonly Reservation[] | undefined> {
  return unlessDenied(cloud.describeReservations({ tags: { [clusterTag]: clusterId } }, priority))
}

/** EIPs that were made for pods of the cluster; otherwise as `viewReservations`. */
export function viewEips(
  cloud: Cloud,
  clusterId: string,
  priority: Priority,
): Promise<readonly CloudEip[] | undefined> {
  return unlessDenied(cloud.describeEips({ tags: clusterEips(clusterId) }, priority))
}

async function unlessDenied<T>(answer: Promise<T>): Promise<T | undefined> {
  try {
    return await answer
  } catch (error) {
    if (errorCode(error) === 'denied') return undefined
    throw error
  }
}
