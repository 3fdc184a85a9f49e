// DescribeAddresses, DescribeAddressQuota and DescribeTaskResult.
import { action } from '../action.ts'
import { ApiError } from '../api-error.ts'
import { renderQuotas } from '../eip-quota.ts'
import { type EipRow, eipId, renderEip } from '../eip-table.ts'
import { findEipTask } from '../eip-tasks.ts'
import { type Condition, type Conditions, type Filter, filterList, isOneOf } from '../filters.ts'
import { pageOf } from '../page.ts'
import { integer, list, missing, optional, record, text } from '../shape.ts'

const place =
  'FROM ip JOIN eni ON eni.id = ip.eni_id WHERE ip.vpc_id = eip.vpc_id AND ip.number = eip.private_number'

/** Only the first value counts. */
function isFirst(column: string): (values: readonly string[]) => Condition {
  return (values) => ({ sql: `${column} = ?`, values: [values[0] ?? ''] })
}

const conditions: Conditions = {
  'address-id': isOneOf('eip.id'),
  'address-name': isFirst('eip.name'),
  'address-ip': isOneOf('eip.address'),
  'address-status': isOneOf('eip.state'),
  'instance-id': isOneOf(`(SELECT eni.instance_id ${place})`),
  'private-ip-address': isFirst(`(SELECT ip.address ${place})`),
  'network-interface-id': isOneOf('eip.eni_id'),
  'is-arrears': isOneOf(`CASE eip.is_arrears WHEN 1 THEN 'TRUE' ELSE 'FALSE' END`),
  'instance-type': isOneOf(`(SELECT CASE WHEN eni.instance_id IS NULL THEN 'ENI' ELSE 'CVM' END ${place})`),
  'address-type': isOneOf(`'EIP'`),
  'address-isp': isOneOf('eip.isp'),
  'dedicated-cluster-id': isOneOf(`''`),
  'tag-value': `eip.id IN (SELECT resource FROM tag WHERE ${isOneOf('value')})`,
}

export const describeAddresses = action({
  product: 'vpc',
  rate: 20,
  writes: false,
  eips: true,
  params: record({
    AddressIds: optional(list(eipId, 100)),
    Filters: optional(filterList),
    Offset: optional(integer()),
    Limit: optional(integer(1, 100)),
  }),
  run(call, { AddressIds: ids, Filters: filters = [], Offset: offset = 0, Limit: limit = 20 }) {
    refuseOddFilters(ids, filters)
    const listing = { table: 'eip', order: 'seq', idFilter: 'address-id', conditions }
    const page = pageOf<EipRow>(call.db, listing, { ids, filters, offset, limit })
    if (page.lacksIds && call.settings.limits().refuseUnknownEnis)
      throw new ApiError('InvalidParameterValue.AddressNotFound', 'An EIP does not exist.')
    return { TotalCount: page.total, AddressSet: page.rows.map((row) => renderEip(call.db, row)) }
  },
})

function refuseOddFilters(ids: readonly string[] | undefined, filters: readonly Filter[]): void {
  for (const { Name } of filters)
    if (!Object.hasOwn(conditions, Name) && Name !== 'tag-key' && !Name.startsWith('tag:'))
      throw new ApiError('InvalidParameter.InvalidFilter', `The filter \`${Name}\` is not supported.`)
  if (ids !== undefined && filters.some(({ Name }) => Name === 'address-id'))
    throw new ApiError(
      'InvalidParameterConflict',
      '`AddressIds` and the filter `address-id` cannot be given together.',
    )
}

export const describeAddressQuota = action({
  product: 'vpc',
  rate: 10,
  writes: false,
  eips: true,
  params: record({}),
  run: (call) => ({ QuotaSet: renderQuotas(call, call.at) }),
})

/** Of EIPs: unlike the answer that names the task, it wants a number. */
export const describeTaskResult = action({
  product: 'vpc',
  rate: 20,
  writes: false,
  params: record({ TaskId: optional(integer()), DealName: optional(text()) }),
  run({ db }, { TaskId, DealName }) {
    if (TaskId === undefined && DealName === undefined) throw missing('TaskId')
    const task = TaskId === undefined ? undefined : findEipTask(db, TaskId)
    if (task === undefined)
      throw new ApiError('InvalidParameter', `The task \`${TaskId ?? DealName}\` does not exist.`)
    return { TaskId: task.id, Result: task.state }
  },
})
