// DescribeNetworkInterfaces and DescribeNetworkInterfaceLimit.
import { action } from '../action.ts'
import { ApiError } from '../api-error.ts'
import { type EniRow, getEni, renderEni } from '../eni-table.ts'
import { type Conditions, filterList, isOneOf, refuseBoth } from '../filters.ts'
import { findInstance, ipQuota, quotaOf } from '../instance-table.ts'
import { pageOf } from '../page.ts'
import { id, integer, list, optional, record, text } from '../shape.ts'
import type { Call } from '../world.ts'

const flags = `(SELECT CASE upper(value) WHEN 'TRUE' THEN 1 ELSE 0 END FROM json_each(?))`

const conditions: Conditions = {
  'vpc-id': isOneOf('eni.vpc_id'),
  'subnet-id': isOneOf('eni.subnet_id'),
  'network-interface-id': isOneOf('eni.id'),
  'attachment.instance-id': isOneOf('eni.instance_id'),
  'groups.security-group-id': `EXISTS (SELECT 1 FROM json_each(eni.groups) g WHERE ${isOneOf('g.value')})`,
  'network-interface-name': isOneOf('eni.name'),
  'network-interface-description': isOneOf('eni.description'),
  'is-primary': `eni.is_primary IN ${flags}`,
  'eni-type': isOneOf('CAST(eni.is_primary AS TEXT)'),
  'eni-qos': isOneOf('eni.qos'),
  // One value matches the end of an address, several match whole ones.
  'address-ip': (values) =>
    values.length === 1
      ? { sql: `eni.id IN (SELECT eni_id FROM ip WHERE address LIKE '%' || ?)`, values: [values[0] ?? ''] }
      : {
          sql: `eni.id IN (SELECT eni_id FROM ip WHERE ${isOneOf('address')})`,
          values: [JSON.stringify(values)],
        },
  'address-ipv6': () => ({ sql: 'FALSE', values: [] }),
  'public-address-ip': `eni.id IN (SELECT eni_id FROM eip WHERE state <> 'BINDING' AND ${isOneOf('address')})`,
}

export const describeNetworkInterfaces = action({
  product: 'vpc',
  rate: 100,
  writes: false,
  params: record({
    NetworkInterfaceIds: optional(list(id('eni'), 100)),
    Filters: optional(filterList),
    Offset: optional(integer()),
    Limit: optional(integer(1, 100)),
  }),
  run(call, { NetworkInterfaceIds: ids, Filters: filters = [], Offset: offset = 0, Limit: limit = 20 }) {
    refuseBoth(ids, filters)
    const listing = { table: 'eni', order: 'seq', idFilter: 'network-interface-id', conditions }
    const page = pageOf<EniRow>(call.db, listing, { ids, filters, offset, limit })
    if (page.lacksIds && call.settings.limits().refuseUnknownEnis)
      throw new ApiError('ResourceNotFound', 'A network interface does not exist.')
    return { NetworkInterfaceSet: page.rows.map((eni) => renderEni(call.db, eni)), TotalCount: page.total }
  },
})

export const describeNetworkInterfaceLimit = action({
  product: 'vpc',
  rate: 20,
  writes: false,
  params: record({ InstanceId: text() }),
  run(call, { InstanceId: resource }) {
    if (!/^(ins|eni)-[0-9a-z]{8}$/.test(resource))
      throw new ApiError('InvalidParameterValue.Malformed', `The value \`${resource}\` is malformed.`)
    const quota = resource.startsWith('eni-') ? eniLimits(call, resource) : instanceLimits(call, resource)
    return {
      ...quota,
      ExtendEniQuantity: 0,
      ExtendEniPrivateIpAddressQuantity: 0,
      SubEniQuantity: 0,
      SubEniPrivateIpAddressQuantity: 0,
    }
  },
})

function eniLimits({ db, settings }: Call, eniId: string) {
  const eni = getEni(db, eniId)
  return {
    EniQuantity: 0,
    EniPrivateIpAddressQuantity: ipQuota(db, eni.instance_id, settings.limits().ipsPerFreeEni),
  }
}

function instanceLimits({ db }: Call, instanceId: string) {
  const instance = findInstance(db, instanceId)
  if (instance === undefined)
    throw new ApiError('InvalidInstanceId.NotFound', `The instance \`${instanceId}\` does not exist.`)
  const quota = quotaOf(db, instance)
  return { EniQuantity: quota.enis, EniPrivateIpAddressQuantity: quota.ipsPerEni }
}
