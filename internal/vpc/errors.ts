// The only place that knows Tencent Cloud's codes: what each means in our words, and whether the same call may be sent again.
import { type ErrorCode, IpamError } from '../ipam/errors.ts'
import type { Millis } from '../value/millis.ts'
import type { Retry } from './limiter.ts'
import { readFault, type TencentFault } from './transport.ts'

/** `perhaps`: the failure does not tell whether it happened. For a describe that is merely unavailable. */
type Meaning = ErrorCode | 'perhaps'

/** Exact codes first, then by what stands before the first full stop ("AuthFailure.*"). */
const codes = new Map<string, Meaning>(
  Object.entries({
    RequestLimitExceeded: 'throttled',
    'RequestLimitExceeded.*': 'throttled',
    'LimitExceeded.ActionLimited': 'throttled',

    'UnsupportedOperation.MutexOperationTaskRunning': 'in_progress',
    'OperationDenied.MutexTaskRunning': 'in_progress',
    // An earlier call with this token may be the one that takes effect.
    'UnsupportedOperation.IdempotentProcessing': 'unknown_outcome',
    'UnsupportedOperation.IdempotentParameterMismatch': 'token_used',

    'AuthFailure.*': 'unauthenticated',
    'AuthFailure.UnauthorizedOperation': 'denied',
    UnauthorizedOperation: 'denied',
    'UnauthorizedOperation.*': 'denied',
    'UnauthorizedOperation.AttachmentNotFound': 'invalid_state',
    'UnauthorizedOperation.PrimaryIp': 'invalid_state',
    IpNotInWhitelist: 'denied',
    IpInBlacklist: 'denied',

    'LimitExceeded.NetworkInterfaceLimitExceeded': 'eni_quota',
    ResourceInsufficient: 'subnet_full',
    'ResourceInsufficient.Subnet': 'subnet_full',

    ResourceNotFound: 'not_found',
    'ResourceNotFound.*': 'not_found',
    'InvalidInstanceId.NotFound': 'not_found',

    ResourceInUse: 'invalid_state',
    'UnsupportedOperation.InvalidState': 'invalid_state',
    'UnsupportedOperation.PrimaryIp': 'invalid_state',
    'UnsupportedOperation.ResourceIsInvalidState': 'invalid_state',
    'UnsupportedOperation.AttachmentAlreadyExists': 'invalid_state',
    'UnsupportedOperation.AttachmentNotFound': 'invalid_state',
    'UnsupportedOperation.InstanceAssociateHavip': 'invalid_state',

    'UnsupportedOperation.ResourceMismatch': 'bad_input',
    'UnsupportedOperation.UnsupportedInstanceFamily': 'bad_input',
    'UnsupportedOperation.VpcMismatch': 'bad_input',
    'UnsupportedOperation.ZoneMismatch': 'bad_input',
    'InvalidInstanceId.Malformed': 'bad_input',
    InvalidFilter: 'bad_input',
    InvalidParameter: 'bad_input',
    'InvalidParameter.*': 'bad_input',
    InvalidParameterValue: 'bad_input',
    'InvalidParameterValue.*': 'bad_input',
    MissingParameter: 'bad_input',
    UnknownParameter: 'bad_input',
    'UnknownParameter.*': 'bad_input',
    UnsupportedRegion: 'bad_input',
    'InvalidZone.MismatchRegion': 'bad_input',

    AddressQuotaLimitExceeded: 'eip_quota',
    'AddressQuotaLimitExceeded.*': 'eip_quota',
    'LimitExceeded.InstanceAddressQuota': 'eip_quota',
    'LimitExceeded.AccountReturnQuota': 'eip_quota',
    'LimitExceeded.MonthlyAddressRecoveryQuota': 'eip_quota',
    'FailedOperation.BalanceInsufficient': 'arrears',
    'OperationDenied.AddressInArrears': 'arrears',
    'UnsupportedOperation.UnpaidOrderAlreadyExists': 'arrears',

    'InvalidAddressId.NotFound': 'not_found',
    'InvalidParameterValue.AddressNotFound': 'not_found',
    'InvalidPrivateIpAddress.AlreadyBindEip': 'conflict',
    'InvalidInstanceId.AlreadyBindEip': 'conflict',
    // The ENI is not there, or does not have the address.
    'InvalidNetworkInterfaceId.NotFound': 'invalid_state',
    'InvalidParameterValue.NetworkInterfaceNotFound': 'invalid_state',
    'InvalidParameterValue.NetworkInterfaceIdNotMatch': 'invalid_state',
    'InvalidParameterValue.PrivateIpAddressNotMatch': 'invalid_state',
    'FailedOperation.AddressEniInfoNotFound': 'invalid_state',
    'FailedOperation.MasterEniNotFound': 'invalid_state',
    'InvalidAddressId.Blocked': 'invalid_state',
    'InvalidAddressIdStatus.NotPermit': 'invalid_state',
    InvalidAddressState: 'invalid_state',
    'InvalidParameterValue.InvalidInstanceState': 'invalid_state',
    'OperationDenied.AddressDeletionProtectionEnabled': 'invalid_state',
    'UnsupportedOperation.AddressStatusNotPermit': 'invalid_state',
    'UnsupportedOperation.InstanceStateNotSupported': 'invalid_state',
    'UnsupportedOperation.InstanceStatusNotPermit': 'invalid_state',
    'FailedOperation.TaskFailed': 'perhaps',
    'FailedOperation.InvalidRegion': 'bad_input',
    'InvalidAccount.NotSupported': 'bad_input',
    'InvalidAddressId.*': 'bad_input',
    InvalidParameterConflict: 'bad_input',
    'LimitExceeded.BandwidthPackageQuota': 'bad_input',
    'LimitExceeded.NumberOfFilters': 'bad_input',
    'UnsupportedOperation.AccountNotSupported': 'bad_input',
    'UnsupportedOperation.BandwidthPackageIdNotSupported': 'bad_input',
    'UnsupportedOperation.IncorrectAddressResourceType': 'bad_input',
    'UnsupportedOperation.InvalidAction': 'bad_input',
    'UnsupportedOperation.InvalidAddressInternetChargeType': 'bad_input',
    'UnsupportedOperation.IspNotSupported': 'bad_input',
    'UnsupportedOperation.OfflineChargeType': 'bad_input',
    'UnsupportedOperation.UnsupportedRegion': 'bad_input',

    ServiceUnavailable: 'unavailable',
    'FailedOperation.NetDetectTimeOut': 'perhaps',
    InternalError: 'perhaps',
    'InternalError.*': 'perhaps',
    InternalServerError: 'perhaps',
    'InternalServerError.*': 'perhaps',
  } as const),
)

