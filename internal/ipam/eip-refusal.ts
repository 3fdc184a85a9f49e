// What a refusal of the cloud means for a claim to a public address: what people are told, and how soon it is tried again.
import type { EipAct, EipTrouble } from './eip-claim.ts'
import { type ErrorCode, mayHaveHappened } from './errors.ts'

export interface JudgedRefusal extends EipTrouble {
  readonly code: ErrorCode
  /** `soon`: it passes by itself, and nobody is told. `later`: somebody has to do something. */
  readonly again: 'soon' | 'later'
  /** It speaks of what is so: the same request, delivered before, may have made it so. */
  readonly ofState: boolean
  /** The token brings nothing any more: the next allocation takes another, if this one was alone. */
  readonly newToken: boolean
}

const reasons: Readonly<Record<EipAct, string>> = {
  allocate: 'FailedAllocateEIP',
  associate: 'FailedAssociateEIP',
  disassociate: 'FailedDisassociateEIP',
  release: 'FailedReleaseEIP',
}

/** What somebody can do about it (E8). */
const remedies: Partial<Record<ErrorCode, string>> = {
  denied: 'grant the policy QcloudAccessForIPAMDRoleInQcloudAllocateEIP to the role IPAMDofTKE_QCSRole',
  eip_quota: 'release EIPs that nobody uses, or ask for a higher quota',
  arrears: 'the account has to pay first',
  no_address: 'the line has no address left; another ISP may have',
  conflict: "unbind the EIP that is on the pod's address",
  bad_input: 'mend the annotation, and make the pod anew',
}

/** It is the instance that takes no more, whatever the account may have (E5). */
const fullInstance = 'end another pod with an EIP on its node, or run the pod on another node'

/** These pass, or the next look says what is so. */
const passing: ReadonlySet<ErrorCode> = new Set([
  ...([
    'throttled',
    'unavailable',
    'in_progress',
    'invalid_state',
    'not_found',
    'deposed',
    'storage',
  ] as const),
])

const ofState: ReadonlySet<ErrorCode> = new Set([
  ...(['conflict', 'in_progress', 'invalid_state', 'not_found'] as const),
])

/** Of what got no answer, or came to nothing. */
export function eipFailure(act: EipAct, message: string): EipTrouble {
  return { reason: reasons[act], message }
}

/** undefined: it may have happened, which only a look can say. */
export function judgeEipRefusal(
  act: EipAct,
  { code, message }: { readonly code: ErrorCode | undefined; readonly message: string },
): JudgedRefusal | undefined {
  if (code === undefined || mayHaveHappened(code)) return undefined
  const remedy = act === 'associate' && code === 'eip_quota' ? fullInstance : remedies[code]
  return {
    code,
    reason: reasons[act],
    message: remedy === undefined ? message : `${message}; ${remedy}`,
    again: passing.has(code) ? 'soon' : 'later',
    ofState: act !== 'allocate' && ofState.has(code),
    newToken: act === 'allocate' && code === 'cloud_fault',
  }
}
