// Processes die again while they recover: at each point once, without a pause in between. Only then everything must settle.

import type { Verdict } from './look.ts'
import type { Bench, Stimulus } from './matrix.ts'

export interface Gust {
  readonly during: string
  /** Where processes died, in order. */
  readonly points: readonly string[]
  readonly verdict: Verdict
}

export interface Aims {
  readonly points: readonly string[]
  /** Also each change of a ledger that comes. */
  readonly changes: boolean
}

/** One stimulus after the other. Throws when something does not settle. */
export async function runStorm(
  { rig, arming }: Bench,
  { changes, points }: Aims,
  stimuli: readonly Stimulus[],
  blown: (gust: Gust) => void,
): Promise<void> {
  for (const stimulus of stimuli) {
    const begin = arming.deaths().length
    const blow = () => {
      const died = new Set(arming.deaths())
      const all = [...points, ...(changes ? arming.reached() : [])]
      arming.arm(new Set(all.filter((point) => !died.has(point))))
    }
    blow()
    let deaths = begin
    let seen = begin
    const blowing = setInterval(() => {
      if (arming.deaths().length > deaths) blow()
      deaths = arming.deaths().length
    }, 50)
    try {
      await rig.run(stimulus)
      // Each death is progress, however long all of them take.
      while ((await rig.settled(() => arming.deaths().length > seen)) === undefined)
        seen = arming.deaths().length
    } finally {
      clearInterval(blowing)
      arming.disarm()
    }
    const verdict = await rig.settled()
    if (verdict !== undefined) blown({ during: stimulus.name, points: arming.deaths().slice(begin), verdict })
  }
}
