// The time for which this process leads. It ends by this machine's own steady clock when the lease could not be renewed:
// what others may do once they have waited the lease out never overlaps with it.
import type { Cancel, Clock } from '../base/clock.ts'
import type { Log } from '../base/log.ts'
import { startRounds } from '../base/rounds.ts'
import { errorCode, IpamError } from '../ipam/errors.ts'
import type { LeaseRecord, LeaseStore, StoredLease } from '../ports.ts'
import type { Millis } from '../value/millis.ts'

export interface Term {
  /** Higher than that of every term before. */
  readonly epoch: number
  /** The ledger that the last leader worked with, as far as the lease says. */
  readonly formerLedger: string | undefined
  /** Asked right before anything is changed, anywhere. */
  holds(): boolean
  /** Throws `deposed` unless it holds. */
  check(): void
  /** Aborts when the term ends, with the IpamError `deposed` that says why as its reason; not when it is given back. */
  readonly over: AbortSignal
  /** Somebody has proof of a later term; `hint` says which. */
  end(why: string, hint?: string): void
  /** Says whose ledger is the newest from now on; resolves when all candidates can read it. Throws `deposed`. */
  nameLedger(id: string): Promise<void>
  /** Ends the term and lets the next leader begin at once. */
  release(): Promise<void>
}

export interface ElectionSettings {
  /** Others wait for so long after the last sign of life before they take over. */
  readonly leaseDuration: Millis
  /** A leader that could not renew its lease for so long leads no more; less than `leaseDuration`. */
  readonly renewDeadline: Millis
  /** How often the lease is renewed, or looked at. */
  readonly retryEvery: Millis
}

export interface TermOptions {
  readonly store: LeaseStore
  readonly clock: Clock
  /** Time that nobody sets, and that goes on while this process or its machine sleeps. */
  readonly steady: () => Millis
  readonly log: Log
  readonly identity: string
  readonly settings: ElectionSettings
}

/** A timer that runs later than so much was held up. */
const timerLag = 1000

/** The term that began when `lease` was asked for, at `sentAt` of the steady clock; renewed from now on. */
export function startTerm(lease: StoredLease, sentAt: Millis, options: TermOptions): Term {
  const { store, clock, steady, log, identity, settings } = options
  const { epoch } = lease
  const ended = new AbortController()
  let version: string | undefined = lease.version
  let ledgerId = lease.ledgerId
  let named = lease.ledgerId
  let until = sentAt + settings.renewDeadline
  let trouble = ''
  /** When a write was sent of which nobody knows whether it took effect. */
  let unanswered: Millis | undefined
  let released = false
  let underWay: Promise<void> = Promise.resolve()
  let told: (() => void)[] = []
  let cancelDeadline: Cancel = () => {}

  function end(why: string, hint?: string): void {
    if (ended.signal.aborted || released) return
    rounds.stop()
    cancelDeadline()
    ended.abort(deposed(why, hint))
    tell()
  }

  function tell(): void {
    const waiting = told
    told = []
    for (const each of waiting) each()
  }

  function holds(): boolean {
    if (ended.signal.aborted || released) return false
    if (steady() < until) return true
    // The deadline has a timer: when that comes so late, all came late.
    const why = steady() - until > timerLag ? 'this process did not run' : trouble
    end(`its lease could not be renewed for ${settings.renewDeadline / 1000} s: ${why}`)
    return false
  }

  function check(): void {
    if (!holds()) throw ended.signal.aborted ? ended.signal.reason : deposed('it has given its lease back')
  }

  function watchDeadline(): void {
    cancelDeadline()
    cancelDeadline = clock.after(Math.max(0, until - steady()), () => {
      if (holds()) watchDeadline()
    })
  }

  async function renew(): Promise<Millis> {
    const sent = steady()
    trouble = 'no answer came'
    try {
      underWay = write(sent)
      await underWay
    } catch (error) {
      trouble = (error as Error).message
      log.warn('lease not renewed', { epoch, error: trouble, leadsFor: Math.max(0, until - steady()) })
    }
    return Math.max(0, settings.retryEvery - (steady() - sent))
  }

  async function write(sent: Millis): Promise<void> {
    if (unanswered !== undefined) await look()
    if (ended.signal.aborted) return
    const record: LeaseRecord = { holder: identity, duration: settings.leaseDuration, epoch, ledgerId }
    try {
      const stored = await store.write(record, version)
      version = stored.version
      named = record.ledgerId
      renewedAt(sent)
      tell()
    } catch (error) {
      const code = errorCode(error)
      if (code === 'conflict' || code === 'not_found') await look()
      else unanswered = sent
      if (!ended.signal.aborted) throw error
    }
  }

  /** Has the write that failed taken effect all the same, or has somebody else written? */
  async function look(): Promise<void> {
    const now = await store.read()
    if (now !== undefined && (now.holder !== identity || now.epoch !== epoch)) {
      const holder = now.holder === undefined ? 'nobody' : `"${now.holder}"`
      return end(`${holder} holds its lease now, in epoch ${now.epoch}`)
    }
    if (now !== undefined && now.version !== version && unanswered !== undefined) renewedAt(unanswered)
    version = now?.version // one that was deleted is made again, unless somebody else is faster
    unanswered = undefined
  }

  /** As of when it was asked for: the answer may have taken its time. */
  function renewedAt(sent: Millis): void {
    unanswered = undefined
    until = sent + settings.renewDeadline
    if (!ended.signal.aborted && !released) watchDeadline()
  }

  const rounds = startRounds(clock, renew)
  watchDeadline()
  return {
    epoch,
    formerLedger: lease.ledgerId,
    holds,
    check,
    over: ended.signal,
    end,
    async nameLedger(id) {
      ledgerId = id
      while (named !== id) {
        check()
        const heard = new Promise<void>((resolve) => told.push(resolve))
        rounds.wake()
        await heard
      }
    },
    async release() {
      if (ended.signal.aborted || released) return
      released = true
      rounds.stop()
      cancelDeadline()
      tell()
      await underWay.catch(() => {})
      await store
        .write({ holder: undefined, duration: settings.leaseDuration, epoch, ledgerId: named }, version)
        .catch((error: unknown) => {
          log.warn('lease not given back', { epoch, error: (error as Error).message })
        })
    },
  }
}

/** The term of one who leads because its settings say so, and nobody else's do. */
export function unlimitedTerm(epoch: number): Term {
  const ended = new AbortController()
  return {
    epoch,
    formerLedger: undefined,
    holds: () => !ended.signal.aborted,
    check() {
      if (ended.signal.aborted) throw ended.signal.reason
    },
    over: ended.signal,
    end(why, hint) {
      if (!ended.signal.aborted) ended.abort(deposed(why, hint))
    },
    nameLedger: () => Promise.resolve(),
    release: () => Promise.resolve(),
  }
}

function deposed(why: string, hint?: string): IpamError {
  return new IpamError('deposed', `Cannot go on leading: ${why}`, hint === undefined ? {} : { hint })
}
