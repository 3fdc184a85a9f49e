// Blocks of the container subnets and of others that ENIs of ours are in (the setting may have changed since).
import type { SubnetId } from '../ipam/types.ts'
import type { Cloud } from '../ports.ts'
import type { Cidr } from '../value/cidr.ts'
import type { Subnets } from './subnets.ts'

/** Throws what the cloud throws. */
export async function subnetBlocks(
  cloud: Cloud,
  subnets: Subnets,
  wanted: ReadonlySet<SubnetId>,
): Promise<ReadonlyMap<SubnetId, Cidr>> {
  const blocks = new Map((await subnets.current()).map(({ id, cidr }) => [id, cidr]))
  const others = [...wanted].filter((id) => !blocks.has(id))
  if (others.length === 0) return blocks
  for (const { id, cidr } of await cloud.describeSubnets(others, 'collect')) blocks.set(id, cidr)
  return blocks
}
