// What an operator of the simulated cloud may turn: faults on demand, and the cloud's limits. Kept in the database.
import type { Database } from '../../sqlite/database.ts'
import type { Millis } from '../../value/millis.ts'

/** Per action, or "*" for every other action. */
export type PerAction<T> = Readonly<Record<string, T>>

export interface Faults {
  /** How the API fails as a whole. `unavailable`: code ServiceUnavailable; `bad-gateway`: HTTP 502; `hang`: never answers. */
  readonly outage: 'off' | 'reset' | 'hang' | 'unavailable' | 'bad-gateway'
  /** The server waits so long before each answer. In process it is the caller's to wait. */
  readonly answerDelayMs: Millis
  /** Added to every asynchronous transition. */
  readonly taskDelayMs: Millis
  /** Probability of UnauthorizedOperation: with 1 the caller lacks the permission. */
  readonly deny: PerAction<number>
  /** Probability of RequestLimitExceeded or LimitExceeded.ActionLimited. */
  readonly throttle: PerAction<number>
  /** The throttling ends then; null: it does not. */
  readonly throttleUntil: Millis | null
  /** Probability that the request is lost before it has an effect. */
  readonly lostRequests: PerAction<number>
  /** Probability that the answer is lost after the effect. */
  readonly lostAnswers: PerAction<number>
  /** So many next answers are lost after the effect; counts down. */
  readonly loseNextAnswers: PerAction<number>
  /** Probability that an accepted task ends in FAILED and is undone. */
  readonly failTasks: PerAction<number>
  /** The account has no money left: nothing is sold to it, FailedOperation.BalanceInsufficient. */
  readonly noBalance: boolean
  /** Describes answer as of so long ago. */
  readonly staleDescribeMs: Millis
}

export const noFaults: Faults = {
  outage: 'off',
  answerDelayMs: 0,
  taskDelayMs: 0,
  deny: {},
  throttle: {},
  throttleUntil: null,
  lostRequests: {},
  lostAnswers: {},
  loseNextAnswers: {},
  failTasks: {},
  noBalance: false,
  staleDescribeMs: 0,
}

export interface Limits {
  /** ENIs of a VPC, primary ones not counted. */
  readonly enisPerVpc: number
  /** Addresses of an ENI that is on no instance, its primary included. */
  readonly ipsPerFreeEni: number
  /** EIPs of the account, and those that it may apply for in a day. */
  readonly eips: number
  readonly eipsPerDay: number
  /** Of those EIPs, the ones of one operator's line; theirs in a day are counted apart. */
  readonly singleLineEips: number
  readonly singleLineEipsPerDay: number
  /** Ids of the bandwidth packages that there are. */
  readonly bandwidthPackages: readonly string[]
  /** Are calls limited per second and action? */
  readonly rateLimits: boolean
  /** Calls per second that differ from the documented ones. */
  readonly rates: PerAction<number>
  /** A repeated ClientToken is refused with IdempotentProcessing while its task runs; otherwise it brings the first answer. */
  readonly refuseTokenWhileRunning: boolean
  /** Describing unknown ids of ENIs, reserved addresses and EIPs is refused; otherwise they are left out. */
  readonly refuseUnknownEnis: boolean
  /** Answers do not say the subnet of a reserved address, as in the pages' examples. */
  readonly hideReservedSubnets: boolean
  readonly tokenLifeMs: Millis
  readonly taskLifeMs: Millis
}

const usualLimits: Limits = {
  enisPerVpc: 1000,
  ipsPerFreeEni: 40,
  eips: 20,
  eipsPerDay: 40,
  singleLineEips: 6,
  singleLineEipsPerDay: 12,
  bandwidthPackages: [],
  rateLimits: true,
  rates: {},
  refuseTokenWhileRunning: false,
  refuseUnknownEnis: false,
  hideReservedSubnets: false,
  tokenLifeMs: 86_400_000,
  taskLifeMs: 3_600_000,
}

export interface Settings {
  faults(): Faults
  limits(): Limits
  /** Merges; what is not named stays. */
  setFaults(faults: Partial<Faults>): Faults
  setLimits(limits: Partial<Limits>): Limits
}

/** The settings in `db`; read once, written through. */
export function openSettings(db: Database, initialLimits: Partial<Limits>): Settings {
  let faults: Faults = { ...noFaults, ...load<Faults>(db, 'faults') }
  let limits: Limits = { ...usualLimits, ...initialLimits, ...load<Limits>(db, 'limits') }
  return {
    faults: () => faults,
    limits: () => limits,
    setFaults(change) {
      faults = { ...faults, ...change }
      save(db, 'faults', faults)
      return faults
    },
    setLimits(change) {
      limits = { ...limits, ...change }
      save(db, 'limits', { ...load<Limits>(db, 'limits'), ...change })
      return limits
    },
  }
}

/** The entry for `action`, else the one for "*". */
export function forAction<T>(entries: PerAction<T>, action: string): T | undefined {
  return Object.hasOwn(entries, action) ? entries[action] : entries['*']
}

function load<T>(db: Database, name: string): Partial<T> {
  const row = db.get<{ value: string }>('SELECT value FROM setting WHERE name = ?', name)
  return row === undefined ? {} : (JSON.parse(row.value) as Partial<T>)
}

function save(db: Database, name: string, value: unknown): void {
  db.run('INSERT OR REPLACE INTO setting (name, value) VALUES (?, ?)', name, JSON.stringify(value))
}
