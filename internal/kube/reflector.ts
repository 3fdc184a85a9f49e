// Keeps a feed in step with one collection of the API server: list, then watch from there, for ever.
// Only a complete list is ever passed on as the whole truth; what failed or is partial changes nothing.
import { backoffDelay } from '../base/backoff.ts'
import { type Clock, sleep } from '../base/clock.ts'
import type { Log } from '../base/log.ts'
import type { Random } from '../base/random.ts'
import { errorCode } from '../ipam/errors.ts'
import type { Feed, Stop } from '../ports.ts'
import type { KubeClient } from './client.ts'
import { isAnswer } from './error.ts'
import { listAll } from './list.ts'
import type { ReflectorLimits, Source } from './source.ts'
import { watchFrom } from './watch.ts'

export const reflectorDefaults: ReflectorLimits = {
  pageSize: 500,
  watchFor: 300_000,
  stallAfter: 90_000,
  backoff: { firstMs: 400, maxMs: 30_000 },
}

export interface ReflectorTools {
  readonly client: KubeClient
  readonly clock: Clock
  readonly random: Random
  readonly log: Log
  readonly limits?: Partial<ReflectorLimits>
  /** Hears of every list and watch that failed; it is tried again all the same. */
  readonly failed?: (error: Error) => void
}

/** Answers of "not now" to a watch, without an event in between, after which a list is tried instead. */
const maxRefusals = 5

/** Starts feeding; `Stop` ends it, and nothing is fed after it returns. */
export function reflect<T>(source: Source<T>, feed: Feed<T>, tools: ReflectorTools): Stop {
  const stop = new AbortController()
  const { signal } = stop
  const { clock, random } = tools
  const limits = { ...reflectorDefaults, ...tools.limits }
  const log = tools.log.child({ what: source.what })
  // Where the watch goes on; undefined when only a list can tell.
  let version: string | undefined
  // The newest version seen, which a cached list must not be older than.
  let newest: string | undefined
  let failures = 0
  let refusals = 0

  const relist = async () => {
    const list = await listAll(source, { ...tools, limits, log, signal, newest })
    if (signal.aborted) return
    feed.replaced(list.items)
    log.debug('listed', { count: list.items.length, version: list.version })
    newest = list.version
    version = list.version
  }

  const watch = async (from: string) => {
    await watchFrom(source, from, {
      ...tools,
      limits,
      log,
      signal,
      reached(next) {
        version = next
        newest = next
        refusals = 0
        failures = 0
      },
      changed: (item) => feed.changed(item),
      removed: (item) => feed.removed(item),
    })
  }

  const recover = (error: unknown) => {
    // A lost connection leaves our version good: after an outage nobody should have to list everything again.
    const lost = errorCode(error) === 'unavailable' && !isAnswer(error)
    if (!lost) refusals += 1
    if (!lost && (errorCode(error) !== 'unavailable' || refusals > maxRefusals)) version = undefined
    tools.failed?.(error as Error)
    const retryIn = backoffDelay(limits.backoff, failures++, random)
    log.warn('watch interrupted', {
      error: (error as Error).message,
      next: version === undefined ? 'list' : 'watch',
      retryIn,
    })
    return sleep(clock, retryIn, signal)
  }

  const run = async () => {
    while (!signal.aborted) {
      try {
        if (version === undefined) await relist()
        else await watch(version)
      } catch (error) {
        if (!signal.aborted) await recover(error)
      }
    }
  }
  void run()
  return () => stop.abort()
}
