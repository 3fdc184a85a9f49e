// Subnets, and what others need to know of them: the VPC of one, the one that an address is in. Neither ever changes.
import { IpamError } from '../ipam/errors.ts'
import type { CloudSubnet, SubnetId } from '../ipam/types.ts'
import type { Priority } from '../ports.ts'
import { cidrContains } from '../value/cidr.ts'
import type { Ipv4 } from '../value/ipv4.ts'
import { describeByIds, listIds } from './by-ids.ts'
import type { Caller } from './caller.ts'
import { pageSize } from './limits.ts'
import { readPages } from './pages.ts'
import { parseSubnet } from './parse.ts'

export interface SubnetReader {
  /** `describeSubnets` of the port. */
  describe(ids: readonly SubnetId[], priority: Priority): Promise<readonly CloudSubnet[]>
  /** For somebody who is `doing` something with the subnet. Throws `not_found`. */
  vpcOf(id: SubnetId, doing: string, priority: Priority): Promise<string>
  /** The subnet of a VPC that has `address`. Throws `cloud_fault` when none has. */
  covering(place: { vpcId: string; address: Ipv4 }, doing: string, priority: Priority): Promise<SubnetId>
}

const describing = { product: 'vpc', action: 'DescribeSubnets', mutates: false } as const

export function subnetReader(caller: Caller): SubnetReader {
  const vpcs = new Map<SubnetId, string>()
  const ofVpcs = new Map<string, readonly CloudSubnet[]>()

  async function describe(ids: readonly SubnetId[], priority: Priority): Promise<readonly CloudSubnet[]> {
    const found = await describeByIds(ids, (part) =>
      caller.call({
        ...describing,
        doing: `describe subnets ${listIds(part)}`,
        priority,
        // Text, unlike in any other action; and answers by id are cut to pages too.
        params: () => ({ SubnetIds: part, Offset: '0', Limit: String(pageSize) }),
        read: (answer) => answer.objects('SubnetSet').map(parseSubnet),
      }),
    )
    for (const { id, vpcId } of found) vpcs.set(id, vpcId)
    return found
  }

  async function listVpc(vpcId: string, priority: Priority): Promise<readonly CloudSubnet[]> {
    const doing = `list the subnets of VPC "${vpcId}"`
    const found = await readPages((offset) =>
      caller.call({
        ...describing,
        doing,
        priority,
        params: () => ({
          Filters: [{ Name: 'vpc-id', Values: [vpcId] }],
          Offset: String(offset),
          Limit: String(pageSize),
        }),
        read: (answer) => ({
          items: answer.objects('SubnetSet').map(parseSubnet),
          total: answer.count('TotalCount'),
        }),
      }),
    )
    if (found !== undefined) return found
    throw new IpamError('unavailable', `Cannot ${doing}: the list did not hold still while it was read`)
  }

  return {
    describe,
    async vpcOf(id, doing, priority) {
      const known = vpcs.get(id)
      if (known !== undefined) return known
      const found = (await describe([id], priority)).find((subnet) => subnet.id === id)
      if (found !== undefined) return found.vpcId
      throw new IpamError('not_found', `Cannot ${doing}: there is no such subnet`)
    },
    async covering({ vpcId, address }, doing, priority) {
      const among = (subnets: readonly CloudSubnet[] = []) =>
        subnets.find(({ cidr }) => cidrContains(cidr, address))?.id
      const known = among(ofVpcs.get(vpcId))
      if (known !== undefined) return known
      const subnets = await listVpc(vpcId, priority)
      ofVpcs.set(vpcId, subnets)
      const found = among(subnets)
      if (found !== undefined) return found
      throw new IpamError('cloud_fault', `Cannot ${doing}: no subnet of VPC "${vpcId}" has ${address}`)
    },
  }
}
