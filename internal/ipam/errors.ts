// Every way an operation of ours can fail, in our own words. Adapters translate at the border.
import type { Millis } from '../value/millis.ts'

export type ErrorCode =
  | 'bad_input' // a setting, annotation, request or answer that is not what it must be
  | 'no_address' // nothing to hand out now
  | 'conflict' // somebody else changed it first
  | 'not_found'
  | 'throttled' // the API asks us to slow down; nothing happened
  | 'unavailable' // could not be reached, or said so; nothing happened
  | 'unknown_outcome' // sent, and no answer: it may have happened
  | 'token_used' // its ClientToken names another request, which may have happened
  | 'in_progress' // another task on the same object runs; nothing happened
  | 'eni_quota' // the VPC's or the instance's ENI quota is used up
  | 'ip_quota' // the ENI's address quota is used up
  | 'eip_quota' // the account's or the instance's EIP quota is used up, for today or until some are given back
  | 'arrears' // money is owed: the account has to pay first
  | 'subnet_full'
  | 'invalid_state' // the object is not in a state that allows this
  | 'denied' // the permission for this is not there
  | 'unauthenticated' // credentials are wrong, expired or missing: nothing is said of permissions
  | 'cloud_fault' // any other refusal by the cloud
  | 'kernel' // a link, route, rule or sysctl could not be set
  | 'deposed' // this process does not lead (any more): it may change nothing; nothing happened
  | 'storage' // the database cannot be used or trusted

export class IpamError extends Error {
  readonly code: ErrorCode
  readonly hint: string | undefined
  /** Of a call of the cloud that was sent: when it was last. */
  readonly sentAt: Millis | undefined

  /** `message` reads "Cannot <do what>: <what is so now>"; `hint` says what to do. */
  constructor(
    code: ErrorCode,
    message: string,
    options: { hint?: string; cause?: unknown; sentAt?: Millis | undefined } = {},
  ) {
    super(message, options.cause === undefined ? undefined : { cause: options.cause })
    this.name = 'IpamError'
    this.code = code
    this.hint = options.hint
    this.sentAt = options.sentAt
  }
}

/** The code of anything thrown; what we did not throw ourselves is a cloud_fault only where the caller says so. */
export function errorCode(error: unknown): ErrorCode | undefined {
  return error instanceof IpamError ? error.code : undefined
}

/** What is so, and what to do about it, in one line. */
export function withHint(error: unknown): string {
  const { message } = error as Error
  const hint = error instanceof IpamError ? error.hint : undefined
  return hint === undefined ? message : `${message}; ${hint}`
}

/** May the operation have taken effect although it failed? Then ask before repeating it. */
export function mayHaveHappened(code: ErrorCode | undefined): boolean {
  return code === undefined || code === 'unknown_outcome' || code === 'token_used'
}
