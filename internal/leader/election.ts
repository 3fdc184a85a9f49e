// Waits until this process may lead. A candidate judges a lease by when it saw it change last, never by the times written
// in it, so that clocks of different machines need not agree.
import { sleep } from '../base/clock.ts'
import type { Random } from '../base/random.ts'
import { highestEpoch } from '../ipam/epoch.ts'
import { errorCode, withHint } from '../ipam/errors.ts'
import type { StoredLease } from '../ports.ts'
import type { Millis } from '../value/millis.ts'
import { startTerm, type Term, type TermOptions } from './term.ts'

export interface Candidate extends TermOptions {
  readonly random: Random
  /**
   * The highest epoch that anything shows to have been led in, given what the lease shows; 0 when nothing does. A lease that was
   * deleted, or came back from a backup, has forgotten. Throws when that cannot be found out now.
   */
  readonly highestEpoch: (ofLease: number) => Promise<number>
  /** Hears why this process does not lead yet. */
  readonly tell: (status: string) => void
}

/** Holds a lease that somebody has deleted: perhaps under a leader, which is given the time of any other one. */
const formerLeader = 'a leader whose lease was deleted'

/**
 * Resolves when this process leads; with undefined when `signal` has aborted before.
 *
 * `identity` must be that of no other process that lives: a lease in its name is taken over at once.
 */
export async function campaign(candidate: Candidate, signal: AbortSignal): Promise<Term | undefined> {
  const { clock, random, log, settings } = candidate
  const glance = watchLease(candidate)
  let status = ''
  const say = (now: string, level: 'info' | 'warn' = 'info') => {
    if (now !== status) log[level]('does not lead', { status: now })
    status = now
    candidate.tell(now)
  }
  while (!signal.aborted) {
    let pause = settings.retryEvery
    try {
      const { lease, left, seenEpoch } = await glance()
      if (left <= 0) {
        const term = await takeOver(candidate, lease, seenEpoch)
        if (term !== undefined) return term
        continue
      }
      pause = Math.min(pause, left)
      say(`standby: ${lease?.holder ?? 'nobody'} leads`)
    } catch (error) {
      const lostRace = errorCode(error) === 'conflict' || errorCode(error) === 'not_found'
      if (!lostRace) say(`standby: ${withHint(error)}`, 'warn')
    }
    await sleep(clock, pause * (0.5 + random.next() / 2), signal)
  }
  return undefined
}

/** Reads the lease again and again: for how long must it still be left alone? */
function watchLease({ store, steady, identity, settings }: Candidate) {
  let seen: { readonly version: string; readonly at: Millis } | undefined
  /** A lease that is deleted has forgotten its epoch; who saw it has not. */
  let highest = 0
  return async (): Promise<{ lease: StoredLease | undefined; left: Millis; seenEpoch: number }> => {
    const lease = await store.read()
    highest = highestEpoch(highest, [lease?.epoch ?? 0])
    const seenEpoch = highest
    if (lease === undefined || lease.holder === undefined || lease.holder === identity)
      return { lease, left: 0, seenEpoch }
    if (seen?.version !== lease.version) seen = { version: lease.version, at: steady() }
    // A holder with other settings than ours goes by its own.
    const duration = Math.max(lease.duration, settings.leaseDuration)
    return { lease, left: seen.at + duration - steady(), seenEpoch }
  }
}

/**
 * undefined when the lease must be waited out first: NECs tell that somebody has led, and perhaps still does. A cluster without NECs
 * is taken for a new one. Throws `conflict` when another one was faster.
 */
async function takeOver(
  candidate: Candidate,
  lease: StoredLease | undefined,
  seenEpoch: number,
): Promise<Term | undefined> {
  const { store, steady, log, identity, settings } = candidate
  const { leaseDuration: duration } = settings
  const highest = await candidate.highestEpoch(seenEpoch)
  if (lease === undefined && highest > 0) {
    // Stored, so that the wait outlives whoever began it. One that still leads will notice when it renews.
    await store.write({ holder: formerLeader, duration, epoch: highest, ledgerId: undefined }, undefined)
    return undefined
  }
  const sentAt = steady()
  const epoch = highest + 1
  const next = { holder: identity, duration, epoch, ledgerId: lease?.ledgerId }
  const term = startTerm(await store.write(next, lease?.version), sentAt, candidate)
  log.info('leads', { epoch, identity, after: lease?.holder })
  return term
}
