// Long work in parts, one part in each turn of the event loop, however many do such work at a time: between them goes on whatever else
// the process has to do.
import { type Clock, sleep } from './clock.ts'

/** Resolves when it is the caller's turn; in order of the calls. */
export type NextTurn = () => Promise<void>

export function createTurns(clock: Clock): NextTurn {
  let last: Promise<void> = Promise.resolve()
  return () => {
    last = last.then(() => sleep(clock, 0))
    return last
  }
}
