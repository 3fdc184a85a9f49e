import assert from 'node:assert/strict'
import { test } from 'node:test'
import { type ErrorCode, IpamError } from '../../internal/ipam/errors.ts'
import { fromTencent, retryAfter } from '../../internal/vpc/errors.ts'
import type { Retry } from '../../internal/vpc/limiter.ts'
import { TencentError, type TencentFault } from '../../internal/vpc/transport.ts'

const create = 'CreateNetworkInterface'
const attach = 'AttachNetworkInterface'
const assign = 'AssignPrivateIpAddresses'
const remove = 'DeleteNetworkInterface'
const migrate = 'MigratePrivateIpAddress'
const reserve = 'CreateReserveIpAddresses'
const release = 'DeleteReserveIpAddresses'
const describe = 'DescribeNetworkInterfaces'
const allocate = 'AllocateAddresses'
const associate = 'AssociateAddress'
const disassociate = 'DisassociateAddress'
const releaseEip = 'ReleaseAddresses'

const rows: [action: string, fault: string | Omit<TencentFault, 'message'>, code: ErrorCode, retry: Retry][] =
  [
    [create, 'RequestLimitExceeded', 'throttled', 'slow-down'],
    [create, 'RequestLimitExceeded.UinLimitExceeded', 'throttled', 'slow-down'],
    [assign, 'LimitExceeded.ActionLimited', 'throttled', 'slow-down'],
    [assign, 'UnsupportedOperation.MutexOperationTaskRunning', 'in_progress', 'again'],
    [assign, 'UnsupportedOperation.IdempotentProcessing', 'unknown_outcome', 'again'],
    [assign, 'UnsupportedOperation.IdempotentParameterMismatch', 'token_used', 'no'],
    [create, 'LimitExceeded', 'ip_quota', 'no'],
    [create, 'LimitExceeded.NetworkInterfaceLimitExceeded', 'eni_quota', 'no'],
    [attach, 'LimitExceeded', 'eni_quota', 'no'],
    [assign, 'LimitExceeded', 'ip_quota', 'no'],
    [remove, 'LimitExceeded', 'cloud_fault', 'no'],
    [create, 'LimitExceeded.TagQuota', 'cloud_fault', 'no'],
    [create, 'ResourceInsufficient.Subnet', 'subnet_full', 'no'],
    [assign, 'ResourceInsufficient', 'subnet_full', 'no'],
    [remove, 'ResourceNotFound', 'not_found', 'no'],
    [remove, 'ResourceInUse', 'invalid_state', 'no'],
    [attach, 'UnsupportedOperation.AttachmentAlreadyExists', 'invalid_state', 'no'],
    [attach, 'UnsupportedOperation.ZoneMismatch', 'bad_input', 'no'],
    [attach, 'UnsupportedOperation', 'cloud_fault', 'no'],
    [create, 'InvalidParameterValue.Malformed', 'bad_input', 'no'],
    [create, 'UnknownParameter.WithGuess', 'bad_input', 'no'],
    [create, 'UnauthorizedOperation', 'denied', 'no'],
    [create, 'AuthFailure.SignatureFailure', 'unauthenticated', 'no'],
    [create, 'AuthFailure.UnauthorizedOperation', 'denied', 'no'],
    [create, 'IpNotInWhitelist', 'denied', 'no'],
    [create, 'ServiceUnavailable', 'unavailable', 'slow-down'],
    [create, 'InternalError', 'unknown_outcome', 'no'],
    [describe, 'InternalError.ModuleError', 'unavailable', 'again'],
    [create, 'ResourceInUse', 'invalid_state', 'no'],
    [assign, 'ResourceInUse', 'conflict', 'no'],
    [reserve, 'ResourceInUse', 'conflict', 'no'],
    [reserve, 'ResourceInsufficient.Subnet', 'subnet_full', 'no'],
    [reserve, 'UnauthorizedOperation', 'denied', 'no'],
    [reserve, 'InvalidParameterValue', 'bad_input', 'no'],
    [reserve, 'UnsupportedOperation.IdempotentProcessing', 'unknown_outcome', 'again'],
    [reserve, { sent: true }, 'unknown_outcome', 'no'],
    [release, 'InvalidParameterValue.ParameterMismatch', 'invalid_state', 'no'],
    [release, 'ResourceNotFound', 'not_found', 'no'],
    [migrate, 'LimitExceeded', 'ip_quota', 'no'],
    [migrate, 'LimitExceeded.ActionLimited', 'throttled', 'slow-down'],
    [migrate, 'UnauthorizedOperation.PrimaryIp', 'invalid_state', 'no'],
    [migrate, 'UnsupportedOperation.PrimaryIp', 'invalid_state', 'no'],
    [migrate, 'UnsupportedOperation', 'invalid_state', 'no'],
    [migrate, 'UnsupportedOperation.MutexOperationTaskRunning', 'in_progress', 'again'],
    [allocate, 'AddressQuotaLimitExceeded', 'eip_quota', 'no'],
    [allocate, 'AddressQuotaLimitExceeded.DailyAllocate', 'eip_quota', 'no'],
    [allocate, 'FailedOperation.BalanceInsufficient', 'arrears', 'no'],
    [allocate, 'FailedOperation.InvalidRegion', 'bad_input', 'no'],
    [allocate, 'InvalidAccount.NotSupported', 'bad_input', 'no'],
    [allocate, 'InvalidParameterConflict', 'bad_input', 'no'],
    [allocate, 'InvalidParameterValue.BandwidthOutOfRange', 'bad_input', 'no'],
    [allocate, 'InvalidParameterValue.BandwidthPackageNotFound', 'bad_input', 'no'],
    [allocate, 'InvalidParameterValue.BandwidthTooSmall', 'bad_input', 'no'],
    [allocate, 'InvalidParameterValue.InvalidTag', 'bad_input', 'no'],
    [allocate, 'InvalidParameterValue.Range', 'bad_input', 'no'],
    [allocate, 'LimitExceeded.BandwidthPackageQuota', 'bad_input', 'no'],
    [allocate, 'LimitExceeded.MonthlyAddressRecoveryQuota', 'eip_quota', 'no'],
    [allocate, 'LimitExceeded.TagQuota', 'cloud_fault', 'no'],
    [allocate, 'RequestLimitExceeded', 'throttled', 'slow-down'],
    [allocate, 'ResourceInsufficient', 'no_address', 'no'],
    [allocate, 'UnauthorizedOperation', 'denied', 'no'],
    [allocate, 'UnauthorizedOperation.InvalidAccount', 'denied', 'no'],
    [allocate, 'UnsupportedOperation.AccountNotSupported', 'bad_input', 'no'],
    [allocate, 'UnsupportedOperation.DeliveryFailed', 'cloud_fault', 'no'],
    [allocate, 'UnsupportedOperation.IdempotentProcessing', 'unknown_outcome', 'again'],
    [allocate, { sent: true }, 'unknown_outcome', 'no'],
    [associate, 'FailedOperation.AddressEniInfoNotFound', 'invalid_state', 'no'],
    [associate, 'FailedOperation.TaskFailed', 'unknown_outcome', 'no'],
    [associate, 'InvalidAddressId.Blocked', 'invalid_state', 'no'],
    [associate, 'InvalidAddressId.NotFound', 'not_found', 'no'],
    [associate, 'InvalidInstanceId.AlreadyBindEip', 'conflict', 'no'],
    [associate, 'InvalidInstanceId.NotFound', 'not_found', 'no'],
    [associate, 'InvalidNetworkInterfaceId.NotFound', 'invalid_state', 'no'],
    [associate, 'InvalidParameter.Conflict', 'bad_input', 'no'],
    [associate, 'InvalidParameterValue.AddressIdMalformed', 'bad_input', 'no'],
    [associate, 'InvalidParameterValue.AddressNotFound', 'not_found', 'no'],
    [associate, 'InvalidParameterValue.InvalidInstanceState', 'invalid_state', 'no'],
    [associate, 'InvalidParameterValue.MissingAssociateEntity', 'bad_input', 'no'],
    [associate, 'InvalidParameterValue.NetworkInterfaceIdNotMatch', 'invalid_state', 'no'],
    [associate, 'InvalidParameterValue.NetworkInterfaceNotFound', 'invalid_state', 'no'],
    [associate, 'InvalidParameterValue.PrivateIpAddressNotMatch', 'invalid_state', 'no'],
    [associate, 'InvalidPrivateIpAddress.AlreadyBindEip', 'conflict', 'no'],
    [associate, 'LimitExceeded.InstanceAddressQuota', 'eip_quota', 'no'],
    [associate, 'MissingParameter', 'bad_input', 'no'],
    [associate, 'OperationDenied.AddressInArrears', 'arrears', 'no'],
    [associate, 'OperationDenied.MutexTaskRunning', 'in_progress', 'again'],
    [associate, 'UnsupportedOperation.AddressStatusNotPermit', 'invalid_state', 'no'],
    [associate, 'UnsupportedOperation.InstanceStateNotSupported', 'invalid_state', 'no'],
    [associate, 'UnsupportedOperation.InstanceStatusNotPermit', 'invalid_state', 'no'],
    [associate, 'UnsupportedOperation.InvalidAction', 'bad_input', 'no'],
    [associate, 'UnsupportedOperation.InvalidAddressInternetChargeType', 'bad_input', 'no'],
    [disassociate, 'FailedOperation.MasterEniNotFound', 'invalid_state', 'no'],
    [disassociate, 'FailedOperation.TaskFailed', 'unknown_outcome', 'no'],
    [disassociate, 'InvalidAddressId.NotFound', 'not_found', 'no'],
    [disassociate, 'InvalidAddressIdStatus.NotPermit', 'invalid_state', 'no'],
    [disassociate, 'InvalidParameterValue.OnlySupportedForMasterNetworkCard', 'bad_input', 'no'],
    [disassociate, 'OperationDenied.MutexTaskRunning', 'in_progress', 'again'],
    [releaseEip, 'FailedOperation.TaskFailed', 'unknown_outcome', 'no'],
    [releaseEip, 'InvalidAddressId.NotFound', 'not_found', 'no'],
    [releaseEip, 'InvalidAddressState', 'invalid_state', 'no'],
    [releaseEip, 'LimitExceeded.AccountReturnQuota', 'eip_quota', 'no'],
    [releaseEip, 'OperationDenied.AddressDeletionProtectionEnabled', 'invalid_state', 'no'],
    [releaseEip, 'UnsupportedOperation.UnpaidOrderAlreadyExists', 'arrears', 'no'],
    [releaseEip, 'UnsupportedOperation.AddressStatusNotPermit', 'invalid_state', 'no'],
    [describe, 'InvalidParameter.InvalidFilter', 'bad_input', 'no'],
    [describe, 'LimitExceeded.NumberOfFilters', 'bad_input', 'no'],
    [create, 'SomethingNew.AndStrange', 'cloud_fault', 'no'],
    [create, 'constructor', 'cloud_fault', 'no'],
    [create, { sent: false }, 'unavailable', 'again'],
    [create, { sent: true }, 'unknown_outcome', 'no'],
    [create, {}, 'unknown_outcome', 'no'],
    [create, { httpCode: 502 }, 'unknown_outcome', 'no'],
    [create, { httpCode: 429 }, 'throttled', 'slow-down'],
    [create, { httpCode: 413 }, 'cloud_fault', 'no'],
    [describe, { sent: true }, 'unavailable', 'again'],
    [describe, { httpCode: 504 }, 'unavailable', 'again'],
  ]

