// The one scheduler of all cloud calls: when each may be sent, in what order, and when a refused one is sent again.
// It knows no API: the caller says what a failure asks for. All time and chance come from outside.
import { type BackoffPolicy, backoffDelay } from '../base/backoff.ts'
import type { Cancel, Clock } from '../base/clock.ts'
import type { Log } from '../base/log.ts'
import type { Random } from '../base/random.ts'
import { IpamError } from '../ipam/errors.ts'
import type { Priority } from '../ports.ts'
import type { Millis } from '../value/millis.ts'
import { type CallQueue, createCallQueue, isBefore, rankOf } from './call-queue.ts'
import { type ActionLimits, defaultLimits, otherLimit } from './limits.ts'
import { type TokenBucket, tokenBucket } from './token-bucket.ts'

/** What a failure asks for: the same call later with the whole action slowed down, the same call later, or nothing. */
export type Retry = 'slow-down' | 'again' | 'no'

export interface Call<T> {
  readonly action: string
  readonly priority: Priority
  /** Sends it once; called again for each retry. */
  readonly send: () => Promise<T>
  /** Only for what surely did not happen may it say other than 'no'. */
  readonly retry: (error: unknown) => Retry
}

export interface ActionStatus {
  readonly action: string
  readonly waiting: number
  readonly inFlight: number
  /** Calls per second at present, and what it may rise to. */
  readonly rate: number
  readonly limit: number
  /** Since the start. */
  readonly sent: number
  readonly throttled: number
}

export interface Limiter {
  /** What `send` gave at last. Throws what it threw at last, or `throttled` when too many calls wait. */
  run<T>(call: Call<T>): Promise<T>
  /** In order of action. */
  status(): readonly ActionStatus[]
}

export interface LimiterOptions {
  readonly clock: Clock
  readonly random: Random
  readonly log: Log
  /** Calls per second by action; merged over the defaults. */
  readonly limits?: ActionLimits
  /** Calls under way at once. */
  readonly maxInFlight?: number
  /** Calls that may wait; past it the least important are refused. */
  readonly maxWaiting?: number
  /** How often a call is sent in all. */
  readonly maxAttempts?: number
  /** Once aborted, nothing more is sent: what waits is refused as `unavailable`. */
  readonly signal?: AbortSignal | undefined
}

const backoff: BackoffPolicy = { firstMs: 250, maxMs: 8000 }

interface Waiting {
  readonly lane: ActionLane
  readonly rank: number
  readonly sequence: number
  readonly send: () => Promise<void>
  readonly refuse: (error: IpamError) => void
  attempts: number
}

interface ActionLane {
  readonly action: string
  readonly limit: number
  readonly bucket: TokenBucket
  readonly queue: CallQueue<Waiting>
  inFlight: number
  sent: number
  throttled: number
}

