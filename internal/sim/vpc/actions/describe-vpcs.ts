// DescribeSubnets, DescribeVpcs, DescribeVpcLimits.
import { action } from '../action.ts'
import { ApiError } from '../api-error.ts'
import { type Conditions, filterList, isOneOf, refuseBoth } from '../filters.ts'
import { vpcTime } from '../ids.ts'
import { pageOf } from '../page.ts'
import { id, integer, integerText, list, optional, record, text } from '../shape.ts'
import { freeCount, type SubnetRow, usableCount } from '../subnet-table.ts'
import { renderTags } from '../tag-table.ts'
import type { Call, Fields } from '../world.ts'

/** Offset and Limit are text in these actions. */
const paging = { Offset: optional(integerText(0, 1_000_000)), Limit: optional(integerText(1, 100)) }

/** Nothing of ours is the default. */
const isNoDefault = `NOT EXISTS (SELECT 1 FROM json_each(?) WHERE upper(value) = 'TRUE')`

const subnetConditions: Conditions = {
  'subnet-id': isOneOf('subnet.id'),
  'vpc-id': isOneOf('subnet.vpc_id'),
  'cidr-block': isOneOf('subnet.cidr'),
  'subnet-name': isOneOf('subnet.name'),
  zone: isOneOf('subnet.zone'),
  'is-default': isNoDefault,
}

export const describeSubnets = action({
  product: 'vpc',
  rate: 100,
  writes: false,
  params: record({
    SubnetIds: optional(list(id('subnet'), 100)),
    Filters: optional(filterList),
    ...paging,
    MaxResults: optional(integer(1, 100)),
    NextToken: optional(text()),
  }),
  run(call, { SubnetIds: ids, Filters: filters = [], Offset: offset = 0, Limit: limit = 20 }) {
    refuseBoth(ids, filters)
    const listing = { table: 'subnet', idFilter: 'subnet-id', conditions: subnetConditions }
    const page = pageOf<SubnetRow>(call.db, listing, { ids, filters, offset, limit })
    if (page.lacksIds) throw new ApiError('ResourceNotFound', 'A subnet does not exist.')
    return { SubnetSet: page.rows.map((subnet) => renderSubnet(call, subnet)), TotalCount: page.total }
  },
})

function renderSubnet({ db }: Call, subnet: SubnetRow): Fields {
  return {
    VpcId: subnet.vpc_id,
    SubnetId: subnet.id,
    SubnetName: subnet.name,
    CidrBlock: subnet.cidr,
    IsDefault: false,
    EnableBroadcast: false,
    Zone: subnet.zone,
    RouteTableId: `rtb-${subnet.vpc_id.slice(4)}`,
    CreatedTime: vpcTime(subnet.created_at),
    AvailableIpAddressCount: freeCount(db, subnet),
    Ipv6CidrBlock: '',
    NetworkAclId: '',
    IsRemoteVpcSnat: false,
    TotalIpAddressCount: usableCount(subnet) + 3,
    TagSet: renderTags(db, subnet.id),
    CdcId: '',
    IsCdcSubnet: 0,
  }
}

interface VpcRow {
  readonly id: string
  readonly name: string
  readonly cidr: string
  readonly created_at: number
}

const vpcConditions: Conditions = {
  'vpc-id': isOneOf('vpc.id'),
  'vpc-name': isOneOf('vpc.name'),
  'cidr-block': isOneOf('vpc.cidr'),
  'is-default': isNoDefault,
}

export const describeVpcs = action({
  product: 'vpc',
  rate: 100,
  writes: false,
  params: record({
    VpcIds: optional(list(id('vpc'), 100)),
    Filters: optional(filterList),
    ...paging,
    MaxResults: optional(integer(1, 100)),
    NextToken: optional(text()),
  }),
  run(call, { VpcIds: ids, Filters: filters = [], Offset: offset = 0, Limit: limit = 20 }) {
    refuseBoth(ids, filters)
    const listing = { table: 'vpc', idFilter: 'vpc-id', conditions: vpcConditions }
    const page = pageOf<VpcRow>(call.db, listing, { ids, filters, offset, limit })
    if (page.lacksIds) throw new ApiError('ResourceNotFound', 'A VPC does not exist.')
    return { VpcSet: page.rows.map((vpc) => renderVpc(call, vpc)), TotalCount: page.total }
  },
})

function renderVpc({ db }: Call, vpc: VpcRow): Fields {
  return {
    VpcId: vpc.id,
    VpcName: vpc.name,
    CidrBlock: vpc.cidr,
    IsDefault: false,
    EnableMulticast: false,
    CreatedTime: vpcTime(vpc.created_at),
    DnsServerSet: [],
    DomainName: '',
    DhcpOptionsId: '',
    EnableDhcp: true,
    Ipv6CidrBlock: '',
    TagSet: renderTags(db, vpc.id),
    AssistantCidrSet: [],
  }
}

export const describeVpcLimits = action({
  product: 'vpc',
  rate: 20,
  writes: false,
  params: record({ LimitTypes: list(text(), 100) }),
  run({ settings }, { LimitTypes: types }) {
    const { enisPerVpc, ipsPerFreeEni } = settings.limits()
    const known: Readonly<Record<string, number>> = {
      'appid-max-vpcs': 5,
      'vpc-max-subnets': 100,
      'vpc-max-enis': enisPerVpc,
      'eni-max-private-ips': ipsPerFreeEni,
    }
    return {
      VpcLimitSet: types.map((LimitType) => {
        const LimitValue = Object.hasOwn(known, LimitType) ? known[LimitType] : undefined
        if (LimitValue === undefined)
          throw new ApiError('InvalidParameterValue', `The limit \`${LimitType}\` is not supported.`)
        return { LimitType, LimitValue }
      }),
    }
  },
})
