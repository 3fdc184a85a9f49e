// The simulated cloud: one entry for every call, pure of HTTP and of the clock. Time comes with each call, chance
// from the options, and all state is in SQLite, so a seed replays and a file survives a restart.
import type { Random } from '../../base/random.ts'
import { openDatabase } from '../../sqlite/database.ts'
import type { Millis } from '../../value/millis.ts'
import type { Action, Product } from './action.ts'
import { actions } from './actions/registry.ts'
import { type Admin, createAdmin } from './admin.ts'
import { ApiError, NoAnswer } from './api-error.ts'
import { oncePerToken } from './client-token.ts'
import { type Credentials, openCredentials } from './credentials.ts'
import { newUuid } from './ids.ts'
import { migrations } from './migrations.ts'
import { forgetPast, prunePast, readPast, recordPast, stampMoment } from './past.ts'
import { createRateLimit } from './rate-limit.ts'
import { type Faults, forAction, type Limits, openSettings } from './settings.ts'
import { createStats, type Stats } from './stats.ts'
import { applyDue, forgetOld, nextDue } from './tasks.ts'
import type { Call, Fields, LatencyRange, World } from './world.ts'

export interface VpcSimOptions {
  /** A file, or ":memory:". */
  readonly path: string
  readonly random: Random
  /** How long asynchronous transitions take; 200 to 1500 ms. */
  readonly latency?: LatencyRange
  /** Limits that differ from the usual ones, until set by `setLimits`. */
  readonly limits?: Partial<Limits>
  readonly region?: string
  /** The first listener, as of `onChange`. */
  readonly onChange?: ChangeListener
}

export type ChangeListener = (enis: readonly string[]) => void

export interface VpcSim {
  readonly region: string
  /**
   * Applies what is due, then performs the call. Returns the fields of Response, RequestId among them.
   * Throws ApiError, or NoAnswer when a fault says that the caller hears nothing.
   */
  handle(action: string, params: unknown, at: Millis, product?: Product): Fields
  /** The JSON that the text values of a GET request mean. */
  fromText(action: string, params: unknown): unknown
  /** Applies the transitions that are due. */
  advance(at: Millis): void
  /** When the next transition is due. */
  nextDue(): Millis | undefined
  /** Calls `listener` after the commit of whatever changes ENIs or their addresses: a task begins or ends, an instance comes or goes. */
  onChange(listener: ChangeListener): void
  readonly admin: Admin
  readonly credentials: Credentials
  faults(): Faults
  setFaults(faults: Partial<Faults>): Faults
  limits(): Limits
  setLimits(limits: Partial<Limits>): Limits
  stats(): Stats
  close(): void
}

