// The codes with which the API may refuse each action, as its reference lists them, and those common to all.
import type { ErrorCode } from '../../../internal/ipam/errors.ts'
import { type Doing, fromTencent } from '../../../internal/vpc/errors.ts'
import { TencentError } from '../../../internal/vpc/transport.ts'
import { acts } from './acts.ts'
import type { MatrixKind } from './kinds.ts'

const common = [
  'AuthFailure.SignatureExpire',
  'AuthFailure.UnauthorizedOperation',
  'InternalError',
  'InternalError.ModuleError',
  'InvalidParameter',
  'MissingParameter',
  'RequestLimitExceeded',
  'RequestLimitExceeded.UinLimitExceeded',
  'LimitExceeded.ActionLimited',
  'ServiceUnavailable',
  'UnauthorizedOperation',
  'UnknownParameter',
  'UnsupportedOperation',
  // One that nobody has told us of.
  'FailedOperation.NobodyKnows',
]

export const token = ['IdempotentParameterMismatch', 'IdempotentProcessing'].map(
  (code) => `UnsupportedOperation.${code}`,
)

export const own: Readonly<Record<MatrixKind, readonly string[]>> = {
  create: [
    ...token,
    'FailedOperation.NetDetectTimeOut',
    'InvalidParameterValue',
    'InvalidParameterValue.LimitExceeded',
    'InvalidParameterValue.Malformed',
    'InvalidParameterValue.Range',
    'InvalidParameterValue.TooLong',
    'LimitExceeded',
    'LimitExceeded.NetworkInterfaceLimitExceeded',
    'LimitExceeded.TagQuotaExceeded',
    'ResourceInUse',
    'ResourceInsufficient',
    'ResourceInsufficient.Subnet',
    'ResourceNotFound',
    'UnsupportedOperation.ResourceMismatch',
    'UnsupportedOperation.TagAllocate',
  ],
  attach: [
    ...token,
    'InvalidParameterValue.Malformed',
    'LimitExceeded',
    'ResourceNotFound',
    'UnsupportedOperation.AttachmentAlreadyExists',
    'UnsupportedOperation.InvalidState',
    'UnsupportedOperation.ResourceIsInvalidState',
    'UnsupportedOperation.UnsupportedInstanceFamily',
    'UnsupportedOperation.VpcMismatch',
    'UnsupportedOperation.ZoneMismatch',
  ],
  assign: [
    ...token,
    'FailedOperation.NetDetectTimeOut',
    'InvalidParameterValue.LimitExceeded',
    'InvalidParameterValue.Malformed',
    'LimitExceeded',
    'ResourceInUse',
    'ResourceInsufficient',
    'ResourceInsufficient.Subnet',
    'ResourceNotFound',
    'UnsupportedOperation.InvalidState',
    'UnsupportedOperation.MutexOperationTaskRunning',
    'UnsupportedOperation.ResourceMismatch',
  ],
  unassign: [
    'InvalidParameterValue.DuplicatePara',
    'InvalidParameterValue.LimitExceeded',
    'InvalidParameterValue.Malformed',
    'ResourceNotFound',
    'UnsupportedOperation.AttachmentNotFound',
    'UnsupportedOperation.InvalidState',
    'UnsupportedOperation.MutexOperationTaskRunning',
  ],
  detach: [
    ...token,
    'InvalidParameterValue.Malformed',
    'ResourceNotFound',
    'UnsupportedOperation.InstanceAssociateHavip',
    'UnsupportedOperation.InvalidState',
  ],
  delete: [
    'InvalidParameterValue.Malformed',
    'ResourceInUse',
    'ResourceNotFound',
    'UnsupportedOperation.InvalidState',
  ],
}

/** What each code means in our words, in groups of one meaning. */
export function refusalsOf(kind: MatrixKind): ReadonlyMap<ErrorCode, readonly string[]> {
  return groupCodes(acts[kind].api, own[kind])
}

/** The same of any action: its own codes and those common to all. */
export function groupCodes(
  action: string,
  its: readonly string[],
): ReadonlyMap<ErrorCode, readonly string[]> {
  const call = callOf(action)
  const codes = [...new Set([...common, ...its])].toSorted((a, b) => (a < b ? -1 : 1))
  return Map.groupBy(codes, (code) => fromTencent(call, new TencentError({ message: '', code })).code)
}

export function callOf(action: string): Doing {
  return { action, doing: 'try', mutates: !action.startsWith('Describe') }
}
