// The few actions of CVM and STS that a VPC-CNI meets: DescribeInstances, DescribeZones, GetCallerIdentity.
import { formatTime } from '../../../value/millis.ts'
import { action } from '../action.ts'
import { ApiError } from '../api-error.ts'
import { eipsOf } from '../eip-table.ts'
import { type Conditions, filterList, isOneOf } from '../filters.ts'
import { type InstanceRow, quotaOf } from '../instance-table.ts'
import { ipsOf } from '../ip-table.ts'
import { pageOf } from '../page.ts'
import { integer, list, optional, record, text } from '../shape.ts'
import { renderTags } from '../tag-table.ts'
import type { Call, Fields } from '../world.ts'

const conditions: Conditions = {
  zone: isOneOf('instance.zone'),
  'vpc-id': isOneOf('instance.vpc_id'),
  'subnet-id': isOneOf('instance.subnet_id'),
  'instance-id': isOneOf('instance.id'),
  'instance-name': isOneOf('instance.name'),
  'instance-state': isOneOf('instance.state'),
  uuid: isOneOf('instance.uuid'),
  'private-ip-address': `instance.id IN (SELECT instance_id FROM eni JOIN ip ON ip.eni_id = eni.id
    WHERE eni.is_primary = 1 AND ${isOneOf('address')})`,
}

export const describeInstances = action({
  product: 'cvm',
  rate: 40,
  writes: false,
  params: record({
    InstanceIds: optional(list(text(), 100)),
    Filters: optional(filterList),
    Offset: optional(integer()),
    Limit: optional(integer(1, 100)),
  }),
  run(call, { InstanceIds: ids, Filters: filters = [], Offset: offset = 0, Limit: limit = 20 }) {
    refuseOddIds(ids, filters.length)
    const listing = { table: 'instance', idFilter: 'instance-id', conditions }
    const page = pageOf<InstanceRow>(call.db, listing, { ids, filters, offset, limit })
    return {
      TotalCount: page.total,
      InstanceSet: page.rows.map((instance) => renderInstance(call, instance)),
    }
  },
})

function refuseOddIds(ids: readonly string[] | undefined, filters: number): void {
  if (ids === undefined) return
  if (ids.length > 0 && filters > 0)
    throw new ApiError('InvalidParameter', '`InstanceIds` and `Filters` cannot be given together.')
  for (const one of ids)
    if (!/^ins-[0-9a-z]{8}$/.test(one))
      throw new ApiError('InvalidInstanceId.Malformed', `The instance id \`${one}\` is malformed.`)
}

function renderInstance({ db }: Call, instance: InstanceRow): Fields {
  const type = quotaOf(db, instance)
  const primary = db.get<{ id: string; groups: string }>(
    'SELECT id, groups FROM eni WHERE instance_id = ? AND is_primary = 1',
    instance.id,
  )
  const addresses = primary === undefined ? [] : ipsOf(db, primary.id).map(({ address }) => address)
  const eips = primary === undefined ? [] : [...eipsOf(db, primary.id).values()]
  return {
    Placement: { Zone: instance.zone, ProjectId: 0, HostId: null },
    InstanceId: instance.id,
    InstanceName: instance.name,
    InstanceType: instance.type,
    CPU: type.cpu,
    Memory: type.memoryGb,
    Uuid: instance.uuid,
    InstanceState: instance.state,
    RestrictState: 'NORMAL',
    InstanceChargeType: 'POSTPAID_BY_HOUR',
    PrivateIpAddresses: addresses,
    PublicIpAddresses: eips.length === 0 ? null : eips.map(({ address }) => address),
    SecurityGroupIds: JSON.parse(primary?.groups ?? '[]') as string[],
    VirtualPrivateCloud: { VpcId: instance.vpc_id, SubnetId: instance.subnet_id, AsVpcGateway: false },
    Tags: renderTags(db, instance.id),
    CreatedTime: formatTime(instance.created_at),
  }
}

export const describeZones = action({
  product: 'cvm',
  rate: 20,
  writes: false,
  params: record({}),
  run({ db }) {
    const zones = db.all<{ zone: string }>('SELECT DISTINCT zone FROM subnet ORDER BY zone')
    return {
      TotalCount: zones.length,
      ZoneSet: zones.map(({ zone }) => ({
        Zone: zone,
        ZoneName: zone,
        // "ap-guangzhou-3" is 100003: what the label of a Kubernetes node says
        ZoneId: String(100_000 + Number(zone.match(/\d+$/)?.[0] ?? 0)),
        ZoneState: 'AVAILABLE',
      })),
    }
  },
})

export const getCallerIdentity = action({
  product: 'sts',
  rate: 20,
  writes: false,
  params: record({}),
  run: () => ({
    Arn: 'qcs::cam::uin/100000000001:uin/100000000001',
    AccountId: '100000000001',
    UserId: '100000000001',
    PrincipalId: '100000000001',
    Type: 'CAMUser',
  }),
})