/** Codes that mean something else for one action: "action code". */
const codesOfAction = new Map<string, Meaning>(
  Object.entries({
    // Too many ENIs have a code of their own.
    'CreateNetworkInterface LimitExceeded': 'ip_quota',
    'CreateNetworkInterface InvalidParameterValue.LimitExceeded': 'ip_quota',
    'AttachNetworkInterface LimitExceeded': 'eni_quota',
    'AssignPrivateIpAddresses LimitExceeded': 'ip_quota',
    'AssignPrivateIpAddresses InvalidParameterValue.LimitExceeded': 'ip_quota',
    // Somebody else has one of the addresses.
    'AssignPrivateIpAddresses ResourceInUse': 'conflict',
    'CreateReserveIpAddresses ResourceInUse': 'conflict',
    // Of ENIs that may just have changed; it names no other state.
    'MigratePrivateIpAddress UnsupportedOperation': 'invalid_state',
    'MigratePrivateIpAddress LimitExceeded': 'ip_quota',
    // Of the line, not of a subnet.
    'AllocateAddresses ResourceInsufficient': 'no_address',
    // This token makes none any more, another one may.
    'AllocateAddresses UnsupportedOperation.DeliveryFailed': 'cloud_fault',
    // An ENI has the address.
    'DeleteReserveIpAddresses InvalidParameterValue.ParameterMismatch': 'invalid_state',
    'DeleteReserveIpAddresses ResourceInUse': 'invalid_state',
  } as const),
)

/** A call as its failure has to be told: "Cannot `doing`: …". */
export interface Doing {
  readonly action: string
  readonly doing: string
  readonly mutates: boolean
}

/** May the call be sent again as it is? Never when a mutation may have happened, except under the protection of its token. */
export function retryAfter(call: Doing, error: unknown): Retry {
  if (error instanceof IpamError) return 'no'
  const fault = readFault(error)
  if (fault.code === 'UnsupportedOperation.IdempotentProcessing') return 'again'
  switch (meaningOf(call, fault)) {
    case 'throttled':
      return 'slow-down'
    case 'unavailable':
      // A cloud that says itself that it is in trouble is helped by fewer calls, whoever makes them.
      return fault.code === 'ServiceUnavailable' ? 'slow-down' : 'again'
    case 'in_progress':
      return 'again'
    default:
      return 'no'
  }
}

