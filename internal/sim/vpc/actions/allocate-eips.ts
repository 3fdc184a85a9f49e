// AllocateAddresses and ReleaseAddresses.
import { action } from '../action.ts'
import { ApiError } from '../api-error.ts'
import { freePublicNumber } from '../eip-choice.ts'
import { applyForEips } from '../eip-quota.ts'
import { eipId, getEip, type Isp, insertEip, isps, refuseUnless } from '../eip-table.ts'
import { startEipTask } from '../eip-tasks.ts'
import { newId } from '../ids.ts'
import { flag, id, integer, list, missing, oneOf, optional, record, text } from '../shape.ts'
import { insertTags, tagList } from '../tag-table.ts'
import type { Call } from '../world.ts'

const chargeTypes = [
  'TRAFFIC_POSTPAID_BY_HOUR',
  'BANDWIDTH_POSTPAID_BY_HOUR',
  'BANDWIDTH_PREPAID_BY_MONTH',
  'BANDWIDTH_PACKAGE',
] as const

/** Mbps. */
const mostBandwidth: Readonly<Record<(typeof chargeTypes)[number], number>> = {
  TRAFFIC_POSTPAID_BY_HOUR: 100,
  BANDWIDTH_POSTPAID_BY_HOUR: 100,
  BANDWIDTH_PREPAID_BY_MONTH: 200,
  BANDWIDTH_PACKAGE: 2000,
}

const prepaid = record({ Period: integer(1, 36), AutoRenewFlag: optional(integer(0, 2)) })

export const allocateAddresses = action({
  product: 'vpc',
  rate: 10,
  writes: true,
  eips: true,
  params: record({
    AddressCount: optional(integer(1, 100)),
    InternetServiceProvider: optional(oneOf(...isps)),
    InternetChargeType: optional(oneOf(...chargeTypes)),
    IPChargeType: optional(oneOf('IP_POSTPAID_BY_HOUR', 'IP_PREPAID_BY_MONTH')),
    InternetMaxBandwidthOut: optional(integer(Number.MIN_SAFE_INTEGER)),
    AddressChargePrepaid: optional(prepaid),
    AddressType: optional(oneOf('EIP', 'AnycastEIP', 'HighQualityEIP', 'AntiDDoSEIP', 'ResidentialEIP')),
    AnycastZone: optional(text()),
    VipCluster: optional(list(text(), 10)),
    ApplicableForCLB: optional(flag()),
    Tags: optional(tagList),
    BandwidthPackageId: optional(id('bwp', 'InvalidParameterValue.BandwidthPackageIdMalformed')),
    AddressName: optional(text({ max: 128 })),
    DedicatedClusterId: optional(text()),
    IsDedicatedAddressPool: optional(flag()),
    Egress: optional(oneOf('center_egress1', 'center_egress2', 'center_egress3')),
    AntiDDoSPackageId: optional(text()),
    ClientToken: optional(text({ max: 64 })),
  }),
  run(call, params) {
    const {
      AddressCount: count = 1,
      InternetServiceProvider: isp = 'BGP',
      InternetChargeType: chargeType = 'TRAFFIC_POSTPAID_BY_HOUR',
      InternetMaxBandwidthOut: bandwidth = 1,
      BandwidthPackageId: packageId,
    } = params
    refuseUncommonType(params.AddressType)
    refuseOddBandwidth(bandwidth, mostBandwidth[chargeType])
    if ((packageId !== undefined) !== (chargeType === 'BANDWIDTH_PACKAGE'))
      throw combination('BandwidthPackageId', 'BANDWIDTH_PACKAGE')
    if ((params.AddressChargePrepaid !== undefined) !== (chargeType === 'BANDWIDTH_PREPAID_BY_MONTH'))
      throw combination('AddressChargePrepaid', 'BANDWIDTH_PREPAID_BY_MONTH')
    refuseUnknownPackage(call, packageId)
    refuseWithoutBalance(call)
    return allocate(call, count, {
      name: params.AddressName ?? '未命名',
      isp,
      charge_type: chargeType,
      bandwidth,
      package_id: packageId ?? null,
      tags: params.Tags ?? [],
    })
  },
})

type Wanted = Pick<Parameters<typeof insertEip>[1], 'name' | 'charge_type' | 'bandwidth' | 'package_id'> & {
  readonly isp: Isp
  readonly tags: Parameters<typeof insertTags>[2]
}

function allocate(call: Call, count: number, { tags, ...wanted }: Wanted) {
  const { db, random, at } = call
  applyForEips(call, { isp: wanted.isp, count, at })
  const taskId = startEipTask(call, 'allocate')
  const ids = Array.from({ length: count }, () => {
    const eip = newId(random, 'eip')
    const number = freePublicNumber(db, random)
    insertEip(db, { ...wanted, id: eip, number, state: 'CREATING', task_id: taskId, created_at: at })
    insertTags(db, eip, tags)
    return eip
  })
  return { AddressSet: ids, TaskId: String(taskId) }
}

function refuseUncommonType(type = 'EIP'): void {
  if (type === 'EIP') return
  if (type === 'AnycastEIP')
    throw new ApiError('UnauthorizedOperation.AnycastEip', 'The account may not have Anycast EIPs.')
  throw new ApiError(
    'InvalidParameterValue.ResourceNotSupport',
    `There are no EIPs of type \`${type}\` here.`,
  )
}

function refuseOddBandwidth(bandwidth: number, most: number): void {
  if (bandwidth < 1)
    throw new ApiError('InvalidParameterValue.BandwidthTooSmall', `A bandwidth of ${bandwidth} is too small.`)
  if (bandwidth > most)
    throw new ApiError(
      'InvalidParameterValue.BandwidthOutOfRange',
      `A bandwidth of ${bandwidth} is not in 1..${most}.`,
    )
}

function combination(field: string, chargeType: string): ApiError {
  return new ApiError(
    'InvalidParameterValue.Combination',
    `\`${field}\` goes with \`InternetChargeType\` ${chargeType}, and only with it.`,
  )
}

function refuseUnknownPackage({ settings }: Call, packageId: string | undefined): void {
  if (packageId === undefined || settings.limits().bandwidthPackages.includes(packageId)) return
  throw new ApiError(
    'InvalidParameterValue.BandwidthPackageNotFound',
    `The bandwidth package \`${packageId}\` does not exist.`,
  )
}

function refuseWithoutBalance({ settings }: Call): void {
  if (settings.faults().noBalance)
    throw new ApiError('FailedOperation.BalanceInsufficient', 'The balance of the account is insufficient.')
}

export const releaseAddresses = action({
  product: 'vpc',
  rate: 10,
  writes: true,
  eips: true,
  params: record({ AddressIds: list(eipId, 100) }),
  run(call, { AddressIds }) {
    if (AddressIds.length === 0) throw missing('AddressIds')
    const eips = [...new Set(AddressIds)].map((one) => getEip(call.db, one))
    for (const eip of eips) refuseUnless(eip, 'UNBIND')
    const taskId = startEipTask(call, 'release')
    for (const eip of eips)
      call.db.run(`UPDATE eip SET state = 'OFFLINING', task_id = ? WHERE id = ?`, taskId, eip.id)
    return { TaskId: String(taskId) }
  },
})