export function createLimiter(options: LimiterOptions): Limiter {
  const { clock, random, log, maxInFlight = 64, maxWaiting = 20_000, maxAttempts = 8, signal } = options
  const limits: ActionLimits = { ...defaultLimits, ...options.limits }
  const lanes = new Map<string, ActionLane>()
  const backingOff = new Set<Waiting>()
  let sequence = 0
  let inFlight = 0
  let wake: { readonly at: Millis; readonly cancel: Cancel } | undefined

  signal?.addEventListener('abort', stop, { once: true })

  function laneOf(action: string): ActionLane {
    const known = lanes.get(action)
    if (known !== undefined) return known
    const limit = limits[action] ?? otherLimit
    const bucket = tokenBucket(limit, clock.now())
    const lane = {
      action,
      limit,
      bucket,
      queue: createCallQueue<Waiting>(),
      inFlight: 0,
      sent: 0,
      throttled: 0,
    }
    lanes.set(action, lane)
    return lane
  }

  function run<T>(call: Call<T>): Promise<T> {
    return new Promise((resolve, reject) => {
      if (signal?.aborted) return reject(stopped(call.action))
      const lane = laneOf(call.action)
      const send = async () => call.send().then(resolve, failed)
      const job: Waiting = {
        lane,
        send,
        refuse: reject,
        rank: rankOf(call.priority),
        sequence: ++sequence,
        attempts: 0,
      }
      function failed(error: unknown): void {
        if (!tryAgain(job, call.retry(error))) reject(error)
      }
      if (!makeRoom(job)) return reject(tooMany(call.action))
      lane.queue.add(job)
      wakeAt(clock.now()) // not at once: what is asked within a turn is ordered by priority first
    })
  }

  /** Room for `job`, if need be by refusing a less important one that waits. */
  function makeRoom(job: Waiting): boolean {
    let waiting = backingOff.size
    let least: Waiting | undefined
    for (const { queue } of lanes.values()) {
      waiting += queue.size
      const last = queue.last()
      if (last !== undefined && (least === undefined || isBefore(least, last))) least = last
    }
    if (waiting < maxWaiting) return true
    if (least === undefined || least.rank <= job.rank) return false
    least.lane.queue.takeLast()?.refuse(tooMany(least.lane.action))
    return true
  }

  function wakeAt(at: Millis): void {
    if (wake !== undefined && wake.at <= at) return
    wake?.cancel()
    const cancel = clock.after(Math.max(0, at - clock.now()), () => {
      wake = undefined
      sendWhatMayBe()
    })
    wake = { at, cancel }
  }

  function sendWhatMayBe(): void {
    while (inFlight < maxInFlight) {
      const now = clock.now()
      let next: Waiting | undefined
      let soonest = Number.POSITIVE_INFINITY
      for (const lane of lanes.values()) {
        const first = lane.queue.first()
        if (first === undefined) continue
        const readyAt = lane.bucket.readyAt(now)
        if (readyAt > now) soonest = Math.min(soonest, readyAt)
        else if (next === undefined || isBefore(first, next)) next = first
      }
      if (next === undefined) {
        if (soonest < Number.POSITIVE_INFINITY) wakeAt(soonest)
        return
      }
      next.lane.bucket.take(now)
      next.lane.queue.takeFirst()
      start(next)
    }
  }

  function start(job: Waiting): void {
    job.attempts++
    job.lane.sent++
    job.lane.inFlight++
    inFlight++
    // `send` settles the caller itself and never rejects.
    void job.send().finally(() => {
      job.lane.inFlight--
      inFlight--
      sendWhatMayBe()
    })
  }

  function tryAgain(job: Waiting, retry: Retry): boolean {
    const { lane } = job
    const retryIn = backoffDelay(backoff, job.attempts - 1, random)
    if (retry === 'slow-down') {
      lane.throttled++
      lane.bucket.slowDown(clock.now(), retryIn)
      log.warn('cloud calls slowed down', {
        action: lane.action,
        rate: lane.bucket.rate(),
        attempt: job.attempts,
      })
    }
    if (retry === 'no' || job.attempts >= maxAttempts || signal?.aborted) return false
    log.debug('cloud call will be sent again', { action: lane.action, attempt: job.attempts, retryIn })
    backingOff.add(job)
    clock.after(retryIn, () => {
      if (!backingOff.delete(job)) return
      lane.queue.add(job)
      wakeAt(clock.now())
    })
    return true
  }

  function stop(): void {
    const waiting = [...lanes.values()].flatMap(({ queue }) => queue.takeAll()).concat(...backingOff)
    backingOff.clear()
    wake?.cancel()
    for (const job of waiting) job.refuse(stopped(job.lane.action))
  }

  function status(): readonly ActionStatus[] {
    return [...lanes.values()]
      .map(({ action, limit, bucket, queue, inFlight, sent, throttled }) => {
        return { action, limit, rate: bucket.rate(), waiting: queue.size, inFlight, sent, throttled }
      })
      .sort((a, b) => (a.action < b.action ? -1 : 1))
  }

  return { run, status }
}

function tooMany(action: string): IpamError {
  return new IpamError('throttled', `Cannot call ${action}: too many calls wait for their rate limit already`)
}

function stopped(action: string): IpamError {
  return new IpamError('unavailable', `Cannot call ${action}: this process no longer calls the cloud`)
}
