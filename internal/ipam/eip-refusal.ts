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

/** What somebody can do about it (E8), where whoever translates the refusal does not know what was asked for. */
const remedies: Readonly<Record<EipAct, Partial<Record<ErrorCode, string>>>> = {
  allocate: {
    no_address: 'The line has no address left: another ISP may have',
    bad_input: 'Mend the annotation, and make the pod anew',
  },
  associate: {
    conflict: "Unbind the EIP that is on the pod's address",
    // It is the instance that takes no more, whatever the account may have (E5).
    eip_quota: 'End another pod with an EIP on its node, or run the pod on another node',
  },
  disassociate: {},
  release: {},
}

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

export interface Refused {
  readonly code: ErrorCode | undefined
  readonly message: string
  /** What can be done about it by what the cloud answered. */
  readonly hint?: string | undefined
}

/** undefined: it may have happened, which only a look can say. */
export function judgeEipRefusal(act: EipAct, { code, hint, message }: Refused): JudgedRefusal | undefined {
  if (code === undefined || mayHaveHappened(code)) return undefined
  const remedy = remedies[act][code] ?? hint
  return {
    code,
    reason: reasons[act],
    message: remedy === undefined ? message : `${message}; ${remedy}`,
    again: passing.has(code) ? 'soon' : 'later',
    ofState: act !== 'allocate' && ofState.has(code),
    newToken: act === 'allocate' && code === 'cloud_fault',
  }
}
