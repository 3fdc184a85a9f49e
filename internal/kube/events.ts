// Writes Kubernetes Events: fire and forget. Alike notices become one Event with a count; the queue is bounded,
// writes are rate limited, and what cannot be written is dropped with a log line.
import { backoffDelay } from '../base/backoff.ts'
import { type Clock, sleep } from '../base/clock.ts'
import type { Log } from '../base/log.ts'
import type { Random } from '../base/random.ts'
import { randomToken } from '../base/random-token.ts'
import { errorCode } from '../ipam/errors.ts'
import type { Notice } from '../ipam/types.ts'
import type { Millis } from '../value/millis.ts'
import type { KubeClient } from './client.ts'
import { type EventRecord, eventBody, eventKey, eventNamespace, eventUpdate } from './event-body.ts'
import { createThrottle } from './throttle.ts'

export interface EventLimits {
  /** Alike notices within this time of the last one are the same Event. */
  readonly window: Millis
  /** A count that rises is written at most this often. */
  readonly repeatEvery: Millis
  /** Events remembered; the one unheard of for longest is forgotten first. */
  readonly remembered: number
  /** Events waiting to be written; notices beyond are dropped. */
  readonly queued: number
  readonly qps: number
  readonly burst: number
}

const eventDefaults: EventLimits = {
  window: 600_000,
  repeatEvery: 30_000,
  remembered: 4096,
  queued: 1000,
  qps: 10,
  burst: 50,
}

export interface EventParts {
  readonly client: KubeClient
  readonly clock: Clock
  readonly random: Random
  readonly log: Log
  readonly instance: string
  readonly eventLimits?: Partial<EventLimits>
}

export interface Events {
  notify(notice: Notice): void
  /** Nothing is written any more. */
  close(): void
}

/** A write that fails for want of an API server is tried this often. */
const maxTries = 4
const retryBackoff = { firstMs: 1000, maxMs: 30_000 }

export function createEvents(parts: EventParts): Events {
  const { clock, random, log } = parts
  const limits = { ...eventDefaults, ...parts.eventLimits }
  const throttle = createThrottle(clock, limits)
  const stop = new AbortController()
  const records = new Map<string, EventRecord>()
  const due = new Map<EventRecord, Millis>()
  let writing = false

  const record = (notice: Notice, now: Millis): EventRecord => {
    const key = eventKey(notice)
    const known = records.get(key)
    records.delete(key) // and in again below: the map is ordered by when a record was last heard of
    if (known && now - known.lastAt <= limits.window) {
      known.notice = notice
      known.lastAt = now
      known.count += 1
      records.set(key, known)
      return known
    }
    const name = `${notice.about.name}.${randomToken(random).slice(0, 16)}`
    const fresh = { key, name, notice, firstAt: now, lastAt: now, count: 1, writtenAt: undefined }
    records.set(key, fresh)
    const [oldest] = records.keys()
    if (records.size > limits.remembered && oldest !== undefined) records.delete(oldest)
    return fresh
  }

  const notify = (notice: Notice) => {
    if (stop.signal.aborted) return
    const now = clock.now()
    const event = record(notice, now)
    if (due.has(event)) return
    if (due.size >= limits.queued) {
      log.warn('event dropped', { reason: notice.reason, about: notice.about, waiting: due.size })
      return
    }
    due.set(event, event.writtenAt === undefined ? now : Math.max(now, event.writtenAt + limits.repeatEvery))
    if (!writing) void writeAll()
    else wake?.()
  }

  let wake: (() => void) | undefined
  const writeAll = async () => {
    writing = true
    while (due.size > 0 && !stop.signal.aborted) {
      const [event, at] = earliest(due)
      const wait = at - clock.now()
      if (wait > 0) {
        await rest(wait)
        continue
      }
      due.delete(event)
      await throttle.turn(stop.signal)
      await write(event)
    }
    writing = false
  }

  /** Waits, but no longer than until the next notice, which may be due earlier. */
  const rest = async (wait: Millis) => {
    const woken = new AbortController()
    wake = () => woken.abort()
    await sleep(clock, wait, AbortSignal.any([woken.signal, stop.signal]))
    wake = undefined
  }

  const write = async (event: EventRecord) => {
    for (let attempt = 1; !stop.signal.aborted; attempt++) {
      try {
        await put(parts, event, stop.signal)
        event.writtenAt = clock.now()
        return
      } catch (error) {
        if (errorCode(error) !== 'unavailable' || attempt === maxTries) {
          log.warn('event not written', {
            reason: event.notice.reason,
            about: event.notice.about,
            error: (error as Error).message,
          })
          return
        }
        await sleep(clock, backoffDelay(retryBackoff, attempt, random), stop.signal)
      }
    }
  }

  return { notify, close: () => stop.abort() }
}

/** Creates the Event, or raises its count; one that has expired meanwhile is created again under its name. */
async function put({ client, instance }: EventParts, event: EventRecord, signal: AbortSignal) {
  const doing = `write event "${event.notice.reason}"`
  const path = `/api/v1/namespaces/${encodeURIComponent(eventNamespace(event.notice))}/events`
  if (event.writtenAt !== undefined) {
    try {
      const own = `${path}/${encodeURIComponent(event.name)}`
      await client.call({ doing, method: 'PATCH', path: own, body: eventUpdate(event), signal })
      return
    } catch (error) {
      if (errorCode(error) !== 'not_found') throw error
    }
  }
  try {
    await client.call({ doing, method: 'POST', path, body: eventBody(event, instance), signal })
  } catch (error) {
    // Our own earlier try, whose answer was lost.
    if (errorCode(error) !== 'conflict') throw error
  }
}

function earliest(due: ReadonlyMap<EventRecord, Millis>): [EventRecord, Millis] {
  let first: [EventRecord, Millis] | undefined
  for (const entry of due) if (first === undefined || entry[1] < first[1]) first = entry
  if (first === undefined) throw new Error('Cannot choose an event: none is waiting')
  return first
}
