// Every cell of the matrix.

import { acts } from './acts.ts'
import type { Outcome } from './cell.ts'
import type { MatrixKind } from './kinds.ts'
import { type MishapId, type MishapKind, mishaps } from './mishaps.ts'
import { outcomesOfAssign } from './outcomes/assign.ts'
import { outcomesOfAttach } from './outcomes/attach.ts'
import { outcomesOfCreate } from './outcomes/create.ts'
import { outcomesOfDelete } from './outcomes/delete.ts'
import { outcomesOfDetach } from './outcomes/detach.ts'
import type { Outcomes } from './outcomes/outcomes.ts'
import { outcomesOfUnassign } from './outcomes/unassign.ts'
import type { PoolMishap } from './pool-cell.ts'

const outcomes: Readonly<Record<MatrixKind, Outcomes>> = {
  create: outcomesOfCreate,
  attach: outcomesOfAttach,
  assign: outcomesOfAssign,
  unassign: outcomesOfUnassign,
  detach: outcomesOfDetach,
  delete: outcomesOfDelete,
}

export const kinds = Object.keys(acts) as readonly MatrixKind[]

export interface MatrixCell {
  readonly kind: MatrixKind
  readonly id: MishapId
  readonly mishap: PoolMishap
  readonly outcome: Outcome | undefined
}

export function cells(): readonly MatrixCell[] {
  const ids = Object.keys(mishaps) as readonly MishapId[]
  return kinds.flatMap((kind) =>
    ids.flatMap((id) => {
      const { of }: MishapKind = mishaps[id]
      const mishap = of(kind)
      return mishap === undefined ? [] : [{ kind, id, mishap, outcome: outcomes[kind][id] }]
    }),
  )
}
