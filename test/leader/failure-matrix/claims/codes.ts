// The codes with which the API may refuse the calls of static addresses: as its reference lists them, and some that it must have.
import type { ErrorCode } from '../../../../internal/ipam/errors.ts'
import { groupCodes, own, token } from '../codes.ts'
import { claimActs } from './acts.ts'
import type { ClaimKind } from './kinds.ts'

const codesOf = {
  reserve: [
    ...token,
    'InvalidParameterValue',
    'ResourceInUse',
    'ResourceInsufficient.Subnet',
    'ResourceNotFound',
    'UnknownParameter.WithGuess',
  ],
  bind: [
    ...own.assign,
    'InvalidParameterValue.DuplicatePara',
    'InvalidParameterValue.Range',
    'InvalidParameterValue.Reserved',
  ],
  migrate: [
    'InvalidParameterValue.Malformed',
    'LimitExceeded',
    'ResourceNotFound',
    'UnauthorizedOperation.AttachmentNotFound',
    'UnauthorizedOperation.PrimaryIp',
    'UnsupportedOperation.MutexOperationTaskRunning',
    'UnsupportedOperation.PrimaryIp',
  ],
  find: [
    'InvalidParameter.Coexist',
    'InvalidParameter.FilterInvalidKey',
    'InvalidParameterValue',
    'ResourceNotFound',
  ],
  release: [
    'InvalidParameterValue',
    'InvalidParameterValue.ParameterMismatch',
    'ResourceInUse',
    'ResourceNotFound',
  ],
} satisfies Partial<Readonly<Record<ClaimKind, readonly string[]>>>

/** Steps whose calls may be refused in ways of their own; others make the same calls. */
export type RefusedKind = keyof typeof codesOf

export const refusedKinds = Object.keys(codesOf) as readonly RefusedKind[]

/** What each code means in our words, in groups of one meaning. */
export function claimRefusalsOf(kind: RefusedKind): ReadonlyMap<ErrorCode, readonly string[]> {
  return groupCodes(claimActs[kind].api ?? '', codesOf[kind])
}