for (const [action, fault, code, retry] of rows) {
  const call = { action, doing: 'act', mutates: action !== describe }
  const shown = typeof fault === 'string' ? fault : JSON.stringify(fault)
  test(`fromTencent() makes ${code} of ${shown} for ${action}, to be sent again: ${retry}`, () => {
    const parts = typeof fault === 'string' ? { code: fault } : fault
    const error = new TencentError({ message: 'text', ...parts })
    assert.equal(fromTencent(call, error).code, code)
    assert.equal(retryAfter(call, error), retry)
  })
}

test('fromTencent() tells what could not be done, the code, the message and the request', () => {
  const call = { action: create, doing: 'create ENI "a" in subnet "subnet-1"', mutates: true }
  const error = fromTencent(
    call,
    new TencentError({ message: 'no operation permission', code: 'UnauthorizedOperation', requestId: 'r-1' }),
  )
  assert.equal(
    error.message,
    'Cannot create ENI "a" in subnet "subnet-1": Tencent Cloud answered UnauthorizedOperation "no operation permission" (request r-1)',
  )
  assert.match(
    error.hint ?? '',
    /vpc:CreateNetworkInterface.*IPAMDofTKE_QCSRole.*QcloudAccessForIPAMDofTKERole/,
  )
})

test('fromTencent() says that the preset policy cannot reserve', () => {
  const call = { action: reserve, doing: 'reserve', mutates: true }
  const { hint } = fromTencent(call, new TencentError({ message: 'no', code: 'UnauthorizedOperation' }))
  assert.match(hint ?? '', /vpc:CreateReserveIpAddresses.*QcloudAccessForIPAMDofTKERole does not carry it/)
})

