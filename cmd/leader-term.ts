// How a leader process comes to lead: by the lease, or because its settings say that nobody else does; and whether the ledger on
// its disk is the one to lead with.
import { createHash } from 'node:crypto'
import { readFileSync, statSync } from 'node:fs'
import { hostname } from 'node:os'
import { backoffDelay } from '../internal/base/backoff.ts'
import { type Clock, sleep, steadyTime } from '../internal/base/clock.ts'
import type { Log } from '../internal/base/log.ts'
import type { Random } from '../internal/base/random.ts'
import { randomToken } from '../internal/base/random-token.ts'
import { highestEpoch } from '../internal/ipam/epoch.ts'
import { type ConnectSettings, connectKube } from '../internal/kube/connect.ts'
import { createLeaseStore } from '../internal/kube/lease-store.ts'
import { necEpochs } from '../internal/kube/nec-api.ts'
import { campaign } from '../internal/leader/election.ts'
import { type ElectionSettings, type Term, unlimitedTerm } from '../internal/leader/term.ts'
import { moveAside } from '../internal/sqlite/backup.ts'
import type { Database } from '../internal/sqlite/database.ts'
import { enterEpoch } from '../internal/store/leader/epoch.ts'
import { isComplete, ledgerId } from '../internal/store/leader/meta.ts'
import { peekLedger } from '../internal/store/leader/peek.ts'
import { leaderMigrations } from '../migrations/index.ts'
import { withCrashPoints } from './crash-points.ts'
import type { LeaderSettings } from './settings/leader-settings.ts'

export interface TermParts {
  readonly target: ConnectSettings
  readonly clock: Clock
  readonly random: Random
  readonly log: Log
  readonly ledgerPath: string
  /** Held by this process. */
  readonly lockPath: string
  /** Hears why it does not lead yet. */
  readonly tell: (status: string) => void
  readonly signal: AbortSignal
}

export interface WonTerm {
  readonly term: Term
  /** Works with this ledger from now on; says so in the lease, unless it knows nothing yet. Throws `deposed`. */
  enter(ledger: Database): Promise<void>
  /** Says so in the lease. Throws `deposed`, `unavailable`. */
  nameLedger(ledger: Database): Promise<void>
  /** Gives it back, when it is still ours. */
  close(): Promise<void>
}

const retry = { firstMs: 500, maxMs: 10_000 }

/** Resolves when this process leads, or with undefined when it was asked to end before. The ledger on disk is then the one to lead with. Throws `storage`. */
export async function winTerm(settings: LeaderSettings, parts: TermParts): Promise<WonTerm | undefined> {
  const { target, clock, random, log, ledgerPath, lockPath, signal } = parts
  peekLedger(ledgerPath, leaderMigrations) // one that cannot be used: said before others are kept from leading
  const election = electionSettings(settings.leaseDuration)
  // Of its own: what throttles others must never cost the lease. An answer that comes too late is as good as none.
  const client = await connectKube(
    { ...target, qps: 10, burst: 20, timeout: election.renewDeadline / 2 },
    clock,
  )
  let necEpoch = 0
  const highest = async (ofLease: number) => {
    const ofNecs = await necEpochs(client, log, signal)
    const ofLedger = peekLedger(ledgerPath, leaderMigrations, { checked: true })?.epoch ?? 0 // not edited by hand
    const found = highestEpoch(ofLedger, [ofLease, ...ofNecs])
    necEpoch = Math.max(0, ...ofNecs.filter((epoch) => epoch <= found))
    return found
  }
  const term = settings.leaderElect
    ? await campaign(
        {
          ...parts,
          store: withCrashPoints('leader.lease', createLeaseStore(client, clock)),
          steady: steadyTime,
          identity: identityOf(lockPath, random),
          settings: election,
          highestEpoch: highest,
        },
        signal,
      )
    : await withoutElection(() => highest(0), parts)
  if (term === undefined) {
    client.close()
    return undefined
  }
  setStaleAside(ledgerPath, term, necEpoch, log)
  const nameLedger = (ledger: Database) => term.nameLedger(`${ledgerId(ledger)}@${term.epoch}`)
  return {
    term,
    async enter(ledger) {
      ledger.transaction(() => enterEpoch(ledger, term.epoch)) // first: what the lease says is true by then
      if (isComplete(ledger)) await nameLedger(ledger)
    },
    nameLedger,
    async close() {
      await term.release()
      client.close()
    },
  }
}

/** A leader gives up well before others take over: what it has sent last gets time to arrive. */
function electionSettings(leaseDuration: number): ElectionSettings {
  return { leaseDuration, renewDeadline: (leaseDuration * 2) / 3, retryEvery: (leaseDuration * 2) / 15 }
}

/** Later than every leader before, so that one that was forgotten somewhere is refused. */
async function withoutElection(
  highest: () => Promise<number>,
  { clock, random, log, tell, signal }: TermParts,
): Promise<Term | undefined> {
  for (let failures = 0; !signal.aborted; failures++) {
    try {
      return unlimitedTerm((await highest()) + 1)
    } catch (error) {
      const retryIn = backoffDelay(retry, failures, random)
      log.warn('epoch not known yet', { error: (error as Error).message, retryIn })
      tell((error as Error).message)
      await sleep(clock, retryIn, signal)
    }
  }
  return undefined
}

/**
 * The same for each process that may follow another one on this ledger, and of no two that live: whoever holds the lock of
 * the directory knows that the one before is dead. So a leader that is started again need not wait for its own lease.
 */
function identityOf(lockPath: string, random: Random): string {
  const { dev, ino } = statSync(lockPath)
  const place = createHash('sha256')
    .update(`${bootId() ?? randomToken(random)} ${dev} ${ino}`)
    .digest('hex')
  return `${hostname()}_${place.slice(0, 12)}`
}

function bootId(): string | undefined {
  try {
    return readFileSync('/proc/sys/kernel/random/boot_id', 'utf8').trim()
  } catch {
    return undefined
  }
}

/**
 * A ledger that others have led without is a view of the past: kept for people, never worked with. So is an old copy of the newest
 * one, as far as its epoch tells.
 */
function setStaleAside(path: string, term: Term, necEpoch: number, log: Log): void {
  const own = peekLedger(path, leaderMigrations, { checked: true })
  if (own === undefined || !own.complete) return
  const [id, epoch] = term.formerLedger?.split('@') ?? [own.id, necEpoch]
  const newest = own.id === id && own.epoch >= Number(epoch)
  if (newest) return
  const to = moveAside(path, `${path}.stale-${term.epoch}`)
  log.warn('ledger of the past set aside', {
    ledger: own.id,
    epoch: own.epoch,
    newest: term.formerLedger,
    to,
  })
}
