// Storage over the claims of the leader's ledger: objects are read from its rows, each kind by its view, and the numbers of their changes
// are the resource versions. Nothing is written here.
import type { Cancel, Clock } from '../../base/clock.ts'
import type { ClaimEvent, ClaimFeed } from '../../ports.ts'
import type { Millis } from '../../value/millis.ts'
import type { KubeObject } from '../object.ts'
import { expired, methodNotAllowed } from '../status-error.ts'
import type { Change, Collection, Page, PageRequest, Storage, Subscription } from '../storage.ts'
import { claimGroup } from './claim-objects.ts'
import { viewNamed } from './claim-views.ts'

export interface ClaimStorage extends Storage {
  /** To be called when claims may have changed; without it watches hear of it a moment later. */
  changed(): void
}

/** Also what changes without our knowing is seen, as by somebody's sqlite3. */
const lookEvery: Millis = 500
/** Events, of all watches together. */
const inOneTurn = 500

export function claimStorage(feed: ClaimFeed, clock: Clock): ClaimStorage {
  const watchers = new Set<Watcher>()
  let draining: Cancel | undefined
  let looking: Cancel | undefined
  const read = readTogether(feed)

  function drain(): void {
    draining = undefined
    const each = Math.max(1, Math.floor(inOneTurn / watchers.size))
    for (const watcher of [...watchers]) watcher.advance(each)
    if ([...watchers].some((watcher) => watcher.position < feed.version())) drainLater()
  }
  /** In a later turn, and each turn a bounded number. */
  function drainLater(): void {
    draining ??= clock.after(0, drain)
  }
  function look(): void {
    looking = undefined
    if (watchers.size === 0) return
    drain()
    looking = clock.after(lookEvery, look)
  }
  return {
    revision: () => feed.version(),
    get: (key) => viewNamed(key).get(feed, key),
    list: (collection, page) => listObjects(feed, collection, page),
    count: (collection, page) => countObjects(feed, collection, page),
    create: refuse,
    replace: refuse,
    remove: refuse,
    watch(collection, since, onChange): Subscription {
      // A version from the future is one of a ledger that is gone: its holder must list again.
      if (since < feed.oldest() || since > feed.version())
        throw expired(`too old resource version: ${since} (${feed.oldest()})`)
      const watcher = new Watcher({ collection, read, onChange }, since)
      watchers.add(watcher)
      drainLater()
      looking ??= clock.after(lookEvery, look)
      return { stop: () => watchers.delete(watcher), position: () => watcher.position }
    },
    changed: () => {
      if (watchers.size > 0) drainLater()
    },
    close() {
      watchers.clear()
      draining?.()
      looking?.()
    },
  }
}

interface Watching {
  readonly collection: Collection
  readonly read: ReadChanges
  readonly onChange: (change: Change) => void
}

class Watcher {
  private readonly watching: Watching
  position: number

  constructor(watching: Watching, since: number) {
    this.watching = watching
    this.position = since
  }

  /** By so many changes at most. */
  advance(most: number): void {
    const { collection, onChange, read } = this.watching
    const { resource, namespace } = collection
    const { changes, upTo } = read(resource, this.position, most)
    this.position = upTo
    const isOfAll = namespace === undefined || !viewNamed(collection).resource.namespaced
    for (const change of changes) if (isOfAll || change.key.namespace === namespace) onChange(change)
  }
}

interface SeenChanges {
  /** Of the resource; none has to be. */
  readonly changes: readonly Change[]
  readonly upTo: number
}

type ReadChanges = (resource: string, since: number, limit: number) => SeenChanges

/** Watches are mostly at the same place: what one has read serves the next. */
function readTogether(feed: ClaimFeed): ReadChanges {
  let last = { since: -1, version: -1, limit: -1, events: [] as readonly ClaimEvent[] }
  let shown = new Map<string, readonly Change[]>()
  const showAll = (events: readonly ClaimEvent[], resource: string): readonly Change[] => {
    const sides = viewNamed({ resource }).change(feed)
    return events.flatMap((event) => changesOf(event.version, resource, sides(event)))
  }
  return (resource, since, limit) => {
    const version = feed.version()
    if (version === since) return { changes: [], upTo: since }
    if (last.since !== since || last.version !== version || last.limit !== limit) {
      last = { since, version, limit, events: feed.changes(since, limit) }
      shown = new Map()
    }
    const { events } = last
    const changes = shown.get(resource) ?? showAll(events, resource)
    shown.set(resource, changes)
    return { changes, upTo: events.at(-1)?.version ?? since }
  }
}

/** What a change of a claim is for the resource: nothing, one change, or two when the address is another. */
function changesOf(
  version: number,
  resource: string,
  {
    before: old,
    after: now,
  }: { readonly before: KubeObject | undefined; readonly after: KubeObject | undefined },
): readonly Change[] {
  const change = (type: Change['type'], object: KubeObject, previous: KubeObject | undefined): Change => ({
    type,
    revision: version,
    key: {
      group: claimGroup,
      resource,
      namespace: object.metadata.namespace ?? '',
      name: object.metadata.name ?? '',
    },
    object,
    previous,
  })
  const gone = (object: KubeObject): Change =>
    change(
      'DELETED',
      { ...object, metadata: { ...object.metadata, resourceVersion: String(version) } },
      object,
    )
  if (old === undefined) return now === undefined ? [] : [change('ADDED', now, undefined)]
  if (now === undefined) return [gone(old)]
  if (old.metadata.name === now.metadata.name) return [change('MODIFIED', now, old)]
  return [gone(old), change('ADDED', now, undefined)]
}

function listObjects(feed: ClaimFeed, collection: Collection, page: PageRequest = {}): Page {
  const { at, limit } = page
  const revision = feed.version()
  checkKept(feed, at)
  const most = limit === undefined ? page : { ...page, limit: limit + 1 }
  const found = viewNamed(collection).list(feed, collection, most)
  const kept = limit === undefined ? found : found.slice(0, limit)
  const items = kept.filter((object) => object !== undefined)
  return { revision: at ?? revision, items, more: found.length > kept.length }
}

function countObjects(feed: ClaimFeed, collection: Collection, page: PageRequest = {}): number {
  checkKept(feed, page.at)
  return viewNamed(collection).count(feed, collection, page)
}

function checkKept(feed: ClaimFeed, at: number | undefined): void {
  if (at !== undefined && at < feed.oldest())
    throw expired(`The resourceVersion ${at} is too old: the oldest kept is ${feed.oldest()}`)
}

function refuse(): never {
  throw methodNotAllowed('VpcIP, VpcIPClaim, EIPClaim cannot be written')
}