for (const [code, hint] of [
  ['AddressQuotaLimitExceeded', /^Release unused EIPs, or ask/],
  ['AddressQuotaLimitExceeded.DailyAllocate', /^Wait for the next day/],
  ['LimitExceeded.InstanceAddressQuota', /^Use a larger instance type/],
  ['FailedOperation.BalanceInsufficient', /^Pay what is owed/],
] as const)
  test(`fromTencent() says what to do about ${code}`, () => {
    const call = { action: allocate, doing: 'allocate', mutates: true }
    assert.match(fromTencent(call, new TencentError({ message: 'no', code })).hint ?? '', hint)
  })

for (const action of [
  allocate,
  associate,
  disassociate,
  releaseEip,
  'DescribeAddresses',
  'DescribeAddressQuota',
])
  test(`[E8] fromTencent() names the policy that lets ${action}`, () => {
    const call = { action, doing: 'act', mutates: true }
    const { hint } = fromTencent(call, new TencentError({ message: 'no', code: 'UnauthorizedOperation' }))
    assert.equal(
      hint,
      `Allow cvm:${action} to these credentials: role IPAMDofTKE_QCSRole carries it by policy QcloudAccessForIPAMDRoleInQcloudAllocateEIP`,
    )
  })

test('[R6] fromTencent() tells the beginning of a long answer, on one line', () => {
  // A page of HTML, or a code of 40,000 characters, came back whole in events and logs.
  const call = { action: create, doing: 'act', mutates: true }
  const long = '<html>\n'.repeat(10_000)
  for (const fault of [{ code: long }, { httpCode: 502, requestId: long }, { sent: true }]) {
    const { message } = fromTencent(call, new TencentError({ message: long, ...fault }))
    assert.ok(message.length < 1000, `${message.length} characters`)
  }
  const odd = { code: 7, message: { toString: 1 } }
  assert.match(fromTencent(call, odd).message, /^Cannot act: no readable answer/)
})

test('fromTencent() leaves an IpamError as it is', () => {
  const error = new IpamError('denied', 'Cannot sign')
  const call = { action: create, doing: 'act', mutates: true }
  assert.equal(fromTencent(call, error), error)
  assert.equal(retryAfter(call, error), 'no')
})

test('fromTencent() takes whatever was thrown for a call that may have happened', () => {
  const call = { action: create, doing: 'act', mutates: true }
  for (const thrown of [new TypeError('x'), 'text', undefined, null, { code: 7 }]) {
    assert.equal(fromTencent(call, thrown).code, 'unknown_outcome')
  }
})
