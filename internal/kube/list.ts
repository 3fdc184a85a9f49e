// One complete list of a collection, page by page; objects are reduced as each page arrives.
import type { Log } from '../base/log.ts'
import type { KubeClient } from './client.ts'
import { isTooNew, unreachable } from './error.ts'
import { at, textAt } from './json.ts'
import type { ReflectorLimits, Source } from './source.ts'

/** Of millions of objects; a list that goes on longer goes on for ever. */
const maxPages = 10_000

export interface ListTools {
  readonly client: KubeClient
  readonly log: Log
  readonly limits: Pick<ReflectorLimits, 'pageSize'>
  readonly signal: AbortSignal
  /** The newest version seen so far, for a cached list. */
  readonly newest: string | undefined
}

export interface Listed<T> {
  readonly items: readonly T[]
  /** A watch from here misses nothing. */
  readonly version: string
}

/** All or nothing: throws as KubeClient.call does when any page cannot be had. */
export async function listAll<T>(source: Source<T>, tools: ListTools): Promise<Listed<T>> {
  if (source.freshness === 'consistent') return listPages(source, tools, undefined)
  try {
    return await listPages(source, tools, tools.newest ?? '0')
  } catch (error) {
    // The server's cache has not come as far as we have, as after a restore: ask for the truth of now.
    if (!isTooNew(error)) throw error
    return await listPages(source, tools, undefined)
  }
}

async function listPages<T>(
  source: Source<T>,
  { client, log, signal, limits }: ListTools,
  notOlderThan: string | undefined,
): Promise<Listed<T>> {
  const doing = `list ${source.what}`
  const items: T[] = []
  let next: string | undefined
  let first: string | undefined
  for (let pages = 0; pages < maxPages; pages++) {
    const page = await client.call({
      doing,
      path: source.path,
      accept: source.accept?.list,
      signal,
      query: {
        fieldSelector: source.fieldSelector,
        // With a limit and a version of its own a list is not taken from the server's cache.
        limit: notOlderThan === undefined ? limits.pageSize : undefined,
        continue: next,
        // The continue token says which version it goes on with; together with one the request is refused.
        ...(next === undefined &&
          notOlderThan !== undefined && {
            resourceVersion: notOlderThan,
            resourceVersionMatch: 'NotOlderThan',
          }),
      },
    })
    const version = textAt(page, 'metadata', 'resourceVersion')
    const found = at(page, 'items')
    const objects = found === null ? [] : found // so Go writes an empty list; a missing one says nothing
    if (version === undefined || !Array.isArray(objects))
      throw unreachable(doing, 'the answer is not a list with a resource version')
    for (const object of objects as readonly unknown[]) {
      const item = source.read(object)
      if (item === undefined) log.warn('object without identity left out', { path: source.path })
      else items.push(item)
    }
    // Should pages not be of one version, the watch must begin at the oldest to miss nothing.
    first ??= version
    const before: string | undefined = next
    next = textAt(page, 'metadata', 'continue')
    if (next !== undefined && next === before)
      throw unreachable(doing, 'the next page is the same page again')
    if (next === undefined) return { items, version: first }
  }
  throw unreachable(doing, `the list has no end after ${maxPages} pages`)
}
