// The codes with which the API may refuse the calls about public addresses, as its reference lists them.
import type { ErrorCode } from '../../../../internal/ipam/errors.ts'
import { retryAfter } from '../../../../internal/vpc/errors.ts'
import { TencentError } from '../../../../internal/vpc/transport.ts'
import { callOf, groupCodes, token } from '../codes.ts'
import { eipActs } from './acts.ts'
import type { EipKind } from './kinds.ts'

const codesOf = {
  allocate: [
    ...token,
    'AddressQuotaLimitExceeded',
    'AddressQuotaLimitExceeded.DailyAllocate',
    'FailedOperation.BalanceInsufficient',
    'FailedOperation.InvalidRegion',
    'InvalidParameterValue.BandwidthOutOfRange',
    'InvalidParameterValue.BandwidthPackageNotFound',
    'InvalidParameterValue.BandwidthTooSmall',
    'InvalidParameterValue.InvalidTag',
    'InvalidParameterValue.Range',
    'LimitExceeded.TagQuota',
    'ResourceInsufficient',
    'UnauthorizedOperation.InvalidAccount',
    'UnsupportedOperation.AccountNotSupported',
    'UnsupportedOperation.DeliveryFailed',
  ],
  bind: [
    'FailedOperation.AddressEniInfoNotFound',
    'FailedOperation.TaskFailed',
    'InvalidAddressId.Blocked',
    'InvalidAddressId.NotFound',
    'InvalidInstanceId.AlreadyBindEip',
    'InvalidInstanceId.NotFound',
    'InvalidNetworkInterfaceId.NotFound',
    'InvalidParameter.Conflict',
    'InvalidParameterConflict',
    'InvalidParameterValue.AddressIdMalformed',
    'InvalidParameterValue.AddressNotFound',
    'InvalidParameterValue.InvalidInstanceState',
    'InvalidParameterValue.MissingAssociateEntity',
    'InvalidParameterValue.NetworkInterfaceIdNotMatch',
    'InvalidParameterValue.NetworkInterfaceNotFound',
    'InvalidParameterValue.PrivateIpAddressNotMatch',
    'InvalidPrivateIpAddress.AlreadyBindEip',
    'LimitExceeded.InstanceAddressQuota',
    'OperationDenied.AddressInArrears',
    'OperationDenied.MutexTaskRunning',
    'UnsupportedOperation.AddressStatusNotPermit',
    'UnsupportedOperation.InstanceStateNotSupported',
    'UnsupportedOperation.InstanceStatusNotPermit',
    'UnsupportedOperation.InvalidAction',
  ],
  leave: [
    'FailedOperation.AddressEniInfoNotFound',
    'FailedOperation.MasterEniNotFound',
    'FailedOperation.TaskFailed',
    'InvalidAddressId.NotFound',
    'InvalidAddressIdStatus.NotPermit',
    'InvalidParameterValue.AddressIdMalformed',
    'InvalidParameterValue.AddressNotFound',
    'InvalidParameterValue.OnlySupportedForMasterNetworkCard',
    'OperationDenied.MutexTaskRunning',
    'UnsupportedOperation.AddressStatusNotPermit',
  ],
  release: [
    'FailedOperation.TaskFailed',
    'InvalidAddressId.NotFound',
    'InvalidAddressState',
    'InvalidParameterValue.AddressIdMalformed',
    'LimitExceeded.AccountReturnQuota',
    'OperationDenied.AddressDeletionProtectionEnabled',
    'OperationDenied.MutexTaskRunning',
    'UnsupportedOperation.AddressStatusNotPermit',
    'UnsupportedOperation.UnpaidOrderAlreadyExists',
  ],
  find: [
    'InvalidParameter.InvalidFilter',
    'InvalidParameterValue.AddressIdMalformed',
    'InvalidParameterValue.LimitExceeded',
    'InvalidParameterValue.NetworkInterfaceIdMalformed',
    'LimitExceeded.NumberOfFilters',
  ],
  quota: [],
} satisfies Partial<Readonly<Record<EipKind, readonly string[]>>>

/** Calls that may be refused in ways of their own; others make the same calls. */
export type RefusedEipKind = keyof typeof codesOf

export const refusedEipKinds = Object.keys(codesOf) as readonly RefusedEipKind[]

/** What each code means in our words, in groups of one meaning. */
export function eipRefusalsOf(kind: RefusedEipKind): ReadonlyMap<ErrorCode, readonly string[]> {
  return groupCodes(eipActs[kind].api, codesOf[kind])
}

/** The same, with one code for all that are one to whoever calls: of the same meaning, and sent again by the client or not. */
export function eipRefusalsToTry(kind: RefusedEipKind): ReadonlyMap<ErrorCode, readonly string[]> {
  const call = callOf(eipActs[kind].api)
  const isAgain = (code: string) => retryAfter(call, new TencentError({ message: '', code }))
  const all = [...eipRefusalsOf(kind)]
  return new Map(
    all.map(([meaning, codes]) => [
      meaning,
      [...new Map(codes.map((code) => [isAgain(code), code])).values()],
    ]),
  )
}
