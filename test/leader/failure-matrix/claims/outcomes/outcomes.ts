// What must come of mishaps with static addresses. `shows` is what the claim says from the trigger on.
import type { FateOutcome } from '../../fate.ts'
import type { ClaimMishapId } from '../mishaps.ts'

export type ClaimOutcomes = Partial<Readonly<Record<ClaimMishapId, FateOutcome>>>

/** What the claim says in the course of a step. */
export interface Course {
  /** All goes well. */
  readonly usual: readonly string[]
  /** The cloud does not do what it is asked for. */
  readonly refused: readonly string[]
  /** Another leader takes over without the ledger. */
  readonly anew: readonly string[]
}

export const eventsTwice =
  'Nothing: what is wanted is counted from what there is, not from events; an ENI with an open intent is left alone, and of one name one thing is done at a time.'
export const stillThrottled = 'The client sends it again itself, ever more slowly, up to eight times.'
export const nodeKeepsIt =
  "The address is bound there, and stays that node's until it is known to be gone; then it goes where the pod is."
export const waitsForAgent =
  'Nothing is taken that a pod may have: the claim says so, and it goes on when the agent gives the address back.'
export const onToTheNext = 'The new pod takes the claim over, and the address goes to its node.'
