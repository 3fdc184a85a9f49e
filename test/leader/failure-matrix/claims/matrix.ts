// Every cell of the matrix of static addresses.

import type { FateOutcome } from '../fate.ts'
import type { ClaimMishap } from './claim-cell.ts'
import { type ClaimKind, claimKinds } from './kinds.ts'
import { type ClaimMishapId, type ClaimMishapKind, claimMishaps } from './mishaps.ts'
import { outcomesOfArrive } from './outcomes/arrive.ts'
import { outcomesOfBind } from './outcomes/bind.ts'
import { outcomesOfCascade } from './outcomes/cascade.ts'
import { outcomesOfExpire } from './outcomes/expire.ts'
import { outcomesOfFind } from './outcomes/find.ts'
import { outcomesOfLeave } from './outcomes/leave.ts'
import { outcomesOfMigrate } from './outcomes/migrate.ts'
import type { ClaimOutcomes } from './outcomes/outcomes.ts'
import { outcomesOfRebind } from './outcomes/rebind.ts'
import { outcomesOfRelease } from './outcomes/release.ts'
import { outcomesOfReserve } from './outcomes/reserve.ts'
import { outcomesOfRest } from './outcomes/rest.ts'

const outcomes: Readonly<Record<ClaimKind, ClaimOutcomes>> = {
  reserve: outcomesOfReserve,
  bind: outcomesOfBind,
  rebind: outcomesOfRebind,
  leave: outcomesOfLeave,
  arrive: outcomesOfArrive,
  migrate: outcomesOfMigrate,
  rest: outcomesOfRest,
  find: outcomesOfFind,
  release: outcomesOfRelease,
  expire: outcomesOfExpire,
  cascade: outcomesOfCascade,
}

export interface ClaimCell {
  readonly kind: ClaimKind
  readonly id: ClaimMishapId
  readonly mishap: ClaimMishap
  readonly outcome: FateOutcome | undefined
}

export function claimCells(): readonly ClaimCell[] {
  const ids = Object.keys(claimMishaps) as readonly ClaimMishapId[]
  return claimKinds.flatMap((kind) =>
    ids.flatMap((id) => {
      const { of }: ClaimMishapKind = claimMishaps[id]
      const mishap = of(kind)
      return mishap === undefined ? [] : [{ kind, id, mishap, outcome: outcomes[kind][id] }]
    }),
  )
}
