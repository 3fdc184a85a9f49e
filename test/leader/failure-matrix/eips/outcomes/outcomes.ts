// What must come of mishaps with public addresses. `shows` is what the claim says from the trigger on. What happens is in ../words.ts.
import type { FateOutcome } from '../../fate.ts'
import type { EipMishapId } from '../mishaps.ts'

export type EipOutcomes = Partial<Readonly<Record<EipMishapId, Omit<FateOutcome, 'what'>>>>