/** Opens or creates a simulated cloud. Throws IpamError `storage`. */
export function openVpcSim(options: VpcSimOptions): VpcSim {
  const { random, region = 'ap-guangzhou' } = options
  const db = openDatabase({ path: options.path, kind: 'vpc-sim', migrations })
  db.script('PRAGMA synchronous = NORMAL') // it has to survive its own end, not a power cut
  const settings = openSettings(db, options.limits ?? {})
  const world: World = {
    db,
    random,
    settings,
    latency: options.latency ?? { minMs: 200, maxMs: 1500 },
    region,
  }
  if (settings.faults().staleDescribeMs > 0) recordPast(db) // of tables that a migration has added
  const listeners = new Set<ChangeListener>(options.onChange === undefined ? [] : [options.onChange])
  const changed = (enis: readonly string[]) => {
    for (const listener of listeners) listener(enis)
  }
  const rateLimit = createRateLimit()
  const stats = createStats()
  const staleMs = () => settings.faults().staleDescribeMs
  const stamp = (at: Millis) => {
    if (staleMs() > 0) stampMoment(db, at)
  }

  function advance(at: Millis): void {
    const due = nextDue(db)
    if (due === undefined || due > at) return
    const enis = db.transaction(() => {
      const touched = applyDue(db, at, stamp)
      forgetOld(db, at - settings.limits().taskLifeMs, at - settings.limits().tokenLifeMs)
      if (staleMs() > 0) prunePast(db, at - staleMs())
      return touched
    })
    changed([...enis])
  }

  function write<T>(at: Millis, work: () => T): T {
    advance(at)
    return db.transaction(() => {
      stamp(at)
      return work()
    })
  }

  function refuse({ action: name, at, requestId }: Call, action: Action): void {
    const { rateLimits, rates } = settings.limits()
    const { deny, throttle, throttleUntil, lostRequests } = settings.faults()
    if (happens(random, forAction(deny, name))) throw denied(action, name, requestId, region)
    const rate = forAction(rates, name) ?? action.rate
    const throttled =
      (throttleUntil === null || at < throttleUntil) && happens(random, forAction(throttle, name))
    if (throttled || (rateLimits && !rateLimit.take(name, rate, at)))
      throw tooMany(random, action.product, rate)
    if (happens(random, forAction(lostRequests, name))) throw new NoAnswer('the request was lost', false)
  }

  function perform(name: string, action: Action, params: unknown, call: Call): Fields {
    const run = action.bind(params)
    if (action.writes) {
      const fields = write(call.at, () => oncePerToken(call, params, () => run(call)))
      if (listeners.size > 0) changed([...call.touched])
      loseAnswer(name)
      return fields
    }
    advance(call.at)
    const describe = () => ({ ...run(call), RequestId: call.requestId })
    const fields = staleMs() > 0 ? readPast(db, call.at - staleMs(), describe) : describe()
    loseAnswer(name)
    return fields
  }

  function loseAnswer(name: string): void {
    const { loseNextAnswers, lostAnswers } = settings.faults()
    const left = loseNextAnswers[name] ?? 0
    if (left > 0) settings.setFaults({ loseNextAnswers: { ...loseNextAnswers, [name]: left - 1 } })
    if (left > 0 || happens(random, forAction(lostAnswers, name)))
      throw new NoAnswer('the answer was lost', true)
  }

  return {
    region,
    advance,
    nextDue: () => nextDue(db),
    onChange: (listener) => void listeners.add(listener),
    handle(name, params, at, product) {
      const requestId = newUuid(random)
      const call: Call = { ...world, at, requestId, action: name, touched: new Set() }
      try {
        refuseInOutage(settings.faults())
        const action = findAction(name, product)
        refuse(call, action)
        const fields = perform(name, action, params, call)
        stats.count(name, 'ok')
        return fields
      } catch (error) {
        if (error instanceof ApiError) error.requestId = requestId
        stats.count(name, error instanceof ApiError ? error.code : 'no-answer')
        throw error
      }
    },
    fromText: (name, params) => actions.get(name)?.fromText(params) ?? params,
    admin: createAdmin(world, write, changed),
    credentials: openCredentials(db, random),
    faults: settings.faults,
    setFaults(change) {
      const recorded = staleMs() > 0
      const faults = settings.setFaults(change)
      if (!recorded && faults.staleDescribeMs > 0) recordPast(db)
      if (recorded && faults.staleDescribeMs === 0) forgetPast(db)
      return faults
    },
    limits: settings.limits,
    setLimits: settings.setLimits,
    stats: stats.read,
    close: () => db.close(),
  }
}

function findAction(name: string, product: Product | undefined): Action {
  const action = actions.get(name)
  if (action === undefined || (product !== undefined && product !== action.product))
    throw new ApiError('InvalidAction', `The action \`${name}\` is not supported.`)
  return action
}

function refuseInOutage({ outage }: Faults): void {
  if (outage === 'off') return
  if (outage === 'unavailable') throw new ApiError('ServiceUnavailable', 'The service is unavailable.')
  throw new NoAnswer('the service cannot be reached', false)
}

function happens(random: Random, chance: number | undefined): boolean {
  return chance !== undefined && chance > 0 && random.next() < chance
}

/** EIPs are of the CVM product where permissions are granted, and its refusals are as told by those who saw them. */
function denied({ product, eips }: Action, name: string, requestId: string, region: string): ApiError {
  const message =
    eips === false
      ? `You are not authorized to perform operation (${product}:${name}).`
      : `[request id:${requestId}]you are not authorized to perform operation (cvm:${name})\nresource (qcs::cvm:${region}:uin/100000000001:eip/*) has no permission\n`
  return new ApiError('UnauthorizedOperation', message)
}

/** The VPC refuses with a code of its own or with the common one; a client must know both. */
function tooMany(random: Random, product: Product, rate: number): ApiError {
  const code =
    product === 'vpc' && random.next() < 0.5 ? 'LimitExceeded.ActionLimited' : 'RequestLimitExceeded'
  return new ApiError(code, `Your current request times exceed the limit of ${rate} times per second.`)
}
