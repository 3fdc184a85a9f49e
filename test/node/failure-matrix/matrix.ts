// Every cell of the node's matrix.
import { type ActId, acts } from './acts.ts'
import type { Act } from './cell.ts'
import { canHappen, type MishapId, mishaps, type Step } from './mishaps.ts'
import { type Outcome, outcomeOf } from './outcomes.ts'

export interface NodeMatrixCell {
  readonly act: Act
  readonly id: ActId
  readonly step: Step
  readonly mishap: MishapId
  readonly outcome: Outcome
}

export function nodeCells(): readonly NodeMatrixCell[] {
  const ids = Object.keys(acts) as readonly ActId[]
  const all = Object.keys(mishaps) as readonly MishapId[]
  return ids.flatMap((id) => {
    const act: Act = acts[id]
    return act.steps.flatMap((step) =>
      all
        .filter((mishap) => canHappen(step, mishap))
        .map((mishap) => {
          return { act, id, step, mishap, outcome: outcomeOf(id, step, mishap, act.run !== undefined) }
        }),
    )
  })
}
