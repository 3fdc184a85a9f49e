// A refusal in the words of the CNI specification: a code the runtime acts on and a sentence for a person.
import { type ErrorCode, IpamError } from '../ipam/errors.ts'
import type { CniVersion } from './cni-version.ts'

/** Below 100: the specification's. From 100: ours. */
export const cniCode = {
  incompatibleVersion: 1,
  invalidEnvironment: 4,
  ioFailure: 5,
  decodeFailure: 6,
  invalidConfig: 7,
  tryAgainLater: 11,
  /** STATUS: no ADD can be served now. */
  notAvailable: 50,
  kernel: 100,
  storage: 101,
  refused: 102,
  protocol: 103,
  internal: 199,
} as const

export class CniFault extends Error {
  readonly code: number
  readonly details: string

  /** `message` reads "Cannot <do what>: <what is so now>"; `details` says what to check. */
  constructor(code: number, message: string, details = '') {
    super(message)
    this.name = 'CniFault'
    this.code = code
    this.details = details
  }
}

const codes: Readonly<Record<ErrorCode, number>> = {
  bad_input: cniCode.invalidConfig,
  no_address: cniCode.tryAgainLater,
  conflict: cniCode.tryAgainLater,
  not_found: cniCode.refused,
  throttled: cniCode.tryAgainLater,
  unavailable: cniCode.tryAgainLater,
  unknown_outcome: cniCode.tryAgainLater,
  token_used: cniCode.tryAgainLater,
  in_progress: cniCode.tryAgainLater,
  eni_quota: cniCode.tryAgainLater,
  ip_quota: cniCode.tryAgainLater,
  eip_quota: cniCode.tryAgainLater,
  arrears: cniCode.refused,
  subnet_full: cniCode.tryAgainLater,
  invalid_state: cniCode.refused,
  denied: cniCode.refused,
  unauthenticated: cniCode.refused,
  cloud_fault: cniCode.refused,
  deposed: cniCode.refused,
  kernel: cniCode.kernel,
  storage: cniCode.storage,
}

/** Anything thrown while a request is served, as what the runtime is told. */
export function toCniFault(error: unknown): CniFault {
  if (error instanceof CniFault) return error
  if (error instanceof IpamError) return new CniFault(codes[error.code], error.message, error.hint ?? '')
  return new CniFault(
    cniCode.internal,
    `Cannot serve the request: ${error instanceof Error ? error.message : String(error)}`,
  )
}

/** The error object a plugin prints. */
export function formatCniFault(fault: CniFault, version: CniVersion): string {
  return JSON.stringify({
    cniVersion: version,
    code: fault.code,
    msg: fault.message,
    ...(fault.details === '' ? {} : { details: fault.details }),
  })
}
