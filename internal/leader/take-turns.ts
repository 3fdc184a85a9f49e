// A leader that holds the lease and cannot get ready (a wrong setting, a right that it lacks, a way to the cloud that is cut) keeps
// others from leading who could. So it gives the lease back, for long enough that one who stands by takes it.
import { type Clock, sleep } from '../base/clock.ts'
import type { Log } from '../base/log.ts'
import type { Millis } from '../value/millis.ts'

export interface TurnOptions {
  readonly clock: Clock
  readonly log: Log
  /** How long it stands aside. */
  readonly asideFor: Millis
  /** Hears why it does not lead. */
  readonly tell: (status: string) => void
}

const firstPatience = 2 * 60_000
/** Longer than anything that a rebuild waits for by itself. */
const mostPatience = 32 * 60_000

/**
 * Calls `lead` until it resolves with undefined: it was asked to end. Else it resolves with why it did not get ready within
 * `patience`, which grows: what takes long, but comes to an end, does so in one of the next turns.
 */
export async function takeTurns(
  { clock, log, asideFor, tell }: TurnOptions,
  lead: (patience: Millis) => Promise<string | undefined>,
  signal: AbortSignal,
): Promise<void> {
  for (let patience = firstPatience; !signal.aborted; patience = Math.min(2 * patience, mostPatience)) {
    const why = await lead(patience)
    if (why === undefined) return
    log.error('stands aside', { error: why, triedFor: patience, asideFor })
    tell(`stands aside for others, it could not get ready: ${why}`)
    await sleep(clock, asideFor, signal)
  }
}