/** The failure in our words; an IpamError stays as it is. */
export function fromTencent(call: Doing, error: unknown, sentAt?: Millis): IpamError {
  if (error instanceof IpamError) return error
  const fault = readFault(error)
  const code = meaningOf(call, fault)
  const hint = hintFor(call, fault, code)
  const options = { cause: error, sentAt, ...(hint !== undefined && { hint }) }
  return new IpamError(code, `Cannot ${call.doing}: ${tell(fault)}`, options)
}

function meaningOf(call: Doing, fault: TencentFault): ErrorCode {
  const meaning = meaningOfFault(call.action, fault)
  if (meaning !== 'perhaps') return meaning
  return call.mutates ? 'unknown_outcome' : 'unavailable'
}

function meaningOfFault(action: string, { code, httpCode, sent }: TencentFault): Meaning {
  if (code !== undefined) {
    const family = `${code.split('.', 1)[0]}.*`
    return codesOfAction.get(`${action} ${code}`) ?? codes.get(code) ?? codes.get(family) ?? 'cloud_fault'
  }
  if (sent === false) return 'unavailable'
  if (httpCode === 429) return 'throttled'
  if (httpCode !== undefined && httpCode >= 400 && httpCode < 500) return 'cloud_fault'
  return 'perhaps'
}

/** What comes back may be anything, a page of HTML for example; of a long text people read the beginning. */
function cut(text: string, longest: number): string {
  return text
    .slice(0, 4 * longest)
    .replaceAll(/\s+/g, ' ')
    .trim()
    .slice(0, longest)
}

function tell({ code, message, requestId, httpCode, sent }: TencentFault): string {
  const id = requestId === undefined ? '' : ` (request ${cut(requestId, 100)})`
  const text = cut(message, 500)
  if (code !== undefined) return `Tencent Cloud answered ${cut(code, 100)} "${text}"${id}`
  if (httpCode !== undefined) return `Tencent Cloud answered HTTP ${httpCode} "${text}"${id}`
  if (sent === false) return `Tencent Cloud cannot be reached: ${text}`
  return `no readable answer came from Tencent Cloud: ${text}`
}

function hintFor(call: Doing, { code = '' }: TencentFault, meaning: ErrorCode): string | undefined {
  if (meaning === 'eni_quota') {
    return 'Delete unused ENIs, use a larger instance type, or ask Tencent Cloud for a higher quota'
  }
  if (meaning === 'eip_quota') return eipQuotaHint(code)
  if (meaning === 'arrears') return 'Pay what is owed to Tencent Cloud'
  if (meaning === 'subnet_full') return 'Add a subnet of the same zone to the settings'
  if (code === 'AuthFailure.SignatureExpire') return 'Set the clock of this machine'
  if (meaning === 'unauthenticated') return 'Check the credentials: they are wrong, expired or disabled'
  if (meaning !== 'denied') return undefined
  if (code.startsWith('Ip')) return 'Let the address of this machine use these credentials'
  return permissionHint(call.action)
}

function eipQuotaHint(code: string): string {
  if (code === 'LimitExceeded.InstanceAddressQuota')
    return 'Use a larger instance type, or unbind public addresses from this one'
  if (code === 'LimitExceeded.AccountReturnQuota' || code === 'AddressQuotaLimitExceeded.DailyAllocate')
    return 'Wait for the next day, or ask Tencent Cloud for a higher quota'
  return 'Release unused EIPs, or ask Tencent Cloud for a higher quota'
}

/** Permissions for EIPs are of CVM, whatever product their calls are of. */
const eipActions = /^(Allocate|Describe|Associate|Disassociate|Release)Address(es|Quota)?$/

function permissionHint(action: string): string {
  const isForEips = eipActions.test(action)
  const product = action === 'DescribeInstances' || isForEips ? 'cvm' : 'vpc'
  const carrier = /ReserveIpAddress/.test(action)
    ? 'policy QcloudAccessForIPAMDofTKERole does not carry it, a policy of your own has to'
    : isForEips
      ? 'role IPAMDofTKE_QCSRole carries it by policy QcloudAccessForIPAMDRoleInQcloudAllocateEIP'
      : 'role IPAMDofTKE_QCSRole carries it by policy QcloudAccessForIPAMDofTKERole'
  return `Allow ${product}:${action} to these credentials: ${carrier}`
}
