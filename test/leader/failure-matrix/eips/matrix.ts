// Every cell of the matrix of public addresses.

import type { FateOutcome } from '../fate.ts'
import type { EipMishap } from './eip-cell.ts'
import { type EipKind, eipKinds } from './kinds.ts'
import { type EipMishapId, type EipMishapKind, eipMishaps } from './mishaps.ts'
import { outcomesOfAllocate } from './outcomes/allocate.ts'
import { outcomesOfArrive } from './outcomes/arrive.ts'
import { outcomesOfBind } from './outcomes/bind.ts'
import { outcomesOfBindOwn } from './outcomes/bind-own.ts'
import { outcomesOfFind } from './outcomes/find.ts'
import { outcomesOfFollow } from './outcomes/follow.ts'
import { outcomesOfLeave } from './outcomes/leave.ts'
import type { EipOutcomes } from './outcomes/outcomes.ts'
import { outcomesOfPick } from './outcomes/pick.ts'
import { outcomesOfQuota } from './outcomes/quota.ts'
import { outcomesOfRelease } from './outcomes/release.ts'
import { outcomesOfRest } from './outcomes/rest.ts'
import { outcomesOfUnbindOwn } from './outcomes/unbind-own.ts'
import { eipWords } from './words.ts'

const outcomes: Readonly<Record<EipKind, EipOutcomes>> = {
  allocate: outcomesOfAllocate,
  bind: outcomesOfBind,
  'bind-own': outcomesOfBindOwn,
  leave: outcomesOfLeave,
  arrive: outcomesOfArrive,
  follow: outcomesOfFollow,
  rest: outcomesOfRest,
  'unbind-own': outcomesOfUnbindOwn,
  release: outcomesOfRelease,
  find: outcomesOfFind,
  pick: outcomesOfPick,
  quota: outcomesOfQuota,
}

export interface EipCell {
  readonly kind: EipKind
  readonly id: EipMishapId
  readonly mishap: EipMishap
  readonly outcome: FateOutcome | undefined
}

export function eipCells(): readonly EipCell[] {
  const ids = Object.keys(eipMishaps) as readonly EipMishapId[]
  return eipKinds.flatMap((kind) =>
    ids.flatMap((id) => {
      const { of }: EipMishapKind = eipMishaps[id]
      const mishap = of(kind)
      const its = outcomes[kind][id]
      const outcome = its && { ...its, what: eipWords(kind, id) }
      return mishap === undefined ? [] : [{ kind, id, mishap, outcome }]
    }),
  )
}
