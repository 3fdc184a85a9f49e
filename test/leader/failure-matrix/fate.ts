// Cells about what a pod has under its name, an address or an EIP: whether it is the same in the end.
import assert from 'node:assert/strict'
import type { LeaderWorld } from '../leader-world.ts'
import { type Act, type Eye, holdsTo, type Measured, type Mishap, type Outcome, runCell } from './cell.ts'

/** Against the one that the claim had first. */
export type Fate = 'same' | 'another' | 'none'

export interface FateOutcome extends Outcome {
  /** The same, if nothing else is said. */
  readonly address?: Fate
}

export interface FateMeasured extends Measured {
  readonly address: Fate
}

export interface FateEye extends Eye {
  fate(): Fate
}

/** As runCell. */
export async function runFateCell<World extends LeaderWorld>(
  world: World,
  act: Act<World>,
  cell: Mishap<World>,
  eyeOn: (world: World) => FateEye,
): Promise<FateMeasured> {
  let eye: FateEye | undefined
  const measured = await runCell(world, act, cell, () => {
    eye = eyeOn(world)
    return eye
  })
  return { ...measured, address: eye?.fate() ?? 'none' }
}

export function fateHoldsTo(measured: FateMeasured, outcome: FateOutcome): void {
  holdsTo(measured, outcome)
  assert.equal(measured.address, outcome.address ?? 'same')
}

/** "Attaching", or "Attaching (StaticIPInUse)". */
export function saidBy({ phase, reason }: { readonly phase: string; readonly reason: string }): string {
  return reason === '' || reason === phase ? phase : `${phase} (${reason})`
}
