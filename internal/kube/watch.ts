// One watch of a collection from a known version: its lines become calls, until the server ends it or it breaks.
import type { IncomingMessage } from 'node:http'
import type { Clock } from '../base/clock.ts'
import type { Log } from '../base/log.ts'
import { type Random, randomInt } from '../base/random.ts'
import { IpamError } from '../ipam/errors.ts'
import type { Millis } from '../value/millis.ts'
import { parseJson } from '../wire/json.ts'
import type { KubeClient } from './client.ts'
import { KubeError, refused, unreachable } from './error.ts'
import { at, textAt } from './json.ts'
import { createLineSplitter } from './lines.ts'
import type { ReflectorLimits, Source } from './source.ts'

export interface WatchTools<T> {
  readonly client: KubeClient
  readonly clock: Clock
  readonly random: Random
  readonly log: Log
  readonly limits: Pick<ReflectorLimits, 'watchFor' | 'stallAfter'>
  readonly signal: AbortSignal
  /** All up to this version has been told; the next watch may begin here. */
  reached(version: string): void
  changed(item: T): void
  removed(item: T): void
}

/** Resolves when the server ends the watch in good order. Throws when it breaks; `reached` says how far it came. */
export async function watchFrom<T>(source: Source<T>, from: string, tools: WatchTools<T>): Promise<void> {
  const { client, clock, random, limits, signal } = tools
  const doing = `watch ${source.what}`
  const seconds = Math.ceil(limits.watchFor / 1000)
  const openedAt = clock.now()
  const stream = await client.open({
    doing,
    path: source.path,
    accept: source.accept?.watch,
    signal,
    query: {
      watch: 1,
      resourceVersion: from,
      fieldSelector: source.fieldSelector,
      allowWatchBookmarks: 'true',
      timeoutSeconds: randomInt(random, seconds, 2 * seconds),
    },
  })
  const stall = watchForSilence(stream, clock, limits.stallAfter, doing)
  let last = from
  let lines = 0
  try {
    const splitter = createLineSplitter()
    for await (const chunk of stream as AsyncIterable<Buffer>) {
      stall.heard()
      for (const line of splitter.push(chunk)) {
        if (signal.aborted) return
        lines += 1
        last = takeEvent(source, doing, last, line, tools)
      }
    }
  } catch (error) {
    if (error instanceof IpamError) throw error
    if (error instanceof RangeError) throw new IpamError('bad_input', `Cannot ${doing}: ${error.message}`)
    if (error instanceof Error && 'code' in error) throw unreachable(doing, String(error.code), error)
    throw error
  } finally {
    stall.stop()
    stream.destroy()
  }
  // A server that ends every watch at once would otherwise be asked in a tight loop.
  if (lines === 0 && clock.now() - openedAt < 1000) throw unreachable(doing, 'it ended at once')
}

/** Tells one event and returns how far we are now. Throws what an ERROR event says, and IpamError bad_input for a line that is not JSON. */
function takeEvent<T>(
  source: Source<T>,
  doing: string,
  last: string,
  line: string,
  tools: WatchTools<T>,
): string {
  const event = parseJson(line)
  if (event === undefined)
    throw new IpamError('bad_input', `Cannot ${doing}: a line of the answer is not JSON`)
  const type = textAt(event, 'type')
  const object = at(event, 'object')
  if (type === 'ERROR') throw refused(doing, statusOf(object), object)
  const version = textAt(object, 'metadata', 'resourceVersion')
  if (type !== 'BOOKMARK') {
    // A repeated or late event would take us back in time.
    if (version !== undefined && !isAfter(version, last)) return last
    const item = source.read(object)
    if (item === undefined) tools.log.warn('object without identity left out', { path: source.path, type })
    else if (type === 'ADDED' || type === 'MODIFIED') tools.changed(item)
    else if (type === 'DELETED') tools.removed(item)
  }
  if (version === undefined) return last
  if (version !== last && !isAfter(version, last)) throw wentBack(doing)
  tools.reached(version)
  return version
}

function statusOf(object: unknown): number {
  const code = at(object, 'code')
  return typeof code === 'number' && code >= 400 && code < 600 ? code : 500
}

/** Only a server restored from a backup is behind us: what we know may never have been. */
function wentBack(doing: string) {
  return new KubeError('conflict', `Cannot ${doing}: the server is behind what it said before`, {
    status: 410,
  })
}

/** Versions of one collection are rising numbers; one that is no number is taken as it comes. */
function isAfter(version: string, last: string): boolean {
  if (!/^\d+$/.test(version) || !/^\d+$/.test(last)) return version !== last
  return BigInt(version) > BigInt(last)
}

function watchForSilence(stream: IncomingMessage, clock: Clock, stallAfter: Millis, doing: string) {
  let heardAt = clock.now()
  const check = () => {
    const silent = clock.now() - heardAt
    if (silent >= stallAfter) stream.destroy(unreachable(doing, `nothing was heard for ${silent} ms`))
    else cancel = clock.after(stallAfter - silent, check)
  }
  let cancel = clock.after(stallAfter, check)
  return {
    heard() {
      heardAt = clock.now()
    },
    stop: () => cancel(),
  }
}
